"""The tutorial in a terminal: a page, the command that it proposes, the answer; and room to try others."""

from __future__ import annotations

from typing import Any, Protocol

from micrornn.debug.errors import DebuggerError
from micrornn.debug.session import Session
from micrornn.debug.tutorial import PAGES, TITLE, Page, lesson
from viz.terminal.effects import source_line

HOW = "Enter runs the proposed command; any other command is yours to try; q goes back."


class Lesson:
    """The tutorial as the full screen gives it: a session of its own, and the page that is open."""

    def __init__(self) -> None:
        self.session = Session(lesson(), TITLE, source_line)
        self._at = 0

    @property
    def page(self) -> Page:
        """The page that is open."""
        return PAGES[self._at]

    @property
    def hint(self) -> str:
        """What to do next."""
        command = self.page.command
        return (
            f"  try: {command}  (Enter runs it, q leaves)" if command else "  q leaves the tutorial"
        )

    def turn_page(self) -> None:
        """Go on to the next page; the last one stays open."""
        self._at = min(self._at + 1, len(PAGES) - 1)


class Debugger(Protocol):
    """What the tutorial asks of a debugger: to print, to carry out a command, and to open another."""

    as_json: bool

    def say(self, text: str) -> None: ...

    def do(self, command: str) -> bool: ...

    def beside(self, session: Session) -> Debugger: ...


def teach(debugger: Debugger) -> None:
    """Walk through the pages; without anyone at a terminal, play them through."""
    own = debugger.beside(Session(lesson(), TITLE, source_line))
    reader: Any = getattr(debugger, "reader", None)
    asked = reader is not None and reader.interactive
    own.say(TITLE)
    if asked:
        own.say(HOW)
    for page in PAGES:
        own.say(f"\n{page.text}")
        while page.command:
            line = ""
            if asked and reader is not None:
                own.say(f"  try: {page.command}")
                try:
                    line = reader.read("(tutorial) ")
                except (EOFError, KeyboardInterrupt):
                    return
            elif not own.as_json:
                own.say(f"(tutorial) {page.command}")
            if line.strip() in ("q", "quit", "exit"):
                return
            try:
                own.do(line.strip() or page.command)
            except DebuggerError:
                continue
            if not line.strip() or line.strip() == page.command:
                break
