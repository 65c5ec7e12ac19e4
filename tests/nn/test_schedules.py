"""Checkpointed layers, and the schedules that they follow."""

from __future__ import annotations

import inspect
import sys
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.nn.schedules import forward_steps, keep, parts, repetitions


@cache
def fewest(steps: int, slots: int) -> float:
    """The dynamic program of Gruslys et al. 2016, internal states memorized, over all choices."""
    if steps == 0:
        return 0
    if slots == 0:
        return float("inf")
    choices = [y + fewest(y - 1, slots) + fewest(steps - y, slots - 1) for y in range(1, steps + 1)]
    return min(choices)


@pytest.mark.parametrize("slots", range(1, 9))
def test_the_schedule_is_optimal(slots: int) -> None:
    for steps in range(1, 60):
        assert forward_steps(steps, slots) == fewest(steps, slots)
        y = keep(steps, slots)
        assert y + fewest(y - 1, slots) + fewest(steps - y, slots - 1) == fewest(steps, slots)


def test_50_slots_for_1000_steps_cost_what_the_paper_says() -> None:
    """With a backward step at the price of two forward steps; 1.317 is the number that is known from it."""
    relative = {m: (forward_steps(1000, m) + 2000) / 3000 for m in (1, 10, 50, 1000)}
    assert round(relative[50], 3) == 1.317
    assert relative[1000] == 1.0
    assert forward_steps(1000, 1) == 1000 * 1001 / 2


def test_large_schedules_are_found_at_once() -> None:
    assert repetitions(10**6, 20) == 8
    assert 6 * 10**6 < forward_steps(10**6, 20) < 8 * 10**6


def count(steps: int, plan: Any) -> tuple[int, int]:
    """How many forward steps a plan takes, and how many graphs of a step are alive at most in a part."""
    total = kept = 0
    for start, end, again, inner in parts(steps, plan):
        total += end - start
        if again:
            total += count(end - start, inner)[0]
        else:
            kept += end - start
    return total, kept


@pytest.mark.parametrize(("steps", "slots"), [*product((1, 2, 7, 30, 200), (1, 2, 5, 50))])
def test_the_parts_cost_what_the_formula_says(steps: int, slots: int) -> None:
    total, kept = count(steps, slots)
    assert total == forward_steps(steps, slots)
    assert kept <= slots


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 99, 100])
def test_the_square_root_computes_each_step_at_most_twice(steps: int) -> None:
    total, kept = count(steps, "sqrt")
    assert total <= 2 * steps
    assert kept <= np.ceil(np.sqrt(steps)) + 1
    assert [t for part in parts(steps, "sqrt") for t in range(part.start, part.end)] == [
        *range(steps)
    ]


def trained(kind: Any, plan: Any, lengths: Any = None, **options: Any) -> list[bytes]:
    net = kind(3, 4, rng=5, checkpoint=plan, **options)
    data = np.random.default_rng(1).normal(size=(11, 2, 3))
    x = mr.tensor(data, requires_grad=True)
    output, last = net(x, lengths=lengths)
    loss = (output**2).sum()
    for state in last if isinstance(last, tuple) else (last,):
        loss = loss + (state * state * state).sum()
    loss.backward()
    gradients = [p.grad for p in net.parameters()]
    return [np.asarray(a).tobytes() for a in (loss.item(), output.data, x.grad, *gradients)]


OPTIONS: list[dict[str, Any]] = [
    {},
    {"gates": "separate"},
    {"num_layers": 2, "bidirectional": True, "dropout": 0.4},
    {"lengths": [11, 6]},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_layers_have_the_same_gradients_to_the_last_bit(kind: Any, options: dict[str, Any]) -> None:
    kept = trained(kind, None, **options)
    for plan in ("sqrt", 1, 2, 5, 20):
        assert trained(kind, plan, **options) == kept, plan


def test_one_slot_and_many_steps_need_no_recursion() -> None:
    net = nn.RNN(1, 1, rng=0, checkpoint=1)
    calls = []
    step = net._equation
    net._equation = lambda suffix: lambda *a: calls.append(1) or step(suffix)(*a)  # type: ignore
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        net(np.ones((300, 1)))[1].sum().backward()
    finally:
        sys.setrecursionlimit(limit)
    assert len(calls) == forward_steps(300, 1)


def test_a_compiled_program_keeps_what_it_needs_by_itself() -> None:
    net = nn.GRU(3, 4, rng=0, checkpoint="sqrt")
    x = np.random.default_rng(0).normal(size=(20, 2, 3))

    def loss(x: Any) -> Any:
        return (net(x)[0] ** 2).mean()

    mr.compile(loss)(x)
    compiled = [p.grad for p in net.parameters()]
    net.zero_grad()
    loss(x).backward()
    for a, p in zip(compiled, net.parameters()):
        np.testing.assert_allclose(a, p.grad, rtol=1e-12)


def test_a_layer_says_its_plan_and_refuses_others() -> None:
    assert "checkpoint=sqrt" in repr(nn.GRU(2, 3, checkpoint="sqrt"))
    assert "checkpoint" not in repr(nn.GRU(2, 3))
    for wrong in (0, -1, 2.5, True, "log"):
        with pytest.raises(ValueError, match="give 'sqrt', a number of slots from 1 up, or None"):
            nn.LSTM(2, 3, checkpoint=wrong)  # type: ignore[arg-type]
    net = nn.LSTM(2, 3)
    with pytest.raises(ValueError, match="checkpoint"):
        net.checkpoint = "no"  # type: ignore[assignment]
