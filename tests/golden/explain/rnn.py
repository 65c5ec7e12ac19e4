"""hello: a tanh RNN reads "hell", predicts "ello"."""

import numpy as np


def loss_and_gradients(rnn_weight_ih_l0, x, rnn_bias_ih_l0, rnn_weight_hh_l0, rnn_bias_hh_l0,
                       readout_weight, readout_bias, targets):
    # forward
    a = x @ rnn_weight_ih_l0.T + rnn_bias_ih_l0
    h = np.empty((5, 8))
    h[0] = np.zeros((8,))
    for t in range(4):
        h[t + 1] = np.tanh(a[t] + (h[t] @ rnn_weight_hh_l0.T + rnn_bias_hh_l0))
    y = h[1:] @ readout_weight.T + readout_bias
    a_2 = y - np.max(y, axis=-1, keepdims=True)
    a_3 = np.exp(a_2)
    a_4 = np.sum(a_3, axis=-1)
    loss = np.sum(np.log(a_4) - a_2[np.arange(4), targets])

    # backward
    d = a_3 / a_4.reshape(4, 1) - (targets.reshape(4, 1) == np.arange(4))
    d_h = d @ readout_weight
    d_2 = 1.0 - h[1:] * h[1:]
    delta = np.empty((4, 8))
    d_h_2 = np.empty((5, 8))
    d_h_2[4] = np.zeros((8,))
    for t in reversed(range(4)):
        delta[t] = (d_h_2[t + 1] + d_h[t]) * d_2[t]
        d_h_2[t] = delta[t] @ rnn_weight_hh_l0
    d_rnn_bias_hh_l0 = np.sum(delta, axis=0)

    return loss, {
        "readout.weight": d.T @ h[1:],
        "readout.bias": np.sum(d, axis=0),
        "rnn.weight_hh_l0": delta.T @ h[:4],
        "rnn.bias_hh_l0": d_rnn_bias_hh_l0,
        "rnn.weight_ih_l0": delta.T @ x,
        "rnn.bias_ih_l0": d_rnn_bias_hh_l0,
    }
