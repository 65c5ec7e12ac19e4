"""``micrornn train``: a task, progress, checkpoints, and a table of what was reached."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from micrornn.optim.lr_scheduler import SCHEDULES
from micrornn.tasks.problem import OPTIMIZERS, TASKS
from micrornn.tasks.trained import absolute, digests, files_of, open_trained
from viz.commands.options import COUNT, FILE, POSITIVE, OneOf, takes_task
from viz.commands.shared import measured, progress
from viz.plots.canvas import FORMATS

if TYPE_CHECKING:
    from micrornn.optim import Optimizer
    from micrornn.optim.lr_scheduler import LRScheduler
    from micrornn.tasks.problem import Problem
    from micrornn.training import Report, Trainer

INTERRUPTED = 130
# What the training was begun with and cannot change on the way; kept in the checkpoint.
KEPT = (
    "optimizer",
    "lr",
    "clip",
    "clip_value",
    "schedule",
    "tbptt",
    "online",
    "incremental",
    "noise",
    "patience",
)
VALIDATE_EVERY = 20  # iterations


@click.command(epilog=f"Tasks: {', '.join(sorted(TASKS))}.")
@takes_task
@click.option("--optimizer", type=OneOf(tuple(OPTIMIZERS)), help="How the weights are changed.")
@click.option("--lr", type=POSITIVE, metavar="X", help="The learning rate.")
@click.option("--clip", type=POSITIVE, metavar="X", help="The largest norm of the gradient.")
@click.option("--clip-value", type=POSITIVE, metavar="X", help="The largest number in it.")
@click.option("--schedule", type=OneOf(SCHEDULES), help="How the learning rate changes.")
@click.option("--noise", type=POSITIVE, metavar="X", help="Noise on the gradient, which fades.")
@click.option("--tbptt", metavar="K1:K2", help="Update each K1 steps, go back through K2.")
@click.option(
    "--online",
    is_flag=False,
    flag_value="rtrl",
    type=OneOf(("rtrl", "uoro")),
    help="Learn forwards in time: by RTRL, or by uoro.",
)
@click.option("--incremental", is_flag=True, default=None, help="Go back from each loss alone.")
@click.option(
    "--patience", type=COUNT, metavar="N", help="Stop when N looks at kept data saw no fall."
)
@click.option("--iterations", type=COUNT, metavar="N", help="How many batches, in all.")
@click.option("--epochs", type=COUNT, metavar="N", help="The same, in passes over the data.")
@click.option("--checkpoint", type=FILE, metavar="FILE", help="Save to FILE (.npz).")
@click.option("--resume", is_flag=True, help="Go on from that file.")
@click.option("--log", type=FILE, metavar="FILE", help="Write each iteration to a .csv or .json.")
@click.option("--plot", type=FILE, metavar="FILE", help="Draw the losses to a .png, .svg or .pdf.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def train(
    task: str,
    options: dict[str, Any],
    checkpoint: str | None,
    resume: bool,
    log: str | None,
    plot: str | None,
    quiet: bool,
    iterations: int | None,
    epochs: int | None,
    **given: Any,
) -> int:
    """Train a network on TASK, and say what was reached and what was to be expected.

    Without a checkpoint nothing is kept. With one, training can be stopped at any moment (by Ctrl-C, or
    by force) and goes on with --resume as if it had not been.

    \b
    Examples:
      micrornn train hello
      micrornn train text --text book.txt --iterations 20 --checkpoint book.npz
      micrornn train text --checkpoint book.npz --resume --iterations 30
      micrornn train weather --csv prices.csv --column close --tbptt 5:10 --iterations 20
      micrornn train translate --pairs pairs.tsv --attention dot --iterations 20
      micrornn train stocks --online --iterations 10 --log stocks.csv --plot stocks.png
    """
    from micrornn.tasks.problem import task as find
    from micrornn.training import Log, read_log

    wanted = find(task)
    training = {name: given[name] for name in KEPT if given[name] is not None}
    if iterations and epochs:
        raise ValueError("--iterations and --epochs both say how long to train; give one of them")
    if resume:
        iterations, epochs = _as_before(task, checkpoint, options, training, iterations, epochs)
    _see_to_files(options, checkpoint, resume, log, plot)
    log_to = Log(log) if log else None
    draw_to = _drawable(plot) if plot else None
    problem = wanted.make(options)
    goal = epochs * problem.feed.per_epoch if epochs else iterations or problem.iterations
    trainer = make_trainer(problem, training, goal, watched=bool(log or plot))
    trainer.about = {
        "task": task,
        "options": absolute(options),
        "memory": problem.memory,
        "training": {**training, "iterations": goal},
        "files": digests(options),
    }
    if resume and checkpoint:
        trainer.resume(checkpoint)
        if log_to and trainer.iteration:
            log_to.go_on(trainer.iteration)
        if trainer.iteration >= goal:
            raise ValueError(
                f"{checkpoint} has made its {trainer.iteration} iterations; say how many it shall be in "
                f"all: --iterations {2 * trainer.iteration}"
            )
    if not quiet:
        click.echo(f"{task}: {problem.title}", err=True)
    reports: list[Report] = []
    try:
        with progress(trainer.iteration, goal, quiet) as tell:
            trainer.callbacks.append(lambda trainer, report: reports.append(report))
            trainer.callbacks += [tell, *([log_to] if log_to else [])]
            trainer.run(goal, checkpoint)
        if not trainer.interrupted:
            measured(problem.judged())
    finally:  # what was seen of a training that failed says why
        if draw_to and reports:
            _draw(read_log(log) if log else reports, problem, trainer, draw_to)
    if trainer.stopped and not quiet:
        click.echo(f"stopped after iteration {trainer.iteration}: no fall any more", err=True)
    if trainer.interrupted:
        kept = f"saved in {checkpoint}; go on with --resume" if checkpoint else "nothing was saved"
        click.echo(f"micrornn: interrupted after iteration {trainer.iteration}, {kept}", err=True)
        return INTERRUPTED
    return 0


def _see_to_files(
    options: dict[str, Any], checkpoint: str | None, resume: bool, log: str | None, plot: str | None
) -> None:
    """Before any work is done: what is to be written can be, and destroys nothing.

    Raises:
        ValueError: it cannot, or would.
    """
    from micrornn.tasks.output import all_apart, writable
    from micrornn.training import read_log

    if checkpoint and not resume and Path(checkpoint).exists():
        raise ValueError(
            f"{checkpoint} is there already; go on from it with --resume, or name another file"
        )
    all_apart(**files_of(options), checkpoint=checkpoint, log=log, plot=plot)
    for name in (checkpoint, log, plot):
        if name:
            writable(Path(name))
    if log and resume and Path(log).is_file():
        read_log(log)  # it has to be whole before more is written to it


def _draw(reports: list[Report], problem: Problem, trainer: Trainer, path: Path) -> None:
    from viz.plots.losses import LossesView
    from viz.render import write_whole

    view = LossesView(reports, problem.title, trainer.clip_norm)
    write_whole(path, view.file(path.suffix[1:].lower()))


def make_trainer(
    problem: Problem, training: dict[str, Any], iterations: int, watched: bool = False
) -> Trainer:
    """The trainer that the options ask for, and else the problem.

    Args:
        watched: whether somebody will see the loss on data that are not trained on.

    Raises:
        ValueError: options that do not go together.
    """
    from micrornn.training import RTRL, UORO, EarlyStopping, Trainer, Truncation

    name = training.get("optimizer", problem.optimizer)
    usual = {"sgd": 0.1, "adagrad": 0.1}.get(name, problem.lr)
    optimizer = OPTIMIZERS[name](problem.model.parameters(), lr=training.get("lr", usual))
    weights = list(problem.model.parameters())
    method = {"rtrl": RTRL, "uoro": UORO, None: None}[training.get("online")]
    truncation = training.get("tbptt")
    schedule, patience = training.get("schedule"), training.get("patience")
    judged = schedule == "plateau" or patience
    return Trainer(
        problem.model,
        optimizer,
        problem.feed,
        problem.objective,
        truncation=None if truncation is None else Truncation.parse(truncation),
        online=method(problem.objective, weights) if method else None,
        incremental=training.get("incremental", False),
        clip_norm=training.get("clip", problem.clip),
        clip_value=training.get("clip_value"),
        noise=training.get("noise", 0.0),
        schedule=_schedule(schedule, optimizer, iterations) if schedule else None,
        validate=_quietly(problem) if judged or (watched and problem.validate) else None,
        validate_every=VALIDATE_EVERY,
        stopping=EarlyStopping(patience) if patience else None,
    )


def _schedule(name: str, optimizer: Optimizer, iterations: int) -> LRScheduler:
    from micrornn.optim import lr_scheduler as schedules

    third = max(1, iterations // 3)
    if name == "step":
        return schedules.StepLR(optimizer, third)
    if name == "exponential":
        return schedules.ExponentialLR(optimizer, 0.01 ** (1 / iterations))
    if name == "cosine":
        return schedules.CosineAnnealingLR(optimizer, iterations)
    if name == "warmup":
        return schedules.WarmUp(optimizer, max(1, iterations // 10))
    return schedules.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)


def _quietly(problem: Problem) -> Any:
    """The validation loss with nothing recorded, and back to training."""
    from micrornn.core.context import no_grad

    if problem.validate is None:
        raise ValueError(
            "this task keeps no data to judge by; leave --patience out, or take --schedule step"
        )
    judge = problem.validate

    def validate() -> float:
        problem.model.eval()
        with no_grad():
            loss = judge()
        problem.model.train()
        return loss

    return validate


def _as_before(
    task: str,
    checkpoint: str | None,
    options: dict[str, Any],
    training: dict[str, Any],
    iterations: int | None,
    epochs: int | None,
) -> tuple[int | None, int | None]:
    """Take what was not given from the checkpoint; what was given must be the same.

    Raises:
        ValueError: there is no checkpoint, or it was made with something else.
    """
    if checkpoint is None:
        raise ValueError("--resume goes on from a file; name it: --checkpoint FILE")
    trained = open_trained(checkpoint)
    trained.check_data()
    if trained.task.name != task:
        raise ValueError(f"{checkpoint} is a checkpoint of {trained.task.name}, not of {task}")
    known = dict(trained.training)
    before = known.pop("iterations")
    for now, then in ((absolute(options), trained.options), (training, known)):
        for name, value in now.items():
            if then.get(name) != value:
                was = f"with {then[name]}" if name in then else "without it"
                raise ValueError(
                    f"--{name.replace('_', '-')} {value}: {checkpoint} was trained {was}; leave it out, "
                    "or begin a new checkpoint"
                )
    options.update(trained.options)
    training.update(known)
    return (before, None) if iterations is None and epochs is None else (iterations, epochs)


def _drawable(plot: str) -> Path:
    path = Path(plot)
    if path.suffix[1:].lower() not in FORMATS:
        raise ValueError(
            f"{plot}: losses are drawn as {', '.join(FORMATS)}; end the name in one of them"
        )
    return path
