"""Jacobians over time: how much one step, and many, stretch or shrink a gradient of the state."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import Rows
from micrornn.flow.recurrence import Recurrent, recurrent_weights
from micrornn.flow.roles import layer_of, main_state, state_names
from micrornn.flow.rows import sweep
from micrornn.flow.series import plain, series, table
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]

EXACT = (
    128  # up to this size singular values are computed; beyond it, the largest by power iteration
)


@dataclass(frozen=True)
class JacobianStrip:
    """The one-step Jacobians of a layer's whole state s, such as (h) or (h, c), and their product.

    Attributes:
        layer: the scope.
        states: what s is made of.
        steps: t, in the order in which the layer ran; shape (steps,) for all below.
        sigma: the largest singular value of ds_t/ds_{t-1}.
        frobenius: its Frobenius norm.
        running: the largest singular value of ds_T/ds_{t-1}, the product from t to the last step.
        weights: the recurrent matrices, with spectral radius and sigma_max.
        bound: (gamma sigma_max)^(T - t + 1), which ``running`` cannot exceed; None unless the layer is a
            plain RNN, for which alone it holds.
        exact: whether the singular values are exact, or come from power iteration.
    """

    layer: str
    states: tuple[str, ...]
    steps: list[int]
    sigma: Array
    frobenius: Array
    running: Array
    weights: list[Recurrent]
    bound: Array | None
    exact: bool

    @property
    def verdict(self) -> str:
        """What sigma_max says, no more: Pascanu et al. 2013, section 2.1, sufficient and necessary."""
        if self.bound is None:
            return (
                "No bound: (gamma sigma_max)^k holds for the plain RNN, where h enters by one matrix and "
                "one activation."
            )
        w = self.weights[0]
        factor = (w.gamma or 1.0) * w.sigma_max
        if factor < 1:
            return (
                f"gamma sigma_max = {factor:.3g} < 1: sufficient for vanishing; for any inputs, every step "
                "multiplies the gradient by at most this factor (gamma: steepest slope of the activation)."
            )
        return (
            f"gamma sigma_max = {factor:.3g} >= 1: necessary for exploding, not sufficient; the gradient may "
            "grow, and still vanishes where activations are flat (gamma: steepest slope of the activation)."
        )

    def table(self) -> str:
        """One row for each step."""
        head = ["step", "sigma", "frobenius", "running"]
        rows = [
            [t, float(s), float(f), float(r)]
            for t, s, f, r in zip(self.steps, self.sigma, self.frobenius, self.running)
        ]
        if self.bound is not None:
            head.append("bound")
            rows = [[*row, float(b)] for row, b in zip(rows, self.bound)]
        return table(head, rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for JSON."""
        return plain(
            {
                "layer": self.layer,
                "states": list(self.states),
                "steps": self.steps,
                "sigma": self.sigma,
                "frobenius": self.frobenius,
                "running": self.running,
                "bound": self.bound,
                "exact": self.exact,
                "weights": [
                    {
                        "name": w.name,
                        "gate": w.gate,
                        "spectral_radius": w.spectral_radius,
                        "sigma_max": w.sigma_max,
                        "gamma": w.gamma,
                    }
                    for w in self.weights
                ],
                "verdict": self.verdict,
            }
        )

    def __str__(self) -> str:
        if not self.steps:
            return f"{self.layer}: one step only, so no Jacobian between steps"
        state, steps = f"({', '.join(self.states)})", len(self.steps)
        return (
            f"{self.layer}: {steps} steps multiply the gradient of {state} by at most {self.running[0]:.3g}, "
            f"single steps by at most {self.sigma.min():.3g} to {self.sigma.max():.3g}"
        )


