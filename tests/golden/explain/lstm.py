"""hello: an LSTM reads "hell", predicts "ello"."""

import numpy as np


def loss_and_gradients(lstm_weight_ih_l0, lstm_weight_hh_l0, lstm_bias_ih_l0, lstm_bias_hh_l0, x,
                       readout_weight, readout_bias, targets):
    # forward
    a = x @ lstm_weight_ih_l0[0:8].T + lstm_bias_ih_l0[0:8]
    a_2 = x @ lstm_weight_ih_l0[8:16].T + lstm_bias_ih_l0[8:16]
    a_3 = x @ lstm_weight_ih_l0[16:24].T + lstm_bias_ih_l0[16:24]
    a_4 = x @ lstm_weight_ih_l0[24:32].T + lstm_bias_ih_l0[24:32]
    i = np.empty((4, 8))
    f = np.empty((4, 8))
    g = np.empty((4, 8))
    o = np.empty((4, 8))
    c = np.empty((5, 8))
    c[0] = np.zeros((8,))
    a_5 = np.empty((4, 8))
    h = np.empty((5, 8))
    h[0] = np.zeros((8,))
    for t in range(4):
        a_6 = a[t] + (h[t] @ lstm_weight_hh_l0[0:8].T + lstm_bias_hh_l0[0:8])
        i[t] = 1.0 / (1.0 + np.exp(-a_6))
        a_7 = a_2[t] + (h[t] @ lstm_weight_hh_l0[8:16].T + lstm_bias_hh_l0[8:16])
        f[t] = 1.0 / (1.0 + np.exp(-a_7))
        a_8 = a_3[t] + (h[t] @ lstm_weight_hh_l0[16:24].T + lstm_bias_hh_l0[16:24])
        g[t] = np.tanh(a_8)
        a_9 = a_4[t] + (h[t] @ lstm_weight_hh_l0[24:32].T + lstm_bias_hh_l0[24:32])
        o[t] = 1.0 / (1.0 + np.exp(-a_9))
        c[t + 1] = f[t] * c[t] + i[t] * g[t]
        a_5[t] = np.tanh(c[t + 1])
        h[t + 1] = o[t] * a_5[t]
    y = h[1:] @ readout_weight.T + readout_bias
    a_10 = y - np.max(y, axis=-1, keepdims=True)
    a_11 = np.exp(a_10)
    a_12 = np.sum(a_11, axis=-1)
    loss = np.sum(np.log(a_12) - a_10[np.arange(4), targets])

    # backward
    d = a_11 / a_12.reshape(4, 1) - (targets.reshape(4, 1) == np.arange(4))
    d_h = d @ readout_weight
    d_2 = 1.0 - a_5 * a_5
    d_3 = 1.0 - o
    d_4 = 1.0 - g * g
    d_5 = 1.0 - f
    d_6 = 1.0 - i
    d_c = np.empty((5, 8))
    d_c[4] = np.zeros((8,))
    delta = np.empty((4, 8))
    delta_2 = np.empty((4, 8))
    delta_3 = np.empty((4, 8))
    delta_4 = np.empty((4, 8))
    d_h_2 = np.empty((5, 8))
    d_h_2[4] = np.zeros((8,))
    for t in reversed(range(4)):
        d_h_3 = d_h_2[t + 1] + d_h[t]
        d_c_2 = d_h_3 * o[t] * d_2[t] + d_c[t + 1]
        d_c[t] = d_c_2 * f[t]
        delta[t] = d_h_3 * a_5[t] * o[t] * d_3[t]
        delta_2[t] = d_c_2 * i[t] * d_4[t]
        delta_3[t] = d_c_2 * c[t] * f[t] * d_5[t]
        delta_4[t] = d_c_2 * g[t] * i[t] * d_6[t]
        delta_5 = delta[t] @ lstm_weight_hh_l0[24:32] + delta_2[t] @ lstm_weight_hh_l0[16:24]
        d_h_2[t] = (
            delta_5 + delta_3[t] @ lstm_weight_hh_l0[8:16] + delta_4[t] @ lstm_weight_hh_l0[0:8]
        )
    d_lstm_bias_hh_l0 = (
        np.concatenate([np.sum(delta_4, axis=0), np.sum(delta_3, axis=0), np.sum(delta_2, axis=0),
        np.sum(delta, axis=0)], 0)
    )
    d_lstm_weight_hh_l0 = (
        np.concatenate([delta_4.T @ h[:4], delta_3.T @ h[:4], delta_2.T @ h[:4], delta.T @ h[:4]],
        0)
    )
    d_lstm_weight_ih_l0 = (
        np.concatenate([delta_4.T @ x, delta_3.T @ x, delta_2.T @ x, delta.T @ x], 0)
    )

    return loss, {
        "readout.weight": d.T @ h[1:],
        "readout.bias": np.sum(d, axis=0),
        "lstm.bias_hh_l0": d_lstm_bias_hh_l0,
        "lstm.bias_ih_l0": d_lstm_bias_hh_l0,
        "lstm.weight_hh_l0": d_lstm_weight_hh_l0,
        "lstm.weight_ih_l0": d_lstm_weight_ih_l0,
    }
