"""The command ``micrornn``: parse, call, print. What is computed, is computed elsewhere.

Results go to stdout, messages to stderr. Whatever goes wrong is told in one line, and by the exit code;
the environment variable MICRORNN_TRACEBACK adds Python's traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from functools import partial
from typing import Any, NoReturn

import click

WRONG_INPUT, OUR_MISTAKE, INTERRUPTED = 2, 70, 130  # exit codes; a command has its own, too

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
            from micrornn.tasks import SOURCES

            if ".py" in name or name in SOURCES:
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


# -------------------------------------------------------------------------------------- commands


class Later(click.Command):
    """A command that lives elsewhere, and is imported when it is run or asked for its help."""

    def __init__(self, name: str, module: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self.module = module

    def loaded(self) -> click.Command:
        """The command itself."""
        from importlib import import_module

        found = vars(import_module(self.module)).values()
        return next(c for c in found if isinstance(c, click.Command) and c.name == self.name)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """That of the command itself, which takes over."""
        return self.loaded().make_context(*args, **extra)


LATER = (
    Later("list", "viz.commands.list", "Name the built-in sources, with their options."),
    Later("render", "viz.commands.render", "Draw a network unrolled over time, and its gradient."),
    Later("check", "viz.commands.check", "Compare the gradient with finite differences."),
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


for command in LATER:
    main.add_command(command)
