"""Grading: a student's forward and backward beside the graph's, number by number, in order of computation.

The answer is the first number that differs, by step and term, and, where there is one, the mistake of the
catalog that gives exactly the student's numbers.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from micrornn.grade.backward import bptt
from micrornn.grade.mistakes import Mistake, of_cell
from micrornn.grade.problem import GATES, Numbers, Problem, make, solve
from micrornn.messages import percent

Array = np.ndarray[Any, Any]
CLOSE: Any = {"rtol": 1e-7, "atol": 1e-9}
PROBLEMS: Any = ({"seed": 0}, {"seed": 1, "steps": 4, "scale": 1.6})
SHAPES: Any = {"seed": 2, "steps": 6, "sizes": (3, 5, 2)}  # no two sizes alike: wrong shapes show


class GradeError(ValueError):
    """A program that cannot be graded: what it gave, what is expected."""


@dataclass(frozen=True)
class Grade:
    """The result.

    Attributes:
        right: whether every number agrees.
        first: the first number that differs, in words; "" if none does.
        where: the same as data: part (forward or backward), name, step, found and expected norms.
        mistakes: what the student did, if the catalog has it: one mistake, or two.
        also: further observations, such as the first number of steps that goes wrong.
        checked: what was compared.
        pairs: by weight, the student's gradient and the graph's, of the first problem that differs.
    """

    cell: str
    right: bool
    first: str = ""
    where: dict[str, Any] = field(default_factory=dict)
    mistakes: Sequence[Mistake] = ()
    also: Sequence[str] = ()
    checked: Sequence[str] = ()
    pairs: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "cell": self.cell,
            "right": self.right,
            "first": self.first,
            "where": self.where,
            "mistakes": [m.name for m in self.mistakes],
            "hints": [m.hint for m in self.mistakes],
            "also": list(self.also),
            "checked": list(self.checked),
        }

    def __str__(self) -> str:
        if self.right:
            return f"Right: {', '.join(self.checked)} agree with the graph."
        lines = [self.first]
        if self.mistakes:
            names = "; ".join(mistake.name for mistake in self.mistakes)
            which = (
                "This mistake gives" if len(self.mistakes) == 1 else "Two mistakes together give"
            )
            lines.append(f"{which} exactly these numbers: {names}.")
        return "\n".join([*lines, *self.also])


def grade(
    backward: Callable[..., Mapping[str, Any]],
    cell: str = "rnn",
    forward: Callable[..., Mapping[str, Any]] | None = None,
) -> Grade:
    """Grade a backward pass, and a forward pass if one is given.

    Args:
        backward: ``backward(weights, xs, targets, states)``. ``states`` has lists by step, index t, as
            `Numbers.states`: h, c, the gates and y. It returns a dict with the gradient of each weight, and
            optionally lists by step ``dy``, ``dh`` and ``delta`` (dL/da_t), index t or t - 1.
        forward: ``forward(weights, xs, targets)``, which returns a dict with ``h``, and optionally ``c``,
            gates, ``y`` and ``loss``. Its states are then given to ``backward``.

    Raises:
        GradeError: a function returns something else, or fails.

    >>> def last_step_only(weights, xs, targets, states):
    ...     h, y, T = states["h"], states["y"], len(xs)
    ...     p = np.exp(y[T]) / np.exp(y[T]).sum()
    ...     p[targets[T - 1]] -= 1
    ...     return {"W_hy": np.outer(p, h[T]), "b_y": p}
    >>> print(grade(last_step_only))
    Backward: dL/db_y differs from the graph's by 100% of its norm.
    This mistake gives exactly these numbers: only the loss of the last step is used.
    It is right for T = 1, and wrong from T = 2 on.
    """
    runs = [solve(make(cell, **settings)) for settings in PROBLEMS]
    shaped = solve(make(cell, **SHAPES))
    checked: list[str] = []
    if forward is not None:
        for numbers in (*runs, shaped):
            found = _called(forward, "forward", numbers)
            difference = _forward(numbers, found)
            if difference is not None:
                return Grade(
                    cell, False, **_words("Forward", difference), also=_causes(numbers, found)
                )
        checked.append("the states and the loss")
    answers = [_called(backward, "backward", numbers) for numbers in runs]
    names = [name for name in runs[0].grads if name in answers[0]]
    if not names:
        raise GradeError(
            f"backward returned {', '.join(map(repr, answers[0])) or 'an empty dict'}; return the gradients "
            f"under {', '.join(runs[0].grads)}"
        )
    for numbers, answer in zip(runs, answers):
        difference = next(_backward(numbers, answer), None)
        if difference is not None:
            mistakes = _matching(cell, runs, answers, names)
            also = _lengths(backward, numbers.problem, names)
            pairs = {n: (np.asarray(answer[n], dtype=float), numbers.grads[n]) for n in names}
            words = _words("Backward", difference)
            return Grade(cell, False, **words, mistakes=mistakes, also=also, pairs=pairs)
    difference = next(_backward(shaped, _called(backward, "backward", shaped)), None)
    if difference is not None:
        return Grade(cell, False, **_words("Backward, with sizes that all differ", difference))
    missing = [name for name in runs[0].grads if name not in names]
    checked.append(f"the gradients of {', '.join(names)}")
    also = [f"not given: {', '.join(missing)}"] if missing else []
    return Grade(
        cell,
        not missing,
        f"Missing: {', '.join(missing)}." if missing else "",
        also=also,
        checked=checked,
    )


Difference = tuple[str, int | None, Array, Array]  # name, step, found, expected


def _called(function: Callable[..., Any], name: str, numbers: Numbers) -> dict[str, Any]:
    """What the student's function returns; it gets copies."""
    p = numbers.problem
    weights = {key: value.copy() for key, value in p.weights.items()}
    states = {key: [v.copy() for v in values] for key, values in numbers.states.items()}
    given: list[Any] = [weights, p.xs.copy(), p.targets.copy()]
    if name == "backward":
        given.append(states)
    try:
        found = function(*given)
    except Exception as error:
        raise GradeError(
            f"{name} failed{_where(error)} with {type(error).__name__}: {error}; it is called as "
            f"{name}(weights, xs, targets{', states' if name == 'backward' else ''})"
        ) from error
    if not isinstance(found, Mapping):
        raise GradeError(f"{name} returned {type(found).__name__}; return a dict of arrays by name")
    return dict(found)


