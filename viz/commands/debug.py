"""The command ``micrornn debug``: what to debug, and in which of the windows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from micrornn.debug.errors import DebuggerError
from micrornn.debug.session import Session
from micrornn.recording import Recording, load_recording, record
from micrornn.tasks.source import resolve
from micrornn.tasks.userfile import SourceError
from viz.commands.options import takes_source

FAILED, WRONG_INPUT = 1, 2


@click.command()
@takes_source
@click.option(
    "-x", "scripts", multiple=True, metavar="FILE", help="Run the commands in FILE first."
)
@click.option(
    "-ex", "commands", multiple=True, metavar="COMMAND", help="Run this command, then that."
)
@click.option("--batch", is_flag=True, help="Leave after -x and -ex, or at the first that fails.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each answer.")
@click.option("--post-mortem", is_flag=True, help="Run it, and stop where it fails.")
@click.option("--tui", is_flag=True, help="The full screen.")
@click.option("--dap", is_flag=True, help="Speak the Debug Adapter Protocol, to an editor.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="With --dap: on this loopback port, not stdio.",
)
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
    """Step through the backward pass of a network, forth and back.

    SOURCE is a built-in name (see micrornn list), FILE.py:NAME, where NAME is a tensor or a function
    without arguments that returns one, or a recording that was saved: run.mrn.

    In the debugger, help lists the commands and tutorial shows how it goes. Commands may come from -x, -ex
    or a pipe. With --post-mortem NAME may be a whole training: it runs until a NaN or an infinity is born
    or an error is raised, and the step that failed is kept beside you as NAME-failed.mrn.

    \b
    Examples:
      micrornn debug hello
      micrornn debug hello --cell lstm -ex 'break norm < 1e-3' -ex continue --batch
      micrornn debug train.py:main --post-mortem
    """
    if port is not None and not dap:
        raise DebuggerError("--port is of --dap; give both, or neither")
    if dap:
        from viz.terminal.dap import serve

        return serve(lambda: _opened(source, options, post_mortem), port)
    session, failed = opened(source, options, post_mortem)
    if session is None:
        click.echo(f"{source}: nothing failed", err=True)
        return 0
    if tui:
        from viz.terminal.tui import run

        run(session)
        return FAILED if failed else 0
    code = _converse(session, scripts, commands, batch, as_json)
    return code or (FAILED if failed and batch else 0)


def _opened(source: str, options: dict[str, Any], post_mortem: bool) -> Session:
    session, _ = opened(source, options, post_mortem)
    if session is None:
        raise DebuggerError(f"{source}: nothing failed, so there is nothing to see after death")
    return session


def opened(source: str, options: dict[str, Any], post_mortem: bool) -> tuple[Session | None, bool]:
    """The session on a source, and whether its run failed; None where a post mortem finds no death.

    Raises:
        SourceError, RecordingError, DebuggerError: there is nothing to debug; says why.
    """
    from viz.terminal.effects import source_line
    from viz.terminal.start import go_where_it_failed

    if post_mortem:
        from viz.terminal.failing import post_mortem as examine

        failed = examine(source, options)
        if failed is None:
            return None, False
        session = Session(failed.rec, f"{source} failed: {failed.error}", source_line)
        go_where_it_failed(session, failed.error)
        click.echo(f"the step that failed is kept in {failed.kept}", err=True)
        return session, True
    title, rec = recorded(source, options)
    return Session(rec, title, source_line), False


def recorded(source: str, options: dict[str, Any]) -> tuple[str, Recording]:
    """A title, and the recording of a source with its backward pass; or the one that was saved.

    Raises:
        SourceError, RecordingError: there is none; says why.
    """
    if source.endswith(".mrn"):
        if options:
            raise SourceError(
                f"{source} is a recording; what was run in it cannot be chosen any more"
            )
        if not Path(source).exists():
            raise SourceError(
                f"there is no file {source}; the command save of the debugger makes one"
            )
        return source, load_recording(source)
    title = [source]

    def run() -> Any:
        unrolled = resolve(source, options)
        title[0] = unrolled.title
        for remark in unrolled.remarks:
            click.echo(remark, err=True)
        return unrolled.loss

    with np.errstate(all="ignore"):  # the debugger shows where a NaN is born; NumPy need not warn
        rec = record(run)
    return title[0], rec


def _converse(
    session: Session,
    scripts: tuple[str, ...],
    commands: tuple[str, ...],
    batch: bool,
    as_json: bool,
) -> int:
    from viz.terminal.line import LineDebugger, ScriptError
    from viz.terminal.reader import is_terminal
    from viz.terminal.start import converse, first_visit

    debugger = LineDebugger(session, as_json=as_json)
    lines = list(_lines(scripts, commands))
    asked = not batch and is_terminal(sys.stdin)
    if lines or batch or not asked:
        debugger.greet(asked and first_visit())
        try:
            if debugger.run_script(lines) or batch:
                return 0
        except ScriptError as error:
            if batch or not asked:
                click.echo(f"micrornn debug: {error}", err=True)
                return WRONG_INPUT
    if lines or not asked:
        from micrornn.debug.complete import completions
        from viz.terminal.reader import reader

        debugger.interact(reader(lambda text: completions(session, text)))
    else:
        converse(debugger)
    return 0


def _lines(scripts: tuple[str, ...], commands: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for script in scripts:
        try:
            text = Path(script).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise DebuggerError(f"{script} is no text; -x wants a file of commands") from None
        for number, line in enumerate(text.splitlines(), 1):
            yield f"{script}, line {number}", line
    for one in commands:
        yield "-ex", one
