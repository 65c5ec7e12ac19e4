"""Gates over time: how open they are, how often they are stuck, and how much they pass back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.activation import activation_of, bounds, pulled, slope
from micrornn.flow.roles import Cell, cells, first_state
from micrornn.flow.series import layers, norm, plain, table
from micrornn.messages import percent
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]

SHUT, OPEN = 0.1, 0.9


@dataclass(frozen=True)
class GateTrace:
    """One gate of one layer over time; every array has one entry for each step.

    Attributes:
        layer: the scope.
        role: "forget gate", "candidate", ...; "state" for the activation of a plain RNN.
        steps: t.
        values: the gate's values, each (batch, units) or as the layer has them.
        mean, low, high: the mean, the smallest and the largest value.
        shut: the fraction of values below 0.1 (of a tanh: below -0.9; of what has no bounds, none).
        open: the fraction of values above 0.9.
        multiplies: the factor on the gradient that passes the gate backward: the mean of |value| for a
            gate, the mean derivative for a candidate or a state.
        arrived: |dL/dgate|, the gradient that reached the gate; nan where none did.
        sent: its norm after the gate's own activation.
    """

    layer: str
    role: str
    steps: list[int]
    values: list[Array]
    mean: Array
    low: Array
    high: Array
    shut: Array
    open: Array
    multiplies: Array
    arrived: Array
    sent: Array

    @property
    def saturated(self) -> float:
        """The fraction of all values that are shut or open, over all steps."""
        return float(np.mean(self.shut + self.open)) if self.steps else 0.0

    @property
    def passed(self) -> Array:
        """``sent / arrived``: how much of its own gradient the gate's activation let through."""
        with np.errstate(all="ignore"):
            return self.sent / self.arrived

    def table(self) -> str:
        """One row for each step."""
        head = ["step", "mean", "shut", "open", "multiplies by", "arrived", "sent on"]
        rows = []
        for i, t in enumerate(self.steps):
            numbers = (self.mean, self.shut, self.open, self.multiplies, self.arrived, self.sent)
            mean, shut, opened, by, arrived, sent = (float(x[i]) for x in numbers)
            known = [
                "-" if np.isnan(x) else x for x in (by, arrived, sent)
            ]  # not a gate: no such number
            rows.append([t, mean, f"{shut:.0%}", f"{opened:.0%}", *known])
        return table(head, rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for JSON; None where nothing arrived."""
        names = ("mean", "low", "high", "shut", "open", "multiplies", "arrived", "sent")
        arrays = {n: getattr(self, n) for n in names}
        found: dict[str, Any] = plain(
            {"layer": self.layer, "role": self.role, "steps": self.steps, **arrays}
        )
        return found

    def __str__(self) -> str:
        return (
            f"{self.role} of {self.layer}: {np.mean(self.mean):.3g} on average, "
            f"{percent(float(np.mean(self.shut)))} shut, {percent(float(np.mean(self.open)))} open"
        )


def gates(rec: Recording, layer: str | None = None) -> dict[str, GateTrace]:
    """The gates of a layer by role, in the order in which the cell computes them.

    On its way back to c_{t-1} the gradient is multiplied by the forget gate f_t (in a GRU, to h_{t-1}, by
    z_t): Gers et al. 2000, eq. 4; Cho et al. 2014, eq. 7. What goes through a gate itself is multiplied by
    the slope of its sigmoid, f (1 - f), which is small where the gate is shut or open (Karpathy, Johnson &
    Fei-Fei 2015, sec. 4.1, call it left- and right-saturated).

    Args:
        rec: live or loaded; gradients are nan where backward has not run.
        layer: the scope; the top one by default.

    Raises:
        RecordingError: the recording has no layer with states over time.

    >>> from micrornn.flow.failures import record_failure
    >>> trace = gates(record_failure("forgetful"))["forget gate"]
    >>> round(float(trace.mean.mean()), 1), trace.saturated
    (0.5, 0.0)
    """
    found = list(cells(rec).values())
    if not found:
        raise RecordingError(
            "no cell over time in this recording; name your gates (i f g o, or r z n) or your states (h) "
            "and tag the steps with mr.scope(t=t)"
        )
    if layer is None:
        layer = (layers(rec) or [found[-1].scope])[-1]
        layer = next(
            (c.scope for c in reversed(found) if layer.startswith(c.scope)), found[-1].scope
        )
    own = sorted((c for c in found if c.scope == layer), key=lambda c: c.step)
    if not own:
        raise RecordingError(f"no layer {layer!r}; there are: {', '.join(layers(rec))}")
    return {role: _trace(rec, layer, role, own) for role in _roles(own)}


def _roles(own: list[Cell]) -> list[str]:
    roles = list(dict.fromkeys(role for cell in own for role in cell.gates))
    return roles or ["state"]


def _trace(rec: Recording, layer: str, role: str, own: list[Cell]) -> GateTrace:
    steps, values = [], []
    columns: dict[str, list[float]] = {
        n: [] for n in ("mean", "low", "high", "shut", "open", "multiplies", "arrived", "sent")
    }
    for cell in own:
        node = cell.gates.get(role) if role != "state" else first_state(rec, cell)
        if node is None:
            continue
        value = np.asarray(rec.value(node), dtype=float)
        active = activation_of(node)
        low, high = (0.0, np.inf) if active is None else bounds(active.primitive)
        closed = SHUT if low == 0 else -OPEN
        steps.append(cell.step)
        values.append(value)
        arrived = rec.gradient(node) if rec.passes else None
        multiplies = np.abs(value).mean()
        if role in ("candidate", "state"):
            multiplies = np.nan if active is None else slope(active)
        row = {
            "mean": value.mean(),
            "low": value.min(),
            "high": value.max(),
            "shut": np.mean(value < closed) if np.isfinite(high) else 0.0,
            "open": np.mean(value > OPEN) if np.isfinite(high) else 0.0,
            "multiplies": multiplies,
            "arrived": np.nan if arrived is None else norm(arrived),
            "sent": _sent(rec, node, active),
        }
        for name, x in row.items():
            columns[name].append(float(x))
    arrays = {name: np.array(column) for name, column in columns.items()}
    return GateTrace(layer, role, steps, values, **arrays)


def _sent(rec: Recording, node: Tensor, active: Tensor | None) -> float:
    """What came out behind the activation, for the gate's own part of it."""
    if active is None or not rec.passes:
        return float("nan")
    g = rec.gradient(node)
    if g is None:
        return float("nan")
    while node is not active:  # a gate that was sliced from a wider activation: its own part alone
        assert node.primitive is not None
        sent = node.primitive.pull(node, g)[0]
        g = sent.dense() if hasattr(sent, "dense") else sent
        node = node.inputs[0]
    return norm(pulled(active, g))
