"""The catalog: mistakes that people make in backpropagation through time, each as the twist that makes it.

A mistake that gives exactly the student's numbers, on two problems, is the mistake: the match is the proof.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrornn.grade.backward import Twist, dy, onehot, softmax
from micrornn.grade.problem import Numbers


class Mistake(NamedTuple):
    """One mistake.

    Attributes:
        name: what was done, in a few words.
        hint: where to look, without the answer.
        fix: the right line.
        twists: by name, for `backward.bptt`.
        cells: of which it can be made.
    """

    name: str
    hint: str
    fix: str
    twists: dict[str, Twist]
    cells: tuple[str, ...] = ("rnn", "lstm", "gru")


def _twice(n: Numbers, t: int) -> Any:
    """Softmax in the model and again in the loss: through both."""
    p = softmax(n.y[t])
    q = softmax(p) - onehot(n, t)
    return p * (q - (q * p).sum())


def _clipped(g: Any) -> Any:
    return np.clip(g, -1.0, 1.0)


def _shortened(g: Any) -> Any:
    return g / max(1.0, float(np.sqrt((g**2).sum())))


def _all(value: float) -> Twist:
    return lambda grads, steps: {name: g * value for name, g in grads.items()}


def _mean(grads: Any, steps: int) -> Any:
    return {name: g / steps for name, g in grads.items()}


def _last(n: Numbers, t: int) -> Any:
    return dy(n, t) * (t == n.problem.steps)


def _shifted(n: Numbers, t: int) -> Any:
    """Against the target of the step before."""
    return softmax(n.y[t]) - onehot(n, max(t - 1, 1))


RNN, LSTM, GRU = ("rnn",), ("lstm",), ("gru",)

CATALOG = (
    # -- the loss
    Mistake("dL/dy_t has the wrong sign", "check the sign of dL/dy_t",
            "dy = softmax(y) - onehot", {"dy": lambda n, t: -dy(n, t)}),
    Mistake("dL/dy_t lacks the target: p instead of p - y", "at the target, p alone is not the derivative",
            "dy = softmax(y) - onehot", {"dy": lambda n, t: softmax(n.y[t])}),
    Mistake("softmax is missing: y - onehot", "y_t are logits, not probabilities",
            "dy = softmax(y) - onehot", {"dy": lambda n, t: n.y[t] - onehot(n, t)}),
    Mistake("softmax twice: in the model and in the loss", "does the loss expect logits or probabilities?",
            "give the logits to cross-entropy; dy = softmax(y) - onehot", {"dy": _twice}),
    Mistake("only the loss of the last step is used", "every step has a loss",
            "add dy_t at every step", {"dy": _last}),
    Mistake("the targets are shifted by one step", "which target belongs to y_t?",
            "y_t is compared with targets[t]", {"dy": _shifted}),
    Mistake("the gradients are averaged over the steps, the loss is a sum", "sum or mean?",
            "do not divide by T, or divide the loss too", {"finish": _mean}),
    Mistake("all gradients are doubled", "is something added twice?",
            "add each contribution once", {"finish": _all(2.0)}),
    # -- sums over time
    Mistake("gradients are overwritten instead of summed", "look at = and +=",
            "dW += ..., at every step", {"total": lambda parts: parts[-1]}),
    Mistake("only the last step contributes to the weights", "the loop ends too early",
            "add a contribution at every step", {"total": lambda parts: parts[0]}),
    Mistake("the first step contributes nothing", "look at the range of the loop",
            "for t in reversed(range(T))", {"total": lambda parts: sum(parts[:-1], parts[0] * 0)}),
    Mistake("nothing is carried to the step before", "h_t is used at step t + 1 as well",
            "dh_next = W_hh.T @ delta", {"carry": lambda carried, t, later: carried * 0}),
    Mistake("what is carried piles up: dh_next is added to, not replaced", "what arrives at step t?",
            "dh_next = ..., not dh_next += ...", {"carry": lambda carried, t, later: carried + later}),
    Mistake("contributions are clipped to [-1, 1] before they are summed", "when is a gradient clipped?",
            "sum all steps, then clip", {"part": _clipped}),
    Mistake("contributions are clipped to norm 1 before they are summed", "when is a gradient clipped?",
            "sum all steps, then clip the norm over all weights", {"part": _shortened}),
    Mistake("what is carried is clipped to [-1, 1]", "clipping belongs after backward",
            "sum all steps, then clip", {"carry": lambda carried, t, later: _clipped(carried)}),
    # -- products
    Mistake("W_hh is not transposed on the way back", "the product forward is W h: what is it backward?",
            "W_hh.T @ delta", {"back": lambda w, d: w @ d}, RNN),
    Mistake("W_hy is not transposed on the way back", "the product forward is W h: what is it backward?",
            "W_hy.T @ dy", {"out": lambda w, d: w @ d}),
    Mistake("the outer products are transposed", "the gradient has the shape of the weight",
            "np.outer(delta, h)", {"product": lambda d, x: np.outer(x, d)}, RNN),
    # -- off by one
    Mistake("W_hh meets h_t instead of h_{t-1}", "which state did W_hh multiply at step t?",
            "dW_hh += outer(delta_t, h_{t-1})", {"before": lambda n, t: n.h[t]}),
    Mistake("W_ih meets the input of the step before", "which input did W_ih multiply at step t?",
            "dW_ih += outer(delta_t, x_t)", {"read": lambda n, t: n.problem.xs[max(t - 2, 0)]}),
    Mistake("W_hy meets h_{t-1} instead of h_t", "which state did W_hy multiply at step t?",
            "dW_hy += outer(dy_t, h_t)", {"seen": lambda n, t: n.h[t - 1]}),
    Mistake("the bias is counted twice", "one bias, one sum of delta",
            "db += delta_t", {"bias": lambda d: 2 * d}),
    Mistake("the bias gets no gradient", "a bias is added at every step",
            "db += delta_t", {"bias": lambda d: 0 * d}),
    # -- tanh of the RNN
    Mistake("tanh' multiplies the term of later steps only", "everything that arrives at h_t passes tanh",
            "delta = (W_hy.T @ dy + dh_next) * (1 - h**2)",
            {"join": lambda own, later, slope: own + later * slope}, RNN),
    Mistake("tanh' multiplies the term of the output only", "everything that arrives at h_t passes tanh",
            "delta = (W_hy.T @ dy + dh_next) * (1 - h**2)",
            {"join": lambda own, later, slope: own * slope + later}, RNN),
    Mistake("tanh' is missing", "h_t = tanh(a_t): delta is dL/da_t",
            "delta = dh * (1 - h**2)", {"slope": lambda n, t: 1.0}, RNN),
    Mistake("tanh' is taken of h instead of a: 1 - tanh(h)²", "h is tanh(a) already",
            "1 - h**2", {"slope": lambda n, t: 1 - np.tanh(n.h[t]) ** 2}, RNN),
    Mistake("tanh' is that of the step before", "which h does delta_t need?",
            "1 - h_t**2", {"slope": lambda n, t: 1 - n.h[t - 1] ** 2}, RNN),
    Mistake("the derivative of sigmoid is used for tanh", "tanh' is 1 - h²",
            "1 - h**2", {"slope": lambda n, t: n.h[t] * (1 - n.h[t])}, RNN),
    # -- LSTM
    Mistake("the gradient of c is not carried to the step before", "c_t is used at step t + 1 as well",
            "dc_next = dc * f", {"pass_on": lambda dc, n, t: dc * 0}, LSTM),
    Mistake("the forget gate is missing on the way back along c", "c_t = f c_{t-1} + i g",
            "dc_next = dc * f", {"pass_on": lambda dc, n, t: dc}, LSTM),
    Mistake("the derivative of tanh(c_t) is missing", "h = o tanh(c)",
            "dh * o * (1 - tanh(c)**2)", {"squash": lambda n, t: n.o[t]}, LSTM),
    Mistake("1 - c² instead of 1 - tanh(c)²", "c is not a tanh",
            "1 - tanh(c)**2", {"squash": lambda n, t: n.o[t] * (1 - n.c[t] ** 2)}, LSTM),
    Mistake("df uses c_t instead of c_{t-1}", "which c did f multiply?",
            "df = dc * c_{t-1}", {"df": lambda n, t, dc: dc * n.c[t]}, LSTM),
    Mistake("di and dg use their own gate instead of the other one", "the derivative of i g by i is g",
            "di = dc * g; dg = dc * i",
            {"di": lambda n, t, dc: dc * n.i[t], "dg": lambda n, t, dc: dc * n.g[t]}, LSTM),
    Mistake("do uses c instead of tanh(c)", "h = o tanh(c)",
            "do = dh * tanh(c)", {"do": lambda n, t, dh: dh * n.c[t]}, LSTM),
    Mistake("the gates are in the order i f o g", "the rows of the weights are i f g o",
            "concatenate([di, df, dg, do])", {"order": lambda i, f, g, o: (i, f, o, g)}, LSTM),
    Mistake("the gates are in the order i o f g, as in ONNX", "the rows of the weights are i f g o",
            "concatenate([di, df, dg, do])", {"order": lambda i, f, g, o: (i, o, f, g)}, LSTM),
    Mistake("the derivative of the candidate's tanh is missing", "g = tanh(a_g)",
            "dg * (1 - g**2)", {"tanh2": lambda g: 1.0}, LSTM),
    # -- GRU
    Mistake("1 - z is missing: dn = dh", "h = (1 - z) n + z h_{t-1}",
            "dn = dh * (1 - z)", {"dn": lambda n, t, dh: dh}, GRU),
    Mistake("z and 1 - z are exchanged", "h = (1 - z) n + z h_{t-1}",
            "dn = dh * (1 - z); dh_prev = dh * z",
            {"dn": lambda n, t, dh: dh * n.z[t], "direct": lambda n, t, dh: dh * (1 - n.z[t])}, GRU),
    Mistake("the direct way from h_t to h_{t-1} is missing", "h_{t-1} is used four times",
            "dh_prev = dh * z + W_hh.T @ ...", {"direct": lambda n, t, dh: dh * 0}, GRU),
    Mistake("dz has the wrong sign", "h = (1 - z) n + z h_{t-1}",
            "dz = dh * (h_{t-1} - n)", {"dz": lambda n, t, dh: dh * (n.n[t] - n.h[t - 1])}, GRU),
    Mistake("dz lacks n", "z appears twice in h = (1 - z) n + z h_{t-1}",
            "dz = dh * (h_{t-1} - n)", {"dz": lambda n, t, dh: dh * n.h[t - 1]}, GRU),
    Mistake("the reset gate is missing on the way to W_hh and h_{t-1}", "n = tanh(... + r (W_hn h + b_hn))",
            "multiply dn by r before W_hn", {"reset": lambda n, t: np.ones_like(n.r[t])}, GRU),
    Mistake("dr lacks the bias inside the product: W_hn h alone", "what does r multiply?",
            "dr = dn * (W_hn @ h_{t-1} + b_hn)", {"dr": lambda n, t, dn, inner: dn * (inner - n.b_hn)}, GRU),
    Mistake("the derivative of the candidate's tanh is missing", "n = tanh(a_n)",
            "dn * (1 - n**2)", {"tanh2": lambda s: 1.0}, GRU),
    Mistake("the gates are in the order z r n, as in ONNX", "the rows of the weights are r z n",
            "concatenate([dr, dz, dn])", {"order": lambda r, z, n: (z, r, n)}, GRU),
    # -- gates of both
    Mistake("the derivative of the sigmoid gates is missing", "a gate is sigmoid(a)",
            "d * gate * (1 - gate)", {"gate": lambda s: 1.0}, ("lstm", "gru")),
    Mistake("the gates have the derivative of tanh", "a gate is a sigmoid, not a tanh",
            "d * gate * (1 - gate)", {"gate": lambda s: 1 - s**2}, ("lstm", "gru")),
)  # fmt: skip


def of_cell(cell: str) -> list[Mistake]:
    """The mistakes that can be made with a cell."""
    return [mistake for mistake in CATALOG if cell in mistake.cells]
