"""``micrornn diff``: two runs compared step by step."""

from __future__ import annotations

import click

from viz.commands.options import complete_source
from viz.commands.sources import as_json, emit, recording_of

SAME, DIFFERENT = 0, 1
_DIFFERENCE = click.FloatRange(min=0)


@click.command()
@click.argument("one", metavar="A", shell_complete=complete_source)
@click.argument("two", metavar="B", shell_complete=complete_source)
@click.option(
    "--rtol", type=_DIFFERENCE, default=0.0, help="Relative difference allowed [default: 0]."
)
@click.option("--atol", type=_DIFFERENCE, default=0.0, help="The same, absolute [default: 0].")
@click.option("--json", "as_data", is_flag=True, help="Print it as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing: the exit code tells.")
def diff(one: str, two: str, rtol: float, atol: float, as_data: bool, quiet: bool) -> int:
    """Compare two runs by what plays the same part at the same step: h, c, gates, losses, weights.

    A and B are files that micrornn record wrote, or sources. They may have different cells and lengths.
    The exit code is 0 where they are equal, 1 where they differ, 2 where there was trouble.

    \b
    Examples:
      micrornn diff hello hello
      micrornn diff hello hello --rtol 1e-9 --json
    """
    from micrornn.flow.diff import diff as compared

    found = compared(recording_of(one, quiet=quiet), recording_of(two, quiet=quiet), rtol, atol)
    if as_data:
        emit(as_json(found.as_dict()))
    elif not quiet:
        emit(f"{found}\n" + ("" if found.equal else f"\n{found.table()}\n"))
    return SAME if found.equal else DIFFERENT
