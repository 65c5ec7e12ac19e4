"""The trainer: forward, backward, clip, step, again and again.

The loop is the one everybody writes. What it adds is bookkeeping: it stops at a loss that is no number
before the weights are spoilt, it saves everything that makes the next iteration what it is, and Ctrl-C ends
it between two iterations, not within one.
"""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from micrornn.core.backward import grad
from micrornn.core.tensor import Tensor
from micrornn.data.feeds import Batch, Feed
from micrornn.nn.module import Module
from micrornn.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm
from micrornn.optim import Optimizer
from micrornn.optim.lr_scheduler import LRScheduler
from micrornn.training.checkpoint import load_checkpoint, save_checkpoint
from micrornn.training.objective import Computed, Objective
from micrornn.training.stopping import EarlyStopping
from micrornn.training.truncated import (
    Truncation,
    as_arrays,
    chunks,
    detached,
    from_arrays,
)

if TYPE_CHECKING:
    from micrornn.training.online import OnlineGradient


class TrainingError(RuntimeError):
    """Training that cannot go on: what happened, when, and what to try."""


class Report(NamedTuple):
    """One iteration: its loss, the loss of each step, the gradient's norm before clipping, the learning rate.

    ``norm`` is that of the iteration's last update, where it makes several; ``validation`` the loss on data
    that are not trained on, at the iterations at which it was asked for.
    """

    iteration: int
    loss: float
    losses: list[float]
    norm: float
    lr: float
    validation: float | None = None


Callback = Callable[["Trainer", Report], None]


