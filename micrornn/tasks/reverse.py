"""reverse: symbols are read, and then said backwards, the last first, by an encoder and a decoder.

Without attention everything goes through one vector, the encoder's last state (Sutskever et al. 2014, who
turned their sources round because what was read last is said best). With attention the decoder looks back
at all states (Bahdanau et al. 2015), and the weights that it learns are a diagonal from right to left.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.tasks.pairs import END, encoder_decoder, forced, said_freely
from micrornn.tasks.problem import Measure, Problem, Shown, at_least

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.random import Generator

SYMBOLS, FIRST = 8, 2  # numbered after START and END
WORDS = "  abcdefgh"
DRAWN = {"steps": 3, "hidden": 4}


def draw(rng: Generator, steps: int, batch: int) -> Batch:
    """Symbols (T, B), and the same backwards with END (T + 1, B).

    >>> made = draw(np.random.default_rng(0), 3, 1)
    >>> in_words(made.inputs[:, 0]), in_words(made.targets[:-1, 0])
    ('gfe', 'efg')
    """
    symbols = rng.integers(FIRST, FIRST + SYMBOLS, (steps, batch))
    return Batch(symbols, np.concatenate([symbols[::-1], np.full((1, batch), END)]))


def in_words(numbers: Iterable[int]) -> str:
    """Symbols as letters."""
    return "".join(WORDS[k] for k in numbers)


def problem(
    cell: str = "gru",
    hidden: int = 64,
    layers: int = 1,
    steps: int = 8,
    attention: str = "none",
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to say ``steps`` symbols backwards.

    Args:
        attention: ``none``, ``dot``, ``scaled``, ``general`` or ``additive``.

    Raises:
        ValueError: no symbol, or no such attention.
    """
    at_least(1, steps=steps)
    sizes = (FIRST + SYMBOLS, FIRST + SYMBOLS)
    model = encoder_decoder(*sizes, cell, hidden, layers, attention, seed)
    objective = forced(model)
    test = draw(np.random.default_rng(10**6 + seed), steps, 200)
    guessing = steps * math.log(SYMBOLS) / (steps + 1)

    def measures() -> list[Measure]:
        loss = objective(test, None).total.item()
        wanted = test.targets[:-1].T.tolist()
        right = [said == true for said, true in zip(said_freely(model, test, steps + 1), wanted)]
        why = f"half of {steps} ln 8 / {steps + 1}, which is guessing"
        return [
            Measure.below("nats per symbol", loss, 0.5 * guessing, why),
            Measure.above("right sequences", float(np.mean(right)), 0.5, f"guessing: 8^-{steps}"),
        ]

    def show(count: int) -> list[Shown]:
        some = Batch(test.inputs[:, :count], test.targets[:, :count])
        rows = some.inputs.T, some.targets[:-1].T, said_freely(model, some, steps + 1)
        return [Shown(*map(in_words, row)) for row in zip(*rows)]

    return Problem(
        f"{steps} symbols, said backwards; attention: {attention}",
        model,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        show,
        iterations=1200,
        inputs=lambda b: [WORDS[k] for k in b.inputs[:, 0]],
        labels=lambda b: [WORDS[k] if k != END else "END" for k in b.targets[:, 0]],
    )
