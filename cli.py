"""The command ``micrornn``: parse, call, print. The commands themselves are in `viz.commands`.

Results go to stdout, messages to stderr. An error is one line and an exit code; the environment variable
MICRORNN_TRACEBACK adds Python's traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, NoReturn, TextIO

try:
    import click
except KeyboardInterrupt:  # loading it takes a tenth of a second
    raise SystemExit(130) from None

WRONG_INPUT, OUR_MISTAKE, INTERRUPTED = 2, 70, 130  # exit codes; some commands have their own, too

# ------------------------------------------------------------------------------ errors and output


class Formatter(click.HelpFormatter):
    """Help with bold headings in a terminal."""

    def write_heading(self, heading: str) -> None:
        """A heading."""
        super().write_heading(styled(heading, sys.stdout, bold=True))


class Context(click.Context):
    """The context of the program and of every command."""

    formatter_class = Formatter


class Program(click.Group):
    """All commands, in groups; an error in them becomes one line and an exit code."""

    context_class = Context

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command that the arguments name, and exit."""
        extra["standalone_mode"] = False
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal that lacks a character shows its code
                stream.reconfigure(errors="backslashreplace")
        try:
            code = super().main(*args, **extra)
        except (click.Abort, KeyboardInterrupt):
            code = complain("interrupted", INTERRUPTED)
        except click.ClickException as error:
            code = complain(usage(error), ctx=getattr(error, "ctx", None))
        except MemoryError:
            code = complain("not enough memory; use fewer steps or a smaller network")
        except (ValueError, RuntimeError, OSError) as error:
            code = complain(in_words(error))
        except Exception as error:
            what = f"unexpected {type(error).__name__} ({in_words(error)}), an error in micrornn"
            code = complain(f"{what}; MICRORNN_TRACEBACK=1 shows where", OUR_MISTAKE)
        sys.exit(code or 0)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command of that name; a missing or misspelled command is suggested."""
        name = args[0]
        if name not in self.commands:
            from micrornn.tasks import TASKS

            if ".py" in name or name in TASKS:
                ctx.fail(f"{name} is a source, not a command; try micrornn render {name}")
            ctx.fail(f"no command {name!r}; {nearest(name, self.commands)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands in their groups."""
        width = max(map(len, self.commands))
        for heading, names in GROUPS.items():
            with formatter.section(heading):
                rows = [(name.ljust(width), self.commands[name].short_help or "") for name in names]
                formatter.write_dl(rows)


def complain(message: str, code: int = WRONG_INPUT, ctx: click.Context | None = None) -> int:
    """Print one line to stderr, and return the exit code."""
    if os.environ.get("MICRORNN_TRACEBACK"):
        import traceback

        traceback.print_exc()
    from micrornn.messages import printable

    message = printable(" ".join(message.split()).rstrip("."))
    if ctx is not None:
        message += f" (see {ctx.command_path} -h)"
    name = f"{ctx.command_path if ctx else 'micrornn'}:"
    click.echo(f"{styled(name, sys.stderr, fg='red')} {message}", err=True)
    return code


def styled(text: str, stream: TextIO | None, **style: Any) -> str:
    """Text in a style, where the stream is a terminal and NO_COLOR is not set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain or stream is None or not stream.isatty() else click.style(text, **style)


def usage(error: click.ClickException) -> str:
    """A mistake on the command line, in our words."""
    if isinstance(error, click.NoSuchOption):
        close = list(error.possibilities or ())[:1]
        return f"no option {error.option_name}" + (f"; did you mean {close[0]!r}?" if close else "")
    if isinstance(error, click.MissingParameter) and error.param is not None:
        kind = "option" if isinstance(error.param, click.Option) else "argument"
        missing = f"the {kind} {error.param.get_error_hint(error.ctx)} is missing"
        return missing + (f", as in: {shown}" if (shown := example(error.ctx)) else "")
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"{'/'.join(error.param.opts)}: {error.message}"
    message = error.format_message()
    return message[:1].lower() + message[1:]


def example(ctx: click.Context | None) -> str:
    """The first example in the help of a command."""
    lines = map(str.strip, ((ctx and ctx.command.help) or "").splitlines())
    return next((line for line in lines if line.startswith("micrornn ")), "")


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that may have been meant, as a question."""
    from micrornn.messages import nearest

    return nearest(word, words)


