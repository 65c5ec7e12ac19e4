"""What the debugged program prints, as events for the editor."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

Say = Callable[[str, str], None]  # a category, and the text
_STREAMS = Lock()  # sys.stdout is one for all editors, so one program runs at a time


class _Told(io.RawIOBase):
    """Bytes that are told to the editor."""

    def __init__(self, say: Say, category: str) -> None:
        self._say, self._category = say, category

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Tell what came."""
        self._say(self._category, bytes(data).decode("utf-8", "replace"))
        return len(data)


def stream(say: Say, category: str) -> io.TextIOWrapper:
    """A stream like the usual ones, whose lines are told to the editor."""
    told = io.BufferedWriter(_Told(say, category))
    return io.TextIOWrapper(told, encoding="utf-8", line_buffering=True)


@contextmanager
def printing(say: Say) -> Iterator[None]:
    """Inside, what is printed goes to the editor; other editors wait for their turn."""
    with _STREAMS:
        outer = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = streams = stream(say, "stdout"), stream(say, "stderr")
        try:
            yield
            for one in streams:
                one.flush()
        finally:
            sys.stdout, sys.stderr = outer
