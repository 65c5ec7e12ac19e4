"""Which steps of a sequence to keep, and which to compute again in backward.

A schedule splits T steps into parts. A part that is computed again is run within `checkpoint`; every other
part is a single step whose graph is kept.

**Square root** (Chen et al. 2016, arXiv:1604.06174). Parts of about √T steps: backward holds √T states and
the graph of √T steps, and every step is computed once more.

**Optimal** (Gruslys et al. 2016, arXiv:1606.03401, internal states memorized). With m slots, each for the
graph of one step, the forward computations of t steps are fewest where

    C(t, m) = min over y of  y + C(y - 1, m) + C(t - y, m - 1),    C(0, m) = 0

run y steps and keep the y-th; continue with the rest and m - 1 slots; when backward has come down to step y,
all m slots are free for the y - 1 steps before it. The dynamic program has a closed solution (Griewank &
Walther 2000): with at most r computations of each step, m slots reach binomial(m + r, r) - 1 steps. What the
forward pass kept stays as long as its loss, so at most 2 m graphs of a step are there at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import comb, isqrt
from typing import Any, Literal, NamedTuple

from micrornn.recompute import checkpoint, forgets

Plan = Literal["sqrt"] | int | None


class Part(NamedTuple):
    """Steps from ``start`` to before ``end``.

    Attributes:
        again: whether they are computed again in backward.
        plan: by which plan that is done; None keeps all of it.
    """

    start: int
    end: int
    again: bool
    plan: Plan = None


def reach(slots: int, times: int) -> int:
    """The longest sequence of which every step is computed at most so many times, with so many slots.

    >>> [reach(3, r) for r in (0, 1, 2, 3)]
    [0, 3, 9, 19]
    """
    return comb(slots + times, times) - 1


def repetitions(steps: int, slots: int) -> int:
    """How many times the step that is computed most often is computed, in an optimal schedule.

    >>> repetitions(1000, 50), repetitions(1000, 1), repetitions(1000, 1000)
    (2, 1000, 1)
    """
    if slots == 1:
        return steps
    times = 0
    while reach(slots, times) < steps:
        times += 1
    return times


def forward_steps(steps: int, slots: int) -> int:
    """C(t, m): the fewest forward computations for t steps and m slots, the first ones included.

    With a backward step at the price of two forward steps, the time of an iteration of 1,000 steps, in
    times of one that keeps all (Gruslys et al. 2016 name 1.317 for 50 slots):

    >>> for slots in (10, 20, 50, 100, 1000):
    ...     print(slots, round((forward_steps(1000, slots) + 2 * 1000) / (3 * 1000), 3))
    10 1.88
    20 1.583
    50 1.317
    100 1.3
    1000 1.0
    """
    times = repetitions(steps, slots)
    return times * (steps + 1) - comb(slots + times, times - 1) if times else 0


def keep(steps: int, slots: int) -> int:
    """The step y to keep first: a minimum of the recursion above.

    >>> keep(1000, 50), keep(3, 3), keep(4, 1)
    (51, 1, 4)
    """
    if slots == 1:
        return steps
    times = repetitions(steps, slots)
    before = min(reach(slots, times - 1), steps - 1 - reach(slots - 1, times - 1))
    return max(before, 0) + 1


def parts(steps: int, plan: Plan) -> Iterator[Part]:
    """A sequence cut into the parts that are computed again, and those that are kept.

    Args:
        plan: ``"sqrt"``, a number of slots, or None to keep all.

    >>> for part in parts(5, 2):
    ...     print(part)
    Part(start=0, end=2, again=True, plan=2)
    Part(start=2, end=3, again=False, plan=None)
    Part(start=3, end=4, again=True, plan=1)
    Part(start=4, end=5, again=False, plan=None)
    >>> [(part.end - part.start, part.again) for part in parts(10, "sqrt")]
    [(4, True), (3, True), (3, False)]
    """
    if plan is None:
        yield Part(0, steps, False)
    elif plan == "sqrt":
        count = isqrt(steps)
        borders = [steps - steps * i // count for i in range(count, -1, -1)]
        for start, end in pairwise(borders):
            yield Part(start, end, end < steps)  # backward begins with the last part: it is kept
    else:
        start = 0
        for slots in range(plan, 0, -1):
            if start < steps:
                y = keep(steps - start, slots)
                if y > 1:
                    yield Part(start, start + y - 1, True, slots)
                yield Part(start + y - 1, start + y, False)
                start += y


def scheduled(
    advance: Callable[[Sequence[int], Any], tuple[list[Any], Any]],
    times: Sequence[int],
    state: Any,
    plan: Plan,
) -> tuple[list[Any], Any]:
    """Advance a state through all steps by a plan; the outputs of the steps, and the last state.

    Args:
        advance: (steps, state) -> their outputs, and the state after them.
        times: the steps.
    """
    if plan is None or not forgets():
        return advance(times, state)
    outputs: list[Any] = []
    for start, end, again, inner in parts(len(times), plan):
        some = times[start:end]
        if again:
            made, state = checkpoint(scheduled, advance, some, state, inner)
        else:
            made, state = advance(some, state)
        outputs += made
    return outputs, state
