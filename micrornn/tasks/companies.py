"""companies: two companies whose values differ on the first day only, and an LSTM with published weights.

Company A goes 0, 0.5, 0.25, 1 and then to 0; company B goes 1, 0.5, 0.25, 1 and then to 1. After day 1 they
look the same, so a correct prediction of day 5 proves memory of day 1. The weights are those of J. Starmer's
lesson on LSTMs (StatQuest, 2022), which has one memory cell; they predict 0.00639 for A and 0.96939 for B. In
the program of that lesson, names that end in w1 multiply the short-term memory and those that end in w2 the
input; exchanged, the prediction for A is 0.667.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.functional import mse_loss
from micrornn.nn.layers import LSTM
from micrornn.nn.module import Module
from micrornn.nn.sequence import as_steps
from micrornn.tasks.problem import Example, Measure, Problem
from micrornn.training.objective import Computed, final_loss

DAYS = {"A": (0.0, 0.5, 0.25, 1.0), "B": (1.0, 0.5, 0.25, 1.0)}
DAY_5 = {"A": 0.0, "B": 1.0}
WITH_PUBLISHED = {"A": 0.00639, "B": 0.96939}

# Gates i f g o: for the input, for the short-term memory, the bias.
PUBLISHED = {
    "lstm.weight_ih_l0": [[1.65], [1.63], [0.94], [-0.19]],
    "lstm.weight_hh_l0": [[2.00], [2.70], [1.41], [4.38]],
    "lstm.bias_ih_l0": [0.62, 1.62, -0.32, 0.59],
    "lstm.bias_hh_l0": [0.0, 0.0, 0.0, 0.0],
}


class OneCell(Module):
    """One LSTM cell, whose short-term memory after day 4 is the prediction for day 5."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.lstm = LSTM(1, 1, rng=seed)

    def forward(self, steps: Any, state: Any = None) -> Any:
        """The last short-term memory as a list of one, and the state."""
        outputs, state = self.lstm(list(steps), state)
        return outputs[-1:], state


def problem(published: bool = False, seed: int = 0) -> Problem:
    """Learn both companies, or start with the published weights.

    >>> [f"{measure.value:.5f}" for measure in problem(published=True).evaluate()]
    ['0.00639', '0.96939']
    """
    model = OneCell(seed)
    if published:
        model.load_state_dict(PUBLISHED)
    inputs = np.array(list(DAYS.values())).T[:, :, np.newaxis]
    batch = Batch(inputs, np.array(list(DAY_5.values()))[:, np.newaxis])

    def objective(batch: Batch, state: Any) -> Computed:
        outputs, state = model(as_steps(batch.inputs, float, 0), state)
        return final_loss(outputs[-1], batch, mse_loss, state)

    def predictions() -> list[float]:
        return [float(value) for value in model(list(inputs))[0][-1].numpy().ravel()]

    def measures() -> list[Measure]:
        measured = []
        for (name, target), value in zip(DAY_5.items(), predictions()):
            goal = f"{'above 0.9' if target else 'below 0.1'} ({WITH_PUBLISHED[name]} as published)"
            reached = abs(value - target) < 0.1
            measured.append(
                Measure(f"company {name}, day 5 ({target:g})", value, goal, reached, ".5f")
            )
        return measured

    def examples() -> Iterator[Example]:
        for name, value in zip(DAYS, predictions()):
            days = f"{name}: {', '.join(map(str, DAYS[name]))}"
            yield Example(days, str(DAY_5[name]), f"{value:.5f}")

    return Problem(
        "an LSTM of one cell predicts day 5 of two companies that differ on day 1 only",
        model,
        Drawn(lambda rng: batch),
        objective,
        measures,
        examples,
        lr=0.1,
        iterations=2000,
        inputs=lambda b: [", ".join(f"{x:g}" for x in step[:, 0]) for step in b.inputs],
        pretrained=published,
    )
