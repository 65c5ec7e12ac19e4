"""``micrornn render``: a network unrolled over time, as a picture."""

from __future__ import annotations

import sys
from typing import Any

import click

import viz
from viz.commands.options import FILE, OneOf, takes_source
from viz.commands.sources import emit, say


@click.command()
@takes_source
@click.option(
    "--detail", type=OneOf(viz.DETAILS), default="op", help="What a box is [default: op]."
)
@click.option("--gradients/--no-gradients", default=True, help="Draw backward as well [default].")
@click.option("--window", metavar="A:B", help="Draw the steps from A to B only.")
@click.option(
    "--from", "begin", metavar="PLACE", help="Light the gradient's paths from here, as L3,"
)
@click.option("--to", "end", metavar="PLACE", help="back to here, as h0; the rest steps back.")
@click.option("--rankdir", type=OneOf(("LR", "TB")), default="LR", help="Time goes right, or down.")
@click.option("-T", "--format", type=OneOf(viz.FORMATS), help="The format [default: as FILE ends].")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write to FILE; - is stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def render(
    options: dict[str, Any],
    source: str,
    window: str | None,
    begin: str | None,
    end: str | None,
    format: str | None,
    output: str | None,
    quiet: bool,
    **look: Any,
) -> None:
    """Draw a network unrolled over time, and its gradient on the way back.

    SOURCE is a built-in name (see micrornn list), made with the options from --cell to --seed; or
    FILE.py:NAME, where NAME is a tensor, or a function without arguments that returns one. Without
    -o and -T the picture is drawn in text; with -T alone it goes to stdout.

    \b
    Examples:
      micrornn render hello
      micrornn render hello --cell lstm --detail gate -o hello.svg
      micrornn render stocks --csv prices.csv --column close --steps 20 --window 15:20 -o prices.png
      micrornn render net.py:loss -T svg > loss.svg
    """
    from micrornn.tasks.output import destination
    from micrornn.tasks.source import resolve
    from micrornn.tasks.unrolled import parse_window

    if (begin is None) != (end is None):
        given, other = ("--from", "--to") if end is None else ("--to", "--from")
        raise ValueError(
            f"{given} was given without {other}; a path has two ends: --from L3 --to h0"
        )
    path, format = destination(output, format, viz.FORMATS, terminal=_on_terminal())
    ends = parse_window(window) if window else None
    unrolled = resolve(source, options)
    look["window"] = unrolled.window(*ends) if ends else None
    look["ends"] = (begin, end) if begin is not None else None
    if not quiet:
        for remark in unrolled.remarks:
            say(remark)
    content = viz.render(unrolled.loss, path, format=format, title=unrolled.title, **look)
    if path is None:
        emit(content)
    if not quiet and (path or not _on_terminal()):  # in a terminal the picture says it
        say(f"{f'wrote {path}' if path else source}: {unrolled.summary()}")


def _on_terminal() -> bool:
    """Whether stdout is a terminal; where it was closed there is none."""
    return sys.stdout is not None and sys.stdout.isatty()
