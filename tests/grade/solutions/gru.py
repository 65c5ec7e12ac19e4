"""A right backward pass of a GRU, in NumPy."""

import numpy as np

CELL = "gru"


def backward(weights, xs, targets, states):
    h, y = states["h"], states["y"]
    r, z, n = (states[name] for name in "rzn")
    H = len(h[0])
    grads = {name: np.zeros_like(w) for name, w in weights.items()}
    dh_next = np.zeros(H)
    for t in range(len(xs), 0, -1):
        p = np.exp(y[t] - y[t].max())
        dy = p / p.sum()
        dy[targets[t - 1]] -= 1.0
        dh = weights["W_hy"].T @ dy + dh_next
        dn = dh * (1 - z[t]) * (1 - n[t] ** 2)
        dz = dh * (h[t - 1] - n[t]) * z[t] * (1 - z[t])
        inner = weights["W_hh"][2 * H :] @ h[t - 1] + weights["b_hn"]
        dr = dn * inner * r[t] * (1 - r[t])
        into_x = np.concatenate([dr, dz, dn])
        into_h = np.concatenate([dr, dz, dn * r[t]])
        grads["W_hy"] += np.outer(dy, h[t])
        grads["b_y"] += dy
        grads["W_ih"] += np.outer(into_x, xs[t - 1])
        grads["b"] += into_x
        grads["W_hh"] += np.outer(into_h, h[t - 1])
        grads["b_hn"] += dn * r[t]
        dh_next = dh * z[t] + weights["W_hh"].T @ into_h
    return grads
