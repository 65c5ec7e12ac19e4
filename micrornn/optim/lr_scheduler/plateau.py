"""A schedule that lowers the learning rate when the loss stops improving."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from micrornn.optim.lr_scheduler.base import LRScheduler
from micrornn.optim.optimizer import Optimizer
from micrornn.options import NOT_NEGATIVE, check


class ReduceLROnPlateau(LRScheduler):
    """Multiplied by ``factor`` when the loss has not improved for more than ``patience`` steps.

    A step is one measurement of the loss, not one update: ``schedule.step(loss)``.

    Args:
        optimizer: whose learning rates are set.
        mode: ``"min"`` if lower is better, ``"max"`` if higher is.
        factor: what the learning rate is multiplied by, below 1.
        patience: the number of measurements without improvement to wait for.
        threshold: the least improvement on the best measurement that counts.
        threshold_mode: ``"rel"``, a share of the best; or ``"abs"``.
        cooldown: the number of measurements to ignore after a reduction.
        min_lr: the lower bound of the learning rate; one for all groups, or one for each.
        eps: the smallest change of a learning rate that is made.

    Raises:
        ValueError: an option is invalid.

    >>> import micrornn as mr
    >>> schedule = ReduceLROnPlateau(mr.optim.SGD([mr.Value(0.0)], lr=1.0), factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.5]
    """

    mode: str
    factor: float  # type: ignore[assignment]  # PyTorch's name; there is no formula here
    patience: int
    threshold: float
    threshold_mode: str
    cooldown: int
    eps: float

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Any = 0.0,
        eps: float = 1e-8,
    ) -> None:
        options = {"mode": mode, "factor": factor, "patience": patience, "threshold": threshold}
        options |= {"threshold_mode": threshold_mode, "cooldown": cooldown, "eps": eps}
        check("ReduceLROnPlateau", **options)
        super().__init__(optimizer)
        vars(self).update(options)
        groups = len(optimizer.param_groups)
        self.min_lrs = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * groups
        if len(self.min_lrs) != groups or not all(map(NOT_NEGATIVE.holds, self.min_lrs)):
            raise ValueError(
                f"ReduceLROnPlateau: min_lr={min_lr!r}; give {NOT_NEGATIVE.words}, or one for each of the "
                f"{groups} groups"
            )
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0

    def get_lr(self) -> list[float]:
        """The current learning rates."""
        return self._now()

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Record a measurement, and lower the learning rates if it is time.

        Args:
            metrics: the loss or another measurement, one number.
        """
        self.last_epoch += 1
        measured = float(metrics)
        if self._is_better(measured):
            self.best, self.num_bad_epochs = measured, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        lrs = self._now()
        if self.num_bad_epochs > self.patience:
            lower = [max(lr * self.factor, least) for lr, least in zip(lrs, self.min_lrs)]
            lrs = [new if lr - new > self.eps else lr for lr, new in zip(lrs, lower)]
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._set(lrs)

    def _is_better(self, measured: float) -> bool:
        down = self.mode == "min"
        slack = -self.threshold if down else self.threshold
        bar = self.best * (1.0 + slack) if self.threshold_mode == "rel" else self.best + slack
        return measured < bar if down else measured > bar

    def after_update(self) -> None:
        """Updates do not change the schedule."""

    def judge(self, loss: float) -> None:
        """Record a measurement; see `step`."""
        self.step(loss)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Resume; see `LRScheduler.load_state_dict`."""
        state = {"base_lrs": self.base_lrs, **state_dict}  # which PyTorch does not save here
        if "gamma" in state:  # its name in an earlier version
            state["factor"] = state.pop("gamma")
        super().load_state_dict(state)
