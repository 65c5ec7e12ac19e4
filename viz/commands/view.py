"""``micrornn view``: play the backward pass of a run in the browser."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from micrornn.tasks.network import NAMES
from viz.commands.console import say
from viz.commands.help import OUTPUT, Command, option
from viz.commands.options import FILE, QUIET, takes_sources
from viz.commands.progress import working
from viz.commands.runs import iterations_of, recordings_of

if TYPE_CHECKING:
    from micrornn.recording import Recording


@click.command(cls=Command)
@takes_sources
@option(
    "--beside",
    multiple=True,
    metavar="SOURCE",
    help="Play another run beside it, in sync; repeatable.",
)
@option("-o", "--output", type=FILE, section=OUTPUT, help="The page [default: a temporary file].")
@option("--open/--no-open", "opens", default=True, section=OUTPUT, help="Open it in the browser.")
@QUIET
def view(
    options: dict[str, Any],
    source: str,
    beside: tuple[str, ...],
    output: str | None,
    opens: bool,
    quiet: bool,
) -> None:
    """Play the backward pass of a run in the browser.

    The page is a single, self-contained file that you can send to anyone. It plays forward and backward, step
    by step or box by box, and shows where each gradient came from. Several cells play side by side, in sync.
    SOURCE may also be the folder of a watched training; a second scrubber then selects the iteration.

    \b
    Examples:
      micrornn view hello --cell lstm -o run.html --no-open
      micrornn view hello --cell rnn,lstm --steps 20 -o both.html --no-open
      micrornn view hello --steps 12 --beside hello -o beside.html --no-open
    """
    from viz.page.player import player
    from viz.render import write_whole

    runs = {NAMES.get(cell, cell): run for cell, run in _runs(source, options, quiet).items()}
    if beside:
        runs = {f"{source} {name}".strip(): run for name, run in runs.items()}
    for other in beside:
        [run] = _runs(other, {}, quiet).values()
        name = other if other not in runs else f"{other} ({len(runs) + 1})"
        runs[name] = run
    with working(f"drawing {source}", quiet):
        page = player(runs, "" if beside else source)
    if output is None:
        folder = Path(tempfile.mkdtemp(prefix="micrornn-"))
        output = str(folder / "run.html")
    write_whole(Path(output), page)
    if not quiet:
        say(f"wrote {output}")
    if opens:
        webbrowser.open(Path(output).resolve().as_uri())


def _runs(
    source: str, options: dict[str, Any], quiet: bool
) -> Mapping[str, Recording | Mapping[int, Recording]]:
    """The runs of a source by cell; of the folder of a watched training, its iterations."""
    if not Path(source).is_dir():
        return recordings_of(source, options, quiet)
    if options:
        raise ValueError(
            "the folder of a watched training takes output options only; leave out the others"
        )
    return {"": iterations_of(source)}
