"""``micrornn debug``: step through the backward pass of a source, in a terminal, a script or an editor."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from micrornn.debug.capture import capture
from micrornn.debug.errors import DebuggerError
from micrornn.debug.origin import Origin
from micrornn.debug.session import Session
from micrornn.files import STDIN
from micrornn.tasks.userfile import SourceError
from micrornn.trap import NonFiniteError
from viz.commands.console import is_terminal, say
from viz.commands.help import OUTPUT, Command, option
from viz.commands.options import Integer, takes_source
from viz.commands.progress import working

if TYPE_CHECKING:
    from micrornn.recording import Recording

FAILED, WRONG_INPUT = 1, 2


@click.command(cls=Command)
@takes_source
@option(
    "-x", "scripts", multiple=True, metavar="FILE", help="Run the commands in FILE; - is stdin."
)
@option("-ex", "commands", multiple=True, metavar="COMMAND", help="Run COMMAND, after all -x.")
@option("--batch", is_flag=True, help="Exit after -x and -ex, or at the first error.")
@option(
    "--post-mortem",
    is_flag=True,
    help="Run until the first NaN, infinity or error, and stop there.",
)
@option("--tui", is_flag=True, help="Show the full-screen debugger (needs micrornn[tui]).")
@option("--dap", is_flag=True, help="Serve an editor over the Debug Adapter Protocol.")
@option(
    "--port", type=Integer(0, 65535), help="With --dap: listen on a loopback port instead of stdio."
)
@option("--json", "as_json", is_flag=True, section=OUTPUT, help="Print one JSON object per answer.")
def debug(
    options: dict[str, Any],
    source: str,
    scripts: tuple[str, ...],
    commands: tuple[str, ...],
    batch: bool,
    as_json: bool,
    post_mortem: bool,
    tui: bool,
    dap: bool,
    port: int | None,
) -> int:
    """Step through the backward pass of a network, forward and backward.

    SOURCE is a built-in task, FILE.py:NAME, a recording or a checkpoint (see micrornn render). In the
    debugger, help lists the commands and tutorial teaches them. Commands may also come from -x, -ex or a
    pipe.

    With --post-mortem, NAME may be a whole training: it runs until the first NaN, infinity or error, and the
    failed step is saved in the current folder as SOURCE-failed.mrn.

    \b
    Examples:
      micrornn debug hello
      micrornn debug hello --cell lstm -ex 'break norm < 1e-3' -ex continue --batch
      micrornn debug train.py:main --post-mortem
    """
    if port is not None and not dap:
        raise DebuggerError("--port needs --dap; give both or neither")
    if sys.stdout is None and not (tui or dap):
        raise DebuggerError("stdout is closed, so the debugger cannot answer")
    if sys.stdin is None and (dap or tui or not (batch or scripts or commands)):
        raise DebuggerError("stdin is closed, so no commands can be read; give them with -x or -ex")
    if dap:
        from viz.terminal.dap import serve

        return serve(lambda: _opened(source, options, post_mortem), port)
    session, failed = opened(source, options, post_mortem)
    if session is None:
        say(f"{source}: nothing failed")
        return 0
    if tui:
        from viz.terminal.tui import run

        run(session)
        return FAILED if failed else 0
    code = _converse(session, list(_lines(scripts, commands)), batch, as_json)
    return code or (FAILED if failed and batch else 0)


def _opened(source: str, options: dict[str, Any], post_mortem: bool) -> Session:
    session, _ = opened(source, options, post_mortem)
    if session is None:
        raise DebuggerError(f"{source}: nothing failed, so there is nothing to debug post mortem")
    return session


def opened(source: str, options: dict[str, Any], post_mortem: bool) -> tuple[Session | None, bool]:
    """The session on a source, and whether its run failed; None where a post mortem finds no failure.

    Raises:
        SourceError, RecordingError, DebuggerError: there is nothing to debug; says why.
    """
    from viz.terminal.effects import source_line
    from viz.terminal.failing import broken_off
    from viz.terminal.failing import post_mortem as examine
    from viz.terminal.start import go_where_it_failed

    if post_mortem:
        failed = examine(source, options)
        if failed is None:
            return None, False
        trapped = isinstance(failed.error, NonFiniteError)
        title = f"{source} failed: {failed.error if trapped else type(failed.error).__name__}"
        session = Session(failed.rec, title, source_line, Origin(str(failed.kept)))
        go_where_it_failed(session, failed.error)
        say(f"saved the failed step in {failed.kept}")
        return session, True
    try:
        with capture(sources=False) as caught:
            title, recording = recorded(source, options)
    except SourceError as error:
        cause = error.__cause__
        if not isinstance(cause, Exception):
            raise
        title = f"{source} failed: {type(cause).__name__}"
        session = Session(broken_off(source, caught, error), title, source_line)
        go_where_it_failed(session, cause)
        return session, True
    origin = None if source == STDIN else Origin(source, options)
    return Session(recording, title, source_line, origin), False


def recorded(source: str, options: dict[str, Any]) -> tuple[str, Recording]:
    """The title and the recording of a source.

    Raises:
        SourceError, RecordingError: there is none; says why.
    """
    from micrornn.tasks.source import recorded as recorded_run

    with working(f"running {source}"):
        run = recorded_run(source, options)
    for remark in run.remarks:
        say(remark)
    return run.title, run.recording


def _converse(session: Session, lines: list[tuple[str, str]], batch: bool, as_json: bool) -> int:
    from viz.terminal.line import LineDebugger, ScriptError
    from viz.terminal.start import converse, first_visit, run_rc

    debugger = LineDebugger(session, as_json=as_json)
    interactive = not batch and is_terminal(sys.stdin)
    if lines or not interactive:
        debugger.greet(interactive and first_visit())
        if not batch and not as_json:
            run_rc(debugger)
        try:
            if debugger.run_script(lines) or batch:
                return 0
        except ScriptError as error:
            if batch or not interactive:
                say(f"micrornn debug: {error}")
                return WRONG_INPUT
        from micrornn.debug.complete import completions
        from viz.terminal.reader import reader

        debugger.interact(reader(lambda text: completions(session, text)))
    else:
        converse(debugger)
    return 0


def _lines(scripts: tuple[str, ...], commands: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for script in scripts:
        from viz.terminal.effects import commands_in

        for number, line in enumerate(commands_in(script), 1):
            yield f"{script}, line {number}", line
    for one in commands:
        yield "-ex", one
