"""One trial: a task, or a function of the user's own, run with settings and a seed.

This is what a worker does. It needs nothing but its argument, so that it can run in any process on any host;
every failure of the trial comes back as its result, with the traceback.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import os
import platform
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from micrornn.files import is_file
from micrornn.sweep.grid import Settings
from micrornn.sweep.records import DONE, FAILED, REFUSED, Outcome, Result, SweepError
from micrornn.tasks import TASKS
from micrornn.tasks.trained import digests, kept
from micrornn.tasks.training import SETTINGS, make_trainer
from micrornn.tasks.userfile import UserFile
from micrornn.training.log import Report
from micrornn.training.trainer import Trainer

SAVE_EVERY = 50  # iterations between two checkpoints: what a lost worker costs at most
POINTS = 200  # a stored curve has no more; each is the mean of the iterations since the last
LENGTH = ("iterations", "epochs")


class Work(NamedTuple):
    """What a worker is sent.

    Attributes:
        source: a task, or FILE.py:NAME.
        code: the content of FILE.py, for a host that lacks the file.
        checkpoint: where the trial is saved while it runs, as the worker sees it; "" for nowhere.
    """

    source: str
    settings: Settings
    seed: int
    code: str = ""
    checkpoint: str = ""


def run(work: Work) -> Outcome:
    """Run a trial; errors become a failed outcome.

    >>> outcome = run(Work("recall", {"cell": "lstm", "steps": 3, "iterations": 2}, seed=0))
    >>> outcome.state, [result.name for result in outcome.results], len(outcome.curve)
    ('done', ['cross-entropy', 'accuracy'], 2)
    """
    start = time.process_time()
    checkpoint = _usable(work.checkpoint)
    try:
        results, curve = (_task if work.source in TASKS else _function)(work, checkpoint)
        state, error = DONE, ""
    except _Refused as refused:
        state, results, curve, error = REFUSED, [], [], str(refused)
    except Exception:
        state, results, curve, error = FAILED, [], [], traceback.format_exc()
    return Outcome(
        state,
        results,
        curve,
        error,
        time.process_time() - start,
        f"{platform.node()}:{os.getpid()}",
        {
            "micrornn": version("micrornn"),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        checkpoint if checkpoint and is_file(checkpoint) else "",
    )


class _Refused(ValueError):
    """The task does not take these settings together."""


def _usable(checkpoint: str) -> str:
    """The checkpoint, or "" where its folder cannot be made on this host."""
    try:
        if checkpoint:
            Path(checkpoint).parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return ""
    return checkpoint


# -- a built-in task --------------------------------------------------------------------------------


def _task(work: Work, checkpoint: str) -> tuple[list[Result], list[Any]]:
    task, settings = TASKS[work.source], dict(work.settings)
    training = {name: settings.pop(name) for name in SETTINGS if name in settings}
    length = {name: settings.pop(name) for name in LENGTH if name in settings}
    try:
        problem = task.problem({**settings, "seed": work.seed})
        epochs = length.get("epochs")
        goal = epochs * problem.feed.per_epoch if epochs else 0
        goal = goal or length.get("iterations", problem.iterations)
        trainer = make_trainer(problem, training, goal)
    except ValueError as error:
        raise _Refused(str(error)) from error
    # The curve of the iterations before a checkpoint comes with it.
    curve = Curve()
    if checkpoint and is_file(checkpoint):
        curve = Curve.restored(trainer.resume(checkpoint)["curve"])
    options = {**settings, "seed": work.seed}
    about = {  # as `micrornn train` has it, so that every command takes the checkpoint
        **{"task": work.source, "options": kept(options), "files": digests(options)},
        **{"memory": problem.memory, "training": {**training, "iterations": goal}},
    }

    def follow(trainer: Trainer, report: Report) -> None:
        curve.add(report.iteration, report.loss, report.validation)
        trainer.about = {**about, "curve": curve.state()}

    trainer.about = {**about, "curve": curve.state()}
    trainer.callbacks.append(follow)
    trainer.run(goal, checkpoint or None, SAVE_EVERY)
    measured = problem.evaluate()
    return [Result(m.name, m.value, m.goal, m.reached) for m in measured], curve.points()


class Curve:
    """The losses of a training, in at most `POINTS` points.

    When there are more, neighbors are merged into their mean, so the points stay evenly spaced.

    >>> curve = Curve(most=4)
    >>> for i in range(1, 9):
    ...     curve.add(i, float(i), None)
    >>> curve.points()
    [(4, 2.5, None), (8, 6.5, None)]
    """

    def __init__(self, most: int = POINTS) -> None:
        self.most, self.width = most, 1  # iterations in a point
        self._points: list[tuple[int, float, float | None]] = []
        self._open: list[tuple[int, float, float | None]] = []

    def add(self, iteration: int, loss: float, validation: float | None) -> None:
        """Add one iteration."""
        self._open.append((iteration, loss, validation))
        if len(self._open) < self.width:
            return
        self._points.append(_merged(self._open))
        self._open = []
        if len(self._points) == self.most:  # an even number, so that all have a neighbor
            pairs = zip(self._points[::2], self._points[1::2])
            self._points = [_merged(pair) for pair in pairs]
            self.width *= 2

    def points(self) -> list[tuple[int, float, float | None]]:
        """Iteration, loss and the last loss on held-out data, of each point."""
        return [*self._points, *([_merged(self._open)] if self._open else [])]

    def state(self) -> list[Any]:
        """What `restored` needs."""
        return [self.width, self._points, self._open]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> Curve:
        """The curve that had this state."""
        curve = cls()
        curve.width, curve._points, curve._open = (
            state[0],
            *([(int(i), float(loss), kept) for i, loss, kept in points] for points in state[1:]),
        )
        return curve


def _merged(points: Any) -> tuple[int, float, float | None]:
    known = [kept for _, _, kept in points if kept is not None]
    mean = math.fsum(loss for _, loss, _ in points) / len(points)
    return points[-1][0], mean, known[-1] if known else None


# -- a function of the user's own -------------------------------------------------------------------


def _function(work: Work, checkpoint: str) -> tuple[list[Result], list[Any]]:
    path, _, name = work.source.rpartition(":")
    file = UserFile(_here(path, work.code))
    function = file.get(name)
    given = dict(work.settings)
    takes = arguments(function)
    if "seed" in takes:
        given["seed"] = work.seed
    if "checkpoint" in takes and checkpoint:
        given["checkpoint"] = checkpoint
    with file.running():
        value = function(**given)
    return figures(work.source, value)


def _here(path: str, code: str) -> str:
    """The file on this host: itself, or a copy of what was sent."""
    if is_file(path) or not code:
        return path
    folder = (
        Path(tempfile.gettempdir()) / f"micrornn-{hashlib.sha256(code.encode()).hexdigest()[:16]}"
    )
    folder.mkdir(exist_ok=True)
    copy = folder / Path(path).name
    aside = copy.with_suffix(f".{os.getpid()}")
    aside.write_text(code, encoding="utf-8")
    os.replace(aside, copy)
    return str(copy)


def arguments(function: Any) -> set[str]:
    """The names that a function can be called with.

    Raises:
        SweepError: it is not a function.
    """
    if not callable(function):
        raise SweepError(f"{function!r} is not a function; name one that trains")
    return set(inspect.signature(function).parameters)


def figures(source: str, value: Any) -> tuple[list[Result], list[Any]]:
    """The figures and the curve in what a function returned.

    Args:
        value: a number, a mapping of names to numbers, or the list of reports of `Trainer.run`.

    Raises:
        SweepError: it is none of these.

    >>> figures("net.py:train", {"loss": 0.5})
    ([Result(name='loss', value=0.5, goal='', reached=None)], [])
    """
    if isinstance(value, Mapping):
        return [Result(str(name), _number(source, v)) for name, v in value.items()], []
    if isinstance(value, list) and value and isinstance(value[0], Report):
        curve = Curve()
        for report in value:
            curve.add(report.iteration, report.loss, report.validation)
        last = value[-max(1, len(value) // 10) :]
        end = math.fsum(report.loss for report in last) / len(last)
        return [Result("loss at the end", end)], curve.points()
    return [Result("result", _number(source, value))], []


def _number(source: str, value: Any) -> float:
    try:
        return float(np.asarray(value).item() if not hasattr(value, "item") else value.item())
    except (TypeError, ValueError):
        raise SweepError(
            f"{source} returned {type(value).__name__}; return a number, a dict of names and numbers, or "
            "the reports of Trainer.run"
        ) from None
