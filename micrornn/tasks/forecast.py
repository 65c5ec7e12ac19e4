"""weather and stocks: a series of numbers, and at each step the next one is asked for.

The network is asked for the change from today to tomorrow. What it has to beat is the guess that tomorrow is
like today, which is hard to beat for a temperature and, as far as anybody knows, impossible for a price.
The last fifth of the series is kept for measuring; scaling knows nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.context import no_grad
from micrornn.data.feeds import Stream
from micrornn.data.seattle import temperatures
from micrornn.data.series import Scaling, read_column
from micrornn.nn.functional import mse_loss
from micrornn.tasks.models import Carrying
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.training.objective import by_step

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, Any]
DRAWN = {"steps": 6, "hidden": 2}


def weather(
    csv: str | None = None,
    column: str | None = None,
    cell: str = "lstm",
    hidden: int = 16,
    layers: int = 1,
    steps: int = 50,
    batch: int = 4,
    seed: int = 0,
) -> Problem:
    """Forecast a series: by default four years of the highest temperature of each day in Seattle.

    Args:
        csv: a file of your own, its rows in order of time, with the column named ``column``.
        steps: how many are read between two updates (``--tbptt`` cuts them further); the state is carried.
        batch: into how many pieces the series is cut, to be read side by side.

    Raises:
        ValueError: the file or its column does not do, or the series is too short.

    >>> weather(hidden=2).title
    'forecast 1,461 days of temperature, each from all before it'
    """
    series = Series.read(csv, column, temperatures(), "days of temperature")
    return _forecast(series, cell, hidden, layers, steps, batch, seed)


def stocks(
    csv: str | None = None,
    column: str | None = None,
    cell: str = "rnn",
    hidden: int = 4,
    layers: int = 1,
    steps: int = 10,
    batch: int = 1,
    seed: int = 0,
) -> Problem:
    """Forecast closing prices: by default the first 65 days of Google. See `weather`."""
    from micrornn.tasks.stocks import PRICES

    series = Series.read(csv, column, np.array(PRICES), "closing prices")
    sizes = cell, hidden, layers, steps, batch, seed
    return _forecast(series, *sizes, beatable=csv is not None)


class Series:
    """A series and what of it is learnt from: all but the last fifth; scaling knows nothing of the rest.

    Attributes:
        values: (N,), in order of time.
        what: what they are, in words.
        cut: the place of the first that is kept for measuring.
        scaling: brings ``values[:cut]`` to mean 0 and deviation 1.
        scaled: (N, 1), as a network reads them.

    Raises:
        ValueError: they are too few.

    >>> Series(np.arange(10.0), "numbers").cut
    8
    """

    def __init__(self, values: Array, what: str) -> None:
        self.values, self.what = values, what
        self.cut = len(values) - max(len(values) // 5, 2)
        if self.cut < 3:
            raise ValueError(f"{len(values)} {what} are too few to learn from; give at least 5")
        self.scaling = Scaling.standard(values[: self.cut])
        self.scaled: Array = self.scaling.apply(values)[:, np.newaxis]

    @classmethod
    def read(cls, csv: str | None, column: str | None, default: Array, what: str) -> Series:
        """The column of a user's file, or the default without one.

        Raises:
            ValueError: a column without a file, or the file does not do.
        """
        if csv is None and column is not None:
            raise ValueError(f"column {column!r} of which file? Give --csv FILE as well")
        if csv is None:
            return cls(default, what)
        return cls(read_column(csv, column), f"numbers of {csv}")

    def mean_squared(self, said: Array) -> float:
        """The mean squared error of what was said of the values that were kept."""
        return float(np.mean((said - self.values[self.cut :]) ** 2))

    @property
    def persistence(self) -> float:
        """The error of saying that each value stays as it is."""
        return self.mean_squared(self.values[self.cut - 1 : -1])


class Forecaster:
    """A network that reads a series and is asked for each next change, in units of their deviation.

    >>> series = Series(np.sin(np.arange(30.0)), "numbers")
    >>> Forecaster(series, "rnn", hidden=2, layers=1, seed=0).said().shape
    (6,)
    """

    def __init__(self, series: Series, cell: str, hidden: int, layers: int, seed: int) -> None:
        self.series = series
        changes = np.diff(series.scaled, axis=0)
        self.unit = float(changes[: series.cut - 1].std()) or 1.0
        self.targets = changes / self.unit
        self.model = Carrying(cell, 1, 1, hidden=hidden, layers=layers, seed=seed)

    def said(self) -> Array:
        """The forecast of each value that was kept, read on from the first of all."""
        before = self.series.scaled[:-1]
        outputs, _ = self.model(before[:, np.newaxis])
        expected = before[:, 0] + self.unit * np.array([y.item() for y in outputs])
        return np.asarray(self.series.scaling.undo(expected[self.series.cut - 1 :]))

    def go_on(self, count: int) -> list[float]:
        """So many values after the last: each is read in turn, as if it had come true.

        >>> series = Series(np.arange(30.0), "numbers")
        >>> len(Forecaster(series, "rnn", hidden=2, layers=1, seed=0).go_on(3))
        3
        """
        read, state, said = self.series.scaled[:, np.newaxis], None, []
        with no_grad():
            for _ in range(count):
                outputs, state = self.model(read, state)
                value = read[-1, 0, 0] + self.unit * outputs[-1].item()
                said.append(float(self.series.scaling.undo(value)))
                read = np.full((1, 1, 1), value)
        return said

    def error(self) -> float:
        """The mean squared error of what it says."""
        return self.series.mean_squared(self.said())

    def measure(self) -> Measure:
        """That error against persistence."""
        why = "guessing that it stays as it is"
        return Measure.below("mean squared error", self.error(), self.series.persistence, why)

    def problem(
        self,
        title: str,
        steps: int,
        lanes: int,
        measures: Callable[[], list[Measure]],
        show: Callable[[int], list[Shown]],
    ) -> Problem:
        """It as a problem, all but what is measured and shown."""
        series, last = self.series, self.series.cut - 1
        lanes = max(1, min(lanes, last // max(steps, 1)))
        changes = self.unit * series.scaling.unit
        return Problem(
            title,
            self.model,
            Stream(series.scaled[:last], self.targets[:last], min(steps, last), lanes),
            by_step(self.model, mse_loss),
            measures,
            show,
            forecast=self.go_on,
            validate=lambda: self.error() / changes**2,  # in the unit of the loss
            lr=5e-3,
            iterations=300,
            inputs=lambda b: [f"{series.scaling.undo(x[0, 0]):.4g}" for x in b.inputs],
            labels=lambda b: [f"{changes * y[0, 0]:+.3g}" for y in b.targets],
        )


def _forecast(
    series: Series,
    cell: str,
    hidden: int,
    layers: int,
    steps: int,
    lanes: int,
    seed: int,
    beatable: bool = True,
) -> Problem:
    forecaster = Forecaster(series, cell, hidden, layers, seed)
    values, cut = series.values, series.cut

    def measures() -> list[Measure]:
        if beatable:
            return [forecaster.measure()]
        why = f"about {series.persistence:.4g}, or more: nobody beats the last price for long"
        return [Measure("mean squared error", forecaster.error(), why)]

    def show(count: int) -> list[Shown]:
        rows = zip(values[cut - 1 :], values[cut:][:count], forecaster.said())
        return [Shown(*(f"{number:.4g}" for number in row)) for row in rows]

    title = f"forecast {len(values):,} {series.what}, each from all before it"
    return forecaster.problem(title, steps, lanes, measures, show)
