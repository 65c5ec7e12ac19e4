"""``micrornn render``: a network unrolled over time, as a picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

import viz
from viz.commands.console import destination, emit_file, is_terminal, say
from viz.commands.help import OUTPUT, Command, option
from viz.commands.options import FILE, OneOf, takes_source
from viz.commands.progress import working


@click.command(cls=Command)
@takes_source
@option("--detail", type=OneOf(viz.DETAILS), default="op", help="What a box is [default: op].")
@option(
    "--gradients/--no-gradients", default=True, help="Draw the gradients, or the forward pass only."
)
@option("--window", metavar="A:B", help="Draw the steps from A to B only.")
@option(
    "--from", "begin", metavar="PLACE", help="Highlight the gradient's paths from PLACE, as L3,"
)
@option("--to", "end", metavar="PLACE", help="to PLACE, as h0.")
@option("--rankdir", type=OneOf(("LR", "TB")), default="LR", help="Time goes right, or down.")
@option(
    "-T",
    "--format",
    type=OneOf(viz.FORMATS),
    section=OUTPUT,
    help="Format [default: as FILE ends].",
)
@option("-o", "--output", type=FILE, section=OUTPUT, help="Write to FILE; - is stdout.")
@option("-q", "--quiet", is_flag=True, section=OUTPUT, help="Print errors only.")
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
    """Draw a network unrolled over time, with the gradient that flows back.

    SOURCE is a built-in task (see micrornn list), with the options of the network and the data; or
    FILE.py:NAME, where NAME is a tensor, or a function without arguments that returns one; or a recording
    (.mrn, - for stdin), or a checkpoint (.npz). Without -o and -T the picture is drawn as text; with -T alone
    it goes to stdout.

    \b
    Examples:
      micrornn render hello
      micrornn render hello --cell lstm --detail gate -o hello.svg
      micrornn render stocks --csv prices.csv --column close --steps 20 --window 15:20 -o prices.png
      micrornn render net.py:loss -T svg > loss.svg
    """
    from micrornn.tasks.source import resolve
    from micrornn.tasks.unrolled import parse_window
    from viz.render import write_whole

    if (begin is None) != (end is None):
        given, other = ("--from", "--to") if end is None else ("--to", "--from")
        raise ValueError(f"{given} needs {other}: a path has two ends, as in --from L3 --to h0")
    path, format = destination(output, format, viz.FORMATS)
    ends = parse_window(window) if window is not None else None
    with working(f"drawing {source}", quiet):
        unrolled = resolve(source, options)
        look["window"] = unrolled.window(*ends) if ends else None
        look["ends"] = (begin, end) if begin is not None else None
        content = viz.render(unrolled.loss, format=format, title=unrolled.title, **look)
    if not quiet:
        for remark in unrolled.remarks:
            say(remark)
    if path is not None:
        write_whole(Path(path), content)
    else:
        emit_file(content, format)
    if not quiet and (path or not is_terminal(sys.stdout)):  # in a terminal the picture says it
        say(f"{f'wrote {path}' if path else source}: {unrolled.summary()}")
