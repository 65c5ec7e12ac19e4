"""The command ``micrornn``: parse, call, print. What is computed, is computed elsewhere.

Results go to stdout, messages to stderr. Whatever goes wrong is told in one line, and by the exit code;
the environment variable MICRORNN_TRACEBACK adds Python's traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn

import click

# Written out here, so that help and completion need not load the library; a test compares them.
CELLS = ("rnn", "lstm", "gru")
LOSSES = ("last", "all")
DETAILS = ("layer", "cell", "gate", "op", "scalar")
FORMATS = ("svg", "png", "dot", "txt", "html", "pdf")

FAILED, WRONG_INPUT, OUR_MISTAKE, INTERRUPTED = 1, 2, 70, 130  # the exit codes, but for 0

# ------------------------------------------------------------------------------ errors and output


class Program(click.Group):
    """All commands; here an error becomes one line and an exit code."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command that the arguments name, and exit."""
        extra["standalone_mode"] = False
        try:
            code = super().main(*args, **extra)
        except click.Abort:
            code = complain("interrupted", INTERRUPTED)
        except click.NoSuchOption as error:
            close = list(error.possibilities or ())[:1]
            meant = f"; did you mean {close[0]!r}?" if close else ""
            code = complain(f"there is no option {error.option_name}{meant}", ctx=error.ctx)
        except click.ClickException as error:
            code = complain(error.format_message(), ctx=getattr(error, "ctx", None))
        except MemoryError:
            code = complain("not enough memory for that; take fewer steps or a smaller network")
        except (ValueError, RuntimeError, OSError) as error:
            code = complain(in_words(error))
        except Exception as error:
            what = f"unexpected {type(error).__name__} ({in_words(error)}), a mistake in micrornn"
            code = complain(f"{what}; MICRORNN_TRACEBACK=1 shows where it is", OUR_MISTAKE)
        sys.exit(code or 0)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command of that name; who forgets or misspells the command is told what to write."""
        name = args[0]
        if name not in self.commands:
            if ".py" in name or name in sources():
                ctx.fail(f"{name} is a source; say what to do with it: micrornn render {name}")
            ctx.fail(f"there is no command {name!r}; {nearest(name, self.commands)}")
        return super().resolve_command(ctx, args)


def complain(message: str, code: int = WRONG_INPUT, ctx: click.Context | None = None) -> int:
    """One line on stderr, and the exit code back."""
    if os.environ.get("MICRORNN_TRACEBACK"):
        import traceback

        traceback.print_exc()
    message = " ".join(message.split()).rstrip(".")
    if ctx is not None:
        message = f"{message[:1].lower()}{message[1:]} ({ctx.command_path} -h explains)"
    say(f"{ctx.command_path if ctx else 'micrornn'}: {message}")
    return code


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that may have been meant, as a question."""
    from micrornn.tasks.output import nearest

    return nearest(word, words)


def in_words(error: BaseException) -> str:
    """What an error says; of the system's own, the file first."""
    if isinstance(error, OSError) and error.strerror:
        return ": ".join(str(part) for part in (error.filename, error.strerror.lower()) if part)
    return str(error) or type(error).__name__


say = partial(click.echo, err=True)


def on_terminal() -> bool:
    """Whether stdout is a terminal; where it was closed there is none."""
    return sys.stdout is not None and sys.stdout.isatty()


# ------------------------------------------------------------------------- arguments and options


class OneOf(click.Choice):  # type: ignore[type-arg]
    """One of some words, in any case; for another word the nearest is suggested."""

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__(words, case_sensitive=False)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The word as it is spelt here."""
        if value.lower() not in map(str.lower, self.choices):
            self.fail(f"there is no {value!r}; {nearest(value, self.choices)}", param, ctx)
        return super().convert(value, param, ctx)


def sources() -> dict[str, Any]:
    """The built-in sources by name."""
    from micrornn.tasks import SOURCES

    return SOURCES


def complete_source(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """For the shell: the built-in sources that begin so, or else files."""
    from click.shell_completion import CompletionItem

    found = [source for source in sources().values() if source.name.startswith(incomplete)]
    items = [CompletionItem(source.name, help=source.description) for source in found]
    return items or [CompletionItem(incomplete, type="file")]


def making(*names: str, **settings: Any) -> Any:
    """An option with which a built-in source is made: kept, when given, in the context's dictionary."""

    def keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value is not None and value is not False:
            ctx.ensure_object(dict)[param.name] = value

    return click.option(*names, expose_value=False, callback=keep, **settings)


COUNT = click.IntRange(min=1)
FILE = click.Path()  # whether it will do is said elsewhere; this lets the shell complete it
POSITIVE = click.FloatRange(min=0, min_open=True)
MAKING = (
    making("--cell", type=OneOf(CELLS), help="The recurrent cell."),
    making("--steps", type=COUNT, metavar="N", help="How many steps to unroll."),
    making("--hidden", type=COUNT, metavar="N", help="How long the hidden state is."),
    making("--layers", type=COUNT, metavar="N", help="How many layers, one above the other."),
    making("--bidirectional", is_flag=True, help="Read from the end as well."),
    making("--text", metavar="TEXT", help="The text to read; @FILE takes it from a file."),
    making("--csv", type=FILE, metavar="FILE", help="A CSV file to read a series from."),
    making("--column", metavar="NAME", help="Which column of the CSV file."),
    making("--loss", type=OneOf(LOSSES), help="The last step's loss, or the sum of all."),
    making("--seed", type=click.IntRange(min=0), metavar="N", help="For the initial weights."),
)


