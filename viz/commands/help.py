"""The help of a command: its own options first, the rest in sections, and only those that the SOURCE takes.

With a task named, as in `micrornn train hello --help`, the options of other tasks are left out, and those of
this one have their defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from micrornn.tasks import TASKS, Task

F = TypeVar("F", bound=Callable[..., Any])

NETWORK_SECTIONS = NETWORK, DATA = "Network", "Data"
TRAINING, LOOK, OUTPUT = "Training", "Look", "Output"
SECTIONS = (NETWORK, DATA, TRAINING, LOOK, OUTPUT)  # after the options of the command itself
WORDS = "micrornn.words"  # where the words of the command line are kept for the help


class Option(click.Option):
    """An option that stands in a section of the help."""

    def __init__(self, *args: Any, section: str = "", **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.section = section


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """As `click.option`, with a ``section``."""
    return click.option(*names, cls=Option, **settings)


class Command(click.Command):
    """A command with a sectioned help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words for the help, which click prints before it parses them."""
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options in their sections."""
        task = self._task(ctx)
        known = task.options(view=self.name != "train") if task else {}
        sections: dict[str, list[tuple[str, str]]] = {"": [], **{name: [] for name in SECTIONS}}
        for param in self.get_params(ctx):
            section = getattr(param, "section", "")
            if task and section in NETWORK_SECTIONS and param.name not in known:
                continue
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                default = known.get(str(param.name)) if task else None
                sections[section].append(_with_default(record, default))
        for name, records in sections.items():
            if records:
                with formatter.section(f"{name} options" if name else "Options"):
                    formatter.write_dl(records)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The description, with that of the task."""
        super().format_help_text(ctx, formatter)
        if task := self._task(ctx):
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(
                    f"{task.name}: {task.summary}. The defaults below are those of {task.name}."
                )

    def _task(self, ctx: click.Context) -> Task | None:
        """The task that the command line names as its SOURCE or TASK."""
        try:
            given, _, _ = self.make_parser(ctx).parse_args(list(ctx.meta.get(WORDS, ())))
        except click.UsageError:
            return None
        takes = any(getattr(param, "section", "") in NETWORK_SECTIONS for param in self.params)
        return TASKS.get(given.get("source") or given.get("task") or "") if takes else None


def _with_default(record: tuple[str, str], default: Any) -> tuple[str, str]:
    if default is None or isinstance(default, bool):
        return record
    return record[0], f"{record[1]} [default: {default}]"
