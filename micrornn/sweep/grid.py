"""The settings of a sweep: values listed or ranged for each name, and every combination of them.

``cell=rnn,lstm`` lists values, ``steps=20..80:20`` counts from 20 to 80 by 20, and ``lr=1e-4..1e-1`` is a
range to search. ``lr=1e-4..1e-1:log`` is searched on a logarithmic scale.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Settings = dict[str, Any]
MOST = 100_000  # trials: more is a slip of the keyboard


class Range(NamedTuple):
    """An interval to search.

    Attributes:
        low, high: its ends, both included.
        log: whether it is searched on a logarithmic scale.
    """

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only integers are meant, because both ends are."""
        return isinstance(self.low, int) and isinstance(self.high, int)


class Axis(NamedTuple):
    """One name with the values that it takes: a list of them, or a `Range` to search."""

    name: str
    values: Sequence[Any] | Range


def parse(text: str, convert: Callable[[str, str], Any] | None = None) -> Axis:
    """The axis that a text such as ``cell=rnn,lstm`` describes.

    Args:
        text: a name, an equals sign, and values with commas between them, or a range.
        convert: from a name and the text of a value to the value; `literal` by default.

    Raises:
        ValueError: the text has another form, or a value is unusable.

    >>> parse("cell=rnn,lstm"), parse("steps=20..80:20").values
    (Axis(name='cell', values=['rnn', 'lstm']), [20, 40, 60, 80])
    >>> parse("lr=0.001..0.1:log").values
    Range(low=0.001, high=0.1, log=True)
    """
    name, equals, values = text.partition("=")
    name = name.strip().removeprefix("--").replace("-", "_")
    if not equals or not name.isidentifier() or not values.strip():
        raise ValueError(f"{text!r} is not a setting; give NAME=VALUE,VALUE or NAME=LOW..HIGH:STEP")
    convert = convert or (lambda name, value: literal(value))
    if ".." in values:
        return Axis(name, _range(name, values, convert))
    words = [word.strip() for word in values.split(",")]
    if "" in words:
        raise ValueError(f"{text!r} has an empty value; remove the extra comma")
    return Axis(name, list(dict.fromkeys(convert(name, word) for word in words)))


def _range(name: str, text: str, convert: Callable[[str, str], Any]) -> Sequence[Any] | Range:
    """Values at equal distances, or an interval, from a text such as ``20..80:20``."""
    ends, _, step = text.partition(":")
    low, high = (literal(end.strip()) for end in ends.split("..", 1))
    for end in (low, high):
        if not _is_number(end):
            raise ValueError(f"{name}={text}: {end!r} is not a number; give LOW..HIGH:STEP")
        convert(name, str(end))
    if low >= high:
        raise ValueError(f"{name}={text}: {low} is not below {high}; give the smaller end first")
    step = step.strip()
    if step in ("", "log"):
        if step == "log" and low <= 0:
            raise ValueError(f"{name}={text}: a logarithmic range starts above 0")
        return Range(low, high, step == "log")
    width = literal(step)
    if not _is_number(width) or width <= 0:
        raise ValueError(f"{name}={text}: the step {step!r} is not a positive number")
    count = math.floor((high - low) / width + 1e-9) + 1
    if count > MOST:
        raise ValueError(f"{name}={text}: {count:,} values; give at most {MOST:,}")
    return [convert(name, format(low + i * width, ".12g")) for i in range(count)]


def literal(text: str) -> Any:
    """A number, True, False or None where the text reads so, and otherwise the text.

    >>> literal("3"), literal("1e-3"), literal("true"), literal("lstm")
    (3, 0.001, True, 'lstm')
    """
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for number in (int, float):
        try:
            value = number(text)
        except ValueError:
            continue
        return value if math.isfinite(value) else text
    return text


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def combinations(axes: Sequence[Axis]) -> list[Settings]:
    """Every combination of the values, the last axis changing fastest.

    Raises:
        ValueError: an axis is a range without a step, a name comes twice, or there are too many.

    >>> combinations([parse("a=1,2"), parse("b=x,y")])[1:3]
    [{'a': 1, 'b': 'y'}, {'a': 2, 'b': 'x'}]
    """
    for axis in axes:
        if isinstance(axis.values, Range):
            low, high = axis.values.low, axis.values.high
            raise ValueError(
                f"{axis.name}={low}..{high} has no step; give one, as in {axis.name}={low}..{high}:"
                f"{(high - low) / 4:g}, or search the range with --search tpe"
            )
    _check_names(axes)
    if (count := math.prod(len(axis.values) for axis in axes)) > MOST:
        raise ValueError(f"{count:,} combinations; give fewer values, at most {MOST:,} in total")
    names = [axis.name for axis in axes]
    products = itertools.product(*(axis.values for axis in axes))
    return [dict(zip(names, values)) for values in products]


def _check_names(axes: Sequence[Axis]) -> None:
    names = [axis.name for axis in axes]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} is set twice; list its values in one --set")


def canonical(settings: Mapping[str, Any]) -> str:
    """Settings as one text, the same for the same settings in any order.

    >>> canonical({"b": 1, "a": "x"})
    '{"a": "x", "b": 1}'
    """
    return json.dumps(dict(settings), sort_keys=True, ensure_ascii=False)


def in_words(settings: Mapping[str, Any]) -> str:
    """Settings for people.

    >>> in_words({"cell": "lstm", "forget_bias": 3.0})
    'cell=lstm forget_bias=3'
    """
    return " ".join(f"{name}={shown(value)}" for name, value in settings.items()) or "no settings"


def shown(value: Any) -> str:
    """A value as people write it."""
    return format(value, "g") if isinstance(value, float) else str(value)
