"""A right backward pass of an LSTM, in NumPy."""

import numpy as np

CELL = "lstm"


def backward(weights, xs, targets, states):
    h, c, y = states["h"], states["c"], states["y"]
    i, f, g, o = (states[name] for name in "ifgo")
    grads = {name: np.zeros_like(w) for name, w in weights.items()}
    dh_next, dc_next = np.zeros_like(h[0]), np.zeros_like(c[0])
    for t in range(len(xs), 0, -1):
        p = np.exp(y[t] - y[t].max())
        dy = p / p.sum()
        dy[targets[t - 1]] -= 1.0
        dh = weights["W_hy"].T @ dy + dh_next
        dc = dh * o[t] * (1 - np.tanh(c[t]) ** 2) + dc_next
        di = dc * g[t] * i[t] * (1 - i[t])
        df = dc * c[t - 1] * f[t] * (1 - f[t])
        dg = dc * i[t] * (1 - g[t] ** 2)
        do = dh * np.tanh(c[t]) * o[t] * (1 - o[t])
        delta = np.concatenate([di, df, dg, do])
        grads["W_hy"] += np.outer(dy, h[t])
        grads["b_y"] += dy
        grads["W_ih"] += np.outer(delta, xs[t - 1])
        grads["W_hh"] += np.outer(delta, h[t - 1])
        grads["b"] += delta
        dh_next = weights["W_hh"].T @ delta
        dc_next = dc * f[t]
    return grads
