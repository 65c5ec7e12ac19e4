"""An exception in the user's program, as a post mortem shows it: the failing line, the stack, the locals."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.debug.report import short_path
from micrornn.flow.series import label

MOST = 12  # local names that are shown; frames of a stack
LONGEST = 60  # characters of a value

_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_NOT_USERS = (
    *(os.path.join(_HOME, package) + os.sep for package in ("micrornn", "viz")),
    *(sysconfig.get_paths()[key] + os.sep for key in ("stdlib", "purelib", "platlib")),
)


@dataclass(frozen=True)
class Frame:
    """A call on the stack: file, line and function."""

    file: str
    line: int
    function: str


@dataclass(frozen=True)
class Failure:
    """What ended a run.

    Attributes:
        words: the kind of exception, and its message.
        frames: the calls of the user's program, the outermost first.
        inside: where the engine raised it, if it did.
        names: the local names of the innermost of the frames, with their values in a few words.
    """

    words: str
    frames: tuple[Frame, ...]
    inside: Frame | None
    names: tuple[tuple[str, str], ...]

    def lines(self, source_line: Callable[[str, int], str | None]) -> list[str]:
        """The stack as text, with ``>`` at the failing line."""
        shown = self.frames[-MOST:]
        lines = (
            [f"  ... {len(self.frames) - MOST} more calls ..."] if len(self.frames) > MOST else []
        )
        for frame in shown:
            text = (source_line(frame.file, frame.line) or "").strip()
            place = f"{short_path(frame.file)}:{frame.line}, in {frame.function}"
            lines.append(f"{'>' if frame is shown[-1] else ' '} {place}: {text}".rstrip(": "))
        if self.inside is not None:
            inside = f"{short_path(self.inside.file)}:{self.inside.line}, in {self.inside.function}"
            lines.append(f"  raised in {inside}")
        return [*lines, f"  {self.words}"]


def failure_of(error: BaseException) -> Failure:
    """What an exception says, once its traceback is no longer needed.

    >>> try:
    ...     {}["x"]
    ... except KeyError as error:
    ...     failure_of(error).words
    "KeyError: 'x'"
    """
    stack: list[TracebackType] = []
    trace = error.__traceback__
    while trace is not None:
        stack.append(trace)
        trace = trace.tb_next
    own = [tb for tb in stack if _is_users(tb.tb_frame.f_code.co_filename)]
    last = stack[-1] if stack and stack[-1] not in own and own else None
    names = list(own[-1].tb_frame.f_locals.items())[:MOST] if own else []
    message = " ".join(str(error).split())
    return Failure(
        f"{type(error).__name__}: {message}".removesuffix(": "),
        tuple(map(_frame, own)),
        None if last is None else _frame(last),
        tuple((name, _in_short(x)) for name, x in names if not name.startswith("__")),
    )


def _frame(trace: TracebackType) -> Frame:
    code = trace.tb_frame.f_code
    return Frame(code.co_filename, trace.tb_lineno, code.co_name)


def _is_users(file: str) -> bool:
    return not os.path.abspath(file).startswith(_NOT_USERS) and not file.startswith("<frozen")


def _in_short(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{label(value)}, a tensor of shape {value.shape}"
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"an array of shape {value.shape}, {value.dtype}"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a repr of the user's that fails
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
