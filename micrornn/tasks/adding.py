"""adding: two numbers of a long sequence are marked; predict their sum at the end.

The problem of Hochreiter & Schmidhuber (1997) for long time lags. Numbers are drawn from 0 to 1, and one is
marked in each half. Always predicting the mean of the sum, 1, has an error of 1/6 = 0.1667, the variance of
the sum of two uniform numbers. (Some tables print 0.1767, a typo.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.functional import mse_loss
from micrornn.tasks.network import Network
from micrornn.tasks.problem import Example, Measure, Problem, at_least, held_out, to_choose_by
from micrornn.training.objective import at_end

if TYPE_CHECKING:
    from numpy.random import Generator


def draw(rng: Generator, steps: int, batch: int) -> Batch:
    """Numbers and marks (T, B, 2), and the sums (B, 1).

    >>> drawn = draw(np.random.default_rng(0), 6, 2)
    >>> drawn.inputs.shape, drawn.inputs[:, :, 1].sum(0)
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
    at_least(2, steps=steps)
    network = Network(cell, 2, 1, hidden=hidden, layers=layers, last_only=True, seed=seed)
    test = draw(held_out(seed), steps, 200)
    choosing = draw(to_choose_by(seed), steps, 200)
    objective = at_end(network, mse_loss)

    def error() -> float:
        return objective(test, None).total.item()

    def examples() -> Iterator[Example]:
        predictions = network(test.inputs)[0][0].numpy()[:, 0]
        for i, (target, prediction) in enumerate(zip(test.targets[:, 0], predictions)):
            marked = " + ".join(f"{v:.2f}" for v, mark in test.inputs[:, i] if mark)
            yield Example(marked, f"{target:.2f}", f"{prediction:.2f}")

    why = "always predicting 1 has 1/6 = 0.1667"
    return Problem(
        f"{network} predicts the sum of the two marked numbers among {steps}",
        network,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        lambda: [Measure.below("mean squared error", error(), 0.02, why)],
        examples,
        validate=lambda: objective(choosing, None).total.item(),
        iterations=500,
        inputs=lambda b: [f"{v:.2f}{' *' if mark else ''}" for v, mark in b.inputs[:, 0]],
    )
