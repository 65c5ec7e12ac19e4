"""The first iterations of a training, recorded: each with its run, its gradients, and what the update did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrornn.core.backward import Pullback, dense, pullbacks
from micrornn.core.tensor import Tensor
from micrornn.optim import Optimizer
from micrornn.recording import Recording, RecordingError
from micrornn.recording.observe import Observer, recording
from micrornn.recording.passes import Pass
from micrornn.recording.steps import infer_steps
from micrornn.source import calling_line

Array = np.ndarray[Any, Any]
Line = tuple[str, int]
Given = dict[str, Array]  # by parameter, the gradient that the optimizer was given

Clip = tuple[int, float, float]  # passes that had run, the norm, and what it was clipped to

ITERATIONS = 20  # that are watched; the training is stopped then


@dataclass(frozen=True)
class Iteration:
    """One iteration of a training.

    Attributes:
        recording: its forward and backward pass.
        loss: its value.
        values: by parameter, its value in this iteration.
        gradients: by parameter, what backward computed in this iteration.
        given: by parameter, the gradient that the optimizer was given; None where no optimizer was seen.
        clipped: the norm of its gradients before clipping, and what they were clipped to.
        names: by the number of a parameter, what it is called above.
    """

    recording: Recording
    loss: float
    values: dict[str, Array]
    gradients: dict[str, Array]
    given: Given | None
    clipped: tuple[float, float] | None = None
    names: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """The iterations that were watched, the first one first.

    Attributes:
        iterations: each with its run.
        idle_dropout: the lines at which dropout ran while no gradients were kept.
        without: parameters that the optimizer holds and that had no gradient in any iteration.
    """

    iterations: list[Iteration]
    idle_dropout: list[Line] = field(default_factory=list)
    without: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        first, last = self.iterations[0], self.iterations[-1]
        if len(self.iterations) == 1:
            return str(first.recording)
        return (
            f"the first {len(self.iterations)} iterations of a training, with a loss of "
            f"{first.loss:.4g} to "
            f"{last.loss:.4g}; {first.recording}"
        )


class Enough(BaseException):
    """Stops a training that was watched for long enough; no user's ``except Exception`` catches it."""


def watch(function: Callable[[], Any], iterations: int = ITERATIONS) -> Training:
    """Run a function that trains, for a few iterations, and record them.

    Args:
        function: without arguments. It may train, or only compute a loss and return it.
        iterations: after so many backward passes with an update between them the function is stopped.

    Raises:
        RecordingError: the function runs no backward pass, and returns no loss.

    >>> import micrornn as mr
    >>> w = mr.Value(1.0, "w")
    >>> def train():
    ...     for _ in range(5):
    ...         w.grad = None
    ...         loss = (w - 3.0) * (w - 3.0)
    ...         loss.backward()
    ...         w.data -= 0.1 * w.grad
    >>> [round(i.loss, 2) for i in watch(train).iterations]
    [4.0, 2.56, 1.64, 1.05, 0.67]
    """
    counter = _Counter(iterations)
    given: list[tuple[int, list[tuple[Tensor, Array]]]] = []
    without: list[tuple[str, bool]] = []
    with recording(counter) as rec, _optimizers(counter, given, without):
        try:
            result = function()
        except Enough:
            result = None
        if not counter.passes:
            if not isinstance(result, Tensor):
                what = "None" if result is None else f"an object of type {type(result).__name__}"
                raise RecordingError(
                    f"it runs no backward pass, and returned {what}; return the loss"
                )
            for _ in pullbacks(result):
                pass
    name_of = _naming(rec)
    named = [(done, {name_of(p): g for p, g in grads}) for done, grads in given]
    training = training_of(rec, named, counter.clips, counter.idle_dropout)
    training.without.extend(never(without))
    return training


def never(seen: Sequence[tuple[str, bool]]) -> list[str]:
    """The names that were seen without a gradient each time, as (name, whether it had one)."""
    had = {name for name, one in seen if one}
    return [name for name in dict.fromkeys(name for name, _ in seen) if name not in had]


