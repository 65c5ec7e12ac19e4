"""Reading lines: with completion and history where a terminal and a library for it are there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, TextIO

Complete = Callable[[str], list[str]]


class Reader(Protocol):
    """Something that lines are read from.

    ``read`` raises EOFError at the end, and KeyboardInterrupt on Ctrl-C.
    """

    interactive: bool

    def read(self, prompt: str) -> str: ...


class LinesReader:
    """Lines from a file or a pipe: no prompt, no history, and the lines are repeated in the answer."""

    interactive = False

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)

    def read(self, prompt: str) -> str:
        """The next line."""
        for line in self._lines:
            return line.rstrip("\n")
        raise EOFError


class ReadlineReader:
    """Python's own input(), with readline where there is one."""

    interactive = True

    def __init__(self, complete: Complete, history: Path | None) -> None:
        self._history = history
        try:
            import readline
        except ImportError:  # Windows
            return

        found: list[str] = []

        def completer(word: str, i: int) -> str | None:
            if i == 0:
                found[:] = complete(readline.get_line_buffer()[: readline.get_endidx()])
            return found[i] if i < len(found) else None

        readline.set_completer(completer)
        readline.set_completer_delims(" ")
        readline.parse_and_bind("tab: complete")
        if history is not None and history.exists():
            readline.read_history_file(history)

    def read(self, prompt: str) -> str:
        """The next line, kept in the history."""
        line = input(prompt)
        if self._history is not None and line.strip():
            with self._history.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        return line


class PromptReader:
    """prompt_toolkit: completion as one types, and a history that can be searched."""

    interactive = True

    def __init__(self, complete: Complete, history: Path | None) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import CompleteEvent, Completer, Completion
        from prompt_toolkit.document import Document
        from prompt_toolkit.history import FileHistory, InMemoryHistory

        class Words(Completer):
            def get_completions(
                self, document: Document, event: CompleteEvent
            ) -> Iterable[Completion]:
                text = document.text_before_cursor
                word = text.rpartition(" ")[2]
                for one in complete(text):
                    yield Completion(one, -len(word))

        kept = InMemoryHistory() if history is None else FileHistory(str(history))
        self._session: Any = PromptSession(
            history=kept, completer=Words(), complete_while_typing=False, enable_history_search=True
        )

    def read(self, prompt: str) -> str:
        """The next line, kept in the history."""
        return str(self._session.prompt(prompt))


def history_file(name: str) -> Path | None:
    """Where a history is kept between sessions; None where nothing can be written."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(
        os.path.expanduser("~"), ".local", "state"
    )
    folder = Path(home) / "micrornn"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.touch()
    except OSError:
        return None
    return path


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sits at it."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def reader(complete: Complete) -> Reader:
    """The best reader there is for this process's stdin."""
    if not is_terminal(sys.stdin) or not is_terminal(sys.stdout):
        return LinesReader(sys.stdin or ())
    try:
        return PromptReader(complete, history_file("debug-history"))
    except ImportError:
        return ReadlineReader(complete, history_file("debug-lines"))
