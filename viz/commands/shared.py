"""What the commands share: options of a task, checkpoints, tables, progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from micrornn.tasks.problem import Measure, Problem, Task
    from micrornn.training import Report, Trainer

COUNT = click.IntRange(min=1)

# What a task is made with. Each task takes some of them, and says so when given another.
TASK_OPTIONS = (
    click.option("--cell", type=click.Choice(["rnn", "lstm", "gru"]), help="The recurrent cell."),
    click.option("--hidden", type=COUNT, metavar="N", help="How long the hidden state is."),
    click.option("--layers", type=COUNT, metavar="N", help="How many layers, one above the other."),
    click.option(
        "--bidirectional/--one-way", default=None, help="Read from the end as well, or not."
    ),
    click.option("--steps", type=COUNT, metavar="N", help="How many steps a sequence has."),
    click.option("--length", type=COUNT, metavar="N", help="How many symbols are to be copied."),
    click.option("--batch", type=COUNT, metavar="N", help="How many sequences side by side."),
    click.option("--forget-bias", type=float, metavar="X", help="The LSTM's, in the task recall."),
    click.option("--published", is_flag=True, default=None, help="Begin with published weights."),
    click.option("--text", metavar="FILE", help="A text to learn: a file, or the text itself."),
    click.option(
        "--csv", type=click.Path(), metavar="FILE", help="A CSV file to read a series of."
    ),
    click.option(
        "--pairs", type=click.Path(), metavar="FILE", help="Lines of source, tab, target."
    ),
    click.option(
        "--attention",
        type=click.Choice(["none", "dot", "scaled", "general", "additive"]),
        help="How a decoder looks back.",
    ),
    click.option("--column", metavar="NAME", help="Which column of the CSV file."),
    click.option(
        "--seed", type=click.IntRange(min=0), metavar="N", help="For weights and made-up data."
    ),
)


def takes_task_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options a task is made with; the command gets those given as ``options``."""
    names = []
    for option in reversed(TASK_OPTIONS):
        command = option(command)
        names.append(command.__click_params__[-1].name)  # type: ignore[attr-defined]

    def gathered(**given: Any) -> Any:
        options = {name: given.pop(name) for name in names}
        return command(options={name: v for name, v in options.items() if v is not None}, **given)

    gathered.__doc__ = command.__doc__
    gathered.__name__ = command.__name__
    gathered.__click_params__ = command.__click_params__  # type: ignore[attr-defined]
    return gathered


def with_files(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with the text of the file that ``text`` names, by @FILE or by its plain name.

    Raises:
        ValueError, FileNotFoundError: it is no text.
    """
    from micrornn.data.text import read_text

    options = dict(options)
    text = options.get("text")
    if text is not None and (text.startswith("@") or is_file(text)):
        options["text"] = read_text(text.removeprefix("@"))
    elif text is not None and Path(text).suffix == ".txt":
        raise FileNotFoundError(f"there is no file {text}; give a text file in UTF-8")
    return options


def is_file(name: str) -> bool:
    """Whether a file has this name; a text may be no name at all."""
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


# ------------------------------------------------------------------------------------ checkpoints


class Trained(NamedTuple):
    """A checkpoint of the command ``train``: the task, its options, what has to be known, the weights."""

    task: Task
    options: dict[str, Any]
    memory: dict[str, Any]
    training: dict[str, Any]
    weights: dict[str, Any]
    iteration: int

    def problem(self) -> Problem:
        """The task with the trained model."""
        problem = self.task.make(with_files(self.options))
        problem.model.load_state_dict(self.weights)
        return problem


def open_trained(path: str) -> Trained:
    """Read a checkpoint.

    Raises:
        CheckpointError: it is none, is damaged, or was not saved by ``micrornn train``.
    """
    from micrornn.tasks.problem import TASKS
    from micrornn.training.checkpoint import CheckpointError, read

    tree = read(path)
    about = tree["about"]
    if about.get("task") not in TASKS:
        raise CheckpointError(
            f"{path} was saved by a program of its own, so micrornn does not know what it is for; "
            "load it there"
        )
    return Trained(
        TASKS[about["task"]],
        about["options"],
        about["memory"],
        about["training"],
        tree["model"]["state"],
        tree["trainer"]["iteration"],
    )


# --------------------------------------------------------------------------------- what one sees


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout: drawn on a terminal, plain columns otherwise."""
    if bool(sys.stdout and sys.stdout.isatty()):
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(*headings)
        for row in rows:
            drawn.add_row(*(Text(cell) for cell in row))
        Console().print(drawn)
        return
    lines = [list(headings), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headings))]
    for line in lines:
        click.echo("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip())


def measured(measures: Sequence[Measure]) -> None:
    """What was reached, and what was to be expected, as a table."""
    verdicts = {True: "yes", False: "no", None: ""}
    table(
        ("measured", "value", "expected", "reached"),
        [(m.name, f"{m.value:.4g}", m.expected, verdicts[m.reached]) for m in measures],
    )


Tell = Callable[["Trainer", "Report"], None]


@contextmanager
def progress(done: int, wanted: int, quiet: bool) -> Iterator[Tell]:
    """A callback for the trainer: a bar on a terminal, otherwise ten lines on stderr."""
    if quiet:
        yield lambda trainer, report: None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), Remaining())
        with Progress(*columns, console=Console(stderr=True)) as bars:
            bar = bars.add_task("", total=wanted, completed=done)

            def advance(trainer: Trainer, report: Report) -> None:
                words = f"loss {report.loss:.4g}  gradient {report.norm:.3g}"
                bars.update(bar, completed=report.iteration, description=words)

            yield advance
    else:
        every = max(1, (wanted - done) // 10)

        def tell(trainer: Trainer, report: Report) -> None:
            if (report.iteration - done) % every == 0 or report.iteration == wanted:
                click.echo(
                    f"iteration {report.iteration} of {wanted}: loss {report.loss:.4g}, "
                    f"gradient {report.norm:.3g}",
                    err=True,
                )

        yield tell
