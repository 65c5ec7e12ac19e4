"""``micrornn diff``: two runs compared step by step."""

from __future__ import annotations

import click

from viz.commands.console import as_json, emit, emit_text
from viz.commands.help import OUTPUT, Command, option
from viz.commands.options import JSON, Number, complete_source
from viz.commands.progress import working
from viz.commands.runs import recording_of

SAME, DIFFERENT = 0, 1
_TOLERANCE = Number(least=0)


@click.command(cls=Command)
@click.argument("one", metavar="A", shell_complete=complete_source)
@click.argument("two", metavar="B", shell_complete=complete_source)
@option("--rtol", type=_TOLERANCE, default=0.0, help="Relative tolerance [default: 0].")
@option("--atol", type=_TOLERANCE, default=0.0, help="Absolute tolerance [default: 0].")
@JSON
@option("-q", "--quiet", is_flag=True, section=OUTPUT, help="Print nothing; use the exit code.")
def diff(one: str, two: str, rtol: float, atol: float, as_data: bool, quiet: bool) -> int:
    """Compare two runs step by step: states, gates, losses and weights.

    A and B are recordings or other sources. Nodes with the same role at the same step are compared, so the
    cells and lengths of the runs may differ. The exit code is 0 if the runs are equal, 1 if they differ, and
    2 after an error.

    \b
    Examples:
      micrornn diff hello hello
      micrornn diff hello hello --rtol 1e-9 --json
    """
    from micrornn.flow.diff import diff as difference

    if one == two == "-":
        raise ValueError("A and B are both standard input; give a file for one of them")
    first, second = recording_of(one, quiet=quiet), recording_of(two, quiet=quiet)
    with working("comparing", quiet):
        found = difference(first, second, rtol, atol)
    if as_data:
        emit(as_json(found.as_dict()))
    elif not quiet:
        emit_text(f"{found}\n" + ("" if found.equal else f"\n{found.table()}\n"))
    return SAME if found.equal else DIFFERENT
