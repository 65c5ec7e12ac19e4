"""Backpropagation through time as a student writes it, with places where a mistake can be made.

Each function is the textbook's recursion on the right forward numbers. A *twist* replaces one piece of it:
``bptt(numbers, slope=lambda n, t: 1.0)`` leaves tanh' out. Without twists the result is that of the graph,
which the tests check; with one it is exactly what a program with that mistake computes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.grade.problem import Numbers, Weights

Array = np.ndarray[Any, Any]
Twist = Callable[..., Any]
Twists = dict[str, Twist]


class _Use:
    """Picks the twist of a name, or the right piece."""

    def __init__(self, twists: Twists) -> None:
        self.twists = twists

    def __call__(self, name: str, right: Twist) -> Twist:
        return self.twists.get(name, right)


def identity(value: Any, *rest: Any) -> Any:
    """No mistake."""
    return value


def dy(n: Numbers, t: int) -> Array:
    """dL/dy_t of cross-entropy: p - y."""
    return softmax(n.y[t]) - onehot(n, t)


def softmax(y: Array) -> Array:
    """Probabilities."""
    p = np.exp(y - y.max())
    result: Array = p / p.sum()
    return result


def onehot(n: Numbers, t: int) -> Array:
    """The target of step t as a distribution."""
    vector = np.zeros(len(n.b_y))
    vector[n.problem.targets[t - 1]] = 1.0
    return vector


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    result: Array = 1 / (1 + np.exp(-x))
    return result


def bptt(n: Numbers, **twist: Twist) -> Weights:
    """The gradients of all weights, with mistakes.

    Twists of every cell:
        dy(n, t): dL/dy_t.
        out(W_hy, dy): from dL/dy_t to h_t.
        back(W, delta): from the gates' sums to h_{t-1}.
        carry(later, t): what is carried on to step t - 1.
        before(n, t), read(n, t), seen(n, t): what W_hh, W_ih and W_hy meet at step t.
        product(delta, x): an outer product.
        total(parts): from the parts of all steps, in the order in which they are made, to a gradient.
        part(g): each part before it is added.
        finish(grads, T): at the end.

    >>> from micrornn.grade.problem import make, solve
    >>> numbers = solve(make("lstm"))
    >>> bool(np.allclose(bptt(numbers)["W_hh"], numbers.grads["W_hh"]))
    True
    """
    use = _Use(twist)
    step = _CELLS[n.problem.cell]
    later: Any = np.zeros(n.W_hh.shape[1])
    later_c: Any = np.zeros_like(later)
    parts: dict[str, list[Array]] = {name: [] for name in n.problem.weights}
    product = use("product", np.outer)
    for t in range(n.problem.steps, 0, -1):
        d = use("dy", dy)(n, t)
        own = use("out", lambda w, d: w.T @ d)(n.W_hy, d)
        delta, into, direct, later_c = step(n, t, own, later, later_c, twist)
        carried = use("back", lambda w, d: w.T @ d)(n.W_hh, into) + direct
        later = use("carry", identity)(carried, t, later)
        parts["W_ih"].append(product(delta, use("read", lambda n, t: n.problem.xs[t - 1])(n, t)))
        parts["W_hh"].append(product(into, use("before", lambda n, t: n.h[t - 1])(n, t)))
        parts["b"].append(use("bias", identity)(delta))
        parts["W_hy"].append(product(d, use("seen", lambda n, t: n.h[t])(n, t)))
        parts["b_y"].append(d)
        if "b_hn" in parts:
            parts["b_hn"].append(into[2 * len(later) :])
    total, part = use("total", sum), use("part", identity)
    grads = {name: np.asarray(total([part(g) for g in own])) for name, own in parts.items()}
    found: Weights = use("finish", identity)(grads, n.problem.steps)
    return found


# Each returns delta (for W_ih and b), delta for W_hh, what goes to h_{t-1} directly, and dL/dc_{t-1}.


def _rnn(
    n: Numbers, t: int, own: Any, later: Any, later_c: Any, twist: Twists
) -> tuple[Any, Any, Any, Any]:
    """Twists: slope(n, t), tanh' of step t; join(own, later, slope), delta_t."""
    use = _Use(twist)
    slope = use("slope", lambda n, t: 1 - n.h[t] ** 2)(n, t)
    delta = use("join", lambda own, later, slope: (own + later) * slope)(own, later, slope)
    return delta, delta, 0.0, later_c


def _lstm(
    n: Numbers, t: int, own: Any, later: Any, later_c: Any, twist: Twists
) -> tuple[Any, Any, Any, Any]:
    """Twists: squash(n, t), the derivative of tanh(c_t); gate(s) and tanh2(g), the derivatives of the gates;
    di, df, dg and do; order(i, f, g, o); pass_on(dc, n, t), what goes to c_{t-1}."""
    use = _Use(twist)
    dh = own + later
    squash = use("squash", lambda n, t: n.o[t] * (1 - np.tanh(n.c[t]) ** 2))(n, t)
    dc = dh * squash + later_c
    gate, tanh2 = use("gate", lambda s: s * (1 - s)), use("tanh2", lambda g: 1 - g**2)
    di = use("di", lambda n, t, dc: dc * n.g[t])(n, t, dc) * gate(n.i[t])
    df = use("df", lambda n, t, dc: dc * n.c[t - 1])(n, t, dc) * gate(n.f[t])
    dg = use("dg", lambda n, t, dc: dc * n.i[t])(n, t, dc) * tanh2(n.g[t])
    do = use("do", lambda n, t, dh: dh * np.tanh(n.c[t]))(n, t, dh) * gate(n.o[t])
    delta = np.concatenate(use("order", lambda i, f, g, o: (i, f, g, o))(di, df, dg, do))
    return delta, delta, 0.0, use("pass_on", lambda dc, n, t: dc * n.f[t])(dc, n, t)


def _gru(
    n: Numbers, t: int, own: Any, later: Any, later_c: Any, twist: Twists
) -> tuple[Any, Any, Any, Any]:
    """Twists: dn, dz, dr and direct; gate(s) and tanh2(n); order(r, z, n); reset(n, t), the factor of what
    reaches the product with h."""
    use = _Use(twist)
    hidden = len(own)
    dh = own + later
    gate, tanh2 = use("gate", lambda s: s * (1 - s)), use("tanh2", lambda s: 1 - s**2)
    dn = use("dn", lambda n, t, dh: dh * (1 - n.z[t]))(n, t, dh) * tanh2(n.n[t])
    dz = use("dz", lambda n, t, dh: dh * (n.h[t - 1] - n.n[t]))(n, t, dh) * gate(n.z[t])
    inner = n.W_hh[2 * hidden :] @ n.h[t - 1] + n.b_hn
    dr = use("dr", lambda n, t, dn, inner: dn * inner)(n, t, dn, inner) * gate(n.r[t])
    delta = np.concatenate(use("order", lambda r, z, n: (r, z, n))(dr, dz, dn))
    reset = use("reset", lambda n, t: n.r[t])(n, t)
    into = np.concatenate([delta[: 2 * hidden], delta[2 * hidden :] * reset])
    return delta, into, use("direct", lambda n, t, dh: dh * n.z[t])(n, t, dh), later_c


_CELLS = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}
