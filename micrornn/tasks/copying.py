"""copy: read some symbols, wait through blanks, and repeat the symbols at a signal.

The problem of Hochreiter & Schmidhuber (1997) as posed by Arjovsky, Shah & Bengio (2016), with 8 symbols, a
blank and a signal. Without memory the best is to predict blanks until the signal and then to guess: a mean of
n ln 8 / (T + 2n) nats per step, for n symbols and T blanks. A lower loss proves memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.tasks.network import Network, predicted, retention_bias_
from micrornn.tasks.problem import (
    Example,
    Measure,
    Problem,
    accuracy,
    at_least,
    held_out,
    to_choose_by,
)
from micrornn.training.objective import by_step

if TYPE_CHECKING:
    from numpy.random import Generator

SYMBOLS, BLANK, SIGNAL = 8, 8, 9
LETTERS = "abcdefgh_!"


def draw(rng: Generator, wait: int, batch: int, length: int = 10) -> Batch:
    """Inputs and targets, both (wait + 2 length, B).

    >>> drawn = draw(np.random.default_rng(0), 3, 1, length=2)
    >>> letters(drawn.inputs[:, 0]), letters(drawn.targets[:, 0])
    ('gf__!__', '_____gf')
    """
    symbols = rng.integers(0, SYMBOLS, (length, batch))
    inputs = np.full((wait + 2 * length, batch), BLANK)
    targets = inputs.copy()
    inputs[:length] = symbols
    inputs[wait + length - 1] = SIGNAL
    targets[-length:] = symbols
    return Batch(inputs, targets)


def letters(indices: Any) -> str:
    """Symbols as letters, ``_`` for a blank, ``!`` for the signal."""
    return "".join(LETTERS[i] for i in indices)


def problem(
    cell: str = "gru",
    hidden: int = 64,
    layers: int = 1,
    steps: int = 20,
    batch: int = 16,
    length: int = 10,
    seed: int = 0,
) -> Problem:
    """Learn to repeat ``length`` symbols after ``steps`` steps.

    Raises:
        ValueError: no step to wait, or no symbol.
    """
    at_least(1, steps=steps, length=length)
    network = Network(cell, 10, 9, hidden=hidden, layers=layers, symbols=True, seed=seed)
    if cell == "lstm":
        retention_bias_(network, 1.0)
    objective = by_step(network)
    test = draw(held_out(seed), steps, 100, length)
    choosing = draw(to_choose_by(seed), steps, 100, length)
    memoryless = length * math.log(SYMBOLS) / (steps + 2 * length)

    def predictions() -> Any:
        return predicted(network(test.inputs)[0])

    def measures() -> list[Measure]:
        loss = objective(test, None).total.item()
        why = f"0.9 of {length} ln 8 / {steps + 2 * length}, the bound without memory"
        right = accuracy(predictions()[-length:], test.targets[-length:])
        return [
            Measure.below("nats per step", loss, 0.9 * memoryless, why),
            Measure.above("accuracy of repeated symbols", right, 0.25, "guessing: 1/8"),
        ]

    def examples() -> Iterator[Example]:
        for row in zip(test.inputs.T, test.targets.T, predictions().T):
            yield Example(*map(letters, row))

    return Problem(
        f"{network} repeats {length} symbols after {steps} steps",
        network,
        Drawn(lambda rng: draw(rng, steps, batch, length), seed),
        objective,
        measures,
        examples,
        validate=lambda: objective(choosing, None).total.item(),
        iterations=4800,
        inputs=lambda b: letters(b.inputs[:, 0]),
        labels=lambda b: letters(b.targets[:, 0]),
    )
