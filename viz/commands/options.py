"""What a network is made with, as options: one table, for every command that makes one.

A source is to be looked at, a task is to be trained; they take the same options, but for a few. Which of them
a given source or task takes, it says itself, when it is given another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import click

from micrornn.tasks import SOURCES
from micrornn.tasks.network import CELLS, LOSSES
from micrornn.tasks.output import nearest

COUNT = click.IntRange(min=1)


class Named(click.Path):
    """The name of a file, which the shell completes; whether the file will do is said elsewhere."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The name; an empty one, as of a variable that was not set, is none."""
        if not value:
            self.fail("an empty name was given; name a file", param, ctx)
        return super().convert(value, param, ctx)


class Finite(click.FloatRange):
    """A number within bounds, which infinity and NaN are not."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


FILE = Named()
POSITIVE = Finite(min=0, min_open=True)


class OneOf(click.Choice):  # type: ignore[type-arg]
    """One of some words, in any case; for another word the nearest is suggested.

    >>> OneOf(("rnn", "lstm")).convert("LSTM", None, None)
    'lstm'
    """

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(tuple(words), case_sensitive=False)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The word as it is spelt here."""
        if value.lower() not in map(str.lower, self.choices):
            self.fail(f"there is no {value!r}; {nearest(value, self.choices)}", param, ctx)
        return super().convert(value, param, ctx)


class SomeOf(click.ParamType):  # type: ignore[type-arg]
    """One or several of some words, with commas between them.

    >>> SomeOf(("rnn", "lstm")).convert("LSTM,rnn", None, None)
    ('lstm', 'rnn')
    """

    name = "words"

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        """The words, each once, in the order in which they were given."""
        found = [word.strip().lower() for word in value.split(",")]
        for word in found:
            if word not in self.words:
                self.fail(f"there is no {word!r}; {nearest(word, self.words)}", param, ctx)
        return tuple(dict.fromkeys(found))

    def get_metavar(self, param: Any, ctx: Any = None) -> str:
        """How the help writes it."""
        return f"[{'|'.join(self.words)}],..."

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[Any]:
        """The words that may follow the last comma."""
        from click.shell_completion import CompletionItem

        head, comma, last = incomplete.rpartition(",")
        return [CompletionItem(head + comma + w) for w in self.words if w.startswith(last)]


def _option(*names: str, **settings: Any) -> click.Option:
    return click.Option(names, **settings)


def _number(name: str, what: str) -> click.Option:
    return _option(name, type=COUNT, metavar="N", help=what)


ATTENTIONS = ("none", "dot", "scaled", "general", "additive")


def made_with() -> list[click.Option]:
    """All options, new ones at each call: commands may change their own."""
    return [
        _option("--cell", type=OneOf(tuple(CELLS)), help="The recurrent cell."),
        _number("--steps", "How many steps to unroll."),
        _number("--hidden", "How long the hidden state is."),
        _number("--layers", "How many layers, one above the other."),
        _option(
            "--bidirectional/--one-way", default=None, help="Read from the end as well, or not."
        ),
        _option("--attention", type=OneOf(ATTENTIONS), help="How a decoder looks back."),
        _number("--length", "How many symbols are to be said."),
        _option("--forget-bias", type=Finite(), metavar="X", help="The LSTM's, in recall."),
        _option("--published", is_flag=True, default=None, help="Begin with published weights."),
        _option("--text", metavar="TEXT", help="A text to read: a file, or the text itself."),
        _option("--csv", type=FILE, metavar="FILE", help="A CSV file to read a series from."),
        _option("--column", metavar="NAME", help="Which column of the CSV file."),
        _option("--pairs", type=FILE, metavar="FILE", help="Lines of source, tab, target."),
        _option("--data", metavar="NAME", help="Which data a task reads, where it has several."),
        _option("--language", metavar="CODE", help="Translate to: es, de, fr, ..."),
        _option("--loss", type=OneOf(LOSSES), help="The last step's loss, or the sum of all."),
        _number("--batch", "How many sequences side by side."),
        _option(
            "--seed", type=click.IntRange(min=0), metavar="N", help="For weights, and made-up data."
        ),
    ]


NOT_OF_A_SOURCE, NOT_OF_A_TASK = ("batch",), ("loss",)


def complete_source(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """For the shell: the built-in sources that begin so, or else files."""
    from click.shell_completion import CompletionItem

    found = [source for source in SOURCES.values() if source.name.startswith(incomplete)]
    items = [CompletionItem(source.name, help=source.description) for source in found]
    return items or [CompletionItem(incomplete, type="file")]


def takes_source(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument SOURCE and the options it is made with; the command gets those given as ``options``."""
    source = click.Argument(["source"], shell_complete=complete_source)
    return _gathering(command, source, NOT_OF_A_SOURCE)


def takes_sources(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `takes_source`, but ``--cell`` may name several cells, which are then compared."""
    command = takes_source(command)
    for option in command.__click_params__:  # type: ignore[attr-defined]
        if option.name == "cell":
            option.type = SomeOf(tuple(CELLS))
            option.help = "The recurrent cells, one or several to compare."
    return command


def takes_task(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument TASK, likewise."""
    return _gathering(command, click.Argument(["task"]), NOT_OF_A_TASK)


def _gathering(
    command: Callable[..., Any], argument: click.Argument, without: Sequence[str]
) -> Callable[..., Any]:
    options = [option for option in made_with() if option.name not in without]
    names = [str(option.name) for option in options]

    def gathered(**given: Any) -> Any:
        taken = {name: given.pop(name) for name in names}
        return command(options={k: v for k, v in taken.items() if v is not None}, **given)

    gathered.__name__, gathered.__doc__ = command.__name__, command.__doc__
    # click reads these from the last to the first, as decorators are applied.
    later = getattr(command, "__click_params__", [])
    gathered.__click_params__ = [*later, *reversed(options), argument]  # type: ignore[attr-defined]
    return gathered
