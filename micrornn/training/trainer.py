"""The trainer: forward, backward, clip, step, repeat.

The loop is the usual one. It also stops at a loss that is NaN or infinite before the weights are damaged,
saves everything that determines the next iteration, and ends between two iterations at Ctrl-C or `kill`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.backward import grad
from micrornn.core.tensor import Tensor
from micrornn.data.feeds import Batch, Feed
from micrornn.nn.module import Module
from micrornn.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm
from micrornn.optim import Optimizer
from micrornn.optim.lr_scheduler import LRScheduler
from micrornn.training.checkpoint import load_checkpoint
from micrornn.training.compiling import MODES, CompiledObjective
from micrornn.training.log import Report
from micrornn.training.objective import Computed, Objective
from micrornn.training.saving import CheckpointFile, Identity, identity, interruptible
from micrornn.training.stopping import EarlyStopping
from micrornn.training.truncated import Truncation, as_arrays, chunks, detached, from_arrays
from micrornn.training.watching import Watch

if TYPE_CHECKING:
    from micrornn.training.online import OnlineGradient


class TrainingError(RuntimeError):
    """Training that cannot continue: what happened, at which iteration, and what to try."""


Callback = Callable[["Trainer", Report], None]


class Trainer:
    """Trains a model on a feed of batches.

    Args:
        model: the model; the optimizer changes its parameters.
        optimizer: made for ``model.parameters()``.
        feed: gives the batches.
        objective: from a batch and a state to losses; see `by_step`.
        truncation: for truncated BPTT; by default the gradient reaches the start of each batch.
        online: RTRL or UORO instead of backpropagation; see `micrornn.training.online`.
        incremental: run backward from the loss of each step, instead of once from their total. The
            gradient is the same; the time grows with the square of the number of steps.
        clip_norm: scale the gradients so that their total norm is at most this.
        clip_value: clip each element of each gradient between minus and plus this.
        compile: ``"on"`` runs the objective as a program (see `micrornn.compile`), ``"auto"`` where that is
            possible, ``"numba"`` with loops over small arrays as machine code, ``"off"`` never. Truncated,
            online and watched training is always eager.
        noise: eta of the annealed Gaussian noise on the gradients, with variance eta / (1 + t)^0.55 at update
            t (Neelakantan et al. 2015); added after clipping.
        schedule: sets the learning rate after each update.
        validate: the loss on held-out data, for ``stopping`` and the schedule.
        validate_every: iterations between two validations.
        stopping: when to stop early.
        callbacks: called with the trainer and a `Report` after each iteration; a `Watch` records some.
        seed: for the noise.

    Raises:
        ValueError: options exclude each other, or are out of range.

    >>> from micrornn import nn, optim
    >>> from micrornn.data.feeds import Stream
    >>> from micrornn.training.objective import by_step
    >>> wave = np.sin(np.arange(41.0))[:, np.newaxis]
    >>> model = nn.RNN(1, 1, rng=0)
    >>> trainer = Trainer(
    ...     model,
    ...     optim.Adam(model.parameters(), lr=0.05),
    ...     Stream(wave[:-1], wave[1:], steps=10),
    ...     by_step(model, nn.functional.mse_loss),
    ... )
    >>> reports = trainer.run(60)
    >>> reports[-1].loss < reports[0].loss / 2
    True
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        feed: Feed,
        objective: Objective,
        *,
        truncation: Truncation | None = None,
        online: OnlineGradient | None = None,
        incremental: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        noise: float = 0.0,
        schedule: LRScheduler | None = None,
        validate: Callable[[], float] | None = None,
        validate_every: int = 100,
        stopping: EarlyStopping | None = None,
        callbacks: Sequence[Callback] = (),
        compile: str = "off",
        seed: int = 0,
    ) -> None:
        if sum([truncation is not None, online is not None, incremental]) > 1:
            raise ValueError("truncation, online and incremental exclude each other; give one")
        if compile not in MODES:
            raise ValueError(f"compile={compile!r}; give 'auto', 'on', 'off' or 'numba'")
        eager = truncation is not None or online is not None or incremental
        if compile in ("on", "numba") and eager:
            raise ValueError(
                "truncated, online and incremental training is eager; leave compile out"
            )
        if stopping is not None and validate is None:
            raise ValueError("early stopping needs a validation loss; give validate as well")
        for name, value in (("clip_norm", clip_norm), ("clip_value", clip_value), ("noise", noise)):
            if value is not None and not value >= 0:
                raise ValueError(f"{name}={value!r}; give 0 or more")
        self.model, self.optimizer, self.feed = model, optimizer, feed
        self.objective = objective
        self.truncation = truncation.checked() if truncation else None
        self.online, self.incremental = online, incremental
        self.clip_norm, self.clip_value, self.noise = clip_norm, clip_value, noise
        self.schedule = schedule
        self.validate, self.validate_every, self.stopping = validate, validate_every, stopping
        self.callbacks = list(callbacks)
        eager = eager or compile == "off" or any(isinstance(c, Watch) for c in callbacks)
        self.compiled = None if eager else CompiledObjective(objective, compile)
        self.rng = np.random.default_rng(seed)
        self.iteration = 0
        self.updates = 0
        self.state: Any = None  # carried from one batch to the next
        self.interrupted = 0  # the number of the signal that ended training
        self.stopped = False
        self.about: dict[str, Any] = {}  # further data for checkpoints
        self._norm = 0.0
        self._known: tuple[str, Identity] = ("", None)  # the last checkpoint read or written
        self._params: list[Tensor] = list(model.parameters())

    # -- the loop ----------------------------------------------------------------------------------

    def run(
        self, iterations: int, checkpoint: str | Path | None = None, save_every: int = 100
    ) -> list[Report]:
        """Train until this number of iterations in total, those before resuming included.

        Training ends earlier if ``stopping`` says so, or at Ctrl-C, SIGTERM or SIGHUP: then the running
        iteration is finished, saved, and ``interrupted`` is the number of the signal. A second signal ends
        the program at once.

        Args:
            iterations: the total number.
            checkpoint: a new file, or the one that this trainer resumed from. It is saved before the first
                iteration, every ``save_every`` iterations, and at the end, also if that is an error.

        Raises:
            TrainingError: a loss or a gradient is NaN or infinite. The weights are those before it.
            CheckpointError: the checkpoint exists, or another training writes to it.
            OSError: the checkpoint or the file of a callback cannot be written.
        """
        reports: list[Report] = []
        self.model.train()
        if checkpoint is None:
            self._loop(iterations, reports, lambda: None, save_every)
            return reports
        path = str(Path(checkpoint).resolve())
        known = self._known[1] if self._known[0] == path else None
        with closing(CheckpointFile(checkpoint, known)) as file:

            def save() -> None:
                file.save(self)
                self._known = path, file.known

            save()
            self._loop(iterations, reports, save, save_every)
        return reports

    def _loop(
        self, iterations: int, reports: list[Report], save: Callable[[], None], save_every: int
    ) -> None:
        self.interrupted = 0
        # Overflow is found by the checks, whose messages say more than NumPy's warnings.
        with interruptible(self._interrupt), np.errstate(over="ignore", invalid="ignore"):
            try:
                while self.iteration < iterations and not (self.interrupted or self.stopped):
                    with ExitStack() as watches:
                        for callback in self.callbacks:
                            if isinstance(callback, Watch):
                                watches.enter_context(callback)
                        report = self.step()
                    if self.validate and self.iteration % self.validate_every == 0:
                        report = report._replace(validation=self._judge(self.validate()))
                    reports.append(report)
                    for callback in self.callbacks:
                        callback(self, report)
                    if self.iteration % save_every == 0:
                        save()
            except (TrainingError, OSError):  # raised between updates: the model is consistent
                save()
                raise
            save()

    def _interrupt(self, number: int) -> None:
        self.interrupted = number

    def step(self) -> Report:
        """One iteration: the next batch, forward, backward, update (several if truncated or online)."""
        batch = self.feed.next()
        state = None if batch.fresh else detached(self.state)
        if self.online:
            losses = self._online(batch, state)
        elif self.truncation:
            losses = self._truncated(batch, state)
        else:
            run = self.compiled or self.objective
            computed = run(batch, state)
            self._check(computed.total, computed.losses)
            if self.incremental:
                self._go_back_from_each(computed)
            elif not self.compiled:
                computed.total.backward()
            self.update()
            self.state = detached(computed.state)
            losses = [computed.total.item()], [loss.item() for loss in computed.losses]
        self.iteration += 1
        totals, by_step = losses
        mean = sum(totals) / len(totals)
        return Report(self.iteration, mean, by_step, self._norm, self._lr())

    def update(self) -> None:
        """Clip the gradients, add noise, step, and reset the gradients."""
        if self.clip_value is not None:
            clip_grad_value_(self._params, self.clip_value)
        if self.clip_norm is not None:
            self._norm = clip_grad_norm_(self._params, self.clip_norm)
        else:
            self._norm = get_total_norm([p.grad for p in self._params if p.grad is not None])
        if not math.isfinite(self._norm):
            self.optimizer.zero_grad()
            raise TrainingError(
                f"the gradient at iteration {self.iteration + 1} is {self._norm}, though the loss is "
                f"finite; the weights were left as they were before it. {ADVICE}"
            )
        if self.noise:
            deviation = math.sqrt(self.noise / (1 + self.updates) ** 0.55)
            for p in self._params:
                if p.grad is not None:
                    p.grad = p.grad + self.rng.normal(0.0, deviation, p.shape)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.updates += 1
        if self.schedule:
            self.schedule.after_update()

    # -- the gradient ------------------------------------------------------------------------------

    def _truncated(self, batch: Batch, state: Any) -> tuple[list[float], list[float]]:
        assert self.truncation is not None
        totals: list[float] = []
        losses: list[float] = []
        for chunk in chunks(self.objective, batch, state, self.truncation):
            computed = chunk.computed
            self._check(computed.total, computed.losses)
            self.update()
            totals.append(computed.total.item())
            losses += [loss.item() for loss in computed.losses]
            self.state = detached(computed.state)
        return totals, losses

    def _online(self, batch: Batch, state: Any) -> tuple[list[float], list[float]]:
        assert self.online is not None
        if batch.fresh:
            self.online.begin()
        totals = []
        for one in batch.cut(1):
            computed = self.online.observe(one)
            self._check(computed.total, computed.losses)
            self.update()
            totals.append(computed.total.item())
        return totals, totals

    def _go_back_from_each(self, computed: Computed) -> None:
        """Incremental: backward from the loss of each step, weighted as in the total."""
        shares = grad(computed.total, list(computed.losses))
        for loss, share in zip(computed.losses, shares):
            if share is not None and loss.requires_grad:
                loss.backward(share)

    # -- checks ------------------------------------------------------------------------------------

    def _check(self, total: Tensor, losses: Sequence[Tensor]) -> None:
        for callback in self.callbacks:
            if isinstance(callback, Watch):
                callback.note(total)
        if math.isfinite(total.item()):
            return
        bad = [loss.step for loss in losses if not math.isfinite(loss.item())]
        where = f", first at step {bad[0]}" if bad and bad[0] is not None else ""
        self.optimizer.zero_grad()
        raise TrainingError(
            f"the loss at iteration {self.iteration + 1} is {total.item()}{where}; the weights were "
            f"left as they were before it. {ADVICE}"
        )

    def _judge(self, loss: float) -> float:
        if self.schedule:
            self.schedule.judge(loss)
        if self.stopping and self.stopping.judge(loss):
            self.stopped = True
        return loss

    def _lr(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    # -- state -------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes, except the model, the optimizer and the feed."""
        others = {"schedule": self.schedule, "stopping": self.stopping, "online": self.online}
        return {
            "iteration": self.iteration,
            "updates": self.updates,
            "stopped": self.stopped,
            "noise": self.rng.bit_generator.state,
            "carried": as_arrays(self.state),
            **{name: part.state_dict() if part else None for name, part in others.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state of a trainer with the same options.

        Raises:
            ValueError: one of the two trainers has a schedule, early stopping or an online method and the
                other has not.
        """
        others = {"schedule": self.schedule, "stopping": self.stopping, "online": self.online}
        for name, part in others.items():
            if (part is None) != (state[name] is None):
                before, now = ("without", "with") if part else ("with", "without")
                raise ValueError(
                    f"it was trained {before} {name}, and this trainer is {now} {name}; give the options it "
                    "was trained with"
                )
        for name, part in others.items():
            if part is not None:
                part.load_state_dict(state[name])
        self.iteration, self.updates = state["iteration"], state["updates"]
        self.stopped = state["stopped"]
        self.rng.bit_generator.state = state["noise"]
        self.state = from_arrays(state["carried"])

    def resume(self, checkpoint: str | Path) -> dict[str, Any]:
        """Restore the state that was saved in a checkpoint.

        Returns:
            The ``about`` of the trainer that saved it.

        Raises:
            CheckpointError: the file is not a checkpoint, is damaged, or is of another model.
        """
        known = identity(checkpoint)
        about = load_checkpoint(checkpoint, self)
        self._known = str(Path(checkpoint).resolve()), known
        return about


ADVICE = (
    "Clip the gradient or lower the learning rate; micrornn diagnose shows where the gradient grows"
)
