"""anomaly: a network learns what a series usually does; where its forecast fails badly, something happened.

By default the series is the temperature of four years. Into the last fifth, on which it is not trained,
faults of a sensor are put at known days: one reading that is off by 15 degrees, up or down. Nothing is
learnt of faults; their days are those on which the forecast errs most. (The faults are made up; the weather
is real.) A spike is the plainest of faults: the largest changes from day to day show it as well, which is
why the forecast itself is measured too. In a series of one's own no fault is known, and the forecast is all
that can be measured; the largest surprises are shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.data.seattle import temperatures
from micrornn.tasks.forecast import Forecaster, Series
from micrornn.tasks.problem import Measure, Problem, Shown

Array = np.ndarray[Any, Any]
DRAWN = {"steps": 6, "hidden": 2}
FAULTS, OFF = 6, 15.0


def faulty(values: Array, cut: int, seed: int) -> tuple[Array, Array]:
    """The series with faults after ``cut``, and the days that have one, at least ten days apart.

    >>> series, days = faulty(np.zeros(300), 100, seed=0)
    >>> len(days), bool((np.abs(series[days]) == OFF).all()), int(np.abs(series).sum() / OFF)
    (6, True, 6)
    """
    rng = np.random.default_rng(seed)
    days = cut + 5 + 10 * np.sort(rng.permutation((len(values) - cut) // 10 - 1)[:FAULTS])
    series = values.copy()
    series[days] += rng.choice([-OFF, OFF], len(days))
    return series, days


def largest(surprises: Array, count: int) -> list[int]:
    """The places of the largest surprises, the largest first.

    The way back from a spike surprises as well. So a place whose forerunner surprised at least half as much
    stands for that one, and of neighbours only one counts.

    >>> largest(np.array([0.0, 7.0, 8.0, 1.0, 3.0]), 2)
    [1, 4]
    """
    found: list[int] = []
    for place in np.argsort(-surprises, kind="stable").tolist():
        first = place - 1 if place and 2 * surprises[place - 1] >= surprises[place] else place
        if len(found) < count and not {first - 1, first, first + 1} & set(found):
            found.append(first)
    return found


def problem(
    csv: str | None = None,
    column: str | None = None,
    cell: str = "gru",
    hidden: int = 16,
    layers: int = 1,
    steps: int = 50,
    batch: int = 4,
    seed: int = 0,
) -> Problem:
    """Learn the weather of three years; find the faults of a sensor in the next. Or a series of one's own.

    Args:
        csv, column, steps, batch: as of `micrornn.tasks.forecast.weather`.

    Raises:
        ValueError: the file or its column does not do, or the series is too short.
    """
    series = Series.read(csv, column, temperatures(), "days of temperature")
    days = np.array([], dtype=int)
    if csv is None:
        values, days = faulty(series.values, series.cut, seed)
        series = Series(values, series.what)
    forecaster = Forecaster(series, cell, hidden, layers, seed)
    cut, kept = series.cut, series.values[series.cut :]

    def surprises() -> Array:
        """How far each kept value is from its forecast, in the unit of the series."""
        return np.asarray(np.abs(forecaster.said() - kept))

    def found(by: Array) -> float:
        return float(np.isin(cut + np.array(largest(by, FAULTS)), days).mean())

    def measures() -> list[Measure]:
        measured = [forecaster.measure()]
        if csv is None:
            guessing = FAULTS / len(kept)
            by_change = found(np.abs(np.diff(series.values))[cut - 1 :])
            why = f"{guessing:.2f} by guessing, {by_change:.2f} by the largest changes"
            measured.append(Measure.above("faults found", found(surprises()), 0.5, why))
        return measured

    def show(count: int) -> list[Shown]:
        surprise = surprises()
        shown = []
        for i in largest(surprise, count):
            row = f"day {cut + i}: {kept[i]:.1f} degrees"
            row = row if csv is None else f"row {cut + i + 1}: {kept[i]:.4g}"
            fault = "fault" if cut + i in days else ""
            shown.append(Shown(row, fault, f"off by {surprise[i]:.3g}"))
        return shown

    what = "faults of a sensor" if csv is None else f"surprises among {series.what}"
    title = f"{what}, by what was not to be expected"
    return forecaster.problem(title, steps, batch, measures, show)
