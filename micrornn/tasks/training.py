"""Training a task: from the settings of ``micrornn train`` to a trainer, and resuming from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from micrornn import optim
from micrornn.core.context import no_grad
from micrornn.messages import flag
from micrornn.optim import Optimizer
from micrornn.optim import lr_scheduler as schedules
from micrornn.optim.lr_scheduler import LRScheduler
from micrornn.tasks.problem import Problem
from micrornn.tasks.trained import Trained, kept
from micrornn.training import RTRL, UORO, EarlyStopping, Trainer, Truncation

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": optim.SGD,
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
}
ONLINE: dict[str, Callable[..., Any]] = {"rtrl": RTRL, "uoro": UORO}
# What training starts with and keeps until its end; saved in the checkpoint.
SETTINGS = (
    *("optimizer", "lr", "clip", "clip_value", "schedule"),
    *("tbptt", "online", "incremental", "noise", "patience", "compile"),
)
VALIDATE_EVERY = 20  # iterations


def make_trainer(
    problem: Problem, settings: dict[str, Any], iterations: int, watched: bool = False
) -> Trainer:
    """The trainer of a problem, with these settings and otherwise those of the problem.

    Args:
        watched: whether the loss on held-out data is shown to somebody.

    Raises:
        ValueError: settings exclude each other, or the problem does not allow them.
    """
    name = settings.get("optimizer", "adam")
    usual = {"sgd": 0.1, "adagrad": 0.1}.get(name, problem.lr)
    parameters = list(problem.model.parameters())
    optimizer = OPTIMIZERS[name](parameters, lr=settings.get("lr", usual))
    truncation, online = settings.get("tbptt"), settings.get("online")
    schedule, patience = settings.get("schedule"), settings.get("patience")
    needed_by = "--patience" if patience else "--schedule plateau" if schedule == "plateau" else ""
    if needed_by and not problem.validate:
        raise ValueError(f"{needed_by} needs held-out data, which this task has not; leave it out")
    if settings.get("compile") == "numba" and find_spec("numba") is None:
        raise ValueError(
            "--compile numba needs Numba: pip install 'micrornn[fast]'; --compile on does without"
        )
    validated = problem.validate if watched or needed_by else None
    return Trainer(
        problem.model,
        optimizer,
        problem.feed,
        problem.objective,
        truncation=None if truncation is None else Truncation.parse(truncation),
        online=ONLINE[online](problem.objective, parameters) if online else None,
        incremental=settings.get("incremental", False),
        clip_norm=settings.get("clip", problem.clip),
        clip_value=settings.get("clip_value"),
        noise=settings.get("noise", 0.0),
        schedule=_schedule(schedule, optimizer, iterations) if schedule else None,
        validate=_validation(problem, validated) if validated else None,
        validate_every=VALIDATE_EVERY,
        stopping=EarlyStopping(patience) if patience else None,
        compile=settings.get("compile", "auto"),
    )


def _schedule(name: str, optimizer: Optimizer, iterations: int) -> LRScheduler:
    if name == "step":
        return schedules.StepLR(optimizer, max(1, iterations // 3))
    if name == "exponential":
        return schedules.ExponentialLR(optimizer, 0.01 ** (1 / iterations))
    if name == "cosine":
        return schedules.CosineAnnealingLR(optimizer, iterations)
    if name == "warmup":
        return schedules.WarmUp(optimizer, max(1, iterations // 10))
    return schedules.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)


def _validation(problem: Problem, loss: Callable[[], float]) -> Callable[[], float]:
    """The loss on held-out data, in evaluation mode and with nothing recorded."""

    def validate() -> float:
        problem.model.eval()
        with no_grad():
            found = loss()
        problem.model.train()
        return found

    return validate


def resume(
    trained: Trained, task: str, options: dict[str, Any], settings: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], int]:
    """The options, settings and iterations of a checkpoint; what is given has to be the same.

    Raises:
        ValueError: the checkpoint is of another task, or was trained with other options.
    """
    trained.check_data()
    path, known = trained.path, dict(trained.settings)
    iterations: int = known.pop("iterations")
    if trained.task.name != task:
        raise ValueError(f"{path} is a checkpoint of {trained.task.name}, not of {task}")
    for given, saved in ((kept(options), trained.options), (settings, known)):
        for name, value in given.items():
            if saved.get(name) != value:
                was = f"with {saved[name]}" if name in saved else "without it"
                raise ValueError(
                    f"{flag(name)} {value}: {path} was trained {was}; leave the option out, or start a new "
                    "checkpoint"
                )
    return trained.options, known, iterations
