"""``micrornn list``: the built-in tasks."""

from __future__ import annotations

import sys
from typing import Any

import click

from micrornn.messages import flag
from micrornn.tasks import TASKS, Task
from viz.commands.console import BOLD, as_json, colored, emit
from viz.commands.help import Command
from viz.commands.options import JSON


@click.command("list", cls=Command)
@JSON
def list_tasks(as_data: bool) -> None:
    """List the built-in tasks, with the options of each and their defaults.

    The defaults are those of render, flow and the other commands that take a SOURCE. Training has larger
    defaults: see micrornn train TASK --help.

    \b
    Examples:
      micrornn list
      micrornn list --json
    """
    if as_data:
        return emit(as_json([_as_dict(task) for task in TASKS.values()]))
    for task in TASKS.values():
        name = colored(f"{task.name:9}", BOLD, sys.stdout)
        emit(f"{name} {task.summary}\n{'':9} {options_of(task)}\n")
    return None


def options_of(task: Task) -> str:
    """The options of a view as they are written, with their defaults.

    >>> options_of(TASKS["hello"])
    '--text hello --encoding ... --cell rnn --hidden 8 --layers 1 ... --loss all --seed 0'
    """
    words = []
    for name, default in task.options(view=True).items():
        value = "" if isinstance(default, bool) else f" {'...' if default is None else default}"
        words.append(flag(name) + value)
    return " ".join(words)


def _as_dict(task: Task) -> dict[str, Any]:
    trains = task.module is not None
    return {
        "name": task.name,
        "summary": task.summary,
        "trains": trains,
        "options": task.options(view=True),
        "training_options": task.options() if trains else {},
    }