def _where(error: BaseException) -> str:
    """The last line of the student's file that was reached: below our own call, above the libraries."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    own = [frame for frame in frames if frame.filename == frames[0].filename] if frames else []
    return f" at line {own[-1].lineno}" if own else ""


# -- what differs -----------------------------------------------------------------------------------


def _by_step(name: str, given: Any, steps: int) -> list[Array]:
    """A list by step with index t, from one with or without an entry for t = 0.

    Raises:
        GradeError: it has another length.
    """
    values = [np.asarray(v, dtype=float) for v in given if v is not None or len(given) == steps]
    if len(values) == steps + 1:
        return values
    if len(values) == steps:
        return [np.zeros(0), *values]
    raise GradeError(f"{name} has {len(values)} entries; give one for each of the {steps} steps")


def _forward(numbers: Numbers, found: dict[str, Any]) -> Difference | None:
    """The first number of the forward pass that differs: step by step, gates before states before y."""
    steps, cell = numbers.problem.steps, numbers.problem.cell
    order = [*GATES[cell], *(["c"] if cell == "lstm" else []), "h", "y"]
    given = {name: _by_step(name, found[name], steps) for name in order if name in found}
    if not given:
        raise GradeError(
            f"forward returned {', '.join(map(repr, found))}; return h, a list by step"
        )
    for t in range(1, steps + 1):
        for name, values in given.items():
            expected = numbers.states[name][t]
            if not _same(values[t], expected):
                return name, t, values[t], expected
    if "loss" in found and not _same(
        np.asarray(found["loss"], dtype=float), np.asarray(numbers.loss)
    ):
        return "loss", None, np.asarray(found["loss"], dtype=float), np.asarray(numbers.loss)
    return None


def _backward(numbers: Numbers, found: dict[str, Any]) -> Iterator[Difference]:
    """What differs, in the order of computation: from the last step to the first, then the sums."""
    steps = numbers.problem.steps
    lists = {"dy": numbers.dy, "dh": numbers.dh, "dc": numbers.dc, "delta": numbers.delta}
    given = {name: _by_step(name, found[name], steps) for name in lists if name in found}
    for t in range(steps, 0, -1):
        for name, values in given.items():
            if not _same(values[t], lists[name][t]):
                yield name, t, values[t], lists[name][t]
    for name, expected in reversed(numbers.grads.items()):
        if name in found:
            value = np.asarray(found[name], dtype=float)
            if not _same(value, expected):
                yield f"dL/d{name}", None, value, expected


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, **CLOSE))


def _words(part: str, difference: Difference) -> dict[str, Any]:
    """The first difference in a sentence, and as data."""
    name, step, found, expected = difference
    shown = {"dy": "dL/dy", "dh": "dL/dh", "dc": "dL/dc", "delta": "delta = dL/da"}.get(name, name)
    where = f"{shown} at step {step}" if step is not None else shown
    data = {"part": part, "name": name, "step": step}
    if found.shape != expected.shape:
        text = f"{part}: {where} has shape {found.shape}; the graph's has {expected.shape}."
        return {"first": text, "where": data}
    norm = float(np.linalg.norm(expected))
    off = float(np.linalg.norm(found - expected))
    amount = f"{percent(off / norm)} of its norm" if norm else f"{off:.3g}"
    text = f"{part}: {where} differs from the graph's by {amount}."
    if norm and not found.any():
        text = f"{part}: {where} is zero; the graph's has norm {norm:.3g}."
    return {"first": text, "where": {**data, "off": off, "norm": norm}}


# -- why --------------------------------------------------------------------------------------------


def _matching(
    cell: str, runs: Sequence[Numbers], answers: Sequence[dict[str, Any]], names: Sequence[str]
) -> list[Mistake]:
    """The mistake, or the two mistakes, that give exactly these gradients in every problem."""
    known = of_cell(cell)

    def gives(mistakes: Sequence[Mistake]) -> bool:
        twists = {key: twist for mistake in mistakes for key, twist in mistake.twists.items()}
        for numbers, answer in zip(runs, answers):
            with np.errstate(all="ignore"):
                wrong = bptt(numbers, **twists)
            if not all(_same(np.asarray(answer[n], dtype=float), wrong[n]) for n in names):
                return False
        return True

    for mistake in known:
        if gives([mistake]):
            return [mistake]
    for pair in combinations(known, 2):
        if not set(pair[0].twists) & set(pair[1].twists) and gives(pair):
            return list(pair)
    return []


def _lengths(backward: Callable[..., Any], problem: Problem, names: Sequence[str]) -> list[str]:
    """From which number of steps on the gradients are wrong: it tells where the mistake is."""
    right = []
    for steps in range(1, problem.steps + 1):
        numbers = solve(problem.first(steps))
        try:
            answer = _called(backward, "backward", numbers)
        except GradeError:
            return [f"With T = {steps} it fails."]
        right.append(
            all(_same(np.asarray(answer[n], dtype=float), numbers.grads[n]) for n in names)
        )
    wrong = right.index(False) + 1 if False in right else 0
    if wrong == 1:
        return ["It is already wrong for T = 1, so the mistake is within a step."]
    if wrong > 1:
        before = "T = 1" if wrong == 2 else f"T = 1 to {wrong - 1}"
        return [f"It is right for {before}, and wrong from T = {wrong} on."]
    return []


def _causes(numbers: Numbers, found: dict[str, Any]) -> list[str]:
    """Common mistakes of a forward pass, tried on the first state."""
    n, hidden = numbers, numbers.W_hh.shape[1]
    if n.problem.cell != "rnn" or "h" not in found:
        return []
    h = _by_step("h", found["h"], n.problem.steps)
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
        state, same = before, True
        for t in range(1, n.problem.steps + 1):
            try:
                state = step(n.problem.xs[t - 1], state)
            except ValueError:  # the shapes do not fit
                same = False
                break
            same = same and _same(h[t], state)
        if same:
            return [f"This mistake gives exactly these states: {name}."]
    return []
