"""``micrornn flow``: where the gradient goes, as a figure, text, JSON or a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viz.commands.console import as_json, destination, emit_file, say
from viz.commands.help import Command, option
from viz.commands.options import JSON, QUIET, TO_FILE, OneOf, in_format, takes_sources
from viz.commands.progress import working
from viz.commands.runs import recordings_of
from viz.plots import DYNAMICS, FORMATS, VIEWS, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from micrornn.recording import Recording
    from viz.plots.view import View

_FORMATS = (*FORMATS, "txt", "json", "csv")
_OVER = ("copies", "losses")


@click.command(cls=Command)
@takes_sources
@option("--view", type=OneOf((*VIEWS, *DYNAMICS)), help="What to show [default: all].")
@option(
    "--of",
    metavar="NAME",
    help="What to follow: a weight (W_hh), a state (h, c, C), the input x, or any name.",
)
@option(
    "--over",
    type=OneOf(_OVER),
    help="Split the ledger by copies of the weight (steps), or by losses.",
)
@option("--trend", is_flag=True, help="SOURCE is the folder of a watched training.")
@JSON
@in_format(_FORMATS)
@TO_FILE
@QUIET
def flow(
    options: dict[str, Any],
    source: str,
    view: str | None,
    of: str | None,
    over: str | None,
    trend: bool,
    as_data: bool,
    format: str | None,
    output: str | None,
    quiet: bool,
) -> None:
    """Show where the gradient goes over time, in one run or in several side by side.

    SOURCE is a built-in task, FILE.py:NAME, a recording or a checkpoint (see micrornn render). Several cells,
    as in --cell rnn,lstm,gru, are compared on the same data in one figure. The result is printed as text, or
    written to FILE as a figure (.svg .png .pdf), text (.txt), or numbers (.json .csv).

    \b
    ledger     what each step contributed to the gradient of a shared weight (--of, --over)
    credit     the gradient of each loss at each earlier step (--of h, c, x)
    jacobian   how much one step, and all steps, can stretch or shrink a gradient
    gates      how open each gate is, and how much gradient it passes
    paths      how much of the gradient arrives by which kind of path (--of c, h)
    all        all of these

    \b
    lyapunov      how fast a small change of the state grows or decays per step, by direction
    fixed-points  states that a step leaves unchanged, or nearly, and whether they attract
    connectivity  which earlier inputs each prediction depends on

    \b
    Examples:
      micrornn flow hello
      micrornn flow hello --cell rnn,lstm,gru --steps 30 --view credit -o credit.svg
      micrornn flow stocks --steps 20 --loss all --view ledger --over losses
      micrornn flow stocks --cell lstm --view paths --of c --json
    """
    from viz.render import write_whole

    if as_data:
        if format not in (None, "json"):
            raise ValueError(f"--json and -T {format} exclude each other; give one")
        format = "json"
    path, format = destination(output, format, _FORMATS)
    answer: View
    if trend:
        answer = _trend(source, options, view, over, of)
        content = _content(answer, format, source)
    else:
        runs = recordings_of(source, options, quiet)
        with working("computing the flow", quiet):
            chosen: Any = view or _view_of(of, over, runs.values())
            answer = read(chosen, runs, of, over)  # type: ignore[arg-type]
            content = _content(answer, format, source)
    if path is not None:
        write_whole(Path(path), content)
        if not quiet:
            say(f"wrote {path}: {answer.finding}")
    else:
        emit_file(content, format)


def _trend(
    source: str, options: dict[str, Any], view: str | None, over: str | None, of: str | None
) -> View:
    """The gradient over a watched training.

    Raises:
        ValueError: the folder holds none, or options for runs are given.
    """
    from micrornn.flow import read_trend
    from viz.plots.trend import TrendView

    if options or view or over or of:
        raise ValueError("--trend takes output options only; leave out the others")
    return TrendView(read_trend(source))


def _view_of(of: str | None, over: str | None, runs: Iterable[Recording]) -> str:
    """The default view: credit for a value of every step, the ledger for a weight."""
    if over is not None:
        return "ledger"
    if of is None:
        return "all"
    from micrornn.flow.roles import STATES

    nodes = (node for rec in runs for node in rec.find(of, exact=True))
    over_time = of in (*STATES, "x") or any(node.step for node in nodes)
    return "credit" if over_time else "ledger"


def _content(view: View, format: str, source: str) -> str | bytes:
    if format == "txt":
        return view.text()
    if format == "json":
        head = {"source": source, "view": view.name, "finding": view.finding}
        return as_json({**head, "runs": view.as_dict()})
    return _table(view) if format == "csv" else view.file(format)


def _table(view: View) -> str:
    """One row for each number; NaN, where there is no gradient, is an empty field."""
    import csv
    import io

    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["view", "run", "quantity", "t", "k", "value"])
    for cell in view.cells():
        writer.writerow([*cell[:-1], "" if cell.value != cell.value else repr(cell.value)])
    return file.getvalue()
