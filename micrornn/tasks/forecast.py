"""weather and stocks: predict the next value of a series.

The target is the change from one value to the next. The baseline is persistence, the guess that tomorrow is
like today, which is hard to beat for a temperature and, as far as is known, impossible for a price. The last
fifth of the series is held out; scaling is fitted without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from micrornn.core.context import no_grad
from micrornn.data.feeds import Batch, Stream
from micrornn.data.seattle import temperatures
from micrornn.data.series import Scaling, read_column
from micrornn.data.stocks import closing_prices
from micrornn.nn.functional import mse_loss
from micrornn.tasks.network import Network
from micrornn.tasks.problem import Example, Measure, Problem, View, at_least
from micrornn.training.objective import by_step

Array = np.ndarray[Any, Any]


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
    """Forecast a series, by default the highest temperature of each day in Seattle over four years.

    Args:
        csv: a CSV file, its rows in order of time, with the column named ``column``.
        steps: how many values are read between two updates; the state is carried on.
        batch: the number of pieces that the series is cut into and that are read in parallel.

    Raises:
        ValueError: the file or its column is unusable, or the series is too short.

    >>> weather(hidden=2).title
    'an LSTM forecasts 1,461 days of temperature, each from all before it'
    """
    series = Series.read(csv, column, temperatures(), "days of temperature")
    forecaster = Forecaster(series, Network(cell, 1, 1, hidden=hidden, layers=layers, seed=seed))
    return forecaster.problem(steps, batch, lambda: [forecaster.measure()])


def stocks(
    csv: str | None = None,
    column: str | None = None,
    cell: str = "rnn",
    hidden: int = 4,
    layers: int = 1,
    bidirectional: bool = False,
    steps: int = 10,
    loss: str = "all",
    batch: int = 1,
    seed: int = 0,
) -> Problem:
    """Forecast closing prices, by default the first 65 days of Google; see `weather`.

    A view is the classic first unrolled network: it reads the prices of yesterday and today and predicts
    tomorrow's. Its output for yesterday is ignored (``loss="last"``), since today's price is known; so
    tomorrow depends on yesterday through the feedback loop alone.

    >>> stocks(steps=2, loss="last").view.labels
    ['today 172.5', 'tomorrow 167.54']
    """
    series = Series.read(csv, column, closing_prices(), "closing prices")
    sizes: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    forecaster = Forecaster(series, Network(cell, 1, 1, bidirectional=bidirectional, **sizes), loss)
    days = [f"{n} days ago" for n in range(steps - 1, 1, -1)]
    days = [*days, *("yesterday", "today")[-steps:], "tomorrow"]

    def measures() -> list[Measure]:
        if csv is not None:
            return [forecaster.measure()]
        goal = f"about {series.persistence:.4g} (persistence, which is rarely beaten for prices)"
        return [Measure("mean squared error", forecaster.error(), goal)]

    problem = forecaster.problem(steps, batch, measures, days)
    assert problem.view is not None
    words = [*problem.view.inputs, *problem.view.labels[-1:]]
    read = " and ".join(words[:-1]) if steps <= 2 else f"{steps} prices, {words[0]} to {words[-2]}"
    title = f"{forecaster.network} reads {read}, predicts {words[-1]}"
    problem.view = problem.view._replace(title=title)
    return problem


class Series:
    """A series, split into a training part and the last fifth, which is held out.

    Attributes:
        values: (N,), in order of time.
        what: what the values are, for titles.
        cut: the index of the first held-out value.
        scaling: to mean 0 and deviation 1 of the training part.
        scaled: (N, 1), as a network reads it.

    Raises:
        ValueError: there are too few values.

    >>> Series(np.arange(10.0), "numbers").cut
    8
    """

    def __init__(self, values: Array, what: str) -> None:
        self.values, self.what = values, what
        self.cut = len(values) - max(len(values) // 5, 1)
        if self.cut < 2:
            raise ValueError(f"{len(values)} {what} are too few to train on; give at least 3")
        self.scaling = Scaling.standard(values[: self.cut])
        self.scaled: Array = self.scaling.apply(values)[:, np.newaxis]

    @classmethod
    def read(cls, csv: str | None, column: str | None, default: Array, what: str) -> Series:
        """The column of a user's file, or the default series without one.

        Raises:
            ValueError: a column without a file, or the file is unusable.
        """
        if csv is None and column is not None:
            raise ValueError(f"--column {column} needs a file; give --csv FILE as well")
        if csv is None:
            return cls(default, what)
        return cls(read_column(csv, column), f"values of {csv}")

    def mean_squared(self, predictions: Array) -> float:
        """The mean squared error of predictions of the held-out values."""
        return float(np.mean((predictions - self.values[self.cut :]) ** 2))

    @property
    def persistence(self) -> float:
        """The error of predicting that each value stays as it is."""
        return self.mean_squared(self.values[self.cut - 1 : -1])


class Forecaster:
    """A network that reads a series and predicts each next change, in units of the changes' deviation.

    Args:
        series: what is read.
        network: of one input and one output.
        loss: ``"all"`` for the mean of all losses, ``"last"`` for that of the last step.

    >>> series = Series(np.sin(np.arange(30.0)), "numbers")
    >>> Forecaster(series, Network("rnn", 1, 1, hidden=2)).predictions().shape
    (6,)
    """

    def __init__(self, series: Series, network: Network, loss: str = "all") -> None:
        if loss not in ("last", "all"):
            raise ValueError(f"loss={loss!r}; choose from last, all")
        self.series, self.network = series, network
        self.objective = by_step(network, mse_loss, last_only=loss == "last")
        changes = np.diff(series.scaled, axis=0)
        self.unit = float(changes[: series.cut - 1].std()) or 1.0
        self.targets = changes / self.unit

    def predictions(self) -> Array:
        """The prediction of each held-out value from all before it."""
        before = self.series.scaled[:-1]
        outputs, _ = self.network(before[:, np.newaxis])
        after = before[:, 0] + self.unit * np.array([y.item() for y in outputs])
        return np.asarray(self.series.scaling.undo(after[self.series.cut - 1 :]))

    def forecast(self, count: int) -> list[float]:
        """The next values after the last; each is read in turn as if it had come true.

        >>> series = Series(np.arange(30.0), "numbers")
        >>> len(Forecaster(series, Network("rnn", 1, 1, hidden=2)).forecast(3))
        3
        """
        read, state, values = self.series.scaled[:, np.newaxis], None, []
        with no_grad():
            for _ in range(count):
                outputs, state = self.network(read, state)
                value = read[-1, 0, 0] + self.unit * outputs[-1].item()
                values.append(float(self.series.scaling.undo(value)))
                read = np.full((1, 1, 1), value)
        return values

    def error(self) -> float:
        """The mean squared error on the held-out values."""
        return self.series.mean_squared(self.predictions())

    def measure(self) -> Measure:
        """That error beside persistence."""
        return Measure.below(
            "mean squared error", self.error(), self.series.persistence, "persistence"
        )

    def problem(
        self,
        steps: int,
        lanes: int,
        measures: Callable[[], list[Measure]],
        names: Sequence[str] | None = None,
        examples: Callable[[], Iterator[Example]] | None = None,
        title: str = "",
    ) -> Problem:
        """The problem of training the network, with a view of the latest ``steps`` values.

        Args:
            names: the names of those values and of the next, for the view.

        Raises:
            ValueError: the series is too short for so many steps.
        """
        series, last = self.series, self.series.cut - 1
        count = len(series.values)
        at_least(1, steps=steps)
        if steps >= count:
            raise ValueError(
                f"steps={steps}, but there are {count} {series.what}: enough for {count - 1} steps and the "
                "value to predict; give fewer steps or a longer series"
            )
        length = min(steps, last)
        fitting = min(lanes, last // length)
        remarks = []
        if (length, fitting) != (steps, lanes):
            reduced = f"steps {steps} and batch {lanes} reduced to {length} and {fitting}"
            remarks = [f"the series has {last} values to train on: {reduced}"]
        latest = [f"{value:.10g}" for value in series.values[-(steps + 1) :]]
        words = [" ".join(pair) for pair in zip(names, latest)] if names else latest
        title = title or (
            f"{self.network} forecasts {count:,} {series.what}, each from all before it"
        )
        batch = Batch(series.scaled[-(steps + 1) : -1], self.targets[-steps:])
        return Problem(
            title,
            self.network,
            Stream(series.scaled[:last], self.targets[:last], length, fitting),
            self.objective,
            measures,
            examples or self._examples,
            forecast=self.forecast,
            validate=lambda: self.error() / (self.unit * series.scaling.unit) ** 2,  # as the loss
            lr=5e-3,
            view=View(title, batch, words[:-1], words[1:], marks=latest[:-1]),
            remarks=remarks,
        )

    def _examples(self) -> Iterator[Example]:
        values, cut = self.series.values, self.series.cut
        for row in zip(values[cut - 1 :], values[cut:], self.predictions()):
            yield Example(*(f"{number:.4g}" for number in row))
