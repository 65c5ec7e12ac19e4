"""Opening the debugger from a program, and what is said where it cannot be opened."""

from __future__ import annotations

import sys

from micrornn.debug.complete import completions
from micrornn.debug.session import Session
from micrornn.recording import Recording
from viz.terminal.effects import source_line
from viz.terminal.line import LineDebugger
from viz.terminal.reader import history_file, is_terminal, reader

INSTEAD = (
    "no terminal here, so the debugger cannot be opened. Keep the run and open it from one: "
    "micrornn.recording.record(loss).save('run.mrn'), then: micrornn debug run.mrn. Or script it: "
    "micrornn debug FILE.py:NAME -ex 'break nan' -ex continue --batch"
)


def open_debugger(rec: Recording, title: str = "", error: Exception | None = None) -> None:
    """Debug a recording in this process's terminal.

    Args:
        rec: the run.
        title: one line that says what it is.
        error: what stopped the run; the cursor is put there.

    Raises:
        RuntimeError: there is no terminal; says what to do instead.
    """
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise RuntimeError(INSTEAD) from error
    session = Session(rec, title, source_line)
    if error is not None:
        go_where_it_failed(session, error)
    converse(LineDebugger(session))


def converse(debugger: LineDebugger) -> None:
    """Greet, and read commands until the user leaves."""
    first_time = first_visit()
    debugger.greet(first_time)
    debugger.interact(reader(lambda text: completions(debugger.session, text)))


def first_visit() -> bool:
    """Whether no command was ever given here before."""
    files = [history_file("debug-history"), history_file("debug-lines")]
    return not any(file is not None and file.stat().st_size for file in files)


def go_where_it_failed(session: Session, error: Exception) -> None:
    """Put the cursor on the node at which a run failed."""
    session.title = session.title or str(error)
    node = getattr(error, "node", None)
    if node is None or node.number not in session.rec.by_number:
        return
    way = getattr(error, "direction", "backward")
    if session.state.direction != way:
        session.execute(f"direction {way}")
    session.execute(f"goto #{session.places.number(node)}")
    session.history.clear()
