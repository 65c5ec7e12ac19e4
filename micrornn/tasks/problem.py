"""A task to be trained: data, model, loss, and how one sees whether it was learnt."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from micrornn import optim
from micrornn.core.context import no_grad
from micrornn.data.feeds import Batch, Feed
from micrornn.data.text import text_or_file
from micrornn.nn.module import Module
from micrornn.nn.recurrent import Recurrent
from micrornn.optim import Optimizer
from micrornn.tasks.output import nearest
from micrornn.tasks.unrolled import Unrolled, remark_inputs
from micrornn.training.objective import Objective

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": optim.SGD,
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
}


class Measure(NamedTuple):
    """One thing that was measured, what was to be expected, and whether it was reached.

    >>> Measure.below("error", 0.02, 1 / 6, "what the mean alone gives").reached
    True
    """

    name: str
    value: float
    expected: str
    reached: bool | None = None

    @classmethod
    def below(cls, name: str, value: float, bound: float, why: str) -> Measure:
        """A value that should be below a bound; 0, where nothing is below, is reached by reaching it."""
        return cls(name, value, f"below {bound:.4g}: {why}", value < bound or value == 0)

    @classmethod
    def above(cls, name: str, value: float, bound: float, why: str) -> Measure:
        """A share that should be above a bound; 1, where nothing is above, is reached by reaching it."""
        return cls(name, value, f"above {bound:.4g}: {why}", value > bound or value == 1)


class Shown(NamedTuple):
    """One example after training, in words: what was given, what was wanted, what the network says."""

    given: str
    wanted: str
    said: str


class Answer(NamedTuple):
    """What a trained network makes of an input of one's own, and how likely it holds that to be."""

    said: str
    probability: float


@dataclass
class Problem:
    """Everything that training one task takes.

    Attributes:
        title: one line that says what is learnt.
        model: not yet trained.
        feed: gives the batches.
        objective: from a batch and a state to losses.
        measures: what has been reached, on data that are not trained on where there are such.
        show: so many examples, in words.
        answer: what it makes of an input of one's own, the best first; the number is how many beginnings a
            search keeps.
        forecast: so many values after the last that is known.
        validate: the loss on data that are not trained on.
        optimizer: its name among `OPTIMIZERS`.
        lr: its learning rate.
        clip: the largest norm of the gradient, or None.
        iterations: as many as are usually enough.
        memory: what has to be known besides the weights to use the trained model: texts and numbers.
        inputs: from a batch of one sequence to what is read at each step, in words.
        labels: likewise what is wanted.
    """

    title: str
    model: Module
    feed: Feed
    objective: Objective
    measures: Callable[[], list[Measure]]
    show: Callable[[int], list[Shown]] | None = None
    answer: Callable[[str, int], list[Answer]] | None = None
    forecast: Callable[[int], list[float]] | None = None
    validate: Callable[[], float] | None = None
    optimizer: str = "adam"
    lr: float = 1e-2
    clip: float | None = 1.0
    iterations: int = 300
    memory: dict[str, Any] = field(default_factory=dict)
    inputs: Callable[[Batch], Sequence[str]] | None = None
    labels: Callable[[Batch], Sequence[str]] | None = None

    def unrolled(self) -> Unrolled:
        """The network as it is, unrolled over the first batch, gate by gate: the task as a source."""
        for module in self.model.modules():
            if isinstance(module, Recurrent):
                module.gates = "separate"  # as in the textbook
        batch = self.feed.next()
        computed = self.objective(batch, None)
        inputs = list(self.inputs(batch)) if self.inputs else []
        labels = list(self.labels(batch)) if self.labels else []
        if inputs:
            words = [repr(word) for word in inputs]
            words += [""] * (len(computed.losses) + 1)  # a decoder's own steps come after
            remark_inputs(computed.total, words)
        return Unrolled(self.title, computed.total, computed.losses, self.model, inputs, labels)

    def judged(self) -> list[Measure]:
        """`measures`, with the model switched to being used and nothing recorded."""
        self.model.eval()
        with (
            no_grad(),
            np.errstate(over="ignore", invalid="ignore"),
        ):  # what overflows reads inf or nan
            return self.measures()