def in_words(error: BaseException) -> str:
    """What an error says; for an error of the system, the file first."""
    if isinstance(error, OSError) and error.strerror:
        return ": ".join(str(part) for part in (error.filename, error.strerror.lower()) if part)
    return str(error) or type(error).__name__


# -------------------------------------------------------------------------------------- commands


class Later(click.Command):
    """A command that is imported when it is run or asked for its help."""

    def __init__(self, name: str, module: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self.module = f"viz.commands.{module}"

    def loaded(self) -> click.Command:
        """The command itself."""
        from importlib import import_module

        found = vars(import_module(self.module)).values()
        command = next(c for c in found if isinstance(c, click.Command) and c.name == self.name)
        command.context_class = Context
        return command

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """That of the command itself, which takes over."""
        return self.loaded().make_context(*args, **extra)


LATER = (
    Later("render", "render", "Draw a network unrolled over time, with its gradient."),
    Later("view", "view", "Play the backward pass of a run in the browser."),
    Later("gallery", "gallery", "Draw every built-in network, with a page that shows them."),
    Later("flow", "flow", "Show where the gradient goes over time."),
    Later("diagnose", "diagnose", "Find out why a network does not learn."),
    Later("why", "diagnose", "Explain why one gradient is zero, tiny, huge or NaN."),
    Later("debug", "debug", "Step through the backward pass, forward and backward."),
    Later("check", "check", "Compare the gradient with finite differences."),
    Later("explain", "explain", "Write out the backward pass of a network, as NumPy or formulas."),
    Later("grade", "grade", "Compare a hand-written backward pass with the graph's."),
    Later("course", "course", "Read the course: thirteen lessons with exercises."),
    Later("quiz", "quiz", "Ask the questions of the course."),
    Later("cost", "cost", "Measure time and memory of full BPTT and its alternatives."),
    Later("record", "record", "Record a run, forward and backward, in a file."),
    Later("diff", "diff", "Compare two runs step by step."),
    Later("train", "train", "Train a network on a task."),
    Later("sweep", "sweep", "Train with many settings and seeds, in parallel."),
    Later("evaluate", "use", "Evaluate a trained network."),
    Later("decode", "use", "Show what a trained network predicts."),
    Later("generate", "use", "Continue a text or a series with a trained model."),
    Later("list", "list", "List the built-in tasks and their options."),
)
GROUPS = {
    "See a gradient": ("render", "view", "flow", "gallery"),
    "Find a problem": ("diagnose", "why", "debug", "check", "cost"),
    "Keep and compare runs": ("record", "diff"),
    "Train and use a network": ("train", "sweep", "evaluate", "decode", "generate"),
    "Learn": ("explain", "course", "quiz", "grade"),
    "Get help": ("list", "help"),
}


@click.group(
    cls=Program,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.pass_context
def main(ctx: click.Context, version: bool) -> None:
    """See where the gradient goes in a recurrent network.

    Most commands take a SOURCE: a built-in task by its name, a network of your own as FILE.py:NAME, a
    recording, or a checkpoint.

    \b
    Examples:
      micrornn render hello                 draw a picture in the terminal
      micrornn render hello -o hello.svg    draw it in a file
      micrornn diagnose net.py:loss         find out why your network does not learn
      micrornn help train hello             show the options of training hello
    """
    if version:
        import micrornn

        click.echo(f"micrornn {micrornn.__version__}")
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for command in LATER:
    main.add_command(command)


@main.command("help", short_help="Show the help of a command, for a task if one is named.")
@click.argument("words", nargs=-1, metavar="[COMMAND [TASK]]")
@click.pass_context
def explain(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Show the help of a command.

    \b
    Examples:
      micrornn help render
      micrornn help train hello
    """
    main.main([*words, "--help"], prog_name=ctx.find_root().info_name)
