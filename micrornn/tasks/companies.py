"""companies: two companies whose values differ on the first day only, and an LSTM with published weights.

Company A goes 0, 0.5, 0.25, 1 and then to 0; company B goes 1, 0.5, 0.25, 1 and then to 1. After day 1 they
look the same, so that whoever is right about day 5 has remembered day 1. The weights are those of J.
Starmer's lesson on LSTMs (StatQuest, 2022), of one memory cell: with them the prediction for A is about
0.006, for B about 0.969. In that lesson's program the names ending in w1 multiply the short-term memory
and those ending in w2 the input; exchanged, A comes out as 0.667.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.functional import mse_loss
from micrornn.nn.layers import LSTM
from micrornn.nn.module import Module
from micrornn.nn.sequence import as_steps
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.training.objective import Computed, concluded

DAYS = {"A": (0.0, 0.5, 0.25, 1.0), "B": (1.0, 0.5, 0.25, 1.0)}
DAY_5 = {"A": 0.0, "B": 1.0}

# Gates i f g o: for the input, for the short-term memory, the bias.
PUBLISHED = {
    "lstm.weight_ih_l0": [[1.65], [1.63], [0.94], [-0.19]],
    "lstm.weight_hh_l0": [[2.00], [2.70], [1.41], [4.38]],
    "lstm.bias_ih_l0": [0.62, 1.62, -0.32, 0.59],
    "lstm.bias_hh_l0": [0.0, 0.0, 0.0, 0.0],
}
DRAWN = {"published": True}


class Forecaster(Module):
    """One LSTM cell, whose short-term memory after day 4 is the prediction for day 5."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.lstm = LSTM(1, 1, rng=seed)

    def forward(self, steps: Any, state: Any = None) -> Any:
        """The last short-term memory as a list of one, and the state."""
        outputs, state = self.lstm(list(steps), state)
        return outputs[-1:], state


def problem(published: bool = False, seed: int = 0) -> Problem:
    """Learn both companies, or, with ``published``, begin with the weights of the lesson.

    >>> made = problem(published=True)
    >>> [round(measure.value, 3) for measure in made.judged()]
    [0.006, 0.969]
    """
    model = Forecaster(seed)
    if published:
        model.load_state_dict(PUBLISHED)
    inputs = np.array(list(DAYS.values())).T[:, :, np.newaxis]
    batch = Batch(inputs, np.array(list(DAY_5.values()))[:, np.newaxis])

    def objective(batch: Batch, state: Any) -> Computed:
        outputs, state = model(as_steps(batch.inputs, float, 0), state)
        return concluded(outputs[-1], batch, mse_loss, state)

    def predictions() -> list[float]:
        return [float(value) for value in model(list(inputs))[0][-1].numpy().ravel()]

    def measures() -> list[Measure]:
        a, b = predictions()
        return [
            Measure.below("day 5 of company A (0)", a, 0.1, "about 0.006 by the published weights"),
            Measure.above("day 5 of company B (1)", b, 0.9, "about 0.969 by the published weights"),
        ]

    def show(count: int) -> list[Shown]:
        said = predictions()
        return [
            Shown(f"{name}: {', '.join(map(str, DAYS[name]))}", str(DAY_5[name]), f"{value:.3f}")
            for name, value in zip(DAYS, said)
        ]

    return Problem(
        "two companies that differ on day 1 only; what of day 5?",
        model,
        Drawn(lambda rng: batch),
        objective,
        measures,
        show,
        lr=0.1,
        iterations=2000,
        inputs=lambda b: [", ".join(f"{x:g}" for x in step[:, 0]) for step in b.inputs],
    )
