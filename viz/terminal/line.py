"""The line debugger: reads a command, prints the answer."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable
from typing import TextIO

from micrornn.debug.alarm import alarm
from micrornn.debug.commands.help import PITCH
from micrornn.debug.commands.look import failed_here
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import Outcome
from micrornn.debug.report import turn_data, turn_lines
from micrornn.debug.session import Session
from micrornn.messages import printable, printable_json, printable_lines
from viz.ansi import dyed, wants_color
from viz.commands.console import wrapped
from viz.terminal.effects import perform
from viz.terminal.lesson import teach
from viz.terminal.paint import painted
from viz.terminal.reader import Reader


class ScriptError(ValueError):
    """A line of a script was refused: which, and why."""


class LineDebugger:
    """A session in a terminal, or in a script.

    Args:
        session: what is debugged.
        out: where answers go.
        as_json: one JSON object for each answer, instead of text.
    """

    def __init__(self, session: Session, out: TextIO | None = None, as_json: bool = False) -> None:
        self.session = session
        self.out = sys.stdout if out is None else out
        self.as_json = as_json
        self.colour = not as_json and wants_color(self.out)

    def beside(self, session: Session) -> LineDebugger:
        """Another debugger that prints as this one does."""
        return LineDebugger(session, self.out, self.as_json)

    # -- saying ------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Print some lines, painted where there is colour."""
        if text:
            text = wrapped(printable_lines(text), self.width).rstrip("\n")
            print(painted(text) if self.colour else text, file=self.out, flush=True)

    def complain(self, text: str, command: str) -> None:
        """Print why a command was refused."""
        if self.as_json:
            self._object({"command": command, "kind": "error", "error": text})
        else:
            text = wrapped(printable_lines(text), self.width).rstrip("\n")
            print(dyed(text, "red") if self.colour else text, file=self.out, flush=True)

    def _object(self, found: dict[str, object]) -> None:
        text = json.dumps(found, ensure_ascii=False, allow_nan=False)
        print(printable_json(text), file=self.out, flush=True)

    def answer(self, command: str, outcome: Outcome) -> None:
        """Print an answer."""
        if not self.as_json:
            self.say(outcome.text)
        elif outcome.kind == "stop":
            self._object({"command": command, "kind": "stop", **outcome.data})
        elif not outcome.leave:
            told = {"text": outcome.text, "data": outcome.data}
            self._object({"command": command, "kind": "answer", **told})

    @property
    def width(self) -> int:
        """How long a line may be: 80 characters, or what a narrower terminal has."""
        return max(20, min(80, shutil.get_terminal_size().columns))

    @property
    def prompt(self) -> str:
        """What stands before a command: the branch, or the direction, where it is not the usual one."""
        state = self.session.state
        if state.collecting:
            return "(com) "
        where = state.branch if state.branch != "main" else ""
        where = "forward" if state.direction == "forward" else where
        return f"(debug {where}) " if where else "(debug) "

    def greet(self, first_time: bool) -> None:
        """Print what is debugged, a hint (the first time), and where the cursor is."""
        session = self.session
        line, places, position = session.line, session.places, session.state.position
        if self.as_json:
            data = turn_data(line, places, position)
            data |= {"title": session.title, "alarm": alarm(session), "reasons": []}
            data["failed"] = failed_here(session) if session.failure else []
            self._object({"command": "", "kind": "stop", **data})
            return
        self.say("\n".join([session.title, session.summary(), *alarm(session)]).strip())
        if first_time:
            self.say(PITCH)
        failed = session.failure is not None
        self.say("\n".join(failed_here(session) if failed else turn_lines(line, places, position)))

    # -- doing -------------------------------------------------------------------------------------

    def do(self, command: str) -> bool:
        """Carry out one command; whether to leave. A refusal is printed.

        Raises:
            DebuggerError: it was refused, after that has been printed.
        """
        try:
            outcome = self.session.execute(command)
            for effect in outcome.effects:
                if effect.kind == "tutorial":
                    teach(self)
                else:
                    outcome.lines += perform(self.session, effect)
        except DebuggerError as error:
            self.complain(str(error), command)
            raise
        except KeyboardInterrupt:
            self.complain("interrupted; the debugger stands where it stood", command)
            return False
        self.answer(command, outcome)
        return outcome.leave

    def run_script(self, lines: Iterable[tuple[str, str]]) -> bool:
        """Carry out lines, each with the name of its place; whether one of them was to leave.

        Raises:
            ScriptError: a line was refused; names it.
        """
        for place, command in lines:
            if not command.strip() or command.strip().startswith("#"):
                continue
            if not self.as_json:
                print(self.prompt + printable(command.strip()), file=self.out, flush=True)
            try:
                if self.do(command.strip()):
                    return True
            except DebuggerError as error:
                raise ScriptError(f"{place}: {command.strip()}: {error}") from error
        return False

    def interact(self, reader: Reader) -> None:
        """Read and carry out commands until the end, or until one is to leave."""
        self.reader = reader
        leave = False
        while not leave:
            try:
                leave = self._one(reader)
            except KeyboardInterrupt:  # wherever it falls: only the line at hand is dropped
                print(file=self.out)

    def _one(self, reader: Reader) -> bool:
        """Read and carry out one command; whether to leave."""
        try:
            line = reader.read(self.prompt)
        except EOFError:
            if reader.interactive:
                print(file=self.out)
            return True
        if not reader.interactive and not self.as_json:
            print(self.prompt + printable(line), file=self.out, flush=True)
        try:
            return self.do(line)
        except DebuggerError:
            return False
