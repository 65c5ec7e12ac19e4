"""``micrornn flow``: where the gradient goes, as figure, text, JSON or a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viz.commands.options import FILE, takes_sources
from viz.commands.sources import as_json, emit, recordings_of, say
from viz.plots import FORMATS, VIEWS, read

if TYPE_CHECKING:
    from viz.plots.view import View

_WRITTEN = (*FORMATS, "txt", "json", "csv")


@click.command()
@takes_sources
@click.option("--view", type=click.Choice(VIEWS), help="What to show [default: all].")
@click.option("--of", metavar="NAME", help="Of which value: W_hh or a weight, h, c, x or any name.")
@click.option(
    "--over",
    type=click.Choice(("copies", "losses")),
    help="The ledger's sum: over weight copies, or losses.",
)
@click.option("--json", "as_data", is_flag=True, help="Print the numbers as JSON.")
@click.option(
    "-T", "--format", type=click.Choice(_WRITTEN), help="The format [default: as FILE ends]."
)
@click.option("-o", "--output", metavar="FILE", type=FILE, help="Write to FILE; - is stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def flow(
    options: dict[str, Any],
    source: str,
    view: str | None,
    of: str | None,
    over: str | None,
    as_data: bool,
    format: str | None,
    output: str | None,
    quiet: bool,
) -> None:
    """Show where the gradient goes over time, in one run or in several side by side.

    SOURCE is as in micrornn render, or a file that micrornn record wrote. With several cells, as in
    --cell rnn,lstm,gru, their runs on the same data are compared in one figure. Without -o the answer
    is text; a file is a figure (.svg .png .pdf), text (.txt), or numbers (.json .csv).

    \b
    ledger     what each step gave to a shared weight's gradient (--of W_hh; --over copies or losses)
    credit     how much the loss of each step says to each step before (--of h, c, x)
    jacobian   what one step, and all of them, do to a small change of the state
    gates      how open the gates are, and what gradient gets through them
    paths      by which kinds of path the gradient comes (--of c, h)
    all        all of these

    \b
    Examples:
      micrornn flow hello
      micrornn flow hello --cell rnn,lstm,gru --steps 30 --view credit -o credit.svg
      micrornn flow stocks --steps 20 --loss all --view ledger --over losses
      micrornn flow stocks --cell lstm --view paths --of c --json
    """
    from micrornn.tasks.output import destination
    from viz.render import write_whole

    if as_data:
        if format not in (None, "json"):
            raise ValueError(f"--json and -T {format} are two formats; give one")
        format = "json"
    path, format = destination(
        output, format, _WRITTEN, terminal=bool(sys.stdout and sys.stdout.isatty())
    )
    name = view or _view_of(of, over)
    answer = read(name, recordings_of(source, options, quiet), of, over)  # type: ignore[arg-type]
    content = _content(answer, format, source)
    if path is None:
        emit(content)
    else:
        write_whole(Path(path), content)
        if not quiet:
            say(f"wrote {path}: {answer.finding}")


def _view_of(of: str | None, over: str | None) -> str:
    """The view meant where none is named: a state or an input has credit, a weight has a ledger."""
    if over is not None:
        return "ledger"
    if of is None:
        return "all"
    return "credit" if of in ("h", "c", "x") else "ledger"


def _content(view: View, format: str, source: str) -> str | bytes:
    if format == "txt":
        return view.text()
    if format == "json":
        return as_json(
            {"source": source, "view": view.name, "finding": view.finding, "runs": view.as_dict()}
        )
    return _table(view) if format == "csv" else view.file(format)


def _table(view: View) -> str:
    """One row for each number. NaN, where there is no gradient, is an empty field."""
    import csv
    import io

    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["view", "run", "quantity", "t", "k", "value"])
    for cell in view.cells():
        writer.writerow([*cell[:-1], "" if cell.value != cell.value else repr(cell.value)])
    return file.getvalue()
