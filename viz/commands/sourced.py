"""A source as an argument, with the options that a built-in one is made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

COUNT = click.IntRange(min=1)
MAKING = (
    click.option("--cell", type=click.Choice(["rnn", "lstm", "gru"]), help="The recurrent cell."),
    click.option("--steps", type=COUNT, metavar="N", help="How many steps to unroll."),
    click.option("--hidden", type=COUNT, metavar="N", help="How long the hidden state is."),
    click.option("--layers", type=COUNT, metavar="N", help="How many layers, one above the other."),
    click.option("--bidirectional", is_flag=True, default=None, help="Read from the end as well."),
    click.option("--text", metavar="TEXT", help="The text to read; @FILE takes it from a file."),
    click.option(
        "--csv", type=click.Path(), metavar="FILE", help="A CSV file to read a series of."
    ),
    click.option("--column", metavar="NAME", help="Which column of the CSV file."),
    click.option(
        "--loss", type=click.Choice(["last", "all"]), help="The last loss, or all of them."
    ),
    click.option(
        "--seed", type=click.IntRange(min=0), metavar="N", help="For the initial weights."
    ),
)


def complete_source(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """For the shell: the built-in sources that begin so, or else files."""
    from click.shell_completion import CompletionItem

    from micrornn.tasks import SOURCES

    found = [source for source in SOURCES.values() if source.name.startswith(incomplete)]
    items = [CompletionItem(source.name, help=source.description) for source in found]
    return items or [CompletionItem(incomplete, type="file")]


def takes_source(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument SOURCE and the options it is made with; the command gets those given as ``options``."""
    names: list[str] = []
    for option in reversed(MAKING):
        command = option(command)
        names.append(command.__click_params__[-1].name)  # type: ignore[attr-defined]
    command = click.argument("source", shell_complete=complete_source)(command)

    def gathered(**given: Any) -> Any:
        options = {name: given.pop(name) for name in names}
        return command(options={k: v for k, v in options.items() if v is not None}, **given)

    gathered.__doc__ = command.__doc__
    gathered.__click_params__ = command.__click_params__  # type: ignore[attr-defined]
    return gathered
