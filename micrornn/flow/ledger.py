"""The ledger of a shared weight: what each step, use, gate and loss gave to its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.flow.roles import axis_of, cells, gate_rows, layer_of
from micrornn.flow.series import norm, norms, plain, table
from micrornn.flow.terms import Term, added, stacked, terms
from micrornn.messages import percent
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]
AT_ONCE = 1_000_000  # numbers that are held written out at a time


class Use(NamedTuple):
    """One use of a parameter: the node that used it, and what it sent."""

    step: int | None
    scope: str
    node: Tensor
    norm: float
    share: float


@dataclass
class Ledger:
    """The gradient of one parameter, split over the steps in which it was used.

    ``G = sum_t g_t``, where ``g_t`` is what the uses of step t sent. The signed share of a step is
    ``<g_t, G> / |G|^2``; shares add up to 1, and a negative one worked against the sum.

    Attributes:
        name: the parameter.
        reading: which of the two sums over time this is: "over weight copies", by the step in which the
            weight was used. The other is `flow.ledger_by_loss`. The totals agree, the parts do not.
        steps: the steps, ascending; None stands last for uses outside all steps.
        norms: shape (steps,), |g_t|.
        shares: shape (steps,); nan when G is exactly zero, where no share is defined.
        total: G, in the shape of the parameter.
        gates: the gates' names; empty where the uses feed no gates.
        gate_norms: shape (steps, gates), of the rows of g_t that belong to each gate.
        gate_shares: shape (steps, gates); a row adds up to the step's share where all uses feed gates.
        uses: every single use, oldest step first.
    """

    name: str
    steps: list[int | None]
    norms: Array
    shares: Array
    total: Array
    gates: list[str]
    gate_norms: Array
    gate_shares: Array
    uses: list[Use]
    reading: str = "over weight copies"
    _terms: dict[int | None, list[Term]] = field(default_factory=dict, repr=False)

    @property
    def norm(self) -> float:
        """|G|."""
        return norm(self.total)

    @property
    def cancellation(self) -> float:
        """|G| / sum_t |g_t|: 1 where all steps agree, near 0 where they cancel; nan where all are 0."""
        parts = float(self.norms.sum())
        return self.norm / parts if parts else float("nan")

    def contribution(self, step: int | None) -> Array:
        """g_t, in the shape of the parameter, computed from what was recorded.

        Raises:
            RecordingError: the parameter was not used at that step.
        """
        if step not in self._terms:
            raise RecordingError(f"{self.name} was not used at step {step}; it was at {self.steps}")
        own = self._terms[step]
        return added(own, own[0].way.parameter.shape)

    def table(self) -> str:
        """One row for each step: norm, share, and the share of each gate."""
        head = ["step", "norm", "share", *self.gates]
        rows = [
            ["none" if t is None else t, float(n), f"{s:+.2%}", *(f"{x:+.2%}" for x in gates)]
            for t, n, s, gates in zip(self.steps, self.norms, self.shares, self.gate_shares)
        ]
        return table(head, rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for JSON, without the arrays in the parameter's shape."""
        return plain(
            {
                "name": self.name,
                "reading": self.reading,
                "norm": self.norm,
                "steps": self.steps,
                "norms": self.norms,
                "shares": self.shares,
                "gates": self.gates,
                "gate_norms": self.gate_norms,
                "gate_shares": self.gate_shares,
            }
        )

    def __str__(self) -> str:
        if not self.steps:
            return f"{self.name}: no gradient arrived"
        if not self.norm:
            what = "every step sent zero" if not self.norms.any() else "the steps cancel exactly"
            return f"gradient of {self.name} ({self.reading}): 0; {what}"
        best = int(np.argmax(self.shares))
        return (
            f"gradient of {self.name} ({self.reading}): norm {self.norm:.3g}; "
            f"{percent(self.shares[best])} of it from step {self.steps[best]}"
        )


def ledger(rec: Recording, parameter: Tensor | str) -> Ledger:
    """The ledger of one parameter over the steps of its uses; exact, from what backward sent.

    ``dL/dW = sum_t sum_{uses of W at t} dL/dy_use * dy_use/dW`` (Werbos 1990, eq. 9): the weight of an
    unrolled network is T copies that are kept equal, and its gradient is the sum over the copies.

    Raises:
        RecordingError: there is no such parameter, or backward has not run.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> w, h = mr.Value(0.5, "w"), mr.tensor(1.0)
    >>> for t in (1, 2, 3):
    ...     with mr.scope(t=t):
    ...         h = w * h
    >>> print(ledger(record(h), "w").table())
    step  norm    share
       1  0.25  +33.33%
       2  0.25  +33.33%
       3  0.25  +33.33%
    """
    return next(iter(ledgers(rec, [rec.node(parameter)]).values()))