def takes_source(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument SOURCE and the options that a built-in one is made with.

    The command gets ``source``, and as its first argument the options given, a dictionary or None.
    """
    command = click.pass_obj(command)
    for option in reversed(MAKING):
        command = option(command)
    return click.argument("source", shell_complete=complete_source)(command)


# -------------------------------------------------------------------------------------- commands


class Later(click.Command):
    """A command that lives elsewhere, and is imported when it is run or asked for its help."""

    def __init__(self, name: str, module: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self.module = module

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """That of the command itself, which takes over."""
        from importlib import import_module

        command: click.Command = getattr(import_module(self.module), str(self.name))
        return command.make_context(*args, **extra)


LATER = (
    Later("flow", "viz.commands.flow", "Show where the gradient goes over time."),
    Later("record", "viz.commands.record", "Keep a run whole, forward and backward, in a file."),
    Later("diagnose", "viz.commands.diagnose", "Say what is wrong with the gradient of a run."),
    Later("why", "viz.commands.diagnose", "Say why one gradient is what it is."),
    Later("diff", "viz.commands.diff", "Compare two runs step by step."),
    Later("debug", "viz.commands.debug", "Step through the backward pass, forth and back."),
    Later("train", "viz.commands.train", "Train a network on a task."),
    Later("generate", "viz.commands.use", "Let a trained character model go on with a text."),
    Later("evaluate", "viz.commands.use", "Measure a trained network again."),
    Later("decode", "viz.commands.use", "Show what a trained network says."),
)


@click.group(
    cls=Program,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.pass_context
def main(ctx: click.Context, version: bool) -> None:
    """See where the gradient goes in a recurrent network.

    A SOURCE is a network unrolled over a sequence: a built-in one, by its name, or one of your own,
    as FILE.py:NAME.

    \b
    Examples:
      micrornn list                         what is built in
      micrornn render hello                 a picture in the terminal
      micrornn render hello -o hello.svg    the picture in a file
    """
    if version:
        import micrornn

        click.echo(f"micrornn {micrornn.__version__}")
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@main.command()
@takes_source
@click.option("--detail", type=OneOf(DETAILS), default="op", help="What a box is [default: op].")
@click.option("--gradients/--no-gradients", default=True, help="Draw backward as well [default].")
@click.option("--window", metavar="A:B", help="Draw the steps from A to B only.")
@click.option(
    "--from", "begin", metavar="PLACE", help="Light the gradient's paths from here, as L3,"
)
@click.option("--to", "end", metavar="PLACE", help="back to here, as h0; the rest steps back.")
@click.option("--rankdir", type=OneOf(("LR", "TB")), default="LR", help="Time goes right, or down.")
@click.option("-T", "--format", type=OneOf(FORMATS), help="The format [default: as FILE ends].")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write to FILE; - is stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def render(
    options: dict[str, Any] | None,
    source: str,
    window: str | None,
    begin: str | None,
    end: str | None,
    format: str | None,
    output: str | None,
    quiet: bool,
    **look: Any,
) -> None:
    """Draw a network unrolled over time, and its gradient on the way back.

    SOURCE is a built-in name (see micrornn list), made with the options from --cell to --seed; or
    FILE.py:NAME, where NAME is a tensor, or a function without arguments that returns one. Without
    -o and -T the picture is drawn in text; with -T alone it goes to stdout.

    \b
    Examples:
      micrornn render hello
      micrornn render hello --cell lstm --detail gate -o hello.svg
      micrornn render stocks --csv prices.csv --column close --steps 20 --window 15:20 -o prices.png
      micrornn render net.py:loss -T svg > loss.svg
    """
    from micrornn.tasks.output import destination
    from micrornn.tasks.source import resolve
    from micrornn.tasks.unrolled import parse_window

    if (begin is None) != (end is None):
        given, other = ("--from", "--to") if end is None else ("--to", "--from")
        raise ValueError(
            f"{given} was given without {other}; a path has two ends: --from L3 --to h0"
        )
    path, format = destination(output, format, FORMATS, terminal=on_terminal())
    ends = parse_window(window) if window else None
    unrolled = resolve(source, options or {})
    look["window"] = unrolled.window(*ends) if ends else None
    look["ends"] = (begin, end) if begin is not None else None
    if not quiet:
        for remark in unrolled.remarks:
            say(remark)
    import viz

    content = viz.render(unrolled.loss, path, format=format, title=unrolled.title, **look)
    if path is None:
        from viz.commands.sources import emit

        emit(content)
    if not quiet and (path or not on_terminal()):  # in a terminal the picture says it
        say(f"{f'wrote {path}' if path else source}: {unrolled.summary()}")


@main.command("list")
def list_sources() -> None:
    """Name the built-in sources, with the options that each takes and their defaults.

    \b
    Example:
      micrornn list
    """
    from micrornn.tasks.source import flags

    for source in sources().values():
        click.echo(f"{source.name:9} {source.description}\n{'':9} {flags(source)}")


@main.command()
@takes_source
@click.option("--eps", type=POSITIVE, default=1e-6, help="How far to move it [default: 1e-6].")
@click.option("--atol", type=POSITIVE, default=1e-6, help="Difference allowed [default: 1e-6].")
@click.option("--rtol", type=POSITIVE, default=1e-4, help="The same, relative [default: 1e-4].")
def check(options: dict[str, Any] | None, source: str, **tolerance: float) -> int:
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

    checked = checkable(source, options or {})
    try:
        worst = gradcheck(checked.f, checked.inputs, **tolerance)
    except GradientMismatch as mismatch:
        click.echo(f"{source}: wrong, {checked.way}: {mismatch}")
        return FAILED
    size = f"{checked.size:,} number{'s' if checked.size > 1 else ''}"
    click.echo(f"{source}: right, {checked.way}: {size}, largest difference {worst:.2g}")
    return 0


for command in LATER:
    main.add_command(command)
