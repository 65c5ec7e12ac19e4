"""Learning-rate schedules against PyTorch's numbers, their states, and what they refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reference.store import Case, load

import micrornn as mr
from micrornn import optim
from micrornn.optim import lr_scheduler
from micrornn.optim.lr_scheduler import LRScheduler, rates

LR = 0.8
CASES = load("schedules")
FORMULAS = [case for case in CASES if case.arguments.get("schedules")]
PLATEAUS = [case for case in CASES if "plateau" in case.arguments]


def sgd() -> optim.Optimizer:
    return optim.SGD([mr.Value(0.0)], lr=LR)


def two_groups(kind: str = "SGD") -> optim.Optimizer:
    groups = [{"params": [mr.Value(0.0)], "lr": lr} for lr in (LR, LR / 4)]
    return optim.Adam(groups) if kind == "Adam" else optim.SGD(groups, momentum=0.9)


def follow(case: Case, optimizer: optim.Optimizer, schedules: list[Any]) -> None:
    """Learning rates and momenta at first and after each step are PyTorch's."""
    for step, lrs in enumerate(case["expected"]["lrs"]):
        if step:
            for schedule in schedules:
                schedule.step()
        groups = optimizer.param_groups
        assert [group["lr"] for group in groups] == pytest.approx(lrs, rel=1e-12, abs=1e-15)
        momenta = [g["betas"][0] if "betas" in g else g["momentum"] for g in groups]
        assert momenta == pytest.approx(case["expected"]["momenta"][step], rel=1e-12)
        assert schedules[-1].get_last_lr() == [group["lr"] for group in groups]


@pytest.mark.parametrize("case", FORMULAS, ids=lambda case: case.name)
def test_the_rates_are_those_of_pytorch(case: Case) -> None:
    optimizer = two_groups(case.arguments["optimizer"])
    made = case.arguments["schedules"]
    follow(case, optimizer, [getattr(lr_scheduler, n)(optimizer, **o) for n, o in made])


def test_a_function_for_each_group() -> None:
    (case,) = [case for case in CASES if case.name == "LambdaLR"]
    optimizer = two_groups()
    functions: list[Callable[[int], float]] = [lambda e: 0.9**e, lambda e: 1 / (1 + e)]
    follow(case, optimizer, [lr_scheduler.LambdaLR(optimizer, functions)])


@pytest.mark.parametrize("case", PLATEAUS, ids=lambda case: case.name)
def test_a_plateau_is_judged_as_by_pytorch(case: Case) -> None:
    optimizer = two_groups()
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, **case.arguments["plateau"])
    for loss, lrs in zip(case.arguments["losses"], case["expected"]["lrs"], strict=True):
        schedule.after_update()  # an update changes nothing
        schedule.step(mr.tensor(loss))
        assert [g["lr"] for g in optimizer.param_groups] == pytest.approx(lrs, rel=1e-12)


def test_the_reference_covers_what_it_claims() -> None:
    names = {name for case in FORMULAS for name, _ in case.arguments["schedules"]}
    ours = set(lr_scheduler.__all__)
    alone = {"LRScheduler", "LambdaLR", "ReduceLROnPlateau", "WarmUp", "rates"}
    assert names == ours - alone


def test_a_rate_that_was_changed_meanwhile_is_respected() -> None:
    optimizer = sgd()
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    schedule.step()
    optimizer.param_groups[0]["lr"] = 0.1
    schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0.05


@pytest.mark.parametrize("updates", [1, 4])
def test_warming_up_begins_above_zero_and_ends_at_the_rate(updates: int) -> None:
    seen = rates(lr_scheduler.WarmUp(sgd(), updates), updates + 2)
    assert seen[0] == pytest.approx(LR / updates)
    assert seen[updates - 1 :] == [LR, LR, LR]


MAKERS: list[Callable[[optim.Optimizer], LRScheduler]] = [
    lambda o: lr_scheduler.StepLR(o, 3, 0.5),
    lambda o: lr_scheduler.MultiStepLR(o, [1, 6]),
    lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    lambda o: lr_scheduler.LinearLR(o, total_iters=6),
    lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 0.9**epoch),
    lambda o: lr_scheduler.CosineAnnealingLR(o, 5, eta_min=0.1),
    lambda o: lr_scheduler.OneCycleLR(o, 1.0, 10, cycle_momentum=False),
    lambda o: lr_scheduler.WarmUp(o, 3, after=lr_scheduler.ExponentialLR(o, 0.5)),
    lambda o: lr_scheduler.WarmUp(o, 7),
]


