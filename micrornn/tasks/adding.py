"""adding: of a long sequence of numbers two are marked, and at the end their sum is asked for.

The problem of Hochreiter & Schmidhuber (1997) for long time lags; the numbers are drawn from 0 to 1, one is
marked in each half. Saying 1 every time, the mean of the sum, gives an error of 1/6 = 0.1667, the variance of
the sum of two uniform numbers. (Some tables print 0.1767, which is a slip.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.functional import mse_loss
from micrornn.tasks.models import Concluding
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.training.objective import at_end

if TYPE_CHECKING:
    from numpy.random import Generator

DRAWN = {"steps": 6, "hidden": 4}


def draw(rng: Generator, steps: int, batch: int) -> Batch:
    """Numbers and marks (T, B, 2), and the sums (B, 1).

    >>> made = draw(np.random.default_rng(0), 6, 2)
    >>> made.inputs.shape, made.inputs[:, :, 1].sum(0)
    ((6, 2, 2), array([2., 2.]))
    """
    values = rng.random((steps, batch))
    marks = np.zeros((steps, batch))
    columns = np.arange(batch)
    marks[rng.integers(0, steps // 2, batch), columns] = 1.0
    marks[rng.integers(steps // 2, steps, batch), columns] = 1.0
    return Batch(np.stack([values, marks], -1), (values * marks).sum(0)[:, np.newaxis])


def problem(
    cell: str = "gru",
    hidden: int = 32,
    layers: int = 1,
    steps: int = 30,
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to add the two marked numbers.

    Raises:
        ValueError: fewer than two steps.
    """
    if steps < 2:
        raise ValueError(f"steps={steps}; two numbers are marked, so give at least 2")
    model = Concluding(cell, 2, 1, hidden=hidden, layers=layers, seed=seed)
    test = draw(np.random.default_rng(10**6 + seed), steps, 200)

    objective = at_end(model, mse_loss)

    def error() -> float:
        return objective(test, None).total.item()

    def show(count: int) -> list[Shown]:
        said = model(test.inputs)[0][0].numpy()[:, 0]
        marked = [
            " + ".join(f"{v:.2f}" for v, mark in test.inputs[:, i] if mark)
            for i in range(min(count, test.inputs.shape[1]))
        ]
        return [
            Shown(given, f"{target:.2f}", f"{value:.2f}")
            for given, target, value in zip(marked, test.targets[:, 0], said)
        ]

    return Problem(
        f"the sum of the two marked numbers among {steps}",
        model,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        lambda: [
            Measure.below("mean squared error", error(), 0.02, "always saying 1 gives 1/6 = 0.1667")
        ],
        show,
        validate=error,
        iterations=500,
        inputs=lambda b: [f"{v:.2f}{' *' if mark else ''}" for v, mark in b.inputs[:, 0]],
    )
