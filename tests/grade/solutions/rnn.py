"""A right backward pass of a tanh RNN, in NumPy."""

import numpy as np

CELL = "rnn"


def forward(weights, xs, targets):
    h, y, loss = [np.zeros(weights["W_hh"].shape[1])], [None], 0.0
    for x, target in zip(xs, targets):
        a = weights["W_ih"] @ x + weights["W_hh"] @ h[-1] + weights["b"]
        h.append(np.tanh(a))
        y.append(weights["W_hy"] @ h[-1] + weights["b_y"])
        loss += np.log(np.exp(y[-1]).sum()) - y[-1][target]
    return {"h": h, "y": y[1:], "loss": loss}


def backward(weights, xs, targets, states):
    W_hh, W_hy = weights["W_hh"], weights["W_hy"]
    h, y, T = states["h"], states["y"], len(xs)
    grads = {name: np.zeros_like(w) for name, w in weights.items()}
    dh_next = np.zeros_like(h[0])
    deltas = [None] * (T + 1)
    for t in range(T, 0, -1):
        p = np.exp(y[t] - y[t].max())
        dy = p / p.sum()
        dy[targets[t - 1]] -= 1.0
        dh = W_hy.T @ dy + dh_next
        delta = dh * (1 - h[t] ** 2)
        grads["W_hy"] += np.outer(dy, h[t])
        grads["b_y"] += dy
        grads["W_ih"] += np.outer(delta, xs[t - 1])
        grads["W_hh"] += np.outer(delta, h[t - 1])
        grads["b"] += delta
        dh_next = W_hh.T @ delta
        deltas[t] = delta
    return {**grads, "delta": deltas[1:]}
