"""weather and stocks: a series of numbers, and at each step the next one is asked for.

The network is asked for the change from today to tomorrow. What it has to beat is the guess that tomorrow is
like today, which is hard to beat for a temperature and, as far as anybody knows, impossible for a price.
The last fifth of the series is kept for measuring; scaling knows nothing of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.data.feeds import Stream
from micrornn.data.seattle import temperatures
from micrornn.data.series import Scaling, read_column
from micrornn.nn.functional import mse_loss
from micrornn.tasks.models import Carrying
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.training.objective import by_step

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
    return _forecast(
        csv, column, temperatures(), "days of temperature", cell, hidden, layers, steps, batch, seed
    )


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

    prices = np.array(PRICES)
    return _forecast(
        csv, column, prices, "closing prices", cell, hidden, layers, steps, batch, seed
    )


def _forecast(
    csv: str | None,
    column: str | None,
    default: Array,
    what: str,
    cell: str,
    hidden: int,
    layers: int,
    steps: int,
    lanes: int,
    seed: int,
) -> Problem:
    if column is not None and csv is None:
        raise ValueError(f"column {column!r} of which file? Give --csv FILE as well")
    values = default if csv is None else read_column(csv, column)
    if csv is not None:
        what = f"numbers of {csv}"
    cut = len(values) - max(len(values) // 5, 2)
    if cut < 3:
        raise ValueError(f"{len(values)} {what} are too few to learn from; give at least 5")
    lanes = max(1, min(lanes, (cut - 1) // max(steps, 1)))
    steps = min(steps, cut - 1)
    scaling = Scaling.standard(values[:cut])
    scaled = scaling.apply(values)[:, np.newaxis]
    changes = np.diff(scaled, axis=0)
    unit = float(changes[: cut - 1].std()) or 1.0
    model = Carrying(cell, 1, 1, hidden=hidden, layers=layers, seed=seed)
    objective = by_step(model, mse_loss)

    def forecasts() -> Array:
        """Of each value that was kept, read on from the first."""
        outputs, _ = model(scaled[:-1, np.newaxis])
        expected = scaled[:-1, 0] + unit * np.array([y.item() for y in outputs])
        return np.asarray(scaling.undo(expected[cut - 1 :]))

    def error() -> float:
        return float(np.mean((forecasts() - values[cut:]) ** 2))

    def measures() -> list[Measure]:
        persistence = float(np.mean((values[cut - 1 : -1] - values[cut:]) ** 2))
        name = "mean squared error"
        if csv is None and what == "closing prices":
            why = f"about {persistence:.4g}, or more: nobody beats the last price for long"
            return [Measure(name, error(), why)]
        return [Measure.below(name, error(), persistence, "guessing that it stays as it is")]

    def show(count: int) -> list[Shown]:
        return [
            Shown(f"{before:.4g}", f"{value:.4g}", f"{said:.4g}")
            for before, value, said in zip(values[cut - 1 :], values[cut:][:count], forecasts())
        ]

    targets = changes[: cut - 1] / unit
    return Problem(
        f"forecast {len(values):,} {what}, each from all before it",
        model,
        Stream(scaled[: cut - 1], targets, steps, lanes),
        objective,
        measures,
        show,
        validate=error,
        lr=5e-3,
        iterations=300,
        inputs=lambda b: [f"{scaling.undo(x[0, 0]):.4g}" for x in b.inputs],
        labels=lambda b: [f"{y[0, 0] * unit * scaling.unit:+.3g}" for y in b.targets],
    )
