"""reverse: symbols are read, and then said backwards, the last first.

The plainest task of an encoder and a decoder in one network (Sutskever et al. 2014 found that it matters
which symbol comes first): everything goes through one state. While it answers, it reads a signal only.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.losses import sequence_loss
from micrornn.tasks.models import Symbols, likeliest
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.training.objective import Computed

if TYPE_CHECKING:
    from numpy.random import Generator

SYMBOLS, SIGNAL = 8, 8
WORDS = "abcdefgh>"
DRAWN = {"steps": 3, "hidden": 4}


def draw(rng: Generator, steps: int, batch: int) -> Batch:
    """Symbols and as many signals (2 T, B), and the symbols backwards (T, B).

    >>> made = draw(np.random.default_rng(0), 3, 1)
    >>> "".join(WORDS[i] for i in made.inputs[:, 0]), "".join(WORDS[i] for i in made.targets[:, 0])
    ('gfe>>>', 'efg')
    """
    symbols = rng.integers(0, SYMBOLS, (steps, batch))
    return Batch(np.concatenate([symbols, np.full_like(symbols, SIGNAL)]), symbols[::-1])


def problem(
    cell: str = "gru",
    hidden: int = 64,
    layers: int = 1,
    steps: int = 5,
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to say ``steps`` symbols backwards.

    Raises:
        ValueError: no symbol.
    """
    at_least(1, steps=steps)
    model = Symbols(cell, SYMBOLS + 1, SYMBOLS, hidden=hidden, layers=layers, seed=seed)
    test = draw(np.random.default_rng(10**6 + seed), steps, 200)

    def objective(batch: Batch, state: Any) -> Computed:
        outputs, state = model(batch.inputs, state)
        half = len(batch.targets)
        counts = [0.0] * half + [1.0] * half  # nothing is wanted while it reads
        targets = [*batch.targets, *batch.targets]
        losses, total = sequence_loss(outputs, targets, weights=counts)
        return Computed(losses[half:], total, state)

    def said() -> Any:
        return likeliest(model(test.inputs)[0][steps:])

    def measures() -> list[Measure]:
        loss = objective(test, None).total.item()
        right = said() == test.targets
        return [
            Measure.below(
                "nats per symbol", loss, 0.5 * math.log(8), "guessing gives ln 8 = 2.079"
            ),
            Measure.above(
                "right sequences", float(right.all(0).mean()), 0.5, f"guessing: 8^-{steps}"
            ),
        ]

    def show(count: int) -> list[Shown]:
        rows = test.inputs[:steps], test.targets, said()
        return [
            Shown(*("".join(WORDS[k] for k in row[:, i]) for row in rows)) for i in range(count)
        ]

    return Problem(
        f"{steps} symbols, said backwards",
        model,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        show,
        iterations=800,
        inputs=lambda b: [WORDS[i] for i in b.inputs[:, 0]],
        labels=lambda b: ["", *[""] * (steps - 1), *(WORDS[i] for i in b.targets[:, 0])],
    )