def ledgers(rec: Recording, parameters: list[Tensor] | None = None) -> dict[str, Ledger]:
    """The ledgers of several parameters, by name; of all that received a gradient by default.

    Raises:
        RecordingError: backward has not run, or one of them is not a parameter of the recording.
    """
    if not rec.passes:
        raise RecordingError(
            "backward has not run in this recording, so no step has sent anything; run "
            "loss.backward() inside `with recording()`, or use record(loss)"
        )
    asked = rec.parameters if parameters is None else parameters
    for p in asked:
        if not (p.is_leaf and p.requires_grad):
            raise RecordingError(
                f"{p.name or p!r} is not a parameter: it is no leaf that wants a gradient"
            )
    found = terms(rec, asked)
    rows: dict[int, dict[str, tuple[int, int]]] = {}
    for cell in cells(rec).values():
        rows |= gate_rows(cell)
    if parameters is None:
        asked = [p for p in asked if found[p.number]]
    return {p.name or f"#{p.number}": _ledger(rec, p, found[p.number], rows) for p in asked}


def use_shares(rec: Recording, parameter: Tensor) -> Iterator[tuple[int, float]]:
    """The signed share of every use of a parameter alone, by number of the node that used it.

    ``<J^T s, G> = <s, J G>``: the whole gradient G is pushed ahead to what the steps use, once, and no
    contribution s is carried back.
    """
    own = terms(rec, [parameter])[parameter.number]
    total = added(own, parameter.shape)
    size = norm(total)
    ahead: dict[int, Array] = {}
    for term in own if size else ():
        entry = term.way.entry.number
        if entry not in ahead:
            ahead[entry] = np.asarray(term.way.ahead(total / size)) / size
        yield term.use.number, float(np.vdot(dense(term.sent), ahead[entry]))


def _ledger(
    rec: Recording, parameter: Tensor, own: list[Term], rows: dict[int, dict[str, tuple[int, int]]]
) -> Ledger:
    by_step: dict[int | None, list[Term]] = {}
    for term in own:
        by_step.setdefault(term.step, []).append(term)
    steps = sorted(by_step, key=lambda t: (t is None, t))
    total = added(own, parameter.shape)
    gates = list(dict.fromkeys(g for t in own for g in rows.get(t.use.number, ())))
    measure = _Measure(total)
    sizes, shares = np.zeros(len(steps)), np.zeros(len(steps))
    gate_norms, gate_shares = (np.zeros((len(steps), len(gates))) for _ in range(2))
    uses: list[Use] = []
    for low, high in _portions([len(by_step[step]) for step in steps], parameter.size):
        terms_ = [term for step in steps[low:high] for term in by_step[step]]
        counts = [len(by_step[step]) for step in steps[low:high]]
        first = np.cumsum([0, *counts[:-1]])
        sent = stacked(terms_, parameter.shape)
        for term, size, share in zip(terms_, norms(sent), measure.shares(sent)):
            uses.append(Use(term.step, layer_of(term.use), term.use, float(size), float(share)))
        by_gate = _by_gate(terms_, sent, [rows.get(t.use.number, {}) for t in terms_], gates)
        for here, there, amount in (
            (sizes, shares, sent),
            *((gate_norms[:, j], gate_shares[:, j], g) for j, g in enumerate(by_gate)),
        ):
            g = np.add.reduceat(amount, first, axis=0)
            here[low:high], there[low:high] = norms(g), measure.shares(g)
    name = parameter.name or f"#{parameter.number}"
    return Ledger(
        *(name, steps, sizes, shares, total, gates, gate_norms, gate_shares, uses), _terms=by_step
    )


def _portions(counts: list[int], size: int) -> Iterator[tuple[int, int]]:
    """Stretches of steps whose terms, written out in the shape of the parameter, fit into memory together."""
    low, held = 0, 0
    for i, count in enumerate(counts):
        if i > low and (held + count) * size > AT_ONCE:
            yield low, i
            low, held = i, 0
        held += count
    if counts:
        yield low, len(counts)


class _Measure:
    """Signed shares of a total: <g, G> / |G|^2, also where |G|^2 underflows."""

    def __init__(self, total: Array) -> None:
        self.norm = norm(total)
        with np.errstate(invalid="ignore"):  # of an infinite gradient the shares are nan
            self.unit = total / self.norm if self.norm else total

    def shares(self, rows: Array) -> Array:
        """One for each row."""
        flat = rows.reshape(len(rows), -1)
        return flat @ self.unit.ravel() / self.norm if self.norm else np.full(len(rows), np.nan)


def _by_gate(
    terms_: list[Term], sent: Array, rows: list[dict[str, tuple[int, int]]], gates: list[str]
) -> Iterator[Array]:
    """For each gate, what every term gave to the gate's rows, in the parameter's shape."""
    for gate in gates:
        found = np.zeros_like(sent)
        cut: dict[
            tuple[int, int, int], list[int]
        ] = {}  # terms of which only some rows feed the gate
        for i, (term, own) in enumerate(zip(terms_, rows)):
            if gate not in own:
                continue
            low, high = own[gate]
            entry = term.use.inputs[term.slot]
            axis = axis_of(term.use, term.slot)
            if not entry.ndim or high - low == entry.shape[axis]:
                found[i] = sent[i]
            else:
                cut.setdefault((axis, low, high), []).append(i)
        for (axis, low, high), which in cut.items():
            found[which] = stacked([terms_[i] for i in which], sent.shape[1:], (axis, low, high))
        yield found
