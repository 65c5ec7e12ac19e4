"""recall: the first symbol of a sequence, asked for at its end; all between is distraction.

The plainest question of a long time lag: the gradient of the last loss has to come back to step 1. How far an
LSTM gets depends on the bias of its forget gate. At 0 each step keeps half of the memory, so that after T
steps 0.5^T is left; at 3 it keeps 95 %.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.init import forget_bias_
from micrornn.tasks.models import ConcludingSymbols, likeliest
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.training.objective import at_end

if TYPE_CHECKING:
    from numpy.random import Generator

SYMBOLS = 4
WORDS = "abcd"
DRAWN = {"steps": 6, "hidden": 4}


def draw(rng: Generator, steps: int, batch: int) -> Batch:
    """Symbols (T, B) and the first of each.

    >>> made = draw(np.random.default_rng(0), 5, 3)
    >>> bool((made.inputs[0] == made.targets).all())
    True
    """
    symbols = rng.integers(0, SYMBOLS, (steps, batch))
    return Batch(symbols, symbols[0])


def problem(
    cell: str = "lstm",
    hidden: int = 32,
    layers: int = 1,
    steps: int = 20,
    batch: int = 32,
    forget_bias: float | None = 3.0,
    seed: int = 0,
) -> Problem:
    """Learn to say the first symbol at the end.

    Args:
        forget_bias: of an LSTM; None leaves it as it is drawn, about 0.

    Raises:
        ValueError: no step.
    """
    at_least(1, steps=steps)
    model = ConcludingSymbols(cell, SYMBOLS, SYMBOLS, hidden=hidden, layers=layers, seed=seed)
    if cell == "lstm" and forget_bias is not None:
        forget_bias_(getattr(model, cell), forget_bias)
    test = draw(np.random.default_rng(10**6 + seed), steps, 200)

    objective = at_end(model)

    def said() -> Any:
        return likeliest(model(test.inputs)[0])[0]

    def measures() -> list[Measure]:
        loss = objective(test, None).total.item()
        right = float((said() == test.targets).mean())
        return [
            Measure.below(
                "cross-entropy", loss, 0.5 * math.log(SYMBOLS), "guessing gives ln 4 = 1.386"
            ),
            Measure.above("right", right, 0.9, "guessing gives 0.25"),
        ]

    def show(count: int) -> list[Shown]:
        return [
            Shown("".join(WORDS[k] for k in row), WORDS[first], WORDS[answer])
            for row, first, answer in zip(test.inputs.T[:count], test.targets, said())
        ]

    return Problem(
        f"the first of {steps} symbols, asked for at the end",
        model,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        show,
        iterations=300,
        inputs=lambda b: [WORDS[i] for i in b.inputs[:, 0]],
    )
