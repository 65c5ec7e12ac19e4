"""The credit map: how much gradient of the loss of step t reaches the state of step k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import Rows, one
from micrornn.flow.rows import sweep
from micrornn.flow.series import label, norms, number, plain, series, table
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]

VALUE, ZERO, NOT_FINITE, NO_PATH, NOT_APPLICABLE = range(5)
STATES = ("value", "exactly zero", "not finite", "no path", "not applicable")


@dataclass(frozen=True)
class CreditMap:
    """|dL_t / dv_k| for losses L_t (rows) and one named value v over time (columns).

    Attributes:
        name: the name of v.
        scope: the layer it belongs to.
        rows: the labels of the losses; ``row_steps`` their steps.
        columns: the labels of the values; ``column_steps`` their steps.
        norms: shape (losses, values), float64; nan where ``states`` says that there is no gradient.
        states: shape (losses, values), places in `STATES`. Above the diagonal, where the value is made
            later than the loss, a gradient is *not applicable*, which is not 0; below it a missing path
            (a cut) is *no path*.
    """

    name: str
    scope: str
    rows: list[str]
    columns: list[str]
    row_steps: list[int | None]
    column_steps: list[int | None]
    norms: Array
    states: Array

    def table(self) -> str:
        """The map as text, one row for each loss."""
        marks = {ZERO: "0", NO_PATH: "no path", NOT_APPLICABLE: "", NOT_FINITE: "not finite"}
        body = [
            [row, *(marks.get(int(s)) or (number(x) if s == VALUE else "") for x, s in zip(xs, ss))]
            for row, xs, ss in zip(self.rows, self.norms.tolist(), self.states)
        ]
        return table(["", *self.columns], body)

    def as_dict(self) -> dict[str, Any]:
        """Plain lists for JSON: None where there is no gradient; states by name."""
        found: dict[str, Any] = plain(
            {
                "name": self.name,
                "scope": self.scope,
                "rows": self.rows,
                "columns": self.columns,
                "norms": self.norms,
                "states": [[STATES[s] for s in row] for row in self.states],
            }
        )
        return found

    def __str__(self) -> str:
        own = self.norms[-1]
        known = np.flatnonzero(self.states[-1] <= NOT_FINITE)
        if not len(known):
            return f"no gradient of {self.rows[-1]} reaches {self.name} at any step"
        far, near = known[0], known[-1]
        return (
            f"gradient of {self.rows[-1]} reaching {self.columns[far]}: {own[far]:.3g}; "
            f"{self.columns[near]}: {own[near]:.3g}"
        )


def credit(
    rec: Recording,
    of: str | Sequence[Tensor] = "h",
    scope: str | None = None,
    losses: Sequence[Tensor] | None = None,
) -> CreditMap:
    """|dL_t / dv_k| for every loss and every step of a named value, by one sweep with many seeds.

    ``dL_t/dh_k = sum over all paths from h_k to L_t`` of the products of their local derivatives; in a
    plain RNN ``dL_t/dh_t * prod_{k<i<=t} dh_i/dh_{i-1}`` (Pascanu, Mikolov & Bengio 2013, eq. 4 and 5).
    All losses are carried back together, one row each, through the nodes between them and v, once.
    The norm is taken over all elements, batch included. It is the gradient of L_t alone, without the
    weight that the total gives it.

    Args:
        rec: live or loaded.
        of: ``h``, ``c``, ``x`` or any name; or the nodes themselves.
        scope: the layer; the top one by default.
        losses: the L_t; by default those of the recording.

    Raises:
        RecordingError: nothing has that name, there are no losses, or a loss is no scalar.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> w, h, losses = mr.Value(0.5), mr.tensor(1.0), []
    >>> for t in (1, 2, 3):
    ...     with mr.scope(t=t):
    ...         h = w * h
    ...         h.name = "h"
    ...         losses.append(h * 1.0)
    >>> print(credit(record(losses)).table())
            h[1]  h[2]  h[3]
    mul[1]     1
    mul[2]   0.5     1
    mul[3]  0.25   0.5     1
    """
    nodes = series(rec, of, scope) if isinstance(of, str) else list(of)
    rows = losses_of(rec, losses)
    # A loss with a higher label began earlier in the sweep, so that labels lie side by side.
    seeds = {x.number: one(np.ones_like(rec.value(x)), i) for i, x in enumerate(rows)}
    found = sweep(rec.nodes, seeds, [n.number for n in nodes])
    values = np.full((len(rows), len(nodes)), np.nan)
    states = np.full(values.shape, NO_PATH, dtype=np.int8)
    for k, node in enumerate(nodes):
        for t, loss in enumerate(rows):
            if loss.step is not None and node.step is not None and node.step > loss.step:
                states[t, k] = NOT_APPLICABLE
        arrived: Rows | None = found.get(node.number)
        if arrived is not None:
            size = norms(arrived.values)
            values[arrived.labels, k] = size
            exact = np.where(size == 0, ZERO, VALUE)
            states[arrived.labels, k] = np.where(np.isfinite(size), exact, NOT_FINITE)
    return CreditMap(
        of if isinstance(of, str) else (nodes[0].name or label(nodes[0])),
        nodes[-1].scope,
        [label(x) for x in rows],
        [label(n) for n in nodes],
        [x.step for x in rows],
        [n.step for n in nodes],
        values,
        states,
    )


def losses_of(rec: Recording, losses: Sequence[Tensor] | None) -> list[Tensor]:
    """The losses to speak of, checked: those given, or the recording's.

    Raises:
        RecordingError: there are none, or one is not a scalar.
    """
    found = list(rec.losses if losses is None else losses)
    if not found:
        raise RecordingError(
            "this recording has no backward pass, so its losses are not known; run loss.backward() "
            "inside `with recording()`, or give losses="
        )
    for x in found:
        rec.node(x)
        if x.size != 1:
            raise RecordingError(
                f"{label(x)} has shape {x.shape}, but a loss is one number; give losses="
            )
    return sorted(found, key=lambda x: x.number)
