"""image and rows: which digit did somebody write? One to one, and many to one, on the same pictures.

The first looks at the picture as a whole, by a convolution; no time is involved, and it is here to compare.
The second reads it row by row, as a sequence of eight, and says at the end what it was: data that are
no sequence can be read as one. The pictures are real, see `micrornn.data.digits`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.data.digits import SIZE, as_text, handwritten, nearest_mean
from micrornn.data.feeds import Batch, Shuffled
from micrornn.nn.basic import Linear
from micrornn.nn.convolution import Conv2d
from micrornn.nn.module import Module
from micrornn.nn.pooling import MaxPool2d
from micrornn.ops.elementwise import relu
from micrornn.ops.shape import reshape
from micrornn.tasks.models import Concluding, likeliest
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.training.objective import at_end

DRAWN = {"hidden": 4}


class Features(Module):
    """Convolution, relu, pooling: from pictures (B, 8, 8) to feature vectors (B, 9 filters).

    >>> Features(4)(handwritten()[0].pictures[:2]).shape
    (2, 36)
    """

    def __init__(self, filters: int, seed: int = 0) -> None:
        super().__init__()
        self.conv = Conv2d(1, filters, 3, rng=seed)
        self.pool = MaxPool2d(2)
        self.size = 9 * filters

    def forward(self, pictures: Any) -> Tensor:
        """The features of each picture."""
        maps: Tensor = self.pool(relu(self.conv(np.asarray(pictures)[:, np.newaxis])))
        return reshape(maps, (len(pictures), self.size))


class Looking(Module):
    """Features and a readout; without a state."""

    def __init__(self, filters: int, seed: int) -> None:
        super().__init__()
        self.features = Features(filters, seed)
        self.readout = Linear(self.features.size, 10, rng=seed + 1)

    def forward(self, pictures: Any, state: Any = None) -> Any:
        """The logits of the ten digits as a list of one, and no state."""
        return [self.readout(self.features(pictures[0]))], None


def problem(hidden: int = 8, batch: int = 32, seed: int = 0) -> Problem:
    """One to one: a picture as a whole; ``hidden`` is the number of filters."""
    model = Looking(hidden, seed)
    return _of(model, lambda pictures: pictures[np.newaxis], batch, seed, "looked at as a whole")


def rows(
    cell: str = "gru", hidden: int = 32, layers: int = 1, batch: int = 32, seed: int = 0
) -> Problem:
    """Many to one: the same pictures, read row by row."""
    model = Concluding(cell, SIZE, 10, hidden=hidden, layers=layers, seed=seed)
    return _of(model, lambda pictures: pictures.swapaxes(0, 1), batch, seed, "read row by row")


def _of(model: Module, as_steps: Any, batch: int, seed: int, how: str) -> Problem:
    learnt, (pictures, digits) = handwritten()
    by_mean = float((nearest_mean(learnt, pictures) == digits).mean())

    def together(chosen: list[int]) -> Batch:
        return Batch(as_steps(learnt.pictures[chosen]), learnt.digits[chosen])

    def said() -> Any:
        return likeliest(model(as_steps(pictures))[0])[0]

    def measures() -> list[Measure]:
        right = float((said() == digits).mean())
        return [Measure.above("right digits", right, by_mean, "the nearest of ten mean pictures")]

    def show(count: int) -> list[Shown]:
        rows = zip(pictures[:count], digits, said())
        return [Shown(as_text(picture), str(digit), str(answer)) for picture, digit, answer in rows]

    return Problem(
        f"which digit somebody wrote, {how}",
        model,
        Shuffled(range(len(learnt.digits)), batch, together, seed),
        at_end(model),
        measures,
        show,
        iterations=600,
        inputs=lambda b: [f"row {i + 1}" if len(b) > 1 else "picture" for i in range(len(b))],
    )
