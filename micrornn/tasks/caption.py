"""caption: from a picture to a sentence, letter by letter until END (one to many).

A convolution makes a feature vector of the picture, the vector becomes the first state of a recurrent
network, and this predicts the name of the digit. Free photographs with captions are rare: the pictures are
the real handwritten digits of `micrornn.data.digits`, and their captions are just the names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.data.digits import NAMES, Digits, as_text, divided
from micrornn.data.feeds import Batch, Shuffled
from micrornn.nn.basic import Linear
from micrornn.nn.functional import one_hot
from micrornn.nn.layers import GRU
from micrornn.nn.module import Module
from micrornn.nn.sequence import each_step
from micrornn.ops.elementwise import tanh
from micrornn.ops.join import stack
from micrornn.tasks.image import Features, by_pictures
from micrornn.tasks.network import predicted
from micrornn.tasks.pairs import PADDING, padded, token_objective
from micrornn.tasks.problem import Example, Measure, Problem, accuracy

END = "."  # read first as well, to start
LETTERS = sorted(set("".join(NAMES) + END))
LONGEST = 6


class Captioner(Module):
    """From Conv2d features to the first state of a GRU, which predicts letters."""

    def __init__(self, hidden: int, seed: int) -> None:
        super().__init__()
        self.features = Features(8, seed)
        self.begin = Linear(self.features.size, hidden, rng=seed + 1)
        self.gru = GRU(len(LETTERS), hidden, rng=seed + 2)
        self.readout = Linear(hidden, len(LETTERS), rng=seed + 3)

    def start(self, pictures: Any) -> Any:
        """The first state for each picture."""
        with scope("features"):
            features = self.features(pictures)
        with scope("begin"):
            return stack([tanh(self.begin(features))])

    def forward(self, letters: Any, state: Any) -> Any:
        """The logits of the next letter at each step, and the state."""
        states, state = self.gru([one_hot(step, len(LETTERS)) for step in letters], state)
        return each_step(self.readout, states), state

    def describe(self, pictures: Any) -> list[str]:
        """The likeliest letter at each step, until END."""
        state, letters = self.start(pictures), np.full(len(pictures), LETTERS.index(END))
        read = []
        for _ in range(LONGEST):
            outputs, state = self([letters], state)
            letters = predicted(outputs)[0]
            read.append(letters)
        words = ["".join(LETTERS[k] for k in column) for column in np.array(read).T]
        return [word.split(END)[0] for word in words]


def spelled(digits: Any) -> Any:
    """The letters of the names of digits, each with END, padded to the longest: (T, B).

    >>> spelled([1]).shape, spelled([1, 3]).shape
    ((4, 1), (6, 2))
    """
    return padded([[LETTERS.index(c) for c in NAMES[d] + END] for d in digits], PADDING)


def problem(hidden: int = 32, batch: int = 32, seed: int = 0) -> Problem:
    """Learn to spell the name of the digit in a picture."""
    model = Captioner(hidden, seed)
    training, choosing, (pictures, digits) = divided()
    names = np.array([NAMES[digit] for digit in digits])
    baselines = by_pictures(training, pictures, digits)

    objective = token_objective(lambda batch: model(batch.inputs, model.start(batch.extra))[0])

    def batch_of(some: Digits) -> Batch:
        targets = spelled(some.digits)
        first = np.full(len(some.digits), LETTERS.index(END))
        inputs = np.vstack([first, np.maximum(targets[:-1], 0)])
        return Batch(inputs, targets, extra=some.pictures)

    def collate(chosen: list[int]) -> Batch:
        return batch_of(Digits(training.pictures[chosen], training.digits[chosen]))

    def measures() -> list[Measure]:
        right = accuracy(np.array(model.describe(pictures)), names)
        named = {f"the name of {why}": value for why, value in baselines.items()}
        return [Measure.beside("exact captions", right, named)]

    def examples() -> Iterator[Example]:
        for picture, name, prediction in zip(pictures, names, model.describe(pictures)):
            yield Example(as_text(picture), str(name), prediction)

    return Problem(
        "a convolution and a GRU spell the name of the digit in a picture",
        model,
        Shuffled(range(len(training.digits)), batch, collate, seed),
        objective,
        measures,
        examples,
        validate=lambda: objective(batch_of(choosing), None).total.item(),
        iterations=1000,
        inputs=lambda b: [LETTERS[k] for k in b.inputs[:, 0]],
        labels=lambda b: [LETTERS[k] if k >= 0 else "" for k in b.targets[:, 0]],
    )
