"""``micrornn train``: train a task, with progress, checkpoints, and a table of results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from micrornn.files import STDIN, check_distinct, check_writable
from micrornn.optim.lr_scheduler import SCHEDULES
from micrornn.tasks import task as find
from micrornn.tasks.trained import digests, files_of, kept, open_trained
from micrornn.tasks.training import ONLINE, OPTIMIZERS, SETTINGS, make_trainer, resume
from viz.commands.console import results, say
from viz.commands.help import OUTPUT, TRAINING, Command, F, option
from viz.commands.options import (
    COUNT,
    FILE,
    POSITIVE,
    QUIET_BUT_RESULTS,
    Integer,
    OneOf,
    takes_task,
)
from viz.commands.progress import iterations as progress
from viz.commands.progress import working
from viz.plots.canvas import FORMATS

if TYPE_CHECKING:
    from micrornn.tasks.problem import Problem
    from micrornn.training import Report, Trainer

SIGNALED = 128  # the exit code of a program that a signal ended is this and the signal's number
_MANY = Integer(1, 10**12)
_OPTIMIZER = OneOf(tuple(OPTIMIZERS))
_NOISE = "Gaussian noise on the gradient, decaying over time."
_ONLINE = "Learn online, forward in time, by RTRL [default] or UORO."
_PATIENCE = "Stop after N evaluations without improvement on held-out data."


def _training(*names: str, **settings: Any) -> Callable[[F], F]:
    return option(*names, section=TRAINING, **settings)


def _output(*names: str, **settings: Any) -> Callable[[F], F]:
    return option(*names, section=OUTPUT, **settings)


@click.command(cls=Command)
@takes_task
@option("--iterations", type=_MANY, help="Total number of batches to train on.")
@option("--epochs", type=COUNT, help="Total number of passes over the data.")
@option("--checkpoint", type=FILE, help="Save to FILE (.npz).")
@option("--resume", "resumes", is_flag=True, help="Resume from the checkpoint.")
@_training("--optimizer", type=_OPTIMIZER, help="Optimizer [default: adam].")
@_training("--lr", type=POSITIVE, help="Learning rate.")
@_training("--clip", type=POSITIVE, help="Clip the norm of the gradient.")
@_training("--clip-value", type=POSITIVE, help="Clip each element of the gradient.")
@_training("--schedule", type=OneOf(SCHEDULES), help="Learning rate schedule.")
@_training("--noise", type=POSITIVE, help=_NOISE)
@_training(
    "--tbptt", metavar="K1:K2", help="Truncated BPTT: update every K1 steps, backward through K2."
)
@_training("--online", is_flag=False, flag_value="rtrl", type=OneOf(tuple(ONLINE)), help=_ONLINE)
@_training(
    "--compile",
    type=OneOf(("auto", "on", "off", "numba")),
    default=None,
    help="Run the network as a compiled program; numba: with loops as machine code [default: auto].",
)
@_training(
    "--incremental",
    is_flag=True,
    default=None,
    help="Run backward from each step's loss alone.",
)
@_training("--patience", type=COUNT, help=_PATIENCE)
@_output("--log", type=FILE, help="Log each iteration to a .csv or .json file.")
@_output("--plot", type=FILE, help="Plot the losses to a .png, .svg or .pdf file.")
@QUIET_BUT_RESULTS
def train(
    task: str,
    options: dict[str, Any],
    checkpoint: str | None,
    resumes: bool,
    log: str | None,
    plot: str | None,
    quiet: bool,
    iterations: int | None,
    epochs: int | None,
    **given: Any,
) -> int:
    """Train a network on TASK, and print the result beside a baseline.

    Without --checkpoint, nothing is saved. With it, training resumes after Ctrl-C, kill or a crash, and the
    result is bit for bit the same as without the interruption.

    micrornn list names the tasks; micrornn train TASK --help shows the options of one.

    \b
    Examples:
      micrornn train hello
      micrornn train text --text book.txt --iterations 20 --checkpoint book.npz
      micrornn train text --checkpoint book.npz --resume --iterations 30
      micrornn train weather --csv prices.csv --column close --tbptt 5:10 --iterations 20
      micrornn train translate --pairs pairs.tsv --attention dot --iterations 20
      micrornn train stocks --online --iterations 10 --log stocks.csv --plot stocks.png
    """
    from micrornn.training import Log, read_log

    wanted = find(task)
    settings = {name: given[name] for name in SETTINGS if given[name] is not None}
    if iterations and epochs:
        raise ValueError("--iterations and --epochs exclude each other; give one")
    if resumes:
        if checkpoint is None:
            raise ValueError("--resume needs a file to resume from: --checkpoint FILE")
        saved = resume(open_trained(checkpoint), task, options, settings)
        options, settings = saved[:2]
        iterations = saved[2] if iterations is None and epochs is None else iterations
    _check_files(options, checkpoint, resumes, log, plot)
    log_to = Log(log) if log else None
    about = {} if checkpoint is None else {"options": kept(options), "files": digests(options)}
    with working(f"preparing {task}", quiet):
        problem = wanted.problem(options)
    goal = epochs * problem.feed.per_epoch if epochs else iterations or problem.iterations
    trainer = make_trainer(problem, settings, goal, watched=bool(log or plot))
    trainer.about = {
        **{"task": task, **about, "memory": problem.memory},
        "training": {**settings, "iterations": goal},
    }
    if resumes and checkpoint:
        trainer.resume(checkpoint)
        if trainer.iteration >= goal:
            raise ValueError(
                f"{checkpoint} has completed its {trainer.iteration} iterations; give a larger total, such "
                f"as --iterations {2 * trainer.iteration}"
            )
    if log_to:
        log_to.check(trainer.iteration)
    if not quiet:
        say(f"{task}: {problem.title}")
        for remark in problem.remarks:
            say(remark)
    if problem.pretrained and not trainer.iteration:
        results(problem.evaluate())
        if iterations is None and epochs is None:
            if not quiet:
                say(f"not trained further; to train, add --iterations {problem.iterations}")
            return 0
    reports: list[Report] = []
    try:
        with progress(trainer.iteration, goal, quiet) as tell:
            trainer.callbacks.append(lambda trainer, report: reports.append(report))
            trainer.callbacks += [tell, *([log_to] if log_to else [])]
            trainer.run(goal, checkpoint)
        if not trainer.interrupted:
            with working("evaluating", quiet):
                measures = problem.evaluate()
            results(measures)
    finally:  # the plot of a training that failed shows why
        if plot and reports:
            _plot(read_log(log) if log else reports, problem, trainer, Path(plot))
    if trainer.stopped and not quiet:
        say(f"stopped early, after iteration {trainer.iteration}: no improvement on held-out data")
    if trainer.interrupted:
        where = f"saved in {checkpoint}; resume with --resume" if checkpoint else "not saved"
        say(f"micrornn: interrupted after iteration {trainer.iteration}, {where}")
        return SIGNALED + trainer.interrupted
    return 0


def _check_files(
    options: dict[str, Any],
    checkpoint: str | None,
    resumes: bool,
    log: str | None,
    plot: str | None,
) -> None:
    """Check before the training that its files can be written, and that none is overwritten.

    Raises:
        ValueError: says which file cannot be used.
    """
    if checkpoint == STDIN:
        raise ValueError("a checkpoint is written many times, so it cannot be stdout; give a file")
    if checkpoint and Path(checkpoint).exists() and not Path(checkpoint).is_file():
        raise ValueError(f"{checkpoint} is not a file; give a file for the checkpoint")
    if checkpoint and not resumes and Path(checkpoint).exists():
        raise ValueError(f"{checkpoint} exists; resume from it with --resume, or give another file")
    if plot and Path(plot).suffix[1:].lower() not in FORMATS:
        raise ValueError(f"{plot}: losses are plotted as {', '.join(FORMATS)}; rename the file")
    check_distinct(**files_of(options), checkpoint=checkpoint, log=log, plot=plot)
    for name in (checkpoint, log, plot):
        if name:
            check_writable(Path(name))


def _plot(reports: list[Report], problem: Problem, trainer: Trainer, path: Path) -> None:
    from viz.plots.losses import LossesView
    from viz.render import write_whole

    view = LossesView(reports, problem.title, trainer.clip_norm)
    write_whole(path, view.file(path.suffix[1:].lower()))
