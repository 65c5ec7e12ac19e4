"""The built-in tasks, in one table: what `micrornn list` shows, every command draws, and `train` trains.

A task is a function that makes a `Problem`; its keyword arguments are the options of the task. Its module is
imported when the task is used. Six of the tasks are runs that fail: they show a fault and are not trained.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from micrornn.data.text import text_or_file
from micrornn.messages import flags, nearest
from micrornn.tasks.parts import needs_file
from micrornn.tasks.unrolled import Unrolled

if TYPE_CHECKING:
    from micrornn.tasks.problem import Problem

__all__ = ["TASKS", "Task", "Unrolled", "task"]


class Task(NamedTuple):
    """A built-in task.

    Attributes:
        name: its name on the command line.
        summary: what is predicted, in a few words.
        module: the module in this folder that makes the problem, and after a colon the function, if that is
            not ``problem``; None for a run that fails, of `micrornn.flow.failures`.
        view: defaults of a view of the untrained network, which is small enough for a picture.
        view_only: options that a view has and training has not.

    >>> task("hello").options()["hidden"], task("hello").unrolled({"steps": 3}).steps
    (8, [1, 2, 3])
    """

    name: str
    summary: str
    module: str | None = None
    view: Mapping[str, Any] = {}
    view_only: tuple[str, ...] = ()

    def options(self, view: bool = False) -> dict[str, Any]:
        """The options of training, or of a view, with their defaults."""
        known = {name: p.default for name, p in inspect.signature(self._maker()).parameters.items()}
        if self.module is None:
            return known
        if "text" in known:  # which is read here, and given to the task as a text
            known = {"text": None, "encoding": None, **known}
        if view:  # of one sequence
            return {name: self.view.get(name, v) for name, v in known.items() if name != "batch"}
        return {name: value for name, value in known.items() if name not in self.view_only}

    def problem(self, options: Mapping[str, Any]) -> Problem:
        """The problem to train on, with these options and otherwise the defaults.

        Raises:
            ValueError: the task cannot be trained, has no such option, or an option has an unusable value.
        """
        if self.module is None:
            raise ValueError(
                f"{self.name} is a run that fails, not a task to train; use micrornn why"
            )
        self._check(options, self.options())
        return self._problem(options)

    def unrolled(self, options: Mapping[str, Any]) -> Unrolled:
        """The untrained network unrolled over one sequence, with these options.

        Raises:
            ValueError: the task has no such option, or an option has an unusable value.
        """
        defaults = self.options(view=True)
        self._check(options, defaults)
        options = {**defaults, **options}
        if self.module is None:
            return self._failure(**options)
        one = {"batch": 1} if "batch" in self.options() else {}
        unrolled = self._problem({**options, **one}).unrolled()
        return unrolled.titled(f"{self.name}: {unrolled.title}")

    def _check(self, options: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        if unknown := [name for name in options if name not in known]:
            raise ValueError(f"{self.name} has no option {flags(unknown)}; options: {flags(known)}")

    def _problem(self, options: Mapping[str, Any]) -> Problem:
        options = dict(options)
        text = options.get("text")
        if "text" in self.options():
            encoding = options.pop("encoding", None)
            if text is None:
                needs_file("text", encoding=encoding)
            else:
                options["text"] = text_or_file(text, encoding)
        problem: Problem = self._maker()(**options)
        return problem

    def _failure(self, steps: int, **others: float) -> Unrolled:
        if steps < 1:
            raise ValueError(f"steps={steps}; give at least 1")
        with np.errstate(all="ignore"):
            failure = self._maker()(steps=steps, **others)
        return Unrolled(f"{self.name}: {failure.story}", failure.loss, failure.losses)

    def _maker(self) -> Callable[..., Any]:
        if self.module is None:
            make = getattr(import_module("micrornn.flow.failures"), self.name)
        else:
            module, _, function = self.module.partition(":")
            make = getattr(import_module(f"{__name__}.{module}"), function or "problem")
        return make  # type: ignore[no-any-return]


def task(name: str) -> Task:
    """The task of that name.

    Raises:
        ValueError: there is none; suggests what may have been meant.

    >>> task("helo")
    Traceback (most recent call last):
    ValueError: no task 'helo'; did you mean 'hello'?
    """
    if name not in TASKS:
        raise ValueError(f"no task {name!r}; {nearest(name, TASKS)}")
    return TASKS[name]


TASKS = {
    task.name: task
    for task in (
        Task(
            "hello",
            "the next character of a word",
            "hello",
            view_only=("bidirectional", "steps", "loss"),
        ),
        Task("data", "the next character of a word that needs no memory", "hello:data"),
        Task("text", "the next character of a text", "text", {"steps": 12, "hidden": 8}),
        Task("names", "the next character of names", "text:names", {"steps": 12, "hidden": 8}),
        Task(
            "stocks",
            "tomorrow's closing price",
            "forecast:stocks",
            {"steps": 2, "hidden": 1, "loss": "last"},
            view_only=("bidirectional", "loss"),
        ),
        Task("weather", "tomorrow's temperature", "forecast:weather", {"steps": 6, "hidden": 2}),
        Task("anomaly", "unusual days in a series", "anomaly", {"steps": 6, "hidden": 2}),
        Task("logs", "unusual lines in a log", "logs", {"steps": 12, "hidden": 8}),
        Task(
            "companies",
            "day 5 of two companies that differ on day 1 only",
            "companies",
            {"published": True},
        ),
        Task(
            "adding",
            "the sum of the two marked numbers in a sequence",
            "adding",
            {"steps": 6, "hidden": 4},
        ),
        Task(
            "copy",
            "symbols to repeat after a delay",
            "copying",
            {"steps": 2, "hidden": 4, "length": 2},
        ),
        Task("recall", "the first symbol, at the end", "recall", {"steps": 6, "hidden": 4}),
        Task("reverse", "a sequence in reverse order", "reverse", {"steps": 3, "hidden": 4}),
        Task("tagging", "the kind of each character of a Python program", "tagging",
             {"steps": 8, "hidden": 4}),
        Task("sentiment", "whether a review is good", "sentiment", {"steps": 9, "hidden": 4}),
        Task("image", "the digit in a picture, by a convolution", "image", {"hidden": 4}),
        Task("rows", "the digit in a picture that is read row by row", "image:rows", {"hidden": 4}),
        Task("caption", "the name of the digit in a picture", "caption", {"hidden": 4}),
        Task("ctc", "labels from frames, without alignment", "ctc",
             {"steps": 8, "hidden": 4, "length": 2}),
        Task("translate", "a translation: numbers in words to digits, or other pairs", "translate",
             {"hidden": 4}),
        Task("qa", "the answer to a question about some facts", "qa", {"steps": 2, "hidden": 4}),
        Task("video", "the direction of a moving dot", "video", {"steps": 5, "hidden": 4}),
        Task("ecg", "the part of a heartbeat of each sample", "ecg", {"steps": 12, "hidden": 4}),
        Task("speakers", "the speaker of two vowels", "speakers", {"steps": 9, "hidden": 4}),
        Task("vanishing", "fails: h = 0.5 h, whose gradient is 0.5 to the power of the steps"),
        Task("exploding", "fails: h = 2 h, whose gradient is 2 to the power of the steps"),
        Task("forgetful", "fails: an LSTM that forgets half of its state at every step"),
        Task("nan", "fails: a ReLU RNN with large weights that overflows in float32"),
        Task("detached", "fails: a loop that detaches the state at every step"),
        Task("saturated", "fails: a tanh RNN on prices that are not scaled"),
    )
}  # fmt: skip
