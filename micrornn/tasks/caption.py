"""caption: a picture in, a sentence out, letter by letter until END; one to many.

A convolution makes a feature vector of the picture, the vector becomes the first state of a recurrent
network, and this one says the name of the digit. Photographs with captions are not to be had freely: the
pictures are real, the handwritten digits of `micrornn.data.digits`, but the captions are no more than
their names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.data.digits import NAMES, as_text, handwritten, nearest_mean
from micrornn.data.feeds import Batch, Shuffled
from micrornn.nn.basic import Linear
from micrornn.nn.functional import one_hot
from micrornn.nn.layers import GRU
from micrornn.nn.module import Module
from micrornn.nn.sequence import each_step
from micrornn.ops.elementwise import tanh
from micrornn.ops.shape import stack
from micrornn.tasks.image import Features
from micrornn.tasks.pairs import PADDING, padded, token_loss
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.training.objective import Computed

END = "."  # fed first as well, to begin with
LETTERS = sorted(set("".join(NAMES) + END))
LONGEST = 6
DRAWN = {"hidden": 4}


class Captioner(Module):
    """Conv2d features to the first state of a GRU, which says letters."""

    def __init__(self, hidden: int, seed: int) -> None:
        super().__init__()
        self.features = Features(8, seed)
        self.begin = Linear(self.features.size, hidden, rng=seed + 1)
        self.gru = GRU(len(LETTERS), hidden, rng=seed + 2)
        self.readout = Linear(hidden, len(LETTERS), rng=seed + 3)

    def start(self, pictures: Any) -> Any:
        """The state that the pictures begin."""
        with scope("features"):
            seen = self.features(pictures)
        with scope("begin"):
            return stack([tanh(self.begin(seen))])

    def forward(self, letters: Any, state: Any) -> Any:
        """The logits of the next letter at each step, and the state."""
        states, state = self.gru([one_hot(step, len(LETTERS)) for step in letters], state)
        return each_step(self.readout, states), state

    def describe(self, pictures: Any) -> list[str]:
        """The likeliest letter each time, until END."""
        state, letters = self.start(pictures), np.full(len(pictures), LETTERS.index(END))
        said = []
        for _ in range(LONGEST):
            outputs, state = self([letters], state)
            letters = outputs[0].numpy().argmax(-1)
            said.append(letters)
        words = ["".join(LETTERS[k] for k in column) for column in np.array(said).T]
        return [word.split(END)[0] for word in words]


def spelt(digits: Any) -> Any:
    """The letters of the digits' names, END after each, filled up to the longest: (T, B).

    >>> spelt([1]).shape, spelt([1, 3]).shape
    ((4, 1), (6, 2))
    """
    return padded([[LETTERS.index(c) for c in NAMES[d] + END] for d in digits], PADDING)


def problem(hidden: int = 32, batch: int = 32, seed: int = 0) -> Problem:
    """Learn to say which digit a picture shows, in letters."""
    model = Captioner(hidden, seed)
    learnt, (pictures, digits) = handwritten()
    by_mean = float((nearest_mean(learnt, pictures) == digits).mean())

    def together(chosen: list[int]) -> Batch:
        wanted = spelt(learnt.digits[chosen])
        fed = np.vstack([np.full(len(chosen), LETTERS.index(END)), np.maximum(wanted[:-1], 0)])
        return Batch(fed, wanted, extra=learnt.pictures[chosen])

    def objective(batch: Batch, state: Any) -> Computed:
        outputs, _ = model(batch.inputs, model.start(batch.extra))
        return Computed(*token_loss(outputs, batch.targets))

    def measures() -> list[Measure]:
        wanted = [NAMES[d] for d in digits]
        right = float(np.mean([a == b for a, b in zip(model.describe(pictures), wanted)]))
        return [
            Measure.above("right captions", right, by_mean, "the name of the nearest mean picture")
        ]

    def show(count: int) -> list[Shown]:
        said = model.describe(pictures[:count])
        rows = zip(pictures, digits, said)
        return [Shown(as_text(picture), NAMES[digit], words) for picture, digit, words in rows]

    return Problem(
        "say in letters which digit somebody wrote",
        model,
        Shuffled(range(len(learnt.digits)), batch, together, seed),
        objective,
        measures,
        show,
        iterations=1000,
        inputs=lambda b: [LETTERS[k] for k in b.inputs[:, 0]],
        labels=lambda b: [LETTERS[k] if k >= 0 else "" for k in b.targets[:, 0]],
    )
