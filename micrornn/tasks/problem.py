"""A problem to train on: model, data, objective, and how the result is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.context import no_grad
from micrornn.data.feeds import Batch, Feed
from micrornn.nn.module import Module
from micrornn.nn.recurrent import Recurrent
from micrornn.tasks.unrolled import Unrolled, label_inputs
from micrornn.training.objective import Objective


class Measure(NamedTuple):
    """A result, its goal (usually what a simple baseline reaches), and whether it was reached.

    >>> Measure.below("mean squared error", 0.02, 1 / 6, "always predicting 1").reached
    True
    """

    name: str
    value: float
    goal: str
    reached: bool | None = None
    digits: str = ".4g"

    @classmethod
    def below(cls, name: str, value: float, bound: float, why: str) -> Measure:
        """A value to bring below a bound; 0 reaches any bound, since nothing is below it."""
        return cls(name, value, f"below {bound:.4g} ({why})", value < bound or value == 0)

    @classmethod
    def above(cls, name: str, value: float, bound: float, why: str) -> Measure:
        """A share to bring above a bound; 1 reaches any bound, since nothing is above it."""
        return cls(name, value, f"above {bound:.4g} ({why})", value > bound or value == 1)

    @classmethod
    def beside(
        cls, name: str, value: float, baselines: Mapping[str, float], lower: bool = False
    ) -> Measure:
        """A value beside several baselines: the best is the bound, and the others are named.

        >>> Measure.beside("accuracy", 0.9, {"nearest neighbor": 0.95, "always 3": 0.1}).goal
        'above 0.95 (nearest neighbor); always 3: 0.1'
        """
        best = (min if lower else max)(baselines, key=lambda why: baselines[why])
        made = (cls.below if lower else cls.above)(name, value, baselines[best], best)
        others = [f"{why}: {v:.4g}" for why, v in baselines.items() if why != best]
        return made._replace(goal="; ".join([made.goal, *others]))


class Example(NamedTuple):
    """One input with its target and the prediction of the network, as text."""

    input: str
    target: str
    prediction: str


class Answer(NamedTuple):
    """The prediction for an input of the user's own, and its probability."""

    prediction: str
    probability: float


class View(NamedTuple):
    """One sequence for a picture, with its inputs and targets as text.

    Attributes:
        marks: what the picture writes at the inputs, if it is not ``inputs`` in quotation marks.
    """

    title: str
    batch: Batch
    inputs: Sequence[str]
    labels: Sequence[str]
    remarks: Sequence[str] = ()
    marks: Sequence[str] = ()


@dataclass
class Problem:
    """Everything that training one task takes.

    Attributes:
        title: what the network is and predicts, in one line.
        model: untrained, unless ``pretrained``.
        feed: gives the batches.
        objective: from a batch and a state to losses.
        measures: the results so far, on held-out data where there are any.
        examples: inputs with targets and predictions, as text.
        answer: predictions for an input of the user's own, the best first; the integer is the beam width.
        forecast: the next values of a series.
        validate: the loss on data to choose by, which are neither trained on nor measured.
        lr: the learning rate, for Adam.
        clip: the largest norm of the gradient, or None.
        iterations: how many are usually enough.
        memory: what else the trained model needs to be used: strings and numbers.
        inputs: from a batch of one sequence to the input of each step, as text.
        labels: from such a batch to the target of each step, as text.
        view: the sequence that a picture shows; the first batch of the feed by default.
        remarks: where training differs from the options, one sentence each.
        pretrained: whether the model starts with published weights, which are measured before training.
    """

    title: str
    model: Module
    feed: Feed
    objective: Objective
    measures: Callable[[], list[Measure]]
    examples: Callable[[], Iterable[Example]] | None = None
    answer: Callable[[str, int], list[Answer]] | None = None
    forecast: Callable[[int], list[float]] | None = None
    validate: Callable[[], float] | None = None
    lr: float = 1e-2
    clip: float | None = 1.0
    iterations: int = 300
    memory: dict[str, Any] = field(default_factory=dict)
    inputs: Callable[[Batch], Sequence[str]] | None = None
    labels: Callable[[Batch], Sequence[str]] | None = None
    view: View | None = None
    remarks: Sequence[str] = ()
    pretrained: bool = False

    def unrolled(self) -> Unrolled:
        """The network as it is, unrolled over one batch, gate by gate as in the textbook."""
        for module in self.model.modules():
            if isinstance(module, Recurrent):
                module.gates = "separate"
        view = self.view or self._first_batch()
        computed = self.objective(view.batch, None)
        if view.inputs:
            # The steps of a decoder come after those of the inputs.
            marks = view.marks or list(map(repr, view.inputs))
            label_inputs(computed.total, [*marks, *[""] * (len(computed.losses) + 1)])
        loss, losses = computed.total, computed.losses
        return Unrolled(
            view.title, loss, losses, self.model, view.inputs, view.labels, view.remarks
        )

    def _first_batch(self) -> View:
        batch = self.feed.next()
        inputs = list(self.inputs(batch)) if self.inputs else []
        labels = list(self.labels(batch)) if self.labels else []
        return View(self.title, batch, inputs, labels)

    def evaluate(self) -> list[Measure]:
        """`measures` in evaluation mode, with nothing recorded."""
        self.model.eval()
        with (
            no_grad(),
            np.errstate(over="ignore", invalid="ignore"),
        ):  # an overflow reads inf or nan
            return self.measures()


def held_out(seed: int) -> np.random.Generator:
    """The generator of held-out sequences, independent of the one that a feed draws from."""
    return np.random.default_rng(10**6 + seed)


def to_choose_by(seed: int) -> np.random.Generator:
    """The generator of sequences that training may look at (`--patience`); none of them is reported."""
    return np.random.default_rng(2 * 10**6 + seed)


def accuracy(predictions: Any, targets: Any) -> float:
    """The share of predictions that equal their targets.

    >>> accuracy(np.array([1, 2, 3]), np.array([1, 2, 4])) == 2 / 3
    True
    """
    return float(np.mean(predictions == targets))


def macro_f1(predictions: Any, targets: Any) -> float:
    """The F1 score of each class that occurs in the targets, averaged.

    >>> macro_f1(np.array([0, 0, 0]), np.array([0, 0, 1]))
    0.4
    """
    scores = []
    for label in np.unique(targets):
        hits = np.sum((predictions == label) & (targets == label))
        scores.append(2 * hits / (np.sum(predictions == label) + np.sum(targets == label)))
    return float(np.mean(scores))


def at_least(least: int, **counts: int) -> None:
    """Check that counts are large enough.

    Raises:
        ValueError: names the first that is not.

    >>> at_least(1, steps=3, length=0)
    Traceback (most recent call last):
    ValueError: length=0; give at least 1
    """
    for name, count in counts.items():
        if count < least:
            raise ValueError(f"{name}={count}; give at least {least}")
