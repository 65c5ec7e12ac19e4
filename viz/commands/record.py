"""``micrornn record``: keep a run whole, in one file, for every command that reads recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from viz.commands.options import FILE, takes_source
from viz.commands.sources import SUFFIX, recording_of, say


@click.command()
@takes_source
@click.option(
    "-o", "--output", metavar="FILE", type=FILE, required=True, help=f"The file, {SUFFIX}."
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def record(options: dict[str, Any], source: str, output: str, quiet: bool) -> None:
    """Run a network forward and backward, and keep all of it in a file.

    The file holds the graph with every value, its source lines, and every gradient that was sent. flow,
    diagnose, diff and why read it, long after the run. The same run gives the same bytes.

    \b
    Examples:
      micrornn record hello -o run.mrn
      micrornn record stocks --cell lstm --steps 20 -o lstm.mrn
    """
    from micrornn.tasks.output import writable

    if not output.endswith(SUFFIX):
        raise ValueError(f"{output}: a recording ends in {SUFFIX}; write -o {output}{SUFFIX}")
    writable(Path(output))
    rec = recording_of(source, options, quiet)
    rec.save(output)
    if not quiet:
        say(f"wrote {output}: {rec}")