def at_least(least: int, **counts: int) -> None:
    """See to it that counts are large enough.

    Raises:
        ValueError: one is not; names it.

    >>> at_least(1, steps=3, length=0)
    Traceback (most recent call last):
    ValueError: length=0; give at least 1
    """
    for name, count in counts.items():
        if count < least:
            raise ValueError(f"{name}={count}; give at least {least}")


class Task(NamedTuple):
    """A task by name: the module that has it, and what is learnt.

    >>> TASKS["hello"].options()["hidden"]
    8
    """

    name: str
    module: str
    description: str

    def make(self, options: Mapping[str, Any]) -> Problem:
        """The problem, made with these options and else the defaults; a ``text`` may be the name of a file.

        Raises:
            ValueError: an option is not one of this task, or has a value that does not do.
        """
        known = self.options()
        if foreign := [name for name in options if name not in known]:
            given, taken = (
                ", ".join(f"--{name.replace('_', '-')}" for name in names)
                for names in (foreign, known)
            )
            raise ValueError(f"{given} has no meaning for {self.name}; it takes {taken}")
        if options.get("text") is not None:
            options = {**options, "text": text_or_file(options["text"])}
        made: Problem = self._maker()(**options)
        return made

    def options(self) -> dict[str, Any]:
        """The options it takes, with their defaults."""
        parameters = inspect.signature(self._maker()).parameters
        return {name: parameter.default for name, parameter in parameters.items()}

    def _maker(self) -> Callable[..., Problem]:
        module, _, name = self.module.partition(":")
        maker: Callable[..., Problem] = getattr(
            import_module(f"micrornn.tasks.{module}"), name or "problem"
        )
        return maker

    def library(self) -> Any:
        """The module itself: some have more than a problem, such as ``speaker``."""
        return import_module(f"micrornn.tasks.{self.module.partition(':')[0]}")


def task(name: str) -> Task:
    """The task of that name.

    Raises:
        ValueError: there is none; says what may have been meant.
    """
    if name not in TASKS:
        raise ValueError(f"there is no task {name!r}; {nearest(name, TASKS)}")
    return TASKS[name]


TASKS = {
    one.name: one
    for one in (
        Task("hello", "words:hello", "one word, each character from those before it"),
        Task("data", "words:data", "another word, which needs no memory"),
        Task("text", "text", "a character language model on a text"),
        Task("names", "text:names", "a character language model on the names of characters"),
        Task("companies", "companies", "two companies that differ on the first day only"),
        Task("adding", "adding", "the sum of the two marked numbers of a long sequence"),
        Task("copy", "copying", "some symbols, said again after a wait"),
        Task("recall", "recall", "the first of many symbols, asked for at the end"),
        Task("reverse", "reverse", "a sequence of symbols, said backwards"),
        Task("stocks", "forecast:stocks", "tomorrow's closing price"),
        Task("weather", "forecast:weather", "tomorrow's highest temperature"),
        Task("anomaly", "anomaly", "days on which a series does what nobody expected"),
        Task("logs", "logs", "lines of a log that no ordinary line prepares for"),
        Task("tagging", "tagging", "what each character of a Python program is part of"),
        Task("sentiment", "sentiment", "whether a review is good or bad"),
        Task("image", "image", "which digit a picture shows"),
        Task("rows", "image:rows", "the same, read row by row"),
        Task("caption", "caption", "what a picture shows, in letters"),
        Task("ctc", "ctc", "labels out of many frames, aligned by nobody"),
        Task(
            "translate",
            "translate",
            "numbers in words to digits, spelling to sounds, names of emoji, or pairs of your own",
        ),
        Task("qa", "qa", "where somebody is, after some facts"),
        Task("video", "video", "where a dot is going, and whether it turned"),
        Task("ecg", "ecg", "what part of a heartbeat each sample is"),
        Task("speakers", "speakers", "which of nine men says two vowels"),
    )
}
