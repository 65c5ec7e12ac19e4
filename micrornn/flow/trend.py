"""Over a training run: how the ledger of a weight and the credit of the early steps change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.flow.credit import credit
from micrornn.flow.ledger import ledger
from micrornn.flow.series import plain, table
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Trend:
    """One weight and one state, followed over recordings made while training.

    Attributes:
        parameter: the weight.
        state: the name of the state.
        iterations: when the recordings were made.
        steps: the time steps that occur.
        norms: shape (iterations, steps), |g_t| of the ledger; nan where a run had no such step.
        shares: shape (iterations, steps), the signed shares.
        totals: shape (iterations,), |G|.
        credit: shape (iterations, steps), |dL/dh_t| of each run's last loss; nan where there is none.
        losses: shape (iterations,), the values of what backward began from, added up.
    """

    parameter: str
    state: str
    iterations: list[int]
    steps: list[int]
    norms: Array
    shares: Array
    totals: Array
    credit: Array
    losses: Array

    def reach(self, factor: float = 1e-3) -> list[int | None]:
        """For each recording, the earliest step whose credit is at least ``factor`` of the largest."""
        found: list[int | None] = []
        for row in self.credit:
            known = np.isfinite(row)
            large = known & (row >= factor * np.max(row[known], initial=0.0))
            found.append(self.steps[int(np.flatnonzero(large)[0])] if large.any() else None)
        return found

    def table(self) -> str:
        """One row for each recording."""
        rows = [
            [i, float(loss), float(total), "-" if far is None else far]
            for i, loss, total, far in zip(self.iterations, self.losses, self.totals, self.reach())
        ]
        return table(["iteration", "loss", f"|d{self.parameter}|", "reaches back to step"], rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain lists for JSON; None where there is no number."""
        arrays = ("norms", "shares", "totals", "credit", "losses")
        return plain(
            {
                "parameter": self.parameter,
                "state": self.state,
                "iterations": self.iterations,
                "steps": self.steps,
                **{name: getattr(self, name) for name in arrays},
            }
        )

    def __str__(self) -> str:
        first, last = self.reach()[0], self.reach()[-1]
        return (
            f"{self.parameter} over {len(self.iterations)} recordings: |G| {self.totals[0]:.3g} to "
            f"{self.totals[-1]:.3g}; the last loss reaches back to step {first}, then {last}"
        )


def _numbered(
    items: Iterable[tuple[int, Recording] | Recording],
) -> Iterator[tuple[int, Recording]]:
    for i, item in enumerate(items):
        yield (i, item) if isinstance(item, Recording) else item


def trend(
    recordings: Iterable[tuple[int, Recording] | Recording],
    parameter: str,
    state: str = "h",
) -> Trend:
    """Follow a weight's ledger and a state's credit over recordings of one training run.

    Args:
        recordings: (iteration, recording) pairs, or recordings alone, which are counted from 0. They are
            read one after the other, so a generator that loads each from its file holds only one at a time.
        parameter: the weight, by name.
        state: h, c, or any name over time.

    Raises:
        RecordingError: there are no recordings, or one has no such parameter or state.

    >>> from micrornn.flow.failures import vanishing
    >>> from micrornn.recording import record
    >>> found = trend([record(lambda: vanishing(20, w).loss) for w in (0.5, 0.6, 0.7)], "w")
    >>> found.reach()
    [11, 7, 1]
    """
    rows = []
    for at, rec in _numbered(recordings):
        book = ledger(rec, parameter)
        seen = credit(rec, state)
        loss = float(sum(np.sum(rec.value(run.out)) for run in rec.passes))
        shares = {
            t: (n, s) for t, n, s in zip(book.steps, book.norms, book.shares) if t is not None
        }
        heard = {t: x for t, x in zip(seen.column_steps, seen.norms[-1]) if t is not None}
        rows.append((at, shares, heard, book.norm, loss))
    if not rows:
        raise RecordingError("a trend wants at least one recording; record every n iterations")
    steps = sorted({t for _, shares, heard, _, _ in rows for t in (*shares, *heard)})
    nothing = (np.nan, np.nan)
    both = np.array([[shares.get(t, nothing) for t in steps] for _, shares, _, _, _ in rows])
    return Trend(
        parameter,
        state,
        [at for at, *_ in rows],
        steps,
        both[..., 0],
        both[..., 1],
        np.array([total for *_, total, _ in rows]),
        np.array([[heard.get(t, np.nan) for t in steps] for _, _, heard, _, _ in rows]),
        np.array([loss for *_, loss in rows]),
    )
