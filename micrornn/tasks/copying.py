"""copy: some symbols are read, then a long row of blanks; at a signal, they are to be said again.

The problem of Hochreiter & Schmidhuber (1997) as Arjovsky, Shah & Bengio (2016) pose it, with 8 symbols, a
blank and a signal. Who remembers nothing says blanks while blanks are wanted and guesses ten times at the
end: a mean of 10 ln 8 / (T + 20) nats per step. Below that is memory.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.init import forget_bias_
from micrornn.tasks.models import Symbols, likeliest
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.training.objective import by_step

if TYPE_CHECKING:
    from numpy.random import Generator

SYMBOLS, BLANK, SIGNAL = 8, 8, 9
WORDS = "abcdefgh_!"
DRAWN = {"steps": 2, "hidden": 4, "length": 2}


def draw(rng: Generator, wait: int, batch: int, length: int = 10) -> Batch:
    """What is read and what is wanted, both (wait + 2 length, B).

    >>> made = draw(np.random.default_rng(0), 3, 1, length=2)
    >>> "".join(WORDS[i] for i in made.inputs[:, 0]), "".join(WORDS[i] for i in made.targets[:, 0])
    ('gf__!__', '_____gf')
    """
    symbols = rng.integers(0, SYMBOLS, (length, batch))
    inputs = np.full((wait + 2 * length, batch), BLANK)
    targets = inputs.copy()
    inputs[:length] = symbols
    inputs[wait + length - 1] = SIGNAL
    targets[-length:] = symbols
    return Batch(inputs, targets)


def problem(
    cell: str = "gru",
    hidden: int = 64,
    layers: int = 1,
    steps: int = 20,
    batch: int = 16,
    length: int = 10,
    seed: int = 0,
) -> Problem:
    """Learn to say ``length`` symbols again after waiting ``steps`` steps.

    Raises:
        ValueError: no step to wait, or nothing to remember.
    """
    at_least(1, steps=steps, length=length)
    model = Symbols(cell, 10, 9, hidden=hidden, layers=layers, seed=seed)
    if cell == "lstm":
        forget_bias_(getattr(model, cell), 1.0)
    objective = by_step(model)
    test = draw(np.random.default_rng(10**6 + seed), steps, 100, length)
    memoryless = length * math.log(SYMBOLS) / (steps + 2 * length)

    def said() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        return likeliest(model(test.inputs)[0])

    def measures() -> list[Measure]:
        loss = objective(test, None).total.item()
        why = f"{length} ln 8 / {steps + 2 * length}, which needs no memory"
        right = float((said()[-length:] == test.targets[-length:]).mean())
        return [
            Measure.below("nats per step", loss, 0.9 * memoryless, f"0.9 of {why}"),
            Measure.above("symbols said again", right, 0.25, "guessing gives 1/8"),
        ]

    def show(count: int) -> list[Shown]:
        rows = zip(test.inputs.T[:count], test.targets.T, said().T)
        return [Shown(*("".join(WORDS[k] for k in row) for row in example)) for example in rows]

    return Problem(
        f"{length} symbols, said again after {steps} steps",
        model,
        Drawn(lambda rng: draw(rng, steps, batch, length), seed),
        objective,
        measures,
        show,
        iterations=4800,
        inputs=lambda b: [WORDS[i] for i in b.inputs[:, 0]],
        labels=lambda b: [WORDS[i] for i in b.targets[:, 0]],
    )
