"""reverse: an encoder reads symbols, and a decoder predicts them in reverse order.

Without attention everything goes through one vector, the last state of the encoder (Sutskever et al. 2014,
who reversed their sources because the last symbols read are predicted best). With attention the decoder sees
all states (Bahdanau et al. 2015), and the learned weights are a diagonal from right to left.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.tasks.pairs import END, decoded, encoder_decoder, teacher_forced
from micrornn.tasks.problem import Example, Measure, Problem, at_least, held_out, to_choose_by

if TYPE_CHECKING:
    from numpy.random import Generator

SYMBOLS, FIRST = 8, 2  # indices after START and END
LETTERS = "  abcdefgh"


def draw(rng: Generator, steps: int, batch: int) -> Batch:
    """Symbols (T, B), and the same in reverse order with END (T + 1, B).

    >>> drawn = draw(np.random.default_rng(0), 3, 1)
    >>> letters(drawn.inputs[:, 0]), letters(drawn.targets[:-1, 0])
    ('gfe', 'efg')
    """
    symbols = rng.integers(FIRST, FIRST + SYMBOLS, (steps, batch))
    return Batch(symbols, np.concatenate([symbols[::-1], np.full((1, batch), END)]))


def letters(indices: Iterable[int]) -> str:
    """Symbols as letters."""
    return "".join(LETTERS[i] for i in indices)


def problem(
    cell: str = "gru",
    hidden: int = 64,
    layers: int = 1,
    steps: int = 8,
    attention: str = "none",
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to reverse ``steps`` symbols.

    Args:
        attention: ``none``, ``dot``, ``scaled``, ``general`` or ``additive``.

    Raises:
        ValueError: no symbol, or no such attention.
    """
    at_least(1, steps=steps)
    sizes = (FIRST + SYMBOLS, FIRST + SYMBOLS)
    model = encoder_decoder(*sizes, cell, hidden, layers, attention, seed)
    objective = teacher_forced(model)
    test = draw(held_out(seed), steps, 200)
    choosing = draw(to_choose_by(seed), steps, 200)
    targets = test.targets[:-1].T.tolist()
    guessing = steps * math.log(SYMBOLS) / (steps + 1)

    def predictions() -> list[list[int]]:
        return decoded(model, test, steps + 1)

    def measures() -> list[Measure]:
        loss = objective(test, None).total.item()
        why = f"guessing: {steps} ln 8 / {steps + 1} = {guessing:.4g}"
        right = float(np.mean([one == target for one, target in zip(predictions(), targets)]))
        return [
            Measure.below("nats per symbol", loss, 0.5 * guessing, why),
            Measure.above("exact sequences", right, 0.5, f"guessing: 8^-{steps}"),
        ]

    def examples() -> Iterator[Example]:
        for row in zip(test.inputs.T, targets, predictions()):
            yield Example(*map(letters, row))

    return Problem(
        f"{model.encoder.cell} encoder and decoder reverse {steps} symbols, attention: {attention}",
        model,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        examples,
        validate=lambda: objective(choosing, None).total.item(),
        iterations=1200,
        inputs=lambda b: letters(b.inputs[:, 0]),
        labels=lambda b: [LETTERS[i] if i != END else "END" for i in b.targets[:, 0]],
    )