@pytest.mark.parametrize("make", MAKERS)
def test_a_schedule_goes_on_where_it_was(make: Callable[[optim.Optimizer], LRScheduler]) -> None:
    whole = rates(make(sgd()), 8)
    first, second = make(sgd()), make(sgd())
    rates(first, 5)
    second.load_state_dict(first.state_dict())
    assert rates(second, 3) == whole[5:]


@pytest.mark.parametrize("make", MAKERS)
def test_with_the_optimizer_loaded_it_goes_on_from_any_step(
    make: Callable[[optim.Optimizer], LRScheduler],
) -> None:
    one, two = sgd(), sgd()
    schedule = make(one)
    rates(schedule, 5)
    two.load_state_dict(one.state_dict())
    again = make(two)
    again.load_state_dict(schedule.state_dict())
    assert rates(again, 3) == rates(schedule, 3)


def test_last_epoch_begins_in_the_middle() -> None:
    optimizer = sgd()
    with pytest.raises(ValueError, match="no initial_lr; load its state first"):
        lr_scheduler.ExponentialLR(optimizer, 0.5, last_epoch=3)
    optimizer.param_groups[0]["initial_lr"] = LR
    optimizer.param_groups[0]["lr"] = LR / 16
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5, last_epoch=3)
    assert rates(schedule, 2) == [LR / 16, LR / 32]


def test_a_plateau_goes_on_where_it_was() -> None:
    losses = [2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 0.5]
    one, two = sgd(), sgd()
    first = lr_scheduler.ReduceLROnPlateau(one, factor=0.5, patience=1)
    for loss in losses[:4]:
        first.step(loss)
    second = lr_scheduler.ReduceLROnPlateau(two, factor=0.1, patience=7)
    second.load_state_dict(first.state_dict())
    for loss in losses[4:]:
        first.step(loss)
        second.step(loss)
        assert second.get_last_lr() == first.get_last_lr()
    assert first.get_last_lr() == [LR / 4]


RESUMED = [case for case in FORMULAS if "state" in case.arguments and "One" not in case.name]


@pytest.mark.parametrize("case", RESUMED, ids=lambda case: case.name)
def test_the_state_of_pytorchs_schedule_is_resumed(case: Case) -> None:
    ((name, options),) = case.arguments["schedules"]
    optimizer = two_groups()
    schedule = getattr(lr_scheduler, name)(optimizer, **options)
    state = dict(case.arguments["state"])
    if name == "MultiStepLR":  # JSON has no integers as keys
        state["milestones"] = Counter({int(k): v for k, v in state["milestones"].items()})
    schedule.load_state_dict(state)
    for lrs in case["expected"]["lrs"][5:]:
        assert schedule.get_last_lr() == pytest.approx(lrs, rel=1e-12)
        schedule.step()


@pytest.mark.parametrize("case", PLATEAUS, ids=lambda case: case.name)
def test_the_state_of_pytorchs_plateau_is_resumed(case: Case) -> None:
    optimizer = two_groups()
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer)
    schedule.load_state_dict(case.arguments["state"])
    for loss, lrs in zip(case.arguments["losses"][5:], case["expected"]["lrs"][5:], strict=True):
        schedule.step(loss)
        assert schedule.get_last_lr() == pytest.approx(lrs, rel=1e-12)


def test_the_states_of_earlier_checkpoints_will_do() -> None:
    schedule = lr_scheduler.StepLR(sgd(), 3, 0.5)
    schedule.optimizer.param_groups[0]["lr"] = 0.4
    schedule.load_state_dict({"step_size": 3, "gamma": 0.5, "count": 4, "base": [LR]})
    assert rates(schedule, 4) == [0.4, 0.4, 0.2, 0.2]
    plateau = lr_scheduler.ReduceLROnPlateau(sgd())
    plateau.optimizer.param_groups[0]["lr"] = 0.4
    state = {"gamma": 0.5, "patience": 2, "threshold": 1e-4, "best": 2.0, "waited": 2}
    plateau.load_state_dict({**state, "reductions": 1, "count": 7, "base": [LR]})
    plateau.step(3.0)
    assert plateau.get_last_lr() == [0.2]


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    schedule = lr_scheduler.StepLR(sgd(), 3, 0.5)
    before = schedule.state_dict()
    for change, words in (
        ({"gamma": -1.0}, "gamma=-1.0"),
        ({"step_size": "3"}, "step_size='3'"),
        ({"base_lrs": [LR, LR]}, "for 2 groups, and the optimizer has 1"),
        ({"warp": 9}, "does not fit StepLR"),
    ):
        with pytest.raises(ValueError, match=words):
            schedule.load_state_dict({**before, **change})
        assert schedule.state_dict() == before


