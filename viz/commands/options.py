"""The options of commands: their types, and one table of those that a network is made with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import click

from micrornn.data.doors import DOORS, MISSING, Door
from micrornn.data.translations import SYMBOLS
from micrornn.messages import nearest
from micrornn.tasks import TASKS
from micrornn.tasks.hello import LOSSES
from micrornn.tasks.network import NAMES
from viz.commands.help import NETWORK_SECTIONS, OUTPUT, F, Option, option

ATTENTIONS = ("none", "dot", "scaled", "general", "additive")

# -- types ------------------------------------------------------------------------------------------


class Integer(click.ParamType):  # type: ignore[type-arg]
    """An integer within bounds.

    >>> Integer(1, 9).convert("12", None, None)
    Traceback (most recent call last):
    click.exceptions.BadParameter: '12' is out of range; give an integer from 1 to 9
    """

    name = "integer"

    def __init__(self, low: int, high: int | None = None) -> None:
        self.low, self.high = low, high

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """The number."""
        wanted = f"give an integer from {self.low} " + (f"to {self.high:,}" if self.high else "up")
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{str(value)[:40]!r} is not an integer; {wanted}", param, ctx)
        if number < self.low or (self.high is not None and number > self.high):
            self.fail(f"{str(value)[:40]!r} is out of range; {wanted}", param, ctx)
        return number

    def get_metavar(self, param: Any, ctx: Any = None) -> str | None:
        """The name in the help; an argument has its own."""
        return None if isinstance(param, click.Argument) else "N"


class Number(click.ParamType):  # type: ignore[type-arg]
    """A finite number, above or from a bound.

    >>> Number(above=0).convert("nan", None, None)
    Traceback (most recent call last):
    click.exceptions.BadParameter: 'nan' is out of range; give a number above 0
    """

    name = "number"

    def __init__(self, above: float = -math.inf, least: float = -math.inf) -> None:
        self.above, self.least = above, least

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """The number."""
        wanted = "give a finite number"
        if self.above > -math.inf:
            wanted = f"give a number above {self.above:g}"
        elif self.least > -math.inf:
            wanted = f"give a number from {self.least:g} up"
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number; {wanted}", param, ctx)
        if not math.isfinite(number) or number <= self.above or number < self.least:
            self.fail(f"{value!r} is out of range; {wanted}", param, ctx)
        return number

    def get_metavar(self, param: Any, ctx: Any = None) -> str:
        """The name in the help."""
        return "X"


class File(click.Path):
    """The name of a file or, as the metavar says, of a folder; the shell completes it."""

    def __init__(self, metavar: str = "FILE") -> None:
        super().__init__()
        self.metavar = metavar

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The name, which is not empty."""
        if not value:
            self.fail("the name is empty; give a file", param, ctx)
        if "\0" in str(value):
            self.fail(f"{value!r} cannot be the name of a file", param, ctx)
        return super().convert(value, param, ctx)

    def get_metavar(self, param: Any, ctx: Any = None) -> str | None:
        """The name in the help; an argument has its own."""
        return None if isinstance(param, click.Argument) else self.metavar


