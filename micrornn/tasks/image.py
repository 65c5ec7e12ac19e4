"""image and rows: the digit in a picture, by a convolution (one to one) or row by row (many to one).

The first task has no time and is there for comparison. The second reads the picture as a sequence of eight
rows and predicts at the end: data that are no sequence can be read as one. The pictures are real, see
`micrornn.data.digits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.data.digits import SIZE, Digits, as_text, divided
from micrornn.data.feeds import Batch, Shuffled
from micrornn.nn.basic import Linear
from micrornn.nn.convolution import Conv2d
from micrornn.nn.module import Module
from micrornn.nn.pooling import MaxPool2d
from micrornn.ops.elementwise import relu
from micrornn.ops.shape import reshape
from micrornn.tasks.baselines import nearest_mean, nearest_neighbor
from micrornn.tasks.network import Network, predicted
from micrornn.tasks.problem import Example, Measure, Problem, accuracy
from micrornn.training.objective import at_end


class Features(Module):
    """Convolution, relu, pooling: from pictures (B, 8, 8) to feature vectors (B, 9 filters).

    >>> from micrornn.data.digits import handwritten
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


class Convolution(Module):
    """Features and a readout, without a state."""

    def __init__(self, filters: int, seed: int) -> None:
        super().__init__()
        self.features = Features(filters, seed)
        self.readout = Linear(self.features.size, 10, rng=seed + 1)

    def forward(self, pictures: Any, state: Any = None) -> Any:
        """The logits of the ten digits as a list of one, and no state."""
        return [self.readout(self.features(pictures[0]))], None


def problem(hidden: int = 8, batch: int = 32, seed: int = 0) -> Problem:
    """Classify whole pictures; ``hidden`` is the number of filters."""
    title = "a convolution predicts the digit in a picture"
    return _digits(title, Convolution(hidden, seed), lambda x: x[np.newaxis], batch, seed)


def rows(
    cell: str = "gru", hidden: int = 32, layers: int = 1, batch: int = 32, seed: int = 0
) -> Problem:
    """Classify the same pictures, read row by row."""
    network = Network(cell, SIZE, 10, hidden=hidden, layers=layers, last_only=True, seed=seed)
    title = f"{network} predicts the digit in a picture that it reads row by row"
    return _digits(title, network, lambda x: x.swapaxes(0, 1), batch, seed)


def by_pictures(training: Digits, pictures: Any, digits: Any) -> dict[str, float]:
    """The accuracy of the nearest picture, and of the nearest of ten mean pictures."""
    return {
        "the nearest picture": accuracy(nearest_neighbor(*training, pictures), digits),
        "the nearest mean picture": accuracy(nearest_mean(*training, pictures), digits),
    }


def _digits(
    title: str, model: Module, as_steps: Callable[[Any], Any], batch: int, seed: int
) -> Problem:
    training, choosing, (pictures, digits) = divided()
    baselines = by_pictures(training, pictures, digits)

    objective = at_end(model)

    def batch_of(some: Digits) -> Batch:
        return Batch(as_steps(some.pictures), some.digits)

    def collate(chosen: list[int]) -> Batch:
        return batch_of(Digits(training.pictures[chosen], training.digits[chosen]))

    def predictions() -> Any:
        return predicted(model(as_steps(pictures))[0])[0]

    def measures() -> list[Measure]:
        right = accuracy(predictions(), digits)
        return [Measure.beside("accuracy", right, baselines)]

    def examples() -> Iterator[Example]:
        for picture, digit, prediction in zip(pictures, digits, predictions()):
            yield Example(as_text(picture), str(digit), str(prediction))

    return Problem(
        title,
        model,
        Shuffled(range(len(training.digits)), batch, collate, seed),
        objective,
        measures,
        examples,
        validate=lambda: objective(batch_of(choosing), None).total.item(),
        iterations=600,
        inputs=lambda b: [f"row {i + 1}" if len(b) > 1 else "picture" for i in range(len(b))],
        labels=lambda b: [str(b.targets[0])],
    )
