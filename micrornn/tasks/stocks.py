"""stocks: from the closing prices of yesterday and today to that of tomorrow.

The classic first unrolled network: it reads yesterday, and what it says then is ignored, for today's price
is known; it reads today, and what it says now is the prediction. Tomorrow depends on yesterday through the
feedback loop alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from micrornn.data.series import Scaling, read_column
from micrornn.nn.functional import mse_loss
from micrornn.tasks.network import Network, losses_of
from micrornn.tasks.unrolled import Unrolled, remark_inputs

# Daily closing prices of Google, in dollars, on its first 65 days of trading: 19 August to 18 November
# 2004. Copied from the column `close` of goog.npz in the sample data of matplotlib 3.11 (matplotlib's
# licence, which is BSD-like); these are public facts of the market.
PRICES = (
    *(100.34, 108.31, 109.40, 104.87, 106.00, 107.91, 106.15, 102.01, 102.37, 100.25, 101.51),
    *(100.01, 101.58, 102.30, 102.31, 105.33, 107.50, 111.49, 112.00, 113.97, 117.49, 119.36),
    *(117.84, 118.38, 120.82, 119.83, 118.26, 126.86, 131.08, 129.60, 132.58, 135.06, 138.37),
    *(137.08, 138.85, 137.73, 135.26, 137.40, 140.90, 142.00, 144.11, 149.16, 147.94, 140.49),
    *(149.38, 172.43, 187.40, 181.80, 185.97, 193.30, 190.64, 196.03, 194.87, 191.67, 184.70),
    *(169.35, 172.55, 168.70, 167.86, 183.02, 182.00, 184.87, 172.54, 172.50, 167.54),
)


def build(
    csv: str | None = None,
    column: str | None = None,
    cell: str = "rnn",
    hidden: int = 1,
    layers: int = 1,
    bidirectional: bool = False,
    steps: int = 2,
    loss: str = "last",
    seed: int = 0,
) -> Unrolled:
    """Unroll over the latest prices: ``steps`` of them are read, the one after is to be predicted.

    Prices are scaled so that all that are known today span 0 to 1; tomorrow's has no part in that.

    Args:
        csv: a file of your own, its rows in order of time, the latest last; by default 65 days of Google.
        column: which column of that file.
        loss: ``"last"`` asks for tomorrow alone, ``"all"`` at each step for the price of the next.

    Raises:
        ValueError: the file or its column does not do, or there are too few prices.

    >>> unrolled = build()
    >>> unrolled.inputs, unrolled.labels
    (['yesterday 172.54', 'today 172.5'], ['today 172.5', 'tomorrow 167.54'])
    >>> unrolled.loss is unrolled.losses[-1]
    True
    """
    if column is not None and csv is None:
        raise ValueError(f"column {column!r} of which file? Give --csv FILE as well")
    prices = np.array(PRICES) if csv is None else read_column(csv, column)
    whose = "the built-in series" if csv is None else str(csv)
    if steps < 1:
        raise ValueError(f"steps={steps} was given; give at least 1")
    if steps >= len(prices):
        raise ValueError(
            f"{whose} has {len(prices)} prices, enough for {len(prices) - 1} steps and the one to "
            f"predict, not for {steps}; give fewer steps or a longer series"
        )
    scaling = Scaling.to_unit(prices[:-1])
    prices = prices[-(steps + 1) :]
    scaled = scaling.apply(prices)[:, np.newaxis]
    network = Network(
        cell, 1, 1, hidden=hidden, layers=layers, bidirectional=bidirectional, seed=seed
    )
    predictions = network(list(scaled[:-1]))
    losses, total = losses_of(predictions, list(scaled[1:]), mse_loss, loss)
    words = [f"{day} {price:.10g}" for day, price in zip(_days(steps), prices)]
    remark_inputs(total, [f"{price:.10g}" for price in prices])
    title = f"stocks: {network.in_words()} reads {_read(words[:-1])}, and is asked for {words[-1]}"
    return Unrolled(title, total, losses, network, words[:-1], words[1:], predictions)


def _days(steps: int) -> list[str]:
    """The days of the prices that are read, and of the one to predict."""
    ago = [f"{days} days ago" for days in range(steps - 1, 1, -1)]
    return [*ago, *("yesterday", "today")[-steps:], "tomorrow"]


def _read(words: Sequence[str]) -> str:
    if len(words) <= 2:
        return " and ".join(words)
    return f"{len(words)} prices, {words[0]} to {words[-1]}"
