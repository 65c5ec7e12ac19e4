"""Built-in sources: small tasks on real input, each a network unrolled over one sequence.

Every task is a module of its own, with its data, its model and its loss, and one function ``build`` whose
keyword arguments are the options it takes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from micrornn.tasks.unrolled import Unrolled

__all__ = ["SOURCES", "Source", "Unrolled"]


class Source(NamedTuple):
    """A built-in source: its name, which is that of its module, and what it shows.

    >>> SOURCES["hello"].options()["hidden"]
    8
    >>> SOURCES["hello"].load()(steps=3).steps
    [1, 2, 3]
    """

    name: str
    description: str
    trained: bool = False  # a task of `problem`, which has no ``build`` of its own
    failing: bool = False  # one of the runs that go wrong, in `micrornn.flow.failures`

    def load(self) -> Callable[..., Unrolled]:
        """Its ``build``; the module is imported only now."""
        if self.trained or self.failing:
            module = "failing" if self.failing else "drawn"
            made: Callable[..., Unrolled] = import_module(f"{__name__}.{module}").builder(self.name)
            return made
        build: Callable[..., Unrolled] = import_module(f"{__name__}.{self.name}").build
        return build

    def options(self) -> dict[str, Any]:
        """The options it takes, with their defaults."""
        parameters = inspect.signature(self.load()).parameters
        return {name: parameter.default for name, parameter in parameters.items()}


SOURCES = {
    source.name: source
    for source in (
        Source("hello", "read a text, predict each next character"),
        Source("stocks", "read yesterday's and today's closing price, predict tomorrow's"),
        Source("data", "read another word, which needs no memory", True),
        Source("text", "a character language model on a text", True),
        Source("names", "a character language model on the names of characters", True),
        Source("companies", "two companies that differ on the first day; published weights", True),
        Source("adding", "add the two marked numbers of a sequence", True),
        Source("copy", "say some symbols again after a wait", True),
        Source("recall", "at the end, say the first symbol", True),
        Source("reverse", "say some symbols backwards", True),
        Source("weather", "read the temperature of each day, predict the next day's", True),
        Source("anomaly", "predict a series, to find what was not to be expected", True),
        Source("logs", "read a line of a log, predict each next character", True),
        Source("tagging", "label each character of a Python program", True),
        Source("sentiment", "read a review, say whether it is good", True),
        Source("image", "say which digit a picture shows", True),
        Source("rows", "read the picture row by row", True),
        Source("caption", "say in letters what a picture shows", True),
        Source("ctc", "read labels out of frames, aligned by nobody", True),
        Source(
            "translate", "encoder and decoder: numbers in words to digits, or other pairs", True
        ),
        Source("qa", "read some facts, answer a question", True),
        Source("video", "say where a dot is going", True),
        Source("ecg", "say what part of a heartbeat each sample is", True),
        Source("speakers", "say who speaks", True),
        Source(
            "vanishing",
            "fails: h = 0.5 h, whose gradient is 0.5 to the power of the steps",
            failing=True,
        ),
        Source(
            "exploding",
            "fails: h = 2 h, whose gradient is 2 to the power of the steps",
            failing=True,
        ),
        Source(
            "forgetful",
            "fails: an LSTM with its forget gate half shut, asked for its first token",
            failing=True,
        ),
        Source(
            "nan",
            "fails: a ReLU RNN whose weights are far too large overflows in float32",
            failing=True,
        ),
        Source("detached", "fails: the loop detaches the state at every step", failing=True),
        Source("saturated", "fails: a tanh RNN is fed prices that nobody scaled", failing=True),
    )
}
