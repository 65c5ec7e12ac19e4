"""recall: predict the first symbol of a sequence at its end; everything between is distraction.

The simplest task with a long time lag: the gradient of the loss has to reach step 1. How far it reaches
depends on the gate that keeps the state, the forget gate of an LSTM and the update gate of a GRU. With a
bias of 0 the gate keeps half of the state per step, 0.5^T after T steps; with a bias of 3 it keeps 95% per
step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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
from micrornn.training.objective import at_end

if TYPE_CHECKING:
    from numpy.random import Generator

LETTERS = "abcd"
SYMBOLS = len(LETTERS)
BIAS = 3.0


def draw(rng: Generator, steps: int, batch: int) -> Batch:
    """Symbols (T, B) and the first of each sequence (B,).

    >>> import numpy as np
    >>> drawn = draw(np.random.default_rng(0), 5, 3)
    >>> bool((drawn.inputs[0] == drawn.targets).all())
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
    forget_bias: float | None = None,
    seed: int = 0,
) -> Problem:
    """Learn to predict the first symbol at the end.

    Args:
        forget_bias: the initial bias of an LSTM's forget gate or a GRU's update gate; 3 by default.

    Raises:
        ValueError: no step, or a bias for a tanh RNN, which has no gate.
    """
    at_least(1, steps=steps)
    sizes: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    network = Network(cell, SYMBOLS, SYMBOLS, symbols=True, last_only=True, **sizes)
    if cell in ("lstm", "gru") or forget_bias is not None:
        retention_bias_(network, BIAS if forget_bias is None else forget_bias)
    test = draw(held_out(seed), steps, 200)
    choosing = draw(to_choose_by(seed), steps, 200)
    objective = at_end(network)

    def predictions() -> Any:
        return predicted(network(test.inputs)[0])[0]

    def measures() -> list[Measure]:
        loss = objective(test, None).total.item()
        why = f"guessing: ln {SYMBOLS} = {math.log(SYMBOLS):.4g}"
        right = accuracy(predictions(), test.targets)
        return [
            Measure.below("cross-entropy", loss, 0.5 * math.log(SYMBOLS), why),
            Measure.above("accuracy", right, 0.9, f"guessing: {1 / SYMBOLS}"),
        ]

    def examples() -> Iterator[Example]:
        for row, target, prediction in zip(test.inputs.T, test.targets, predictions()):
            yield Example("".join(LETTERS[i] for i in row), LETTERS[target], LETTERS[prediction])

    return Problem(
        f"{network} predicts the first of {steps} symbols at the end",
        network,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        examples,
        validate=lambda: objective(choosing, None).total.item(),
        inputs=lambda b: [LETTERS[i] for i in b.inputs[:, 0]],
        labels=lambda b: [LETTERS[b.targets[0]]],
    )
