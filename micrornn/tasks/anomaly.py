"""anomaly: a network learns what a series usually does; where its forecast fails badly, something happened.

The series is the temperature of four years. Into the last fifth, on which it is not trained, faults of a
sensor are put at known days: one reading that is off by 15 degrees, up or down. Nothing is learnt of faults;
their days are those on which the forecast errs most. (The faults are made up; the weather is real.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.data.feeds import Stream
from micrornn.data.seattle import temperatures
from micrornn.data.series import Scaling
from micrornn.nn.functional import mse_loss
from micrornn.tasks.models import Carrying
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.training.objective import by_step

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


def problem(
    cell: str = "gru",
    hidden: int = 16,
    layers: int = 1,
    steps: int = 50,
    batch: int = 4,
    seed: int = 0,
) -> Problem:
    """Learn the weather of three years; find the faults of a sensor in the next."""
    cut = 1168
    values, days = faulty(temperatures(), cut, seed)
    scaling = Scaling.standard(values[:cut])
    scaled = scaling.apply(values)[:, np.newaxis]
    model = Carrying(cell, 1, 1, hidden=hidden, layers=layers, seed=seed)
    objective = by_step(model, mse_loss)

    def surprises() -> Array:
        """How far each kept day is from what was forecast, in degrees."""
        outputs, _ = model(scaled[:-1, np.newaxis])
        said = scaling.undo(np.array([y.item() for y in outputs]))
        return np.asarray(np.abs(said - values[1:])[cut - 1 :])

    def suspects() -> list[int]:
        """The days of the largest surprises; the day after a fault is not counted again."""
        found: list[int] = []
        order = np.argsort(-surprises()) + cut
        for day in order.tolist():
            if len(found) < len(days) and day - 1 not in found and day + 1 not in found:
                found.append(day)
        return sorted(found)

    def measures() -> list[Measure]:
        hits = len(set(suspects()) & set(days.tolist())) / len(days)
        why = f"{len(days)} guesses among {len(values) - cut} days find 0.02"
        return [Measure.above("faults found", hits, 0.5, why)]

    def show(count: int) -> list[Shown]:
        surprise = surprises()
        return [
            Shown(
                f"day {day}: {values[day]:.1f} degrees",
                "fault" if day in days else "",
                f"off by {surprise[day - cut]:.1f}",
            )
            for day in suspects()[:count]
        ]

    return Problem(
        "faults of a sensor, by what was not to be expected",
        model,
        Stream(scaled[: cut - 1], scaled[1:cut], steps, batch),
        objective,
        measures,
        show,
        iterations=300,
        inputs=lambda b: [f"{scaling.undo(x[0, 0]):.4g}" for x in b.inputs],
        labels=lambda b: [f"{scaling.undo(y[0, 0]):.4g}" for y in b.targets],
    )