class _Counter(Observer):
    """Counts backward passes: a pass begins at a node to which nothing was sent."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.passes = 0
        self.clips: list[Clip] = []
        self.idle_dropout: list[Line] = []
        self._sent: set[int] = set()

    def on_pullback(self, pullback: Pullback) -> None:
        if pullback.node.number not in self._sent:
            if self.passes >= self.most:
                raise Enough
            self.passes += 1
        self._sent |= {x.number for x in pullback.node.inputs}
        self.stream.append(pullback)

    def on_note(self, what: str, *values: Any) -> None:
        if what == "clipping":
            self.clips.append((self.passes, *values))
        elif (line := calling_line()) is not None:
            self.idle_dropout.append(line)


@contextmanager
def _optimizers(
    counter: _Counter,
    given: list[tuple[int, list[tuple[Tensor, Array]]]],
    without: list[tuple[str, bool]],
) -> Iterator[None]:
    """Note what optimizers are given, before each step."""
    own = Optimizer.step

    def step(self: Optimizer, closure: Callable[[], Any] | None = None) -> Any:
        loss = None if closure is None else closure()
        params = [p for group in self.param_groups for p in group["params"]]
        grads = [(p, np.array(p.grad, dtype=float)) for p in params if p.grad is not None]
        given.append((counter.passes, grads))
        without.extend((p.name or f"#{p.number}", p.grad is not None) for p in params)
        own(self)
        return loss

    setattr(Optimizer, "step", step)  # noqa: B010 - for the time of the watch
    try:
        yield
    finally:
        setattr(Optimizer, "step", own)  # noqa: B010


def _naming(whole: Recording) -> Callable[[Tensor], str]:
    """What parameters are called: by name, and where two of a pass have one, by shape and number too.

    Layers that stand beside each other in a program, and in no module, all have a ``weight``.
    """
    of_name: dict[str, set[int]] = {}
    shared: set[str] = set()
    for one in whole.passes:
        of_name.clear()
        for p in Recording([one.out], [one]).parameters:
            of_name.setdefault(p.name or "", set()).add(p.number)
        shared |= {name for name, numbers in of_name.items() if len(numbers) > 1}

    def name_of(p: Tensor) -> str:
        if not p.name:
            return f"#{p.number}"
        return f"{p.name} of shape {p.shape} (#{p.number})" if p.name in shared else p.name

    return name_of


def training_of(
    whole: Recording,
    given: Sequence[tuple[int, Given]],
    clips: Sequence[Clip] = (),
    idle_dropout: Sequence[Line] = (),
) -> Training:
    """The iterations of a training from its recording; backward passes between updates belong together.

    Args:
        whole: of all iterations.
        given: what the optimizer was given, with the number of passes that had run by then.
        clips: what was clipped, likewise.
        idle_dropout: the lines at which dropout ran while no gradients were kept.
    """
    passes, name_of = whole.passes, _naming(whole)
    groups: list[list[Pass]] = []
    values: list[dict[str, Array]] = []
    for one in passes:
        rec = Recording([one.out], [one])
        now = {name_of(p): np.array(rec.value(p), dtype=float) for p in rec.parameters}
        if groups and all(np.array_equal(now[k], v) for k, v in values[-1].items() if k in now):
            groups[-1].append(one)
            values[-1] |= now
        else:
            groups.append([one])
            values.append(now)
    if (
        len(groups) == 1 and len(passes) > 2
    ):  # nothing ever changed: each pass was meant as an iteration
        groups, values = [[one] for one in passes], [values[0]] * len(passes)
    iterations, count, begin = [], 0, 0
    for group, used in zip(groups, values):
        end = max(p.out.number for p in group)
        # What no loss was computed from belongs to it as well.
        loose = [out for out in whole.graph.outs if begin < out.number <= end]
        rec = Recording([*loose, *(p.out for p in group)], group)
        marked = whole.inferred or any(step > 0 for step in rec.steps)
        rec.inferred, begin = whole.inferred if marked else infer_steps(rec.nodes), end
        before, count = count, count + len(group)
        seen: Given | None = None
        for done, grads in given:
            if before < done <= count:
                seen = {**(seen or {}), **grads}
        gradients = {
            name_of(p): np.array(dense(g), dtype=float)
            for p in rec.parameters
            if (g := rec.gradient(p)) is not None
        }
        loss = float(sum(np.sum(np.asarray(p.out._value, dtype=float)) for p in group))
        cut = [(norm, most) for done, norm, most in clips if before < done <= count]
        clipped = cut[-1] if cut else None
        names = {p.number: name_of(p) for p in rec.parameters}
        iterations.append(Iteration(rec, loss, used, gradients, seen, clipped, names))
    return Training(iterations, list(idle_dropout))
