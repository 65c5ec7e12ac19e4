"""Into the debugger from a program: ``mr.debug(loss)`` and ``with mr.debugging():``.

The window is opened by the view ``debugger`` (`micrornn.views`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from micrornn.debug.capture import Caught, capture
from micrornn.debug.errors import DebuggerError
from micrornn.debug.origin import Origin, origin_of
from micrornn.recording import Recording, record
from micrornn.trap import NonFiniteError
from micrornn.views import view


def debug(loss: Any) -> None:
    """Step through the backward pass of a loss, in this terminal.

    Args:
        loss: a tensor; several, which go back together; a function that computes either, whose source
            lines are then known as well; or a recording.

    Raises:
        RuntimeError: there is no terminal here (a notebook, a pipe); says what to do instead.
        ValueError: there is nothing to go back through.
    """
    _open(loss if isinstance(loss, Recording) else record(loss), origin=origin_of(loss))


@contextmanager
def debugging(stop_on: str | None = None) -> Iterator[None]:
    """Record what runs inside, and open the debugger on it.

    Args:
        stop_on: ``"nan"`` opens it where a NaN or an infinity is born, forward or backward, and only
            then; by default it opens when the block is done, or where an exception ends it: on what was
            recorded since the last backward pass, with the stack. The exception then goes on.

    Raises:
        ValueError: ``stop_on`` is something else.
        NonFiniteError: with ``stop_on="nan"``, after the debugger was left: the run cannot go on.
        RuntimeError: there is no terminal here; says what to do instead.
    """
    if stop_on not in (None, "nan"):
        raise ValueError(f"stop_on={stop_on!r}; give 'nan', or nothing")
    caught: Caught | None = None
    try:
        with capture(stop_on == "nan") as caught:
            yield
    except Exception as error:
        if caught is not None and stop_on is None:
            with suppress(
                DebuggerError, RuntimeError
            ):  # there is nothing to show, or no terminal to show it in
                _open(caught.recording(), error)
        raise
    if stop_on is None:
        _open(caught.recording())
    elif isinstance(caught.error, NonFiniteError):
        _open(caught.recording(), caught.error)
        raise caught.error


def _open(rec: Recording, error: Exception | None = None, origin: Origin | None = None) -> None:
    open_debugger = view("debugger")
    if open_debugger is None:
        raise RuntimeError(
            "the debugger has no terminal: install micrornn with pip, which registers one"
        )
    open_debugger(rec, error=error, origin=origin)
