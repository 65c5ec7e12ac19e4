"""The base of all learning-rate schedules: a factor, a step, and a state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from micrornn.optim.optimizer import Optimizer
from micrornn.options import check

# The names by which checkpoints of earlier versions know the numbers of a schedule.
EARLIER = {"count": "last_epoch", "base": "base_lrs", "waited": "num_bad_epochs"}
# Keys of a state that only PyTorch, or an earlier version, writes.
NOT_OURS = {"default_min_lr", "lr_lambdas", "mode_worse", "reductions", "verbose"}


class LRScheduler:
    """Multiplies the learning rate of every group by `factor`; call `step` after each update.

    A step multiplies the current learning rate by the ratio of two factors. So a learning rate that was
    changed in between is kept, and two schedules on one optimizer multiply.

    Args:
        optimizer: whose learning rates are set, at once and then at every `step`.
        last_epoch: the number of steps made, -1 to start. Otherwise the groups must have an
            ``"initial_lr"``, as those of a loaded optimizer do.

    Attributes:
        last_epoch: the number of steps made.
        base_lrs: the initial learning rate of each group.

    Raises:
        TypeError: what was given is not an optimizer.
        ValueError: an option is invalid.
    """

    floor = 0.0  # the factor multiplies the part of the learning rate above this
    not_saved: tuple[str, ...] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__}: {type(optimizer).__name__} is not an optimizer; give one, such as "
                "optim.Adam(model.parameters())"
            )
        check(type(self).__name__, last_epoch=last_epoch)
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ValueError(
                    f"{type(self).__name__}: last_epoch={last_epoch}, but the optimizer has no initial_lr; "
                    "load its state first, or leave last_epoch out"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._set(self.get_lr() if last_epoch == -1 else self._now())

    def factor(self, epoch: int) -> float:
        """The factor on the initial learning rate after ``epoch`` steps."""
        raise NotImplementedError(
            f"{type(self).__name__} has no factor; define factor(self, epoch)"
        )

    def get_lr(self) -> list[float]:
        """The learning rate of each group at the current step."""
        now = self.factor(self.last_epoch)
        before = self.factor(self.last_epoch - 1) if self.last_epoch else 1.0
        floor = self.floor
        if not before:  # a ratio does not exist
            return [floor + (base - floor) * now for base in self.base_lrs]
        return [floor + (lr - floor) * (now / before) for lr in self._now()]

    def step(self) -> None:
        """Count one more step, and set the learning rates."""
        self.last_epoch += 1
        self._set(self.get_lr())

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group that was set last."""
        return self._last_lr

    def after_update(self) -> None:
        """Called after each update: a step, for most schedules."""
        self.step()

    def judge(self, loss: float) -> None:
        """Called with the loss on held-out data; used by `ReduceLROnPlateau`."""

    def _now(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def _set(self, lrs: list[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, lrs):
            group["lr"] = lr
        self._last_lr = self._now()

    def state_dict(self) -> dict[str, Any]:
        """The options and everything that changes, as numbers and text."""
        return self._state()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Resume from a `state_dict`, ours or PyTorch's.

        Raises:
            ValueError: it is the state of a schedule of another kind.
        """
        own = self._state()
        state = {EARLIER.get(name, name): value for name, value in state_dict.items()}
        if "count" in state_dict:  # an earlier version, with fewer options
            state = {**own, "_last_lr": self._now(), **state}
        public = {name for name in state if not name.startswith("_")} - NOT_OURS
        if public != {name for name in own if not name.startswith("_")}:
            raise ValueError(
                f"the state of a schedule with {', '.join(state_dict)} does not fit {type(self).__name__}, "
                f"which has {', '.join(own)}; make the schedule that was saved"
            )
        check(type(self).__name__, **state)
        if len(state["base_lrs"]) != len(self.base_lrs):
            raise ValueError(
                f"the state is of a schedule for {len(state['base_lrs'])} groups, and the optimizer has "
                f"{len(self.base_lrs)}; make the optimizer that was saved"
            )
        vars(self).update({name: state[name] for name in own if name in state})
        self._set(list(self._last_lr))

    def _state(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self.not_saved}


def rates(schedule: LRScheduler, updates: int) -> list[float]:
    """The learning rate of the first group at each update, to six digits."""
    seen = []
    for _ in range(updates):
        seen.append(round(schedule.get_last_lr()[0], 6))
        schedule.after_update()
    return seen
