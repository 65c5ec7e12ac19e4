"""A trial of a sweep: its settings and seed, the state it is in, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from micrornn.sweep.grid import Settings

WAITING, RUNNING, DONE, FAILED, REFUSED = "waiting", "running", "done", "failed", "refused"


class SweepError(ValueError):
    """A sweep that cannot run or be read: what was given, what is expected, what to do."""


class Result(NamedTuple):
    """One figure of a trial; ``goal`` and ``reached`` where the task has a goal for it."""

    name: str
    value: float
    goal: str = ""
    reached: bool | None = None


class Trial(NamedTuple):
    """One run: a source with settings and a seed."""

    id: int
    source: str
    settings: Settings
    seed: int
    state: str = WAITING
    error: str = ""
    seconds: float | None = None
    ended: str = ""
    versions: Mapping[str, str] = MappingProxyType({})


class Outcome(NamedTuple):
    """How a trial ended.

    Attributes:
        state: done, failed or refused.
        results: its figures.
        curve: iteration, loss, and the loss on held-out data or None.
        error: the traceback if it failed, the reason if the task refused the settings.
    """

    state: str
    results: Sequence[Result] = ()
    curve: Sequence[tuple[int, float, float | None]] = ()
    error: str = ""
    seconds: float = 0.0
    worker: str = ""
    versions: Mapping[str, str] = MappingProxyType({})
    checkpoint: str = ""


def reason(error: str) -> str:
    """The last line of a traceback, which says what happened.

    >>> reason("Traceback ...\\nmicrornn.tasks.userfile.SourceError: net.py, line 3: ValueError: no")
    'net.py, line 3: ValueError: no'
    """
    last = (error.strip().splitlines() or ["no reason given"])[-1]
    kind, _, words = last.partition(": ")
    return words if kind.startswith("micrornn.") and words else last
