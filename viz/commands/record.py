"""``micrornn record``: a whole run in one file, for every command that takes a SOURCE."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from micrornn.files import check_writable
from micrornn.tasks.source import SUFFIX
from viz.commands.console import say
from viz.commands.help import OUTPUT, Command, option
from viz.commands.options import FILE, QUIET, takes_source
from viz.commands.progress import working
from viz.commands.runs import recording_of


@click.command(cls=Command)
@takes_source
@option(
    "-o", "--output", type=FILE, required=True, section=OUTPUT, help=f"The file to write, {SUFFIX}."
)
@QUIET
def record(options: dict[str, Any], source: str, output: str, quiet: bool) -> None:
    """Record a run, forward and backward, in a file.

    The file holds the graph with every value, the source lines, and every gradient that was sent. Any command
    that takes a SOURCE also takes the file. Recording the same run again gives the same bytes.

    \b
    Examples:
      micrornn record hello -o run.mrn
      micrornn record stocks --cell lstm --steps 20 -o lstm.mrn
    """
    if not output.endswith(SUFFIX):
        raise ValueError(f"{output}: a recording ends in {SUFFIX}; give -o {output}{SUFFIX}")
    check_writable(Path(output))
    recording = recording_of(source, options, quiet)
    with working(f"writing {output}", quiet):
        recording.save(output)
    if not quiet:
        say(f"wrote {output}: {recording}")
