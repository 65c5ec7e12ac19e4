"""The one-cycle schedule (Smith & Topin 2019)."""

from __future__ import annotations

import math
from typing import Any

from micrornn.optim.lr_scheduler.base import LRScheduler
from micrornn.optim.optimizer import Optimizer
from micrornn.options import POSITIVE, SHARE, SIZE, check


class OneCycleLR(LRScheduler):
    """Up from ``max_lr / div_factor`` to ``max_lr``, and down to the first divided by ``final_div_factor``.

    The momentum moves in the opposite direction.

    Args:
        optimizer: whose learning rates are set.
        max_lr: the largest, one for all groups or one for each.
        total_steps: the number of steps; or give ``epochs`` and ``steps_per_epoch``.
        pct_start: the share of steps with a rising learning rate.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: whether to set ``momentum``, or the first of the ``betas``.
        base_momentum, max_momentum: the range of the momentum, for all groups or one for each.
        div_factor, final_div_factor: see above.
        three_phase: whether to fall in two phases, first to the initial rate, as fast as it rose.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: an option is invalid, the optimizer has no momentum to set, or there are more steps than
            ``total_steps``.

    >>> import micrornn as mr
    >>> sgd = mr.optim.SGD([mr.Value(0.0)], lr=1.0, momentum=0.9)
    >>> schedule = OneCycleLR(sgd, max_lr=1.0, total_steps=5, pct_start=0.4, anneal_strategy="linear")
    >>> lrs = schedule.get_last_lr()
    >>> for _ in range(4):
    ...     schedule.step()
    ...     lrs += schedule.get_last_lr()
    >>> [round(lr, 4) for lr in lrs]
    [0.04, 1.0, 0.6667, 0.3333, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.85,
        max_momentum: Any = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.total_steps = _steps(total_steps, epochs, steps_per_epoch)
        check("OneCycleLR", pct_start=pct_start, anneal_strategy=anneal_strategy)
        check("OneCycleLR", cycle_momentum=cycle_momentum, three_phase=three_phase)
        check("OneCycleLR", div_factor=div_factor, final_div_factor=final_div_factor)
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, cycle_momentum
        groups = getattr(optimizer, "param_groups", [])
        largest = _each("max_lr", max_lr, POSITIVE, len(groups))
        first = [lr / div_factor for lr in largest]
        last = [lr / final_div_factor for lr in first]
        low = _each("base_momentum", base_momentum, SHARE, len(groups))
        high = _each("max_momentum", max_momentum, SHARE, len(groups))
        rise = pct_start * self.total_steps
        # Each phase: its last step, and the learning rates and momenta at its two ends.
        self.phases: list[Any] = [[rise - 1, [first, largest], [high, low]]]
        if three_phase:
            self.phases += [[2 * rise - 2, [largest, first], [low, high]]]
            self.phases += [[self.total_steps - 1, [first, last], [high, high]]]
        else:
            self.phases += [[self.total_steps - 1, [largest, last], [low, high]]]
        if cycle_momentum and not all("momentum" in g or "betas" in g for g in groups):
            raise ValueError(
                "OneCycleLR: the optimizer has neither momentum nor betas; give cycle_momentum=False"
            )
        if last_epoch == -1:
            for group, lr in zip(groups, first):
                group["initial_lr"] = lr
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rates of the current phase; also sets the momentum."""
        epoch = self.last_epoch
        if epoch > self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {epoch} is after the last, {self.total_steps}; set total_steps to the "
                "number of updates"
            )
        begin = 0.0
        for end, lrs, momenta in self.phases:  # noqa: B007 - the last one holds afterwards
            if epoch <= end:
                break
            begin = end
        else:
            begin = self.phases[-2][0]
        share = (epoch - begin) / (end - begin) if end > begin else 1.0
        if self.cycle_momentum:
            for group, first, last in zip(self.optimizer.param_groups, *momenta):
                momentum = self._between(first, last, share)
                if "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        return [self._between(first, last, share) for first, last in zip(*lrs)]

    def _between(self, begin: float, end: float, share: float) -> float:
        if self.anneal_strategy == "cos":
            return end + (begin - end) / 2.0 * (1.0 + math.cos(math.pi * share))
        return begin + (end - begin) * share


def _steps(total: Any, epochs: Any, per_epoch: Any) -> int:
    """The number of steps."""
    said = f"total_steps={total!r}, epochs={epochs!r}, steps_per_epoch={per_epoch!r}"
    parts = [part for part in (epochs, per_epoch) if part is not None]
    given = [part for part in (total, *parts) if part is not None]
    if len(parts) == 1 or not given or not all(map(SIZE.holds, given)):
        raise ValueError(
            f"OneCycleLR: {said}; give total_steps, or both of the others: integers from 1 up"
        )
    if parts and total is not None and math.prod(parts) != total:
        raise ValueError(f"OneCycleLR: {said} contradict each other; give total_steps alone")
    return int(math.prod(parts) if parts else total)


def _each(name: str, value: Any, rule: Any, groups: int) -> list[float]:
    """One number per group, from one for all of them, or one for each."""
    values = list(value) if isinstance(value, (list, tuple)) else [value] * groups
    if len(values) != groups or not all(map(rule.holds, values)):
        raise ValueError(
            f"OneCycleLR: {name}={value!r}; give {rule.words}, or one for each of the {groups} groups"
        )
    return values
