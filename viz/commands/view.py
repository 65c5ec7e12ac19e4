"""``micrornn view``: play the backward pass of a run in the browser."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viz.commands.console import say
from viz.commands.help import OUTPUT, Command, option
from viz.commands.options import FILE, takes_sources
from viz.commands.progress import working
from viz.commands.runs import NAMES, iterations_of, recordings_of

if TYPE_CHECKING:
    from micrornn.recording import Recording


@click.command(cls=Command)
@takes_sources
@option("-o", "--output", type=FILE, section=OUTPUT, help="The page [default: a temporary file].")
@option("--open/--no-open", "opens", default=True, section=OUTPUT, help="Open it in the browser.")
@option("-q", "--quiet", is_flag=True, section=OUTPUT, help="Print errors only.")
def view(
    options: dict[str, Any], source: str, output: str | None, opens: bool, quiet: bool
) -> None:
    """Play the backward pass of a run in the browser.

    The page is one file that asks for no other: send it to anybody. It plays forward and backward, step by
    step or box by box, and shows where each gradient came from. Several cells play on one clock. SOURCE may
    also be the folder of a watched training: its recordings get a scrubber over the iterations.

    \b
    Examples:
      micrornn view hello --cell lstm -o run.html --no-open
      micrornn view hello --cell rnn,lstm --steps 20 -o both.html --no-open
    """
    from viz.page.player import player
    from viz.render import write_whole

    runs: Mapping[str, Recording | Mapping[int, Recording]]
    if Path(source).is_dir():
        if options:
            raise ValueError("a watched training has no options; leave out all but the output")
        runs = {"": iterations_of(source)}
    else:
        runs = recordings_of(source, options, quiet)
    with working(f"drawing {source}", quiet):
        page = player({NAMES.get(cell, cell): run for cell, run in runs.items()}, source)
    if output is None:
        folder = Path(tempfile.mkdtemp(prefix="micrornn-"))
        output = str(folder / "run.html")
    write_whole(Path(output), page)
    if not quiet:
        say(f"wrote {output}")
    if opens:
        webbrowser.open(Path(output).resolve().as_uri())
