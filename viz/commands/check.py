"""``micrornn check``: the gradient of a source against finite differences."""

from __future__ import annotations

import sys
from typing import Any

import click

from micrornn.messages import printable
from viz.commands.console import GREEN, RED, colored, emit
from viz.commands.help import Command, option
from viz.commands.options import POSITIVE, takes_source
from viz.commands.progress import working

FAILED = 1


@click.command(cls=Command)
@takes_source
@option("--eps", type=POSITIVE, default=1e-6, help="Size of a perturbation [default: 1e-6].")
@option("--atol", type=POSITIVE, default=1e-6, help="Absolute tolerance [default: 1e-6].")
@option("--rtol", type=POSITIVE, default=1e-4, help="Relative tolerance [default: 1e-4].")
def check(options: dict[str, Any], source: str, **tolerance: float) -> int:
    """Compare the gradient of a source with finite differences.

    SOURCE is best given as FILE.py:NAME, where NAME is a function without arguments that computes a loss from
    weights defined outside it. The check calls this function again with each number of each weight perturbed.
    For a tensor, a built-in task, or a function that makes new weights at every call, it reruns the recorded
    operations instead. NAME may also be a pair (f, inputs), or a function that returns one.

    The exit code is 1 if the gradient is wrong.

    \b
    Examples:
      micrornn check net.py:loss
      micrornn check hello --cell gru
    """
    from micrornn.check import GradientMismatch, gradcheck
    from micrornn.tasks.checking import checkable

    with working(f"running {source}"):
        checked = checkable(source, options)
    calls = 2 * checked.size
    with working("perturbing", total=calls) as bar:

        def f(*inputs: Any) -> Any:
            bar.update(min(bar.done + 1, calls))
            return checked.f(*inputs)

        try:
            worst = gradcheck(f, checked.inputs, **tolerance)
            size = f"{checked.size:,} number{'s' if checked.size > 1 else ''}"
            code, verdict, detail = 0, "correct", f"{size}, largest difference {worst:.2g}"
        except GradientMismatch as mismatch:
            code, verdict, detail = FAILED, "wrong", str(mismatch)
    verdict = colored(verdict, RED if code else GREEN, sys.stdout)
    emit(f"{printable(source)}: {verdict}, by {checked.how}: {printable(detail)}\n")
    return code
