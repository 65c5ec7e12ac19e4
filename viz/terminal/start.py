"""Opening the debugger from a program, and what is said where it cannot be opened."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

from micrornn.debug.complete import completions
from micrornn.debug.errors import DebuggerError, brief
from micrornn.debug.failure import failure_of
from micrornn.debug.origin import Origin
from micrornn.debug.session import Session
from micrornn.recording import Recording
from viz.terminal.effects import commands_in, source_line
from viz.terminal.line import LineDebugger
from viz.terminal.reader import LinesReader, Reader, history_file, is_terminal, reader

RC = ".micrornnrc"
INSTEAD = (
    "no terminal here, so the debugger cannot be opened. Keep the run and open it from one: "
    "micrornn.recording.record(loss).save('run.mrn'), then: micrornn debug run.mrn. Or script it: "
    "micrornn debug FILE.py:NAME -ex 'break nan' -ex continue --batch"
)


def open_debugger(
    rec: Recording,
    title: str = "",
    error: Exception | None = None,
    origin: Origin | None = None,
) -> None:
    """Debug a recording in this process's terminal.

    Args:
        rec: the run.
        title: one line that says what it is.
        error: what stopped the run; the cursor is put there.
        origin: where the run comes from, if it can be made again.

    Raises:
        RuntimeError: there is no terminal; says what to do instead.
    """
    session = Session(rec, title, source_line, origin)
    if error is not None:
        go_where_it_failed(session, error)
    debugger = LineDebugger(session)
    if is_terminal(sys.stdin) and is_terminal(sys.stdout):
        converse(debugger)
        return
    # As pdb: commands may come through a pipe. Where none come, a program that asks for a person has none.
    try:
        first = sys.stdin.readline() if sys.stdin is not None and sys.stdout is not None else ""
    except (OSError, ValueError):
        first = ""
    if not first:
        raise RuntimeError(INSTEAD) from error
    converse(debugger, LinesReader(itertools.chain([first], sys.stdin)))


def converse(debugger: LineDebugger, source: Reader | None = None) -> None:
    """Greet, and read commands until the user leaves."""
    debugger.greet(source is None and first_visit())
    run_rc(debugger)
    debugger.interact(source or reader(lambda text: completions(debugger.session, text)))


def run_rc(debugger: LineDebugger) -> None:
    """Carry out the commands in ``.micrornnrc``, of the home folder and of this one; print refusals.

    They may set breakpoints, displays and aliases, and move; they may not write files.
    """
    for path in dict.fromkeys([Path.home() / RC, Path.cwd() / RC]):
        try:
            lines = commands_in(path) if path.is_file() else []
        except DebuggerError as error:
            debugger.say(str(error))
            continue
        for number, line in enumerate(lines, 1):
            try:
                if line.strip() and debugger.session.execute(line).effects:
                    raise DebuggerError(
                        f"{brief(line.strip())} is for the prompt; {RC} writes no files"
                    )
            except DebuggerError as error:
                debugger.say(f"{RC}, line {number}: {error}")


def first_visit() -> bool:
    """Whether no command was ever given here before."""
    files = [history_file("debug-history"), history_file("debug-lines")]
    return not any(file is not None and file.stat().st_size for file in files)


def go_where_it_failed(session: Session, error: Exception) -> None:
    """Put the cursor on the node at which a run failed, or at the end of what was recorded."""
    node = getattr(error, "node", None)
    if node is None or node.number not in session.rec.by_number:
        session.failure = failure_of(error)
        session.title = session.title or f"the program failed: {type(error).__name__}"
        session.state = replace(session.state, position=len(session.line))
        return
    session.title = session.title or str(error)
    way = getattr(error, "direction", "backward")
    if session.state.direction != way:
        session.execute(f"direction {way}")
    session.execute(f"goto #{session.places.number(node)}")
    session.history.clear()
