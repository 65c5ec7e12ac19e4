"""Learning-rate schedules, under PyTorch's names: what the learning rate is as training goes on.

Each is a closed formula of the number of updates made so far, so that it can be read, drawn and resumed.
`ReduceLROnPlateau` alone depends on what was reached.
"""

from __future__ import annotations

import math
from typing import Any

from micrornn.optim import Optimizer


class Schedule:
    """Sets the learning rate of every group to its first value times `factor`; call `step` after each update.

    Args:
        optimizer: whose learning rates are set, at once and then at every `step`.

    Attributes:
        count: how many updates have been made.
        base: the learning rate that each group began with.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.count = 0
        self.base: list[float] = [group["lr"] for group in optimizer.param_groups]
        self._set()

    def factor(self, count: int) -> float:
        """What the learning rate is multiplied by after ``count`` updates."""
        raise NotImplementedError(
            f"{type(self).__name__} has no factor; define factor(self, count)"
        )

    def step(self) -> None:
        """One more update has been made."""
        self.count += 1
        self._set()

    def judge(self, loss: float) -> None:
        """A loss on data that are not trained on has been found; matters to `ReduceLROnPlateau` only."""

    def _set(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.base):
            group["lr"] = base * self.factor(self.count)

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes: numbers alone."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the schedule that gave ``state`` was.

        Raises:
            ValueError: it was a schedule of another kind.
        """
        if set(state) != set(self.state_dict()):
            raise ValueError(
                f"the state of a schedule with {', '.join(state)} does not fit {type(self).__name__}, "
                f"which has {', '.join(self.state_dict())}; make the schedule that was saved"
            )
        vars(self).update(state)
        self._set()


class StepLR(Schedule):
    """Multiplied by ``gamma`` once every ``step_size`` updates.

    >>> import micrornn as mr
    >>> rates(StepLR(mr.optim.SGD([mr.Value(0.0)], lr=1.0), step_size=2), 5)
    [1.0, 1.0, 0.1, 0.1, 0.01]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = _count("StepLR", "step_size", step_size)
        self.gamma = gamma
        super().__init__(optimizer)

    def factor(self, count: int) -> float:
        """gamma^(count // step_size)."""
        return float(self.gamma ** (count // self.step_size))


class ExponentialLR(Schedule):
    """Multiplied by ``gamma`` at every update.

    >>> import micrornn as mr
    >>> rates(ExponentialLR(mr.optim.SGD([mr.Value(0.0)], lr=1.0), gamma=0.5), 4)
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def factor(self, count: int) -> float:
        """gamma^count."""
        return float(self.gamma**count)


class CosineAnnealingLR(Schedule):
    """Down half a cosine, from the first learning rate to ``eta_min`` in ``T_max`` updates, and stays there.

    (Loshchilov & Hutter 2017, without restarts. PyTorch's goes up again after ``T_max``.)

    >>> import micrornn as mr
    >>> rates(CosineAnnealingLR(mr.optim.SGD([mr.Value(0.0)], lr=1.0), T_max=4), 6)
    [1.0, 0.853553, 0.5, 0.146447, 0.0, 0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = _count("CosineAnnealingLR", "T_max", T_max)
        self.eta_min = eta_min
        super().__init__(optimizer)

    def factor(self, count: int) -> float:
        """(1 + cos(pi count / T_max)) / 2, before ``eta_min`` is put under it."""
        return (1.0 + math.cos(math.pi * min(count, self.T_max) / self.T_max)) / 2.0

    def _set(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.base):
            group["lr"] = self.eta_min + (base - self.eta_min) * self.factor(self.count)


class WarmUp(Schedule):
    """Up in equal steps over the first ``updates`` updates, then as ``after`` says, if given.

    The first update is made with 1/updates of the learning rate, so that an optimizer's averages fill
    before it takes full steps.

    >>> import micrornn as mr
    >>> sgd = mr.optim.SGD([mr.Value(0.0)], lr=1.0)
    >>> rates(WarmUp(sgd, 4, after=ExponentialLR(sgd, 0.5)), 6)
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, updates: int, after: Schedule | None = None) -> None:
        self.updates = _count("WarmUp", "updates", updates)
        self.after = after
        super().__init__(optimizer)

    def factor(self, count: int) -> float:
        """(count + 1) / updates at first, and then what follows, counted from there."""
        if count < self.updates:
            return (count + 1) / self.updates
        return self.after.factor(count - self.updates + 1) if self.after else 1.0

    def state_dict(self) -> dict[str, Any]:
        """Its own numbers; what comes after is a formula of the same count."""
        return {name: value for name, value in super().state_dict().items() if name != "after"}


class ReduceLROnPlateau(Schedule):
    """Multiplied by ``gamma`` when the loss has not fallen for more than ``patience`` judgements.

    Falling means by more than ``threshold`` of the best so far, as in PyTorch.

    >>> import micrornn as mr
    >>> schedule = ReduceLROnPlateau(mr.optim.SGD([mr.Value(0.0)], lr=1.0), gamma=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.judge(loss)
    >>> schedule.optimizer.param_groups[0]["lr"]
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        gamma: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
    ) -> None:
        self.gamma = gamma
        self.patience = patience
        self.threshold = threshold
        self.best = math.inf
        self.waited = 0
        self.reductions = 0
        super().__init__(optimizer)

    def factor(self, count: int) -> float:
        """gamma^reductions."""
        return float(self.gamma**self.reductions)

    def judge(self, loss: float) -> None:
        """Wait once more, or take note of a better loss."""
        if loss < self.best * (1.0 - self.threshold):
            self.best, self.waited = loss, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.waited, self.reductions = 0, self.reductions + 1
        self._set()


SCHEDULES = ("step", "exponential", "cosine", "warmup", "plateau")


def rates(schedule: Schedule, updates: int) -> list[float]:
    """The learning rate of the first group at each of so many updates, to six digits."""
    seen = []
    for _ in range(updates):
        seen.append(round(schedule.optimizer.param_groups[0]["lr"], 6))
        schedule.step()
    return seen


def _count(kind: str, name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{kind}: {name}={value!r}; give a number of updates from 1 up")
    return value
