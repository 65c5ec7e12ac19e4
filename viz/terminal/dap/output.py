"""What the debugged program prints, as events for the editor."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

Say = Callable[[str, str], None]  # a category, and the text
_STREAMS = Lock()  # sys.stdout is one for all editors, so one program runs at a time


class Output(io.TextIOBase):
    """A stream whose lines are told to the editor."""

    def __init__(self, say: Say, category: str) -> None:
        self._say, self._category = say, category
        self._begun = ""

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Tell whole lines, and keep what is begun."""
        *lines, self._begun = (self._begun + text).split("\n")
        if lines:
            self._say(self._category, "".join([f"{line}\n" for line in lines]))
        return len(text)

    def flush(self) -> None:
        """Tell what is begun."""
        if self._begun:
            self._say(self._category, self._begun)
            self._begun = ""


@contextmanager
def printing(say: Say) -> Iterator[None]:
    """Inside, what is printed goes to the editor; other editors wait for their turn."""
    with _STREAMS:
        outer = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = streams = Output(say, "stdout"), Output(say, "stderr")
        try:
            yield
            for stream in streams:
                stream.flush()
        finally:
            sys.stdout, sys.stderr = outer