class OneOf(click.Choice):  # type: ignore[type-arg]
    """One of several words, in upper or lower case; the nearest is suggested for an unknown word.

    >>> OneOf(("rnn", "lstm")).convert("LSTM", None, None)
    'lstm'
    """

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(tuple(words), case_sensitive=False)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The word as it is spelled here."""
        if value.lower() not in map(str.lower, self.choices):
            self.fail(f"no {value!r}; {nearest(value, self.choices)}", param, ctx)
        return super().convert(value, param, ctx)


class SomeOf(OneOf):
    """One or more of several words, separated by commas.

    >>> SomeOf(("rnn", "lstm")).convert("LSTM,rnn", None, None)
    ('lstm', 'rnn')
    """

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        """The words, each once, in the given order."""
        words = [super(SomeOf, self).convert(word.strip(), param, ctx) for word in value.split(",")]
        return tuple(dict.fromkeys(words))

    def get_metavar(self, param: Any, ctx: Any = None) -> str:
        """The name in the help."""
        return f"[{'|'.join(self.choices)}],..."

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[Any]:
        """The words that may follow the last comma."""
        from click.shell_completion import CompletionItem

        head, comma, last = incomplete.rpartition(",")
        return [CompletionItem(head + comma + w) for w in self.choices if w.startswith(last)]


class Counts(click.ParamType):  # type: ignore[type-arg]
    """One or more counts, separated by commas.

    >>> Counts().convert("100,10", None, None)
    (100, 10)
    """

    name = "counts"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        """The numbers, each once, in the given order."""
        if isinstance(value, tuple):
            return value
        return tuple(dict.fromkeys(COUNT.convert(n, param, ctx) for n in value.split(",")))

    def get_metavar(self, param: Any, ctx: Any = None) -> str:
        """The name in the help."""
        return "N,..."


MOST = 1_000_000  # steps, symbols, sequences: more is a typing error
COUNT = Integer(1, MOST)
SEED = Integer(0)
POSITIVE = Number(above=0)
FILE, FOLDER = File(), File("FOLDER")

# -- the options for output --------------------------------------------------------------------------

JSON = option("--json", "as_data", is_flag=True, section=OUTPUT, help="Print JSON.")
TO_FILE = option("-o", "--output", type=FILE, section=OUTPUT, help="Write to FILE; - is stdout.")
QUIET = option("-q", "--quiet", is_flag=True, section=OUTPUT, help="Print errors only.")
QUIET_BUT_RESULTS = option(
    "-q", "--quiet", is_flag=True, section=OUTPUT, help="Print errors and results only."
)


def in_format(formats: Sequence[str]) -> Callable[[F], F]:
    """The option ``--format``, one of these."""
    kind = OneOf(tuple(formats))
    text = "Format [default: by the extension of FILE]."
    return option("-T", "--format", type=kind, section=OUTPUT, help=text)


# -- the options of a network -----------------------------------------------------------------------


def network_options() -> list[Option]:
    """The options that tasks take, new ones at each call: a command may change its own."""
    network, data = NETWORK_SECTIONS

    def made(section: str, *names: str, **settings: Any) -> Option:
        return Option(names, section=section, **settings)

    def kind(door: Door) -> dict[str, Any]:
        return {"metavar": "TEXT"} if door.name == "text" else {"type": FILE}

    bidirectional = "Read the sequence in both directions, or forward only."
    built_in = "Built-in data: numbers, sounds, emoji (translate); temperature, water (weather)."
    bias = "Initial bias of the LSTM's forget gate or the GRU's update gate."
    return [
        made(network, "--cell", type=OneOf(tuple(NAMES)), help="Recurrent cell."),
        made(network, "--hidden", type=Integer(1, 100_000), help="Width of the hidden state."),
        made(network, "--layers", type=Integer(1, 1000), help="Number of recurrent layers."),
        made(network, "--bidirectional/--one-way", default=None, help=bidirectional),
        made(network, "--attention", type=OneOf(ATTENTIONS), help="Attention of the decoder."),
        made(network, "--forget-bias", type=Number(), help=bias),
        made(
            network, "--w", type=Number(), help="Weight of the loop h = w h (vanishing, exploding)."
        ),
        made(network, "--published", is_flag=True, default=None, help="Use the published weights."),
        made(network, "--seed", type=SEED, help="Seed of the weights and of generated data."),
        *(made(data, f"--{door.name}", help=door.help, **kind(door)) for door in DOORS.values()),
        made(data, "--column", metavar="NAMES", help="Columns to read, separated by commas."),
        made(data, "--target", metavar="NAME", help="Column to predict."),
        made(data, "--tag", type=Integer(1, 1000), help="Column of the tag, counted from 1."),
        made(
            data,
            "--encoding",
            metavar="NAME",
            help="Encoding, such as cp1252 or utf-16 [default: utf-8].",
        ),
        made(data, "--missing", type=OneOf(MISSING), help="What to do with missing cells."),
        made(data, "--by", type=OneOf(SYMBOLS), help="Split pairs into letters or words."),
        made(
            data,
            "--data",
            metavar="NAME",
            help=built_in,
        ),
        made(data, "--language", metavar="CODE", help="Target language: es, de, fr, ..."),
        made(data, "--steps", type=COUNT, help="Number of time steps."),
        made(data, "--length", type=COUNT, help="Length of the sequence to reproduce."),
        made(data, "--batch", type=COUNT, help="Number of sequences in a batch."),
        made(data, "--loss", type=OneOf(LOSSES), help="Loss of the last step, or of all steps."),
    ]


NOT_OF_A_VIEW, NOT_OF_TRAINING = ("batch",), ("loss", "w")


def complete_source(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """For the shell: the built-in tasks that start like this, or files."""
    from click.shell_completion import CompletionItem

    items = [
        CompletionItem(task.name, help=task.summary)
        for task in TASKS.values()
        if task.name.startswith(incomplete) and (param.name != "task" or task.module)
    ]
    return items or [CompletionItem(incomplete, type="file")]


def takes_source(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument SOURCE and the options of a network, which the command gets as ``options``."""
    argument = click.Argument(["source"], shell_complete=complete_source)
    return _gathering(command, argument, NOT_OF_A_VIEW)


def takes_sources(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `takes_source`, but ``--cell`` may name several cells to compare."""
    command = takes_source(command)
    for one in command.__click_params__:  # type: ignore[attr-defined]
        if one.name == "cell":
            one.type = SomeOf(tuple(NAMES))
            one.help = "Recurrent cell, or several to compare."
    return command


def takes_task(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `takes_source`, with the argument TASK."""
    argument = click.Argument(["task"], shell_complete=complete_source)
    return _gathering(command, argument, NOT_OF_TRAINING)


def _gathering(
    command: Callable[..., Any], argument: click.Argument, without: Sequence[str]
) -> Callable[..., Any]:
    options = [option for option in network_options() if option.name not in without]
    names = [str(option.name) for option in options]

    def gathered(**given: Any) -> Any:
        taken = {name: given.pop(name) for name in names}
        return command(options={k: v for k, v in taken.items() if v is not None}, **given)

    gathered.__name__, gathered.__doc__ = command.__name__, command.__doc__
    # A file that computes with PyTorch is recognized; the option is accepted for clarity.
    torch = Option(
        ["--torch"],
        section=NETWORK_SECTIONS[0],
        is_flag=True,
        expose_value=False,
        help="FILE.py uses PyTorch [default: detected].",
    )
    # click reads these from the last to the first, as decorators are applied.
    others = getattr(command, "__click_params__", [])
    gathered.__click_params__ = [torch, *reversed(options), *others, argument]  # type: ignore[attr-defined]
    return gathered