class Trainer:
    """Trains a model on a feed of batches.

    Args:
        model: whose parameters the optimizer changes.
        optimizer: made for ``model.parameters()``.
        feed: gives the batches.
        objective: from a batch and a state to losses; see `by_step`.
        truncation: for truncated BPTT; without one, the gradient goes back to the start of each batch.
        online: RTRL or UORO in the place of backpropagation; see `micrornn.training.online`.
        incremental: go back from each step's loss on its own, instead of once from their total. The
            gradient is the same; the time grows with the square of the steps.
        clip_norm: scale the gradients so that their common norm is at most this.
        clip_value: hold each number of each gradient between minus and plus this.
        noise: eta of the annealed Gaussian noise on the gradients, whose variance at update t is
            eta / (1 + t)^0.55 (Neelakantan et al. 2015); added after clipping. Off by default.
        schedule: sets the learning rate; told after each update.
        validate: the loss on data that are not trained on; judged by ``stopping``, told to the schedule.
        validate_every: iterations between two such judgements.
        stopping: when to end early.
        callbacks: called with the trainer and a `Report` after each iteration.
        seed: for the noise.

    Raises:
        ValueError: options that exclude each other, or are out of range.

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
        seed: int = 0,
    ) -> None:
        if sum([truncation is not None, online is not None, incremental]) > 1:
            raise ValueError("give one of truncation, online and incremental")
        if stopping is not None and validate is None:
            raise ValueError("early stopping judges a loss; give validate as well")
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
        self.rng = np.random.default_rng(seed)
        self.iteration = 0
        self.updates = 0
        self.state: Any = None  # what is carried from one batch to the next
        self.interrupted = False
        self.stopped = False
        self.about: dict[str, Any] = {}  # what a checkpoint should say besides
        self._norm = 0.0
        self._params: list[Tensor] = list(model.parameters())

    # -- the loop ----------------------------------------------------------------------------------

    def run(
        self, iterations: int, checkpoint: str | Path | None = None, save_every: int = 100
    ) -> list[Report]:
        """Train until so many iterations have been made in all, those before a resumption included.

        Ends earlier when stopping says so, or at Ctrl-C: then ``interrupted`` is true, the iteration that
        was under way has been finished, and it is all in the checkpoint. A second Ctrl-C does not wait.

        Args:
            iterations: the number to be reached.
            checkpoint: a file to save to before the first iteration, every ``save_every`` iterations, and at
                the end, also where an error is the end.

        Raises:
            TrainingError: a loss or a gradient is nan or infinite. The weights are those before it.
            OSError: the checkpoint, or what a callback writes, cannot be written.
        """
        reports = []
        self.model.train()
        if checkpoint:
            save_checkpoint(checkpoint, self)
        # What overflows is found by the checks, which say more than NumPy's warnings.
        with self._interruptible(), np.errstate(over="ignore", invalid="ignore"):
            try:
                while self.iteration < iterations and not (self.interrupted or self.stopped):
                    report = self.step()
                    if self.validate and self.iteration % self.validate_every == 0:
                        report = report._replace(validation=self._judge(self.validate()))
                    reports.append(report)
                    for callback in self.callbacks:
                        callback(self, report)
                    if checkpoint and self.iteration % save_every == 0:
                        save_checkpoint(checkpoint, self)
            except (TrainingError, OSError):  # raised between updates, so what was learnt is whole
                if checkpoint:
                    save_checkpoint(checkpoint, self)
                raise
            if checkpoint:
                save_checkpoint(checkpoint, self)
        return reports

    def step(self) -> Report:
        """One iteration: the next batch, forward, backward, update (several, when truncated or online)."""
        batch = self.feed.next()
        state = None if batch.fresh else detached(self.state)
        if self.online:
            losses = self._online(batch, state)
        elif self.truncation:
            losses = self._truncated(batch, state)
        else:
            computed = self.objective(batch, state)
            self._check(computed.total, computed.losses)
            if self.incremental:
                self._go_back_from_each(computed)
            else:
                computed.total.backward()
            self.update()
            self.state = detached(computed.state)
            losses = [computed.total.item()], [loss.item() for loss in computed.losses]
        self.iteration += 1
        totals, by_step = losses
        mean = sum(totals) / len(totals)
        return Report(self.iteration, mean, by_step, self._norm, self._lr())

    def update(self) -> None:
        """With the gradients as they are: clip, add noise, step, and forget them."""
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
                f"finite; no clipping cures that, and the weights were left as they were. {ADVICE}"
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

    # -- ways to the gradient ----------------------------------------------------------------------

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
        """Incremental: each step's loss goes back on its own, by what it counts in the total."""
        shares = grad(computed.total, list(computed.losses))
        for loss, share in zip(computed.losses, shares):
            if share is not None and loss.requires_grad:
                loss.backward(share)

    # -- looking after it --------------------------------------------------------------------------

    def _check(self, total: Tensor, losses: Sequence[Tensor]) -> None:
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

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """While training, Ctrl-C only asks for the end; a second one is Python's again."""
        self.interrupted = False
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def ask(number: int, frame: Any) -> None:
            self.interrupted = True
            signal.signal(signal.SIGINT, before)

        signal.signal(signal.SIGINT, ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    # -- its state ---------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes and is not in the model, the optimizer or the feed."""
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
        """Go on where the trainer that gave ``state`` was; the options have to be the same.

        Raises:
            ValueError: this trainer has a schedule, a stopping or an online method, and that one had none
                (or the other way round).
        """
        others = {"schedule": self.schedule, "stopping": self.stopping, "online": self.online}
        for name, part in others.items():
            if (part is None) != (state[name] is None):
                had, has = ("no", "a") if part else ("a", "no")
                raise ValueError(
                    f"it was trained with {had} {name}, and is to go on with {has} {name}; give the "
                    "options it was begun with"
                )
        for name, part in others.items():
            if part is not None:
                part.load_state_dict(state[name])
        self.iteration, self.updates = state["iteration"], state["updates"]
        self.stopped = state["stopped"]
        self.rng.bit_generator.state = state["noise"]
        self.state = from_arrays(state["carried"])

    def resume(self, checkpoint: str | Path) -> None:
        """Go on where the trainer was that saved this file.

        Raises:
            CheckpointError: it is no checkpoint, is damaged, or is of another model.
        """
        load_checkpoint(checkpoint, self)


ADVICE = "Clip the gradient, or lower the learning rate; micrornn diagnose shows where it grows"
