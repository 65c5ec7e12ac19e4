"""A student's functions, called with copies; what they raise is an error of theirs, with its line."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any

from micrornn.grade.problem import Numbers


class GradeError(ValueError):
    """A program that cannot be graded: what it gave, what is expected."""


def called(function: Callable[..., Any], name: str, numbers: Numbers) -> dict[str, Any]:
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
