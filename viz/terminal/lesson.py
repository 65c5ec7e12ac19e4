"""The tutorial in a terminal: a page, the command that it proposes, the answer; and room to try others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from micrornn.debug.errors import DebuggerError
from micrornn.debug.session import Session
from micrornn.debug.tutorial import PAGES, TITLE, lesson
from viz.terminal.effects import source_line

if TYPE_CHECKING:
    from viz.terminal.line import LineDebugger

HOW = "Enter runs the proposed command; any other command is yours to try; q goes back."


def teach(debugger: LineDebugger) -> None:
    """Walk through the pages; without anyone at a terminal, play them through."""
    from viz.terminal.line import LineDebugger

    own = LineDebugger(Session(lesson(), TITLE, source_line), debugger.out, debugger.as_json)
    reader = getattr(debugger, "reader", None)
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
