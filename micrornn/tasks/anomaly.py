"""anomaly: find unusual days in a series, as those on which a forecast fails most.

The network learns the first four fifths of a series, by default four years of temperature. Faults of a
sensor are added to the last fifth: on known days a reading is off by 15 degrees, up or down. No fault is in
the training data. (The faults are made up, the weather is real.) Such spikes are easy to find: the largest
changes from day to day show them as well, so the forecast is measured too. The events of ``--data water`` are
real: the flow of a water pipe, of which the first weeks, with three events, are measured on. In a user's own
series no fault is known: the forecast is measured, and the largest surprises are listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrornn.data.pipe import EVENTS
from micrornn.tasks.forecast import Forecaster, Series, known_series
from micrornn.tasks.network import Network
from micrornn.tasks.problem import Example, Measure, Problem

Array = np.ndarray[Any, Any]
FAULTS, OFF = 6, 15.0
FIRST = 340  # hours of the water, which are put last: what is measured on should have events


def problem(
    csv: str | None = None,
    column: str | None = None,
    target: str | None = None,
    encoding: str | None = None,
    missing: str = "error",
    data: str = "temperature",
    cell: str = "gru",
    hidden: int = 16,
    layers: int = 1,
    steps: int = 50,
    batch: int = 4,
    seed: int = 0,
) -> Problem:
    """Learn the weather of three years, and find the faults of a sensor in the next; or a user's series.

    Args:
        csv, column, target, encoding, missing, data, steps, batch: as in `micrornn.tasks.forecast.weather`.

    Raises:
        ValueError: the file or its column is unusable, or the series is too short.
    """
    series = Series.read(csv, column, target, encoding, missing, *known_series(data, csv))
    events: list[range] = []
    if csv is None:
        late = with_events if data == "water" else with_faults
        values, events = late(series.values, series.cut, seed)
        series = Series(values, series.what)
    network = Network(cell, series.scaled.shape[1], 1, hidden=hidden, layers=layers, seed=seed)
    forecaster = Forecaster(series, network)
    cut, held_out = series.cut, series.values[series.cut :]

    def surprises() -> Array:
        """The distance of each held-out value from its forecast, in the unit of the series."""
        return np.asarray(np.abs(forecaster.predictions() - held_out))

    def found(by: Array) -> float:
        """The share of the events among the largest values."""
        places = [cut + i for i in largest(by, FAULTS)]
        return float(np.mean([any(i in event for i in places) for event in events]))

    def measures() -> list[Measure]:
        measured = [forecaster.measure()]
        if csv is None:
            missed = [(1 - len(event) / len(held_out)) ** FAULTS for event in events]
            by_change = found(np.abs(np.diff(series.values))[cut - 1 :])
            why = f"{1 - np.mean(missed):.2f} by guessing, {by_change:.2f} by the largest changes"
            measured.append(Measure.above(f"{fault}s found", found(surprises()), 0.5, why))
        return measured

    def examples() -> Iterator[Example]:
        surprise = surprises()
        for i in largest(surprise, len(surprise)):
            row = f"row {cut + i + 1}: {held_out[i]:.4g}"
            if data == "water":
                row = f"hour {(cut + i + FIRST) % len(series.values)}: {held_out[i]:.1f} l/s"
            elif csv is None:
                row = f"day {cut + i}: {held_out[i]:.1f} degrees"
            what = fault if any(cut + i in event for event in events) else ""
            yield Example(row, what, f"off by {surprise[i]:.3g}")

    fault = "event" if data == "water" else "fault"
    what = f"{fault}s of a sensor" if csv is None else "unusual values"
    title = (
        f"{what} among {len(series.values):,} {series.what}, where the forecast of {network} fails"
    )
    return forecaster.problem(steps, batch, measures, examples=examples, title=title)


def with_events(values: Array, cut: int, seed: int) -> tuple[Array, list[range]]:
    """The flow of water with its first weeks put last, and the events among them.

    >>> series, events = with_events(np.arange(1268.0), 1015, seed=0)
    >>> series[:2], events
    (array([340., 341.]), [range(1021, 1039), range(1139, 1152), range(1257, 1258)])
    """
    moved = len(values) - FIRST
    events = [range(first + moved, end + moved) for first, end in EVENTS if end <= FIRST]
    return np.roll(values, -FIRST), [event for event in events if event[0] >= cut]


def with_faults(values: Array, cut: int, seed: int) -> tuple[Array, list[range]]:
    """The series with faults after ``cut``, each one day, and where they are, at least ten apart.

    >>> series, faults = with_faults(np.zeros(300), 100, seed=0)
    >>> days = [fault[0] for fault in faults]
    >>> len(days), bool((np.abs(series[days]) == OFF).all()), int(np.abs(series).sum() / OFF)
    (6, True, 6)
    """
    rng = np.random.default_rng(seed)
    days = cut + 5 + 10 * np.sort(rng.permutation((len(values) - cut) // 10 - 1)[:FAULTS])
    series = values.copy()
    series[days] += rng.choice([-OFF, OFF], len(days))
    return series, [range(day, day + 1) for day in days.tolist()]


def largest(surprises: Array, count: int) -> list[int]:
    """The indices of the largest surprises, the largest first.

    The return from a spike is a surprise as well. So an index whose predecessor surprised at least half as
    much stands for that one, and of neighbors only one counts.

    >>> largest(np.array([0.0, 7.0, 8.0, 1.0, 3.0]), 2)
    [1, 4]
    """
    found: list[int] = []
    taken: set[int] = set()
    for place in np.argsort(-surprises, kind="stable").tolist():
        first = place - 1 if place and 2 * surprises[place - 1] >= surprises[place] else place
        if len(found) < count and not {first - 1, first, first + 1} & taken:
            found.append(first)
            taken.add(first)
    return found
