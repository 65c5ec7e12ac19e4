"""Learning-rate schedules against PyTorch's numbers, and their states."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import micrornn as mr
from micrornn import schedules
from micrornn.schedules import Schedule, rates

LR = 0.8


def sgd() -> mr.optim.Optimizer:
    return mr.optim.SGD([mr.Value(0.0)], lr=LR)


# From the schedulers of the same names in torch.optim.lr_scheduler of PyTorch 2.13.
PYTORCH: dict[str, tuple[Callable[[mr.optim.Optimizer], Schedule], list[float]]] = {
    "step": (
        lambda o: schedules.StepLR(o, 3, 0.5),
        [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2],
    ),
    "exponential": (
        lambda o: schedules.ExponentialLR(o, 0.9),
        [0.8, 0.72, 0.648, 0.5832, 0.52488, 0.472392],
    ),
    "cosine": (
        lambda o: schedules.CosineAnnealingLR(o, 5, eta_min=0.1),
        [0.8, 0.733156, 0.558156, 0.341844, 0.166844, 0.1],
    ),
}


@pytest.mark.parametrize("name", PYTORCH)
def test_the_rates_are_those_of_pytorch(name: str) -> None:
    make, expected = PYTORCH[name]
    assert rates(make(sgd()), len(expected)) == pytest.approx(expected, abs=1e-6)


def test_a_plateau_is_judged_as_by_pytorch() -> None:
    optimizer = sgd()
    schedule = schedules.ReduceLROnPlateau(optimizer, gamma=0.5, patience=2)
    seen = []
    for loss in (3.0, 2.0, 2.0, 2.0, 1.99999, 1.5, 1.6, 1.7, 1.8, 1.9):
        schedule.judge(loss)
        schedule.step()  # an update changes nothing
        seen.append(optimizer.param_groups[0]["lr"])
    assert seen == [0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.2, 0.2]


def test_the_cosine_stays_down() -> None:
    assert rates(schedules.CosineAnnealingLR(sgd(), 2), 5)[2:] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("updates", [1, 4])
def test_warming_up_begins_above_zero_and_ends_at_the_rate(updates: int) -> None:
    seen = rates(schedules.WarmUp(sgd(), updates), updates + 2)
    assert seen[0] == pytest.approx(LR / updates)
    assert seen[updates - 1 :] == [LR, LR, LR]


@pytest.mark.parametrize(
    "make",
    [
        *[make for make, _ in PYTORCH.values()],
        lambda o: schedules.WarmUp(o, 3, after=schedules.ExponentialLR(o, 0.5)),
    ],
)
def test_a_schedule_goes_on_where_it_was(make: Callable[[mr.optim.Optimizer], Schedule]) -> None:
    whole = rates(make(sgd()), 8)
    first, second = make(sgd()), make(sgd())
    rates(first, 5)
    second.load_state_dict(first.state_dict())
    assert rates(second, 3) == whole[5:]


def test_another_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match=r"does not fit ExponentialLR.*make the schedule"):
        schedules.ExponentialLR(sgd(), 0.5).load_state_dict(schedules.StepLR(sgd(), 2).state_dict())


def test_a_count_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="step_size=0; give a number of updates from 1 up"):
        schedules.StepLR(sgd(), 0)
