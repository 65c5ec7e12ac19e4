"""Grading: a student's forward and backward beside the graph's, number by number, in order of computation.

The answer is the first number that differs, by step and term, and, where there is one, the mistake of the
catalog that gives exactly the student's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrornn.grade.called import GradeError, called
from micrornn.grade.differences import Array, backward_differences, forward_difference, in_words
from micrornn.grade.mistakes import Mistake
from micrornn.grade.problem import make, solve
from micrornn.grade.reasons import by_length, forward_mistakes, matching

PROBLEMS: Any = ({"seed": 0}, {"seed": 1, "steps": 4, "scale": 1.6})
SHAPES: Any = {"seed": 2, "steps": 6, "sizes": (3, 5, 2)}  # no two sizes alike: wrong shapes show


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
            found = called(forward, "forward", numbers)
            difference = forward_difference(numbers, found)
            if difference is not None:
                return Grade(
                    cell,
                    False,
                    **in_words("Forward", difference),
                    also=forward_mistakes(numbers, found),
                )
        checked.append("the states and the loss")
    answers = [called(backward, "backward", numbers) for numbers in runs]
    names = [name for name in runs[0].grads if name in answers[0]]
    if not names:
        raise GradeError(
            f"backward returned {', '.join(map(repr, answers[0])) or 'an empty dict'}; return the gradients "
            f"under {', '.join(runs[0].grads)}"
        )
    for numbers, answer in zip(runs, answers):
        difference = next(backward_differences(numbers, answer), None)
        if difference is not None:
            mistakes = matching(cell, runs, answers, names)
            also = by_length(backward, numbers.problem, names)
            pairs = {n: (np.asarray(answer[n], dtype=float), numbers.grads[n]) for n in names}
            words = in_words("Backward", difference)
            return Grade(cell, False, **words, mistakes=mistakes, also=also, pairs=pairs)
    difference = next(backward_differences(shaped, called(backward, "backward", shaped)), None)
    if difference is not None:
        return Grade(cell, False, **in_words("Backward, with sizes that all differ", difference))
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
