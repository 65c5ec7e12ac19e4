"""weather and stocks: predict the next value of a series.

The target is the change from one value to the next. The baseline is persistence, the guess that tomorrow is
like today, which is hard to beat for a temperature and, as far as is known, impossible for a price; beside it
stands ridge regression on the last values, which is often as good as a network. The last fifth of the series
is measured on and the tenth before it is to choose by; scaling is fitted without both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from micrornn.core.context import no_grad
from micrornn.data.feeds import Batch, Stream
from micrornn.data.pipe import water_flow
from micrornn.data.seattle import temperatures
from micrornn.data.series import Scaling, columns_of, only_numbers, read_columns
from micrornn.data.stocks import closing_prices
from micrornn.data.tables import read_table
from micrornn.messages import nearest
from micrornn.nn.functional import mse_loss
from micrornn.tasks.baselines import by_lags
from micrornn.tasks.network import Network
from micrornn.tasks.parts import needs_file
from micrornn.tasks.problem import Example, Measure, Problem, View, at_least
from micrornn.training.objective import by_step

Array = np.ndarray[Any, Any]

#: The real series of `weather` and `micrornn.tasks.anomaly`, and what their values are.
SERIES = {
    "temperature": (temperatures, "days of temperature"),
    "water": (water_flow, "hours of water flow"),
}


def weather(
    csv: str | None = None,
    column: str | None = None,
    target: str | None = None,
    encoding: str | None = None,
    missing: str = "error",
    data: str = "temperature",
    cell: str = "lstm",
    hidden: int = 16,
    layers: int = 1,
    steps: int = 50,
    batch: int = 4,
    seed: int = 0,
) -> Problem:
    """Forecast a series, by default the highest temperature of each day in Seattle over four years.

    Args:
        data: of the series that are here, `SERIES`.
        csv: a table, its rows in order of time.
        column: the columns to read, with commas between them; by default the only column of numbers.
        target: the column to forecast, which is read as well; by default the only one that is read.
        encoding, missing: see `micrornn.data.series.read_column`.
        steps: how many values are read between two updates; the state is carried on.
        batch: the number of pieces that the series is cut into and that are read in parallel.

    Raises:
        ValueError: the file or its column is unusable, or the series is too short.

    >>> weather(hidden=2).title
    'an LSTM forecasts 1,461 days of temperature, each from all before it'
    """
    given = (csv, column, target, encoding, missing)
    series = Series.read(*given, *known_series(data, csv))
    width = series.scaled.shape[1]
    forecaster = Forecaster(
        series, Network(cell, width, 1, hidden=hidden, layers=layers, seed=seed)
    )
    return forecaster.problem(steps, batch, lambda: [forecaster.measure()])


def known_series(data: str, csv: str | None = None) -> tuple[Array, str]:
    """One of the series that are here, and what its values are.

    Raises:
        ValueError: there is none of that name, or a file was given as well.
    """
    if data not in SERIES:
        raise ValueError(f"--data {data}: no such series; {nearest(data, SERIES)}")
    if csv is not None and data != "temperature":
        raise ValueError(f"--data {data} and --csv {csv}: give one of them")
    read, what = SERIES[data]
    return read(), what


def stocks(
    csv: str | None = None,
    column: str | None = None,
    target: str | None = None,
    encoding: str | None = None,
    missing: str = "error",
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
    series = Series.read(csv, column, target, encoding, missing, closing_prices(), "closing prices")
    sizes: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    width = series.scaled.shape[1]
    network = Network(cell, width, 1, bidirectional=bidirectional, **sizes)
    forecaster = Forecaster(series, network, loss)
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
    """A series in three parts: to train on, a tenth to choose by, and the last fifth to measure on.

    Attributes:
        values: (N,), in order of time.
        what: what the values are, for titles.
        learn: the index of the first value to choose by.
        cut: the index of the first value to measure on.
        scaling: to mean 0 and deviation 1 of the training part.
        scaled: (N, 1 + K), as a network reads it: the series, and K others beside it.

    Raises:
        ValueError: there are too few values.

    >>> series = Series(np.arange(10.0), "numbers")
    >>> series.learn, series.cut
    (7, 8)
    """

    def __init__(self, values: Array, what: str, others: Array | None = None) -> None:
        self.values, self.what = values, what
        self.cut = len(values) - max(len(values) // 5, 1)
        tenth = max(len(values) // 10, 1)
        self.learn = max(self.cut - tenth, 2)  # of three values, none are left to choose by
        if self.cut < 2:
            raise ValueError(f"{len(values)} {what} are too few to train on; give at least 3")
        self.scaling = Scaling.standard(values[: self.learn])
        columns = [self.scaling.apply(values)]
        for other in [] if others is None else others.T:
            columns.append(Scaling.standard(other[: self.learn]).apply(other))
        self.scaled: Array = np.stack(columns, 1)

    @classmethod
    def read(
        cls,
        csv: str | None,
        column: str | None,
        target: str | None,
        encoding: str | None,
        missing: str,
        default: Array,
        what: str,
    ) -> Series:
        """The columns of a user's file, or the default series without one.

        Raises:
            ValueError: a column without a file, or the file is unusable.
        """
        if csv is None:
            needs_file("csv", column=column, target=target, encoding=encoding)
            return cls(default, what)
        table = read_table(csv, encoding)
        names = columns_of(column)
        if target is None and len(names) > 1:
            raise ValueError(
                f"--column {column}: say which of them to forecast, for example --target {names[0]}"
            )
        target = target or (names[0] if names else only_numbers(table))
        others = [name for name in names if name != target]
        read = read_columns(table, [target, *others], missing)
        beside = f", with {', '.join(others)} beside it" if others else ""
        return cls(read[:, 0], f"values of {csv}{beside}", read[:, 1:])

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
        changes = np.diff(series.scaled[:, :1], axis=0)
        self.unit = float(changes[: series.learn - 1].std()) or 1.0
        self.targets = changes / self.unit

    def predictions(self) -> Array:
        """The prediction of each value that is measured on, from all before it."""
        return self._predicted(len(self.series.values))[self.series.cut - 1 :]

    def _predicted(self, end: int) -> Array:
        """The prediction of each value from the second to that before ``end``."""
        before = self.series.scaled[: end - 1]
        outputs, _ = self.network(before[:, np.newaxis])
        after = before[:, 0] + self.unit * np.array([y.item() for y in outputs])
        return np.asarray(self.series.scaling.undo(after))

    def forecast(self, count: int) -> list[float]:
        """The next values after the last; each is read in turn as if it had come true.

        Raises:
            ValueError: several are asked for, and the series has others beside it, whose future is unknown.

        >>> series = Series(np.arange(30.0), "numbers")
        >>> len(Forecaster(series, Network("rnn", 1, 1, hidden=2)).forecast(3))
        3
        """
        read, state, values = self.series.scaled[:, np.newaxis], None, []
        if count > 1 and read.shape[2] > 1:
            raise ValueError(
                f"{count} values ahead need the columns beside the series, which are not known yet; give "
                "--length 1, or train on one column"
            )
        with no_grad():
            for _ in range(count):
                outputs, state = self.network(read, state)
                value = read[-1, 0, 0] + self.unit * outputs[-1].item()
                values.append(float(self.series.scaling.undo(value)))
                read = np.full((1, 1, 1), value)
        return values

    def error(self) -> float:
        """The mean squared error on the values that are measured on."""
        return self.series.mean_squared(self.predictions())

    def loss(self) -> float:
        """The mean squared error on the values to choose by, in the unit of training."""
        series = self.series
        wrong = (
            self._predicted(series.cut)[series.learn - 1 :]
            - series.values[series.learn : series.cut]
        )
        return float(np.mean(wrong**2)) / (self.unit * series.scaling.unit) ** 2

    def measure(self) -> Measure:
        """The error beside persistence and ridge regression."""
        series = self.series
        lags = by_lags(series.scaled, self.targets, series.learn, series.cut)
        after = series.scaled[series.cut - 1 : -1, 0] + self.unit * lags
        baselines = {
            "persistence": series.persistence,
            "ridge on the last values": series.mean_squared(series.scaling.undo(after)),
        }
        return Measure.beside("mean squared error", self.error(), baselines, lower=True)

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
        series, last = self.series, self.series.learn - 1
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
            validate=self.loss if series.learn < series.cut else None,
            lr=5e-3,
            view=View(title, batch, words[:-1], words[1:], marks=latest[:-1]),
            remarks=remarks,
        )

    def _examples(self) -> Iterator[Example]:
        values, cut = self.series.values, self.series.cut
        for row in zip(values[cut - 1 :], values[cut:], self.predictions()):
            yield Example(*(f"{number:.4g}" for number in row))