def jacobian_strip(rec: Recording, layer: str | None = None) -> JacobianStrip:
    """The Jacobian of every step of a layer, with respect to its state before.

    ``ds_T/ds_k = J_T J_{T-1} ... J_{k+1}`` with ``J_t = ds_t/ds_{t-1}``; for a plain RNN
    ``J_t = diag(f'(a_t)) W_hh`` and ``|J_t| <= gamma sigma_max(W_hh)`` (Pascanu, Mikolov & Bengio 2013,
    eq. 5 to 7). The state of an LSTM is (h, c) together: dh_t/dh_{t-1} alone has no such product.

    Args:
        rec: live or loaded; backward need not have run.
        layer: the scope; the top one by default.

    Raises:
        RecordingError: there is no state over time.

    >>> from micrornn.flow.failures import record_failure
    >>> strip = jacobian_strip(record_failure("vanishing"))
    >>> strip.sigma[:3], float(strip.running[0] / 0.5**50)
    (array([0.5, 0.5, 0.5]), 1.0)
    """
    layer = top_layer(rec) if layer is None else layer
    names, steps, jacobians = step_jacobians(rec, layer)
    running: list[float] = []
    product: Array | None = None
    for j in reversed(jacobians):
        product = j if product is None else product @ j
        running.append(largest(product))
    weights = recurrent_weights(rec, layer)
    bound = None
    if len(weights) == 1 and weights[0].gate is None and weights[0].gamma and len(names) == 1:
        powers = np.arange(len(steps), 0, -1)
        with np.errstate(over="ignore"):
            bound = (weights[0].gamma * weights[0].sigma_max) ** powers
    return JacobianStrip(
        layer,
        names,
        steps,
        np.array([largest(j) for j in jacobians]),
        np.array([float(np.linalg.norm(j)) for j in jacobians]),
        np.array(running[::-1]),
        weights,
        bound,
        all(min(j.shape) <= EXACT for j in jacobians),
    )


def top_layer(rec: Recording) -> str:
    """The scope of the newest layer that has a state over time.

    Raises:
        RecordingError: there is none.
    """
    return layer_of(series(rec, main_state(rec))[-1])


def step_jacobians(rec: Recording, layer: str) -> tuple[tuple[str, ...], list[int], list[Array]]:
    """Of a layer's whole state s: the names of its parts, the steps t, and every ds_t/ds_{t-1}.

    Raises:
        RecordingError: the layer has no named state.
    """
    order = states_in_order(rec, layer)
    names = tuple(n for n in state_names(rec, layer) if n in order[-1])
    jacobians, steps = [], []
    for before, after in pairwise(order):
        jacobians.append(between(rec, [after[n] for n in names], [before[n] for n in names]))
        steps.append(after[names[0]].step or 0)
    return names, steps, jacobians


def states_in_order(rec: Recording, layer: str) -> list[dict[str, Tensor]]:
    """The states of a layer by name, step after step in the order in which they were made.

    Raises:
        RecordingError: the layer has no named state.
    """
    by_step: dict[int, dict[str, Tensor]] = {}
    names = state_names(rec, layer)
    for name in names:
        try:
            own = series(rec, name, layer)
        except RecordingError:
            if name == names[0]:
                raise
            continue
        for node in own:
            assert node.step is not None
            by_step.setdefault(node.step, {})[name] = node
    whole = set(by_step[max(by_step)])
    found = [states for states in by_step.values() if set(states) == whole]
    return sorted(found, key=lambda states: max(n.number for n in states.values()))


def between(rec: Recording, after: Sequence[Tensor], before: Sequence[Tensor]) -> Array:
    """d(after)/d(before), each taken together as one long vector: shape (size of after, of before).

    The nodes of ``before`` count as independent of each other, as the parts of a state do.
    """
    size, seeds = 0, {}
    for node in after:
        labels = np.arange(size, size + node.size)
        unit = np.eye(node.size, dtype=node.dtype).reshape(node.size, *node.shape)
        seeds[node.number] = Rows(labels, unit)
        size += node.size
    low = bisect_left(rec.nodes, min(n.number for n in before), key=_number)
    high = bisect_left(rec.nodes, max(seeds), key=_number)
    nodes = rec.nodes[low : high + 1]
    found = sweep(nodes, seeds, [n.number for n in before], stop=True)
    columns = []
    for node in before:
        block = np.zeros((size, node.size))
        rows = found.get(node.number)
        if rows is not None:
            block[rows.labels] = rows.values.reshape(len(rows.labels), -1)
        columns.append(block)
    return np.concatenate(columns, axis=1)


def _number(node: Tensor) -> int:
    return node.number


def largest(matrix: Array) -> float:
    """The largest singular value: exact up to `EXACT`, beyond it by power iteration on M^T M.

    >>> largest(np.diag([3.0, 4.0]))
    4.0
    """
    if not np.isfinite(matrix).all():
        return float("nan")
    top = float(np.abs(matrix).max(initial=0.0))
    if not top:
        return 0.0
    matrix = matrix / top
    if min(matrix.shape) <= EXACT:
        return top * float(np.linalg.norm(matrix, 2))
    v: Array = np.random.default_rng(0).normal(size=matrix.shape[1:])
    before = 0.0
    for _ in range(500):
        v = v / np.linalg.norm(v)
        w: Array = matrix @ v
        new = float(np.linalg.norm(w))
        if abs(new - before) <= 1e-12 * new:
            return top * new
        before = new
        v = matrix.T @ w
    return top * before
