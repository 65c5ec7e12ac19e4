"""What one sees of a training and of what was trained: progress, and tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from micrornn.tasks.problem import Measure
    from micrornn.training import Report, Trainer


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout: drawn on a terminal, plain columns otherwise."""
    if bool(sys.stdout and sys.stdout.isatty()):
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table()
        for heading in headings:
            drawn.add_column(heading, overflow="fold")  # broken, never cut
        for row in rows:
            drawn.add_row(*(Text(cell) for cell in row))
        Console().print(drawn)
        return
    lines = [list(headings), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headings))]
    for line in lines:
        click.echo("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip())


def measured(measures: Sequence[Measure]) -> None:
    """What was reached, and what was to be expected, as a table."""
    verdicts = {True: "yes", False: "no", None: ""}
    table(
        ("measured", "value", "expected", "reached"),
        [(m.name, f"{m.value:.4g}", m.expected, verdicts[m.reached]) for m in measures],
    )


Tell = Callable[["Trainer", "Report"], None]


@contextmanager
def progress(done: int, wanted: int, quiet: bool) -> Iterator[Tell]:
    """A callback for the trainer: a bar on a terminal, otherwise ten lines on stderr."""
    if quiet:
        yield lambda trainer, report: None
    elif sys.stderr is not None and sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), Remaining())
        with Progress(*columns, console=Console(stderr=True)) as bars:
            bar = bars.add_task("", total=wanted, completed=done)
            kept = [""]  # the last look at data that are not trained on

            def advance(trainer: Trainer, report: Report) -> None:
                words = f"loss {report.loss:.4g}  gradient {report.norm:.3g}"
                if report.validation is not None:
                    kept.append(f"  kept data {report.validation:.4g}")
                words += kept[-1]
                bars.update(bar, completed=report.iteration, description=words)

            yield advance
    else:
        every = max(1, (wanted - done) // 10)

        def tell(trainer: Trainer, report: Report) -> None:
            if (report.iteration - done) % every == 0 or report.iteration == wanted:
                click.echo(
                    f"iteration {report.iteration} of {wanted}: loss {report.loss:.4g}, "
                    f"gradient {report.norm:.3g}",
                    err=True,
                )

        yield tell