def test_another_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match=r"does not fit ExponentialLR.*make the schedule"):
        state = lr_scheduler.StepLR(sgd(), 2).state_dict()
        lr_scheduler.ExponentialLR(sgd(), 0.5).load_state_dict(state)
    with pytest.raises(ValueError, match="another `after`"):
        state = lr_scheduler.WarmUp(sgd(), 2).state_dict()
        one = sgd()
        lr_scheduler.WarmUp(one, 2, lr_scheduler.StepLR(one, 1)).load_state_dict(state)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: lr_scheduler.StepLR(sgd(), 0), "step_size=0; give an integer from 1 up"),
        (lambda: lr_scheduler.StepLR(sgd(), 2.5), "step_size=2.5; give an integer"),
        (lambda: lr_scheduler.StepLR(sgd(), 2, -1), "gamma=-1"),
        (lambda: lr_scheduler.MultiStepLR(sgd(), 5), "milestones=5; give a list"),
        (lambda: lr_scheduler.MultiStepLR(sgd(), ["a"]), "give a list of integers"),
        (lambda: lr_scheduler.ExponentialLR(sgd(), np.nan), "gamma=nan"),
        (lambda: lr_scheduler.LinearLR(sgd(), 0.0), "start_factor=0.0; give a number above 0"),
        (lambda: lr_scheduler.LinearLR(sgd(), end_factor=2), "end_factor=2"),
        (lambda: lr_scheduler.LambdaLR(sgd(), 0.9), "give a function"),
        (lambda: lr_scheduler.LambdaLR(sgd(), [abs, abs]), "each of the 1 groups"),
        (lambda: lr_scheduler.CosineAnnealingLR(sgd(), 0), "T_max=0"),
        (lambda: lr_scheduler.CosineAnnealingLR(sgd(), 5, "0"), "eta_min='0'"),
        (lambda: lr_scheduler.WarmUp(sgd(), -1), "updates=-1"),
        (lambda: lr_scheduler.OneCycleLR(sgd(), 1.0), "give total_steps, or both of the others"),
        (lambda: lr_scheduler.OneCycleLR(sgd(), -1.0, 5), "max_lr=-1.0"),
        (lambda: lr_scheduler.OneCycleLR(sgd(), 1.0, 5, pct_start=2), "pct_start=2"),
        (lambda: lr_scheduler.OneCycleLR(sgd(), 1.0, 5, anneal_strategy="cosine"), "'cos'"),
        (
            lambda: lr_scheduler.OneCycleLR(optim.Adagrad([mr.Value(0.0)]), 1.0, 5),
            "cycle_momentum=False",
        ),
        (lambda: lr_scheduler.ReduceLROnPlateau(sgd(), "least"), "mode='least'; give one of 'min'"),
        (lambda: lr_scheduler.ReduceLROnPlateau(sgd(), factor=1.0), "factor=1.0; .* below 1"),
        (lambda: lr_scheduler.ReduceLROnPlateau(sgd(), patience=-1), "patience=-1"),
        (lambda: lr_scheduler.ReduceLROnPlateau(sgd(), threshold_mode="x"), "threshold_mode='x'"),
        (lambda: lr_scheduler.ReduceLROnPlateau(sgd(), min_lr=[0, 0]), "each of the 1 groups"),
        (lambda: lr_scheduler.StepLR(sgd(), 2, last_epoch=-2), "last_epoch=-2"),
    ],
)
def test_what_does_not_fit_is_refused(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_an_optimizer_is_needed() -> None:
    with pytest.raises(TypeError, match="list is not an optimizer"):
        lr_scheduler.StepLR([mr.Value(0.0)], 2)  # type: ignore[arg-type]


def test_no_step_after_the_last_of_one_cycle() -> None:
    schedule = lr_scheduler.OneCycleLR(sgd(), 1.0, 3)
    for _ in range(3):
        schedule.step()
    with pytest.raises(ValueError, match="step 4 is after the last, 3"):
        schedule.step()
