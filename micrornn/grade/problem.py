"""The problem that a student's program is graded on, and its right numbers, read from the graph.

One recurrent layer reads x_1 ... x_T; at every step a linear layer on h_t gives logits y_t, and the loss is
the sum of their cross-entropies. Weights have PyTorch's layout, with the rows of the gates one below the
other: i f g o for the LSTM, r z n for the GRU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import micrornn.ops.elementwise as ops
from micrornn.core.backward import grad
from micrornn.core.tensor import Tensor, tensor
from micrornn.nn.losses.logits import class_cross_entropy

Array = np.ndarray[Any, Any]
Weights = dict[str, Array]

CELLS = ("rnn", "lstm", "gru")
GATES = {"rnn": "", "lstm": "ifgo", "gru": "rzn"}
NAMES = ("W_ih", "W_hh", "b", "W_hy", "b_y")


@dataclass(frozen=True)
class Problem:
    """Inputs, targets and weights.

    Attributes:
        xs: (T, D).
        targets: (T,), classes.
        weights: W_ih (G H, D), W_hh (G H, H), b (G H,), W_hy (V, H), b_y (V,), with G gates; a GRU has b_hn
            (H,) as well, the bias inside the reset gate's product.
    """

    cell: str
    xs: Array
    targets: Array
    weights: Weights

    @property
    def steps(self) -> int:
        """T."""
        return len(self.xs)

    def first(self, steps: int) -> Problem:
        """The same with the first steps only."""
        return Problem(self.cell, self.xs[:steps], self.targets[:steps], self.weights)


def make(
    cell: str,
    seed: int = 0,
    steps: int = 5,
    sizes: tuple[int, int, int] = (4, 4, 4),
    scale: float = 0.7,
) -> Problem:
    """A problem with random weights.

    Args:
        sizes: of x, h and y. Where all are equal, no mistake is hidden by an error about shapes.
        scale: the standard deviation of the weights.

    Raises:
        ValueError: the cell is unknown.

    >>> make("lstm").weights["W_hh"].shape
    (16, 4)
    """
    if cell not in CELLS:
        raise ValueError(f"cell={cell!r}; give one of {', '.join(CELLS)}")
    rng = np.random.default_rng(seed)
    read, hidden, classes = sizes
    rows = max(1, len(GATES[cell])) * hidden
    shapes = {
        "W_ih": (rows, read),
        "W_hh": (rows, hidden),
        "b": (rows,),
        "W_hy": (classes, hidden),
        "b_y": (classes,),
    }
    if cell == "gru":
        shapes["b_hn"] = (hidden,)
    weights = {name: rng.normal(0.0, scale, shape) for name, shape in shapes.items()}
    return Problem(cell, rng.normal(size=(steps, read)), rng.integers(0, classes, steps), weights)


@dataclass(frozen=True)
class Numbers:
    """The right numbers of a problem. Lists by step have an entry for t = 0.

    Attributes:
        states: by name (h, c, the gates, y), a list of arrays, index t; h[0] and c[0] are zero.
        loss: the sum over the steps.
        dy: dL/dy_t; dy[0] is None.
        dh, dc: dL/dh_t and dL/dc_t, all that arrives.
        delta: dL/da_t, for the sum a_t that enters the gates, (T + 1, G H); for the candidate of a GRU it is
            that of the product with x.
        grads: by weight.
        parts: by weight, what each step contributed, index t.
    """

    problem: Problem
    states: dict[str, list[Array]]
    loss: float
    dy: list[Array]
    dh: list[Array]
    dc: list[Array]
    delta: list[Array]
    grads: Weights
    parts: dict[str, list[Array]]

    def __getattr__(self, name: str) -> Any:
        """A weight by its name, or a list by the name of a state."""
        for known in (self.problem.weights, self.states):
            if name in known:
                return known[name]
        raise AttributeError(name)


def solve(problem: Problem) -> Numbers:
    """Unroll the network, and read every number off the graph and its backward pass.

    >>> numbers = solve(make("rnn"))
    >>> bool(np.allclose(sum(numbers.parts["W_hh"][1:]), numbers.grads["W_hh"]))
    True
    """
    w = {
        name: tensor(value, requires_grad=True, name=name)
        for name, value in problem.weights.items()
    }
    hidden = problem.weights["W_hh"].shape[1]
    zero = tensor(np.zeros(hidden))
    states: dict[str, list[Tensor]] = {"h": [zero], "c": [zero], "y": [zero]}
    sums: list[Tensor] = [zero]
    losses: list[Tensor] = []
    for x, target in zip(problem.xs, problem.targets):
        made = _STEPS[problem.cell](w, tensor(x), states["h"][-1], states["c"][-1], hidden)
        sums.append(made.pop("a"))
        y = w["W_hy"] @ made["h"] + w["b_y"]
        for name, node in {**made, "y": y}.items():
            states.setdefault(name, [zero]).append(node)
        losses.append(class_cross_entropy(y, index=int(target), amount=1.0, axis=0, total=True))
    loss = losses[0]
    for other in losses[1:]:
        loss = loss + other

    def gradients(nodes: list[Tensor]) -> list[Array]:
        found = grad(loss, nodes[1:])
        none = np.zeros(nodes[-1].shape)
        return [none, *(none if g is None else np.asarray(g) for g in found)]

    values = {name: [np.asarray(n._value) for n in nodes] for name, nodes in states.items()}
    delta, dy = gradients(sums), gradients(states["y"])
    dc = gradients(states["c"]) if problem.cell == "lstm" else [np.zeros(hidden)] * len(sums)
    names = list(w)
    grads = dict(zip(names, map(np.asarray, grad(loss, [w[name] for name in names]))))
    parts = _parts(problem, values, delta, dy)
    return Numbers(
        problem, values, loss.item(), dy, gradients(states["h"]), dc, delta, grads, parts
    )


def _rnn(w: dict[str, Tensor], x: Tensor, h: Tensor, c: Tensor, hidden: int) -> dict[str, Tensor]:
    a = w["W_ih"] @ x + w["W_hh"] @ h + w["b"]
    return {"a": a, "h": ops.tanh(a)}


def _lstm(w: dict[str, Tensor], x: Tensor, h: Tensor, c: Tensor, hidden: int) -> dict[str, Tensor]:
    a = w["W_ih"] @ x + w["W_hh"] @ h + w["b"]
    i, f, g, o = (a[k * hidden : (k + 1) * hidden] for k in range(4))
    i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
    c = f * c + i * g
    return {"a": a, "i": i, "f": f, "g": g, "o": o, "c": c, "h": o * ops.tanh(c)}


def _gru(w: dict[str, Tensor], x: Tensor, h: Tensor, c: Tensor, hidden: int) -> dict[str, Tensor]:
    from_x = w["W_ih"] @ x + w["b"]
    from_h = w["W_hh"] @ h
    r = ops.sigmoid(from_x[:hidden] + from_h[:hidden])
    z = ops.sigmoid(from_x[hidden : 2 * hidden] + from_h[hidden : 2 * hidden])
    n = ops.tanh(from_x[2 * hidden :] + r * (from_h[2 * hidden :] + w["b_hn"]))
    return {"a": from_x, "r": r, "z": z, "n": n, "h": (1.0 - z) * n + z * h}


_STEPS = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}


def _parts(
    problem: Problem, values: dict[str, list[Array]], delta: list[Array], dy: list[Array]
) -> dict[str, list[Array]]:
    """What each step contributed to each weight's gradient; entry 0 is empty."""
    found: dict[str, list[Array]] = {name: [np.zeros(0)] for name in problem.weights}
    hidden = problem.weights["W_hh"].shape[1]
    for t in range(1, problem.steps + 1):
        before, into = values["h"][t - 1], delta[t]
        if problem.cell == "gru":  # what reaches the product with h is multiplied by r
            into = np.concatenate([delta[t][: 2 * hidden], delta[t][2 * hidden :] * values["r"][t]])
            found["b_hn"].append(into[2 * hidden :])
        found["W_ih"].append(np.outer(delta[t], problem.xs[t - 1]))
        found["W_hh"].append(np.outer(into, before))
        found["b"].append(delta[t])
        found["W_hy"].append(np.outer(dy[t], values["h"][t]))
        found["b_y"].append(dy[t])
    return found
