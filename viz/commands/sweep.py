"""``micrornn sweep``: train with many settings and seeds, on all cores or on a cluster."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from micrornn.files import check_writable
from micrornn.messages import nearest
from micrornn.sweep.grid import combinations, in_words, parse
from micrornn.sweep.records import (
    DONE,
    FAILED,
    REFUSED,
    Outcome,
    SweepError,
    Trial,
    reason,
)
from micrornn.sweep.search import SAMPLERS, Search
from micrornn.sweep.store import Store, opened
from micrornn.tasks import TASKS
from micrornn.tasks.trained import kept
from micrornn.tasks.training import SETTINGS
from viz.commands.console import is_terminal, say
from viz.commands.help import Command, option
from viz.commands.options import COUNT, FILE, FOLDER, QUIET, Integer, OneOf, complete_source
from viz.commands.progress import Bar
from viz.commands.report import REPORT, report

_TYPES: dict[str, Any] = {}  # of the settings of a task, filled by `_types`


class Sweep(Command):
    """``sweep SOURCE`` runs, and ``sweep report FILE`` reports."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """The context of the run, or of the report if that is named."""
        if args[:1] == [REPORT]:
            return report.make_context(f"{info_name} {REPORT}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=Sweep)
@click.argument("source", shell_complete=complete_source)
@option(
    "--set", "sets", multiple=True, metavar="NAME=VALUES", help="Values of a setting; repeatable."
)
@option("--seeds", type=COUNT, default=1, help="Seeds of each combination, from 0 [default: 1].")
@option("-o", "--output", type=FILE, required=True, help="The file of the sweep, such as sweep.db.")
@option("--retry", is_flag=True, help="Run failed trials again.")
@option("--search", type=OneOf(SAMPLERS), help="Let Optuna choose the settings.")
@option("--trials", type=COUNT, help="Number of settings that a search tries.")
@option("--maximize", is_flag=True, help="Search for the largest result, not the smallest.")
@option(
    "--workers",
    type=Integer(0, 10_000),
    help="Processes [default: one per core]; 0 runs without Dask.",
)
@option("--scheduler", metavar="ADDRESS", help="Dask cluster to run on, such as tcp://host:8786.")
@option("--checkpoints", type=FOLDER, help="Where to keep checkpoints [default: FILE.checkpoints].")
@QUIET
def sweep(
    source: str,
    sets: Sequence[str],
    seeds: int,
    output: str,
    retry: bool,
    search: str | None,
    trials: int | None,
    maximize: bool,
    workers: int | None,
    scheduler: str | None,
    checkpoints: str | None,
    quiet: bool,
) -> int:
    """Train SOURCE with every combination of settings, each with several seeds.

    SOURCE is a built-in task, whose settings are the options of micrornn train, or FILE.py:NAME, a function
    that trains: its arguments are the settings, and it returns a number, a dict of numbers, or the reports of
    Trainer.run.

    \b
    --set cell=rnn,lstm       these values
    --set steps=20..80:20     20, 40, 60 and 80
    --set lr=1e-4..1e-1:log   a range, for --search

    FILE is an SQLite database, which several sweeps may share. After Ctrl-C, kill or a crash, the same
    command resumes every trial from its checkpoint. A trial that fails is kept with its traceback, and the
    others continue.

    \b
    Examples:
      micrornn sweep recall --set cell=lstm,gru --set steps=5..20:5 --seeds 3 -o recall.db
      micrornn sweep net.py:train --set lr=0.001,0.01 --seeds 5 -o net.db
      micrornn sweep recall --set lr=1e-4..1e-1:log --search tpe --trials 40 -o lr.db
      micrornn sweep recall --set hidden=16,32 -o recall.db --scheduler tcp://10.0.0.1:8786
      micrornn sweep report recall.db -o recall.svg
    """
    from micrornn.sweep.cluster import pool
    from micrornn.sweep.runner import Plan

    source, takes_seed = _checked(source)
    axes = [parse(text, _converter(source)) for text in sets]
    if seeds > 1 and not takes_seed:
        raise SweepError(
            f"{source} takes no seed, so all {seeds} seeds give the same result; add the argument seed=0, or "
            "leave --seeds out"
        )
    if (search is None) != (trials is None):
        raise SweepError("give --search and --trials together, as in --search tpe --trials 100")
    check_writable(Path(output))
    folder = Path(checkpoints) if checkpoints else Path(f"{output}.checkpoints")
    plan = Plan(source, seeds, folder.resolve())
    with opened(output) as store:
        todo = combinations(axes) if search is None else []
        proposals = Search(axes, search, maximize) if search else None
        store.add(source, todo, seeds)
        if retry:
            store.retry()
        total = (trials or len(todo)) * seeds
        follower = _Follower(store, total, quiet)
        with pool(scheduler, workers) as workplace:
            return follower.follow(plan, workplace, proposals, trials, [axis.name for axis in axes])


class _Follower:
    """Runs a sweep and reports its progress."""

    def __init__(self, store: Store, total: int, quiet: bool) -> None:
        self.store, self.total, self.quiet = store, total, quiet
        counts = store.counts()
        self.before = sum(counts.get(state, 0) for state in (DONE, FAILED, REFUSED))
        self.ended = self.before
        self.start = time.monotonic()
        self.bar = Bar("", total, self.ended)

    def follow(
        self, plan: Any, pool: Any, proposals: Any, trials: int | None, names: list[str]
    ) -> int:
        """Run it; the exit code is 0, or 1 if trials failed."""
        from micrornn.sweep import runner
        from micrornn.training.saving import interruptible

        def stop(number: int) -> None:
            raise _Stopped(number)

        if self.before and not self.quiet:
            say(f"{self.before:,} of {self.total:,} trials are done already")
        shown = is_terminal(sys.stderr) and not self.quiet
        if shown:
            self.bar.show()
        try:
            with interruptible(stop):
                if proposals is None:
                    runner.sweep(self.store, plan, pool, self.tell)
                else:
                    for settings, value in runner.known_results(self.store, plan, names):
                        proposals.known(settings, value)
                    runner.search(self.store, plan, pool, proposals, trials or 1, self.tell)
        except _Stopped as stopped:
            self.bar.stop()
            say(
                f"micrornn: interrupted after {self.ended:,} of {self.total:,} trials, all stored in "
                f"{self.store.path}; run the same command to continue"
            )
            return 128 + stopped.number
        finally:
            self.bar.stop()
        return self.summary()

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """One trial has ended."""
        self.ended += 1
        name = f"{in_words(trial.settings)} seed={trial.seed}"
        if outcome.state == DONE and outcome.results:
            first = outcome.results[0]
            what = f"{name}: {first.name} {first.value:.4g}"
        else:
            what = f"{name}: {outcome.state}, {reason(outcome.error)}"
        self.bar.update(self.ended, what if len(what) < 60 else f"{what[:59]}…")
        if not self.quiet and not is_terminal(sys.stderr):
            say(f"{self.ended} of {self.total}: {what}{self.left()}")

    def left(self) -> str:
        """The time left, from the trials that have ended in this run."""
        done = self.ended - self.before
        seconds = (time.monotonic() - self.start) / max(1, done) * (self.total - self.ended)
        return f" ({seconds:.0f} s left)" if seconds >= 1 else ""

    def summary(self) -> int:
        """Say how many trials ended in which way."""
        counts = self.store.counts()
        failed, refused = counts.get(FAILED, 0), counts.get(REFUSED, 0)
        if not self.quiet:
            others = sum(counts.values()) - counts.get(DONE, 0) - failed - refused
            words = [f"{counts.get(DONE, 0):,} trials done"]
            words += [f"{failed:,} failed (--retry runs them again)"] if failed else []
            words += [f"{refused:,} with settings that exclude each other"] if refused else []
            words += [f"{others:,} running in another sweep"] if others else []
            say(f"{', '.join(words)}; micrornn sweep report {self.store.path}")
        return 1 if failed else 0


class _Stopped(BaseException):
    """A signal asks the sweep to end."""

    def __init__(self, number: int) -> None:
        self.number = number


# -- settings ---------------------------------------------------------------------------------------


def _checked(source: str) -> tuple[str, bool]:
    """The source with an absolute path, and whether it takes a seed.

    Raises:
        ValueError: it names no task and no function.
    """
    from micrornn.sweep.trial import arguments
    from micrornn.tasks.source import open_file

    if source in TASKS:
        options = TASKS[source].options()
        TASKS[source].problem({})  # raises for a task that cannot be trained
        return source, "seed" in options
    if ".py" not in source:
        raise SweepError(f"no task {source!r}; {nearest(source, TASKS)} (your own: FILE.py:NAME)")
    file, name = open_file(source)
    takes = arguments(file.get(name))
    return f"{Path(file.path).resolve()}:{name}", "seed" in takes


def _converter(source: str) -> Any:
    """From the name of a setting and a text to its value, checked as `micrornn train` checks it."""
    from micrornn.sweep.grid import literal
    from micrornn.sweep.trial import LENGTH, arguments
    from micrornn.tasks.source import open_file

    if source not in TASKS:
        file, name = open_file(source)
        takes = arguments(file.get(name)) - {"seed", "checkpoint"}

        def checked(setting: str, text: str) -> Any:
            if setting not in takes:
                known = ", ".join(sorted(takes)) or "no settings"
                raise SweepError(f"{name}() has no argument {setting!r}; it takes {known}")
            return literal(text)

        return checked
    known = [*TASKS[source].options(), *SETTINGS, *LENGTH]
    types = _types()

    def converted(setting: str, text: str) -> Any:
        if setting == "seed":
            raise SweepError("give the number of seeds with --seeds; they count from 0")
        if setting not in known:
            close = nearest(setting, known)
            raise SweepError(f"{source} has no setting {setting!r}; {close}")
        if types[setting] is bool:
            value = literal(text)
            if not isinstance(value, bool):
                raise SweepError(f"{setting}={text}: give true or false")
            return value
        try:
            value = types[setting].convert(text, None, None)
        except click.BadParameter as error:
            raise SweepError(f"{setting}: {error.message}") from None
        return kept({setting: value})[setting]

    return converted


def _types() -> dict[str, Any]:
    """The type of each option of `micrornn train` by name."""
    from viz.commands.train import train

    if not _TYPES:
        for param in train.params:
            boolean = isinstance(param, click.Option) and param.is_flag and param.flag_value is True
            _TYPES[str(param.name)] = bool if boolean or param.type is click.BOOL else param.type
    return _TYPES
