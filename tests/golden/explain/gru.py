"""hello: a GRU reads "hell", predicts "ello"."""

import numpy as np


def loss_and_gradients(gru_weight_ih_l0, gru_weight_hh_l0, gru_bias_ih_l0, gru_bias_hh_l0, x,
                       readout_weight, readout_bias, targets):
    # forward
    a = x @ gru_weight_ih_l0[0:8].T + gru_bias_ih_l0[0:8]
    a_2 = x @ gru_weight_ih_l0[8:16].T + gru_bias_ih_l0[8:16]
    a_3 = x @ gru_weight_ih_l0[16:24].T + gru_bias_ih_l0[16:24]
    r = np.empty((4, 8))
    z = np.empty((4, 8))
    a_4 = np.empty((4, 8))
    n = np.empty((4, 8))
    a_5 = np.empty((4, 8))
    h = np.empty((5, 8))
    h[0] = np.zeros((8,))
    for t in range(4):
        a_6 = a[t] + (h[t] @ gru_weight_hh_l0[0:8].T + gru_bias_hh_l0[0:8])
        r[t] = 1.0 / (1.0 + np.exp(-a_6))
        a_7 = a_2[t] + (h[t] @ gru_weight_hh_l0[8:16].T + gru_bias_hh_l0[8:16])
        z[t] = 1.0 / (1.0 + np.exp(-a_7))
        a_4[t] = h[t] @ gru_weight_hh_l0[16:24].T + gru_bias_hh_l0[16:24]
        n[t] = np.tanh(a_3[t] + r[t] * a_4[t])
        a_5[t] = 1.0 - z[t]
        h[t + 1] = a_5[t] * n[t] + z[t] * h[t]
    y = h[1:] @ readout_weight.T + readout_bias
    a_8 = y - np.max(y, axis=-1, keepdims=True)
    a_9 = np.exp(a_8)
    a_10 = np.sum(a_9, axis=-1)
    loss = np.sum(np.log(a_10) - a_8[np.arange(4), targets])

    # backward
    d = a_9 / a_10.reshape(4, 1) - (targets.reshape(4, 1) == np.arange(4))
    d_h = d @ readout_weight
    d_2 = 1.0 - n * n
    d_3 = 1.0 - r
    delta = np.empty((4, 8))
    delta_2 = np.empty((4, 8))
    delta_3 = np.empty((4, 8))
    delta_4 = np.empty((4, 8))
    d_h_2 = np.empty((5, 8))
    d_h_2[4] = np.zeros((8,))
    for t in reversed(range(4)):
        d_h_3 = d_h_2[t + 1] + d_h[t]
        delta[t] = d_h_3 * a_5[t] * d_2[t]
        delta_2[t] = delta[t] * r[t]
        delta_3[t] = (d_h_3 * h[t] + (-(d_h_3 * n[t]))) * z[t] * a_5[t]
        delta_4[t] = delta[t] * a_4[t] * r[t] * d_3[t]
        delta_5 = (
            d_h_3 * z[t] + delta_2[t] @ gru_weight_hh_l0[16:24] + delta_3[t] @
            gru_weight_hh_l0[8:16]
        )
        d_h_2[t] = delta_5 + delta_4[t] @ gru_weight_hh_l0[0:8]
    d_gru_bias_hh_l0 = np.sum(delta_3, axis=0)
    d_gru_bias_hh_l0_2 = np.sum(delta_4, axis=0)
    d_gru_bias_hh_l0_3 = (
        np.concatenate([d_gru_bias_hh_l0_2, d_gru_bias_hh_l0, np.sum(delta_2, axis=0)], 0)
    )
    d_gru_bias_ih_l0 = (
        np.concatenate([d_gru_bias_hh_l0_2, d_gru_bias_hh_l0, np.sum(delta, axis=0)], 0)
    )
    d_gru_weight_hh_l0 = (
        np.concatenate([delta_4.T @ h[:4], delta_3.T @ h[:4], delta_2.T @ h[:4]], 0)
    )
    d_gru_weight_ih_l0 = np.concatenate([delta_4.T @ x, delta_3.T @ x, delta.T @ x], 0)

    return loss, {
        "readout.weight": d.T @ h[1:],
        "readout.bias": np.sum(d, axis=0),
        "gru.bias_hh_l0": d_gru_bias_hh_l0_3,
        "gru.bias_ih_l0": d_gru_bias_ih_l0,
        "gru.weight_hh_l0": d_gru_weight_hh_l0,
        "gru.weight_ih_l0": d_gru_weight_ih_l0,
    }
