"""``micrornn check``: the gradient of a source, compared with finite differences."""

from __future__ import annotations

from typing import Any

import click

from viz.commands.options import POSITIVE, takes_source

FAILED = 1


@click.command()
@takes_source
@click.option("--eps", type=POSITIVE, default=1e-6, help="How far to move it [default: 1e-6].")
@click.option("--atol", type=POSITIVE, default=1e-6, help="Difference allowed [default: 1e-6].")
@click.option("--rtol", type=POSITIVE, default=1e-4, help="The same, relative [default: 1e-4].")
def check(options: dict[str, Any], source: str, **tolerance: float) -> int:
    """Compare the gradient with finite differences, number by number.

    SOURCE is best FILE.py:NAME, where NAME is a function without arguments that returns a loss made
    from leaves outside it (the weights of a module, say): it is called again with each number moved.
    Where the leaves are new at every call, for a tensor, and for a built-in source, the recorded
    operations are run again instead. NAME may also be a pair (f, inputs), or a function that returns it.

    Ends with exit code 1 where they differ.

    \b
    Examples:
      micrornn check net.py:loss
      micrornn check hello --cell gru
    """
    from micrornn.check import GradientMismatch, gradcheck
    from micrornn.tasks.checking import checkable

    checked = checkable(source, options)
    try:
        worst = gradcheck(checked.f, checked.inputs, **tolerance)
    except GradientMismatch as mismatch:
        click.echo(f"{source}: wrong, {checked.way}: {mismatch}")
        return FAILED
    size = f"{checked.size:,} number{'s' if checked.size > 1 else ''}"
    click.echo(f"{source}: right, {checked.way}: {size}, largest difference {worst:.2g}")
    return 0
