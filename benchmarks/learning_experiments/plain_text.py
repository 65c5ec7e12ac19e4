"""A character model without an engine: the recurrence and its derivatives, written out by hand.

    h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h)          the state
    p_t = softmax(W_hy h_t + b_y)                      of the next character
    L   = -sum_t log p_t[y_t]                          over one chunk of the text

Backwards, with d_t = dL/d(pre-activation of h_t) and e_t = p_t - onehot(y_t) = dL/d(logits):

    d_t = (1 - h_t^2) (W_hy' e_t + W_hh' d_{t+1})      both terms pass the tanh

This is what min-char-rnn (Karpathy 2015) trains, by Adagrad, every gradient held between -5 and 5. It is the
reference for what micrornn computes from the same weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Weights = dict[str, Array]
WITHIN_ROOT = 1e-8  # min-char-rnn divides by sqrt(sum of squares + 1e-8)


def loss_and_gradients(
    w: Weights, inputs: Array, targets: Array, h: Array
) -> tuple[Any, Weights, Array]:
    """The loss of one chunk, its gradients, and the state at its end."""
    steps, rows = len(inputs), np.arange(len(inputs))
    states = np.empty((steps + 1, len(h)))
    states[0] = h
    for t in range(steps):
        states[t + 1] = np.tanh(w["xh"][:, inputs[t]] + w["hh"] @ states[t] + w["bh"])
    logits = states[1:] @ w["hy"].T + w["by"]
    logits -= logits.max(1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    loss = -log_p[rows, targets].sum()

    e = np.exp(log_p)
    e[rows, targets] -= 1.0
    from_output = e @ w["hy"]
    d = np.empty((steps, len(h)))
    later = np.zeros(len(h))
    for t in reversed(range(steps)):
        d[t] = (1.0 - states[t + 1] ** 2) * (from_output[t] + later)
        later = w["hh"].T @ d[t]
    xh = np.zeros_like(w["xh"])
    np.add.at(xh.T, inputs, d)
    gradients = {"xh": xh, "hh": d.T @ states[:-1], "bh": d.sum(0)}
    gradients |= {"hy": e.T @ states[1:], "by": e.sum(0)}
    return loss, gradients, states[-1]


class ByHand:
    """The training, chunk by chunk: the state is carried on, the gradient is not.

    Args:
        weights: what it begins with; it changes copies of its own.
    """

    def __init__(self, weights: Weights, lr: float, clip: float) -> None:
        self.weights = {name: value.copy() for name, value in weights.items()}
        self.lr, self.clip = lr, clip
        self.sums = {name: np.full_like(value, WITHIN_ROOT) for name, value in weights.items()}
        self.state = np.zeros(len(weights["bh"]))

    def step(self, inputs: Array, targets: Array, fresh: bool) -> float:
        """The loss of the next chunk; then one step of Adagrad."""
        if fresh:
            self.state = np.zeros_like(self.state)
        loss, gradients, self.state = loss_and_gradients(self.weights, inputs, targets, self.state)
        for name, gradient in gradients.items():
            held = np.clip(gradient, -self.clip, self.clip)
            self.sums[name] += held * held
            self.weights[name] -= self.lr * held / np.sqrt(self.sums[name])
        return float(loss)
