"""``micrornn explain``: backpropagation through time of one network, written out."""

from __future__ import annotations

from typing import Any

import click

from micrornn.files import check_writable
from viz.commands.console import emit, say
from viz.commands.help import OUTPUT, Command, option
from viz.commands.options import FILE, QUIET, OneOf, takes_source
from viz.commands.progress import working

WRONG = 1


@click.command(cls=Command)
@takes_source
@option(
    "--as",
    "form",
    type=OneOf(("numpy", "pseudocode", "latex")),
    default="numpy",
    help="A NumPy program, or formulas [default: numpy].",
)
@option(
    "--compare",
    "own",
    type=FILE,
    metavar="FILE.py:NAME",
    help="Compare your backward pass instead, and print where it differs.",
)
@option("-o", "--output", type=FILE, section=OUTPUT, help="Write to FILE.")
@QUIET
def explain(
    options: dict[str, Any],
    source: str,
    form: str,
    own: str | None,
    output: str | None,
    quiet: bool,
) -> int:
    """Write out backpropagation through time for a network, derived from its graph.

    SOURCE is a built-in task, FILE.py:NAME, a recording or a checkpoint (see micrornn render).

    Equal steps become a loop: the forward pass, the loss, the recursion backward from step to step, and the
    gradients of the weights. The NumPy program runs on its own. With --compare, NAME is your function: it
    takes arguments of the program by their names and returns a dict of gradients. The exit code is 1 if one
    of them differs.

    \b
    Examples:
      micrornn explain hello
      micrornn explain hello --cell lstm --as pseudocode
      micrornn explain hello --as latex -o bptt.tex
    """
    from pathlib import Path

    from micrornn.compiler.explain import compare
    from micrornn.compiler.explain import explain as write
    from micrornn.tasks.source import open_file, resolve
    from viz.render import write_whole

    with working(f"running {source}", quiet):
        unrolled = resolve(source, options)
    if own is not None:
        file, name = open_file(own, {})
        function = file.get(name)
        if not callable(function):
            raise ValueError(f"--compare {own} is not a function")
        differing = file.call(name, lambda: compare(unrolled.loss, function))
        emit("".join([f"{line}\n" for line in differing]) or "All returned gradients are right.\n")
        return WRONG if differing else 0
    text = write(unrolled.loss, form, unrolled.title)
    if output is None:
        emit(text)
        return 0
    check_writable(Path(output))
    write_whole(Path(output), text)
    if not quiet:
        say(f"wrote {output}")
    return 0
