"""A condition over all turns at once: from its tree to a column of true and false."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from micrornn.debug.errors import DebuggerError
from micrornn.debug.grammar import Tree, parse_condition
from micrornn.debug.timeline import Timeline
from micrornn.messages import nearest

Array = np.ndarray[Any, Any]

NUMBERS = ("norm", "max", "share", "t")
WORDS = ("op", "scope", "name", "sign")
FLAGS = ("nan", "inf", "zero", "recomputed")
FIELDS = (*NUMBERS, *WORDS, *FLAGS)
SIGNS = {"positive": "+", "negative": "-", "mixed": "±", "zero": "0"}
RELATIONS = {
    **{"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    **{"=": operator.eq, "!=": operator.ne},
}


def matches(line: Timeline, condition: str) -> Array:
    """Which turns a condition is true of, as booleans of shape (turns,).

    Raises:
        DebuggerError: the condition is not understood, or compares what cannot be.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> line = Timeline(record(mr.tanh(mr.Value(0.5, "w") * 2.0)))
    >>> matches(line, "norm < 0.5 or op = tanh").tolist()
    [True, True]
    """
    with np.errstate(invalid="ignore"):
        return _column(line, parse_condition(condition))


def check(condition: str) -> None:
    """Refuse a condition that is not understood, before it is ever used.

    Raises:
        DebuggerError: says what is wrong with it.

    >>> check("nrom < 1")
    Traceback (most recent call last):
    micrornn.debug.errors.DebuggerError: there is nothing called 'nrom' to compare; did you mean 'norm'?
    """
    _check(parse_condition(condition))


def _check(tree: Tree) -> None:
    kind, *parts = tree
    if kind in ("and", "or", "not"):
        for part in parts:
            _check(part)
    elif kind == "is":
        _flag(parts[0])
    else:
        _sides(*parts)


def _column(line: Timeline, tree: Tree) -> Array:
    kind, *parts = tree
    if kind == "and":
        return np.asarray(_column(line, parts[0]) & _column(line, parts[1]))
    if kind == "or":
        return np.asarray(_column(line, parts[0]) | _column(line, parts[1]))
    if kind == "not":
        return np.asarray(~_column(line, parts[0]))
    if kind == "is":
        return np.asarray(getattr(line.columns, _flag(parts[0])))
    relation, field, wanted = _sides(*parts)
    column = getattr(line.columns, field)
    if field == "scope":
        inside = wanted + "/"
        found = np.array([s == wanted or s.startswith(inside) for s in column], dtype=bool)
        return found if relation == "=" else ~found
    return np.asarray(RELATIONS[relation](column, wanted), dtype=bool)


def _flag(operand: Tree) -> str:
    if operand[0] == "word" and operand[1] in FLAGS:
        return str(operand[1])
    word = operand[1]
    raise DebuggerError(
        f"{word!r} alone is no condition; compare something ({', '.join(NUMBERS + WORDS)}: norm < 1e-6), "
        f"or ask for {', '.join(FLAGS)}"
    )


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


def _sides(relation: str, left: Tree, right: Tree) -> tuple[str, str, Any]:
    """The comparison with the field on the left, checked."""
    if left[1] not in (*NUMBERS, *WORDS):
        if right[1] not in (*NUMBERS, *WORDS):
            word = left[1] if left[0] == "word" else right[1]
            raise DebuggerError(
                f"there is nothing called {word!r} to compare; {nearest(str(word), NUMBERS + WORDS)}"
            )
        left, right, relation = right, left, _MIRRORED[relation]
    field, (kind, wanted) = left[1], right
    if field in NUMBERS:
        if wanted == "none" and field == "t":
            raise DebuggerError("t = none: a node without a step has no t; write not t >= 0")
        if kind != "number":
            raise DebuggerError(f"{field} {relation} {wanted}: {field} is compared with a number")
        return relation, field, wanted
    if relation not in ("=", "!="):
        raise DebuggerError(f"{field} {relation} {wanted}: {field} is a word; use = or !=")
    if field == "sign":
        wanted = "0" if wanted == 0.0 else SIGNS.get(str(wanted), wanted)
        if wanted not in SIGNS.values():
            raise DebuggerError(f"sign = {wanted}: write one of {', '.join(SIGNS)}")
    return relation, field, str(wanted)
