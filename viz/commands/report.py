"""``micrornn sweep report``: the results of a sweep as a table, a figure or data."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from micrornn.messages import nearest
from micrornn.sweep.records import SweepError
from micrornn.sweep.store import opened
from viz.commands.console import as_json, destination, emit_file, say
from viz.commands.help import Command, option
from viz.commands.options import FILE, JSON, TO_FILE, OneOf, in_format

if TYPE_CHECKING:
    from micrornn.sweep.report import Report
    from viz.plots.sweep import SweepView

REPORT = "report"
FORMATS = ("svg", "png", "pdf", "txt", "json", "csv")


@click.command("report", cls=Command)
@click.argument("file", type=FILE)
@option("--metric", metavar="NAME", help="The result to show [default: the first].")
@option("--source", metavar="NAME", help="The source to report, if FILE has several.")
@option("--x", "across", metavar="NAME", help="The setting on the x axis.")
@option(
    "--view",
    type=OneOf(("lines", "map", "curves")),
    help="What to draw.",
)
@option("--maximize", is_flag=True, help="A larger result is better.")
@JSON
@in_format(FORMATS)
@TO_FILE
def report(
    file: str,
    metric: str | None,
    source: str | None,
    across: str | None,
    view: str | None,
    maximize: bool,
    as_data: bool,
    format: str | None,
    output: str | None,
) -> None:
    """Report a sweep: mean and spread over the seeds, for each combination of settings.

    The report is printed as text, or written to -o FILE as a figure (.svg .png .pdf), text (.txt), or numbers
    (.json .csv). The figure shows lines with bands over a numeric setting, a heat map of two settings, or the
    losses during training (--view curves).

    \b
    Examples:
      micrornn sweep report recall.db
      micrornn sweep report recall.db --metric accuracy --maximize -o recall.svg
      micrornn sweep report recall.db --view map -o recall.png
      micrornn sweep report recall.db --json
    """
    from micrornn.sweep.report import report as read
    from viz.plots.sweep import SweepView
    from viz.render import write_whole

    if as_data and format not in (None, "json"):
        raise ValueError(f"--json and -T {format} exclude each other; give one")
    path, format = destination(output, "json" if as_data else format, FORMATS)
    with opened(file, new=False) as store:
        found = read(store, source)
    for what, given, names in (("metric", metric, found.metrics), ("setting", across, found.names)):
        if given is not None and given not in names:
            advice = nearest(given, names) if names else "no trial has ended"
            raise SweepError(f"no {what} {given!r} in {file}; {advice}")
    shown = SweepView(found, metric, across, view, maximize)
    content = _content(shown, found, format)
    if path is None:
        emit_file(content, format)
    else:
        write_whole(Path(path), content)
        say(f"wrote {path}: {shown.finding}")


def _content(view: SweepView, found: Report, format: str) -> str | bytes:
    if format == "txt":
        return view.text()
    if format == "json":
        return as_json({"finding": view.finding, **view.as_dict()})
    return _table(found) if format == "csv" else view.file(format)


def _table(found: Report) -> str:
    """One row for each result of each seed; a NaN is an empty field."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    names = [*found.constant, *found.names]
    writer.writerow([*names, "metric", "value"])
    for row in found.rows:
        settings = [row.settings.get(name, "") for name in names]
        for name, spread in row.figures.items():
            for value in spread.values:
                writer.writerow([*settings, name, "" if value != value else repr(value)])
    return file.getvalue()
