"""Schedules that are a formula of the number of updates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from micrornn.optim.lr_scheduler.base import LRScheduler
from micrornn.optim.optimizer import Optimizer
from micrornn.options import check


class StepLR(LRScheduler):
    """Multiplied by ``gamma`` once every ``step_size`` steps.

    >>> import micrornn as mr
    >>> from micrornn.optim.lr_scheduler import rates
    >>> rates(StepLR(mr.optim.SGD([mr.Value(0.0)], lr=1.0), step_size=2), 5)
    [1.0, 1.0, 0.1, 0.1, 0.01]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check("StepLR", step_size=step_size, gamma=gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        """gamma^(epoch // step_size)."""
        return float(self.gamma ** (epoch // self.step_size))


class MultiStepLR(LRScheduler):
    """Multiplied by ``gamma`` at each of the ``milestones``.

    >>> import micrornn as mr
    >>> from micrornn.optim.lr_scheduler import rates
    >>> rates(MultiStepLR(mr.optim.SGD([mr.Value(0.0)], lr=1.0), milestones=[1, 3]), 5)
    [1.0, 0.1, 0.1, 0.01, 0.01]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        check("MultiStepLR", milestones=milestones, gamma=gamma)
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        """gamma to the number of milestones that have been reached."""
        return float(self.gamma ** sum(epoch >= milestone for milestone in self.milestones))

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Resume; see `LRScheduler.load_state_dict`. PyTorch saves how often each milestone counts."""
        state = dict(state_dict)
        if isinstance(milestones := state.get("milestones"), Mapping):
            state["milestones"] = [m for m, times in milestones.items() for _ in range(times)]
        super().load_state_dict(state)


class ExponentialLR(LRScheduler):
    """Multiplied by ``gamma`` at every step.

    >>> import micrornn as mr
    >>> from micrornn.optim.lr_scheduler import rates
    >>> rates(ExponentialLR(mr.optim.SGD([mr.Value(0.0)], lr=1.0), gamma=0.5), 4)
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        check("ExponentialLR", gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        """gamma^epoch."""
        return float(self.gamma**epoch)


class LinearLR(LRScheduler):
    """From ``start_factor`` of the learning rate to ``end_factor`` of it in ``total_iters`` equal steps.

    >>> import micrornn as mr
    >>> from micrornn.optim.lr_scheduler import rates
    >>> rates(LinearLR(mr.optim.SGD([mr.Value(0.0)], lr=1.0), 0.5, total_iters=2), 4)
    [0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check("LinearLR", start_factor=start_factor, end_factor=end_factor, total_iters=total_iters)
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        """start_factor + (end_factor - start_factor) epoch / total_iters, and then end_factor."""
        share = min(epoch, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share


class LambdaLR(LRScheduler):
    """The initial learning rate times a function of the number of steps.

    Args:
        optimizer: whose learning rates are set.
        lr_lambda: the function, or one per group. It is not in the `state_dict`.
        last_epoch: see `LRScheduler`.

    >>> import micrornn as mr
    >>> from micrornn.optim.lr_scheduler import rates
    >>> rates(LambdaLR(mr.optim.SGD([mr.Value(0.0)], lr=1.0), lambda epoch: 1 / (1 + epoch)), 3)
    [1.0, 0.5, 0.333333]
    """

    not_saved = ("optimizer", "lr_lambdas")

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        groups = len(getattr(optimizer, "param_groups", [()]))
        several = isinstance(lr_lambda, (list, tuple))
        self.lr_lambdas: list[Callable[[int], float]] = (
            list(lr_lambda) if several else [lr_lambda] * groups
        )
        if len(self.lr_lambdas) != groups or not all(map(callable, self.lr_lambdas)):
            raise ValueError(
                f"LambdaLR: lr_lambda={lr_lambda!r}; give a function of the number of steps, or one for each "
                f"of the {groups} groups"
            )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The initial learning rate of each group times its function."""
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.lr_lambdas)]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine down, from the initial learning rate to ``eta_min`` in ``T_max`` steps, then up again.

    (Loshchilov & Hutter 2017, without restarts.)

    >>> import micrornn as mr
    >>> from micrornn.optim.lr_scheduler import rates
    >>> rates(CosineAnnealingLR(mr.optim.SGD([mr.Value(0.0)], lr=1.0), T_max=4), 6)
    [1.0, 0.853553, 0.5, 0.146447, 0.0, 0.146447]
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        check("CosineAnnealingLR", T_max=T_max, eta_min=eta_min)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    @property
    def floor(self) -> float:  # type: ignore[override]
        """The least learning rate."""
        return self.eta_min

    def factor(self, epoch: int) -> float:
        """(1 + cos(pi epoch / T_max)) / 2, of the part above eta_min."""
        return (1.0 + math.cos(math.pi * epoch / self.T_max)) / 2.0


class WarmUp(LRScheduler):
    """Linear warm-up over the first ``updates`` updates, then the schedule ``after``, if given.

    The first update is made with 1/updates of the learning rate, so that an optimizer's averages settle
    before it takes full steps.

    >>> import micrornn as mr
    >>> from micrornn.optim.lr_scheduler import rates
    >>> sgd = mr.optim.SGD([mr.Value(0.0)], lr=1.0)
    >>> rates(WarmUp(sgd, 4, after=ExponentialLR(sgd, 0.5)), 6)
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """

    not_saved = ("optimizer", "after")

    def __init__(
        self,
        optimizer: Optimizer,
        updates: int,
        after: LRScheduler | None = None,
        last_epoch: int = -1,
    ) -> None:
        check("WarmUp", updates=updates)
        if after is not None and getattr(after, "optimizer", None) is not optimizer:
            raise ValueError(
                f"WarmUp: after={after!r}; give a schedule of the same optimizer, or None"
            )
        self.updates, self.after = updates, after
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        """(epoch + 1) / updates, at most 1."""
        return min((epoch + 1) / self.updates, 1.0)

    def step(self) -> None:
        """One step of the warm-up, or, after it, of the next schedule."""
        if self.after is None or self.last_epoch + 1 < self.updates:
            super().step()
        else:
            self.last_epoch += 1
            self.after.step()
            self._last_lr = self._now()

    def state_dict(self) -> dict[str, Any]:
        """Its own state, and that of the next schedule."""
        after = {} if self.after is None else {"after": self.after.state_dict()}
        return {**super().state_dict(), **after}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Resume both; see `LRScheduler.load_state_dict`."""
        if ("after" in state_dict) is not (self.after is not None):
            raise ValueError(
                "the state of WarmUp was saved with another `after`; make the schedule that was saved"
            )
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "after"})
        if self.after is not None:
            self.after.load_state_dict(state_dict["after"])
            self._last_lr = self._now()
