"""Why a student's numbers differ: the mistakes of the catalog that give exactly these numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from micrornn.grade.backward import bptt
from micrornn.grade.called import GradeError, called
from micrornn.grade.differences import Array, by_step, same
from micrornn.grade.mistakes import Mistake, of_cell
from micrornn.grade.problem import Numbers, Problem, solve


def matching(
    cell: str, runs: Sequence[Numbers], answers: Sequence[dict[str, Any]], names: Sequence[str]
) -> list[Mistake]:
    """The mistake, or the two mistakes, that give exactly these gradients in every problem."""
    if not any(np.any(answer[n]) for answer in answers for n in names):
        return []  # many mistakes give zeros
    known = of_cell(cell)

    def gives(mistakes: Sequence[Mistake]) -> bool:
        twists = {key: twist for mistake in mistakes for key, twist in mistake.twists.items()}
        for numbers, answer in zip(runs, answers):
            with np.errstate(all="ignore"):
                wrong = bptt(numbers, **twists)
            if not all(same(np.asarray(answer[n], dtype=float), wrong[n]) for n in names):
                return False
        return True

    for mistake in known:
        if gives([mistake]):
            return [mistake]
    for pair in combinations(known, 2):
        if not set(pair[0].twists) & set(pair[1].twists) and gives(pair):
            return list(pair)
    return []


def by_length(backward: Callable[..., Any], problem: Problem, names: Sequence[str]) -> list[str]:
    """From which number of steps on the gradients are wrong: it tells where the mistake is."""
    right = []
    for steps in range(1, problem.steps + 1):
        numbers = solve(problem.first(steps))
        try:
            answer = called(backward, "backward", numbers)
        except GradeError:
            return [f"With T = {steps} it fails."]
        right.append(all(same(np.asarray(answer[n], dtype=float), numbers.grads[n]) for n in names))
    wrong = right.index(False) + 1 if False in right else 0
    if wrong == 1:
        return ["It is already wrong for T = 1, so the mistake is within a step."]
    if wrong > 1:
        before = "T = 1" if wrong == 2 else f"T = 1 to {wrong - 1}"
        return [f"It is right for {before}, and wrong from T = {wrong} on."]
    return []


def forward_mistakes(numbers: Numbers, found: dict[str, Any]) -> list[str]:
    """Common mistakes of a forward pass, tried on the first state."""
    n, hidden = numbers, numbers.W_hh.shape[1]
    if n.problem.cell != "rnn" or "h" not in found:
        return []
    h = by_step("h", found["h"], n.problem.steps)
    before = np.zeros(hidden)
    tried: dict[str, Callable[[Array, Array], Array]] = {
        "the bias is missing": lambda x, b: np.tanh(n.W_ih @ x + n.W_hh @ b),
        "tanh is missing": lambda x, b: n.W_ih @ x + n.W_hh @ b + n.b,
        "sigmoid is used for tanh": lambda x, b: 1 / (1 + np.exp(-(n.W_ih @ x + n.W_hh @ b + n.b))),
        "ReLU is used for tanh": lambda x, b: np.maximum(n.W_ih @ x + n.W_hh @ b + n.b, 0),
        "the state before is left out": lambda x, b: np.tanh(n.W_ih @ x + n.b),
        "W_hh is transposed": lambda x, b: np.tanh(n.W_ih @ x + n.W_hh.T @ b + n.b),
        "W_ih is transposed": lambda x, b: np.tanh(n.W_ih.T @ x + n.W_hh @ b + n.b),
        "W_ih and W_hh are exchanged": lambda x, b: np.tanh(n.W_hh @ x + n.W_ih @ b + n.b),
    }
    for name, step in tried.items():
        state, fits = before, True
        for t in range(1, n.problem.steps + 1):
            try:
                state = step(n.problem.xs[t - 1], state)
            except ValueError:  # the shapes do not fit
                fits = False
                break
            fits = fits and same(h[t], state)
        if fits:
            return [f"This mistake gives exactly these states: {name}."]
    return []
