"""Plain text in columns: how wide a line is, how it wraps, how a gradient is spelt in a few letters."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TypeVar

from micrornn.core.tensor import Tensor
from micrornn.messages import printable
from viz.gradients import Flow
from viz.style import Scale, number

WIDTH = 80
T = TypeVar("T")

_SHORT = {
    **{"none": "", "constant": "–", "absent": "no path", "zero": "zero"},
    **{"underflow": "underflow", "nan": "NaN"},
}
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
_MARKS = {"none": " ", "constant": "–", "absent": "×", "zero": "0", "underflow": "u", "nan": "N"}


def shape_of(node: Tensor) -> str:
    """The shape as the picture writes it: 8×4, or "scalar"."""
    return "×".join(map(str, node.shape)) or "scalar"


def size_of(node: Tensor) -> str:
    """A number as it is, of an array the Euclidean norm."""
    if node.size == 1:
        return number(node.item())
    flow = Flow.of(node._value)
    return "NaN" if flow.state == "nan" else number(flow.norm)


_LONGEST = 160  # characters of a name: two lines of a terminal


def clean(text: str) -> str:
    """The text with every character that would upset a terminal written out, and an end to very long ones.

    >>> clean("a\\nb")
    'a\\\\nb'
    """
    return printable(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def columns(text: str) -> int:
    """How many columns of a terminal a line takes.

    >>> columns("h₁ →"), columns("日本")
    (4, 4)
    """
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    wide = unicodedata.east_asian_width(character) in ("W", "F")
    return 0 if unicodedata.combining(character) else 2 if wide else 1


def _fitting(text: str, start: int, width: int) -> int:
    """Where the part of a text ends that begins at ``start`` and takes at most a width."""
    end = start
    while end < len(text) and (width := width - _columns(text[end])) >= 0:
        end += 1
    return end


def padded(text: str, width: int, right: bool = False) -> str:
    """The text with spaces up to a width, after it or before it."""
    space = " " * max(width - columns(text), 0)
    return space + text if right else text + space


def cut(text: str, width: int) -> str:
    """The text, ended by an ellipsis where it is wider than a width.

    >>> cut("a long name", 7)
    'a long…'
    """
    whole = _fitting(text, 0, width) == len(text)
    return text if whole else text[: _fitting(text, 0, width - 1)] + "…"


def wrapped(text: str, width: int = WIDTH, indent: str = "") -> list[str]:
    """The text in lines of at most a width, broken at spaces; a word longer than a line breaks anywhere.

    >>> wrapped("one two three", 7), wrapped("12345678", 5)
    (['one two', 'three'], ['12345', '678'])
    """
    lines: list[str] = []
    words = text.lstrip(" ")
    line = " " * min(len(text) - len(words), width // 2)
    for word in words.split(" "):
        space = " " if line.strip() else ""
        room = width - columns(line + space)
        if room >= 0 and _fitting(word, 0, room) == len(word):
            line += space + word
            continue
        if line.strip():
            lines.append(line)
            line = indent
        start = 0
        while True:
            end = _fitting(word, start, width - columns(line))
            if end == len(word):
                break
            end = max(end, start + 1)  # a character wider than the line
            lines.append(line + word[start:end])
            line, start = indent, end
        line += word[start:]
    return [*lines, line]


def blocks(items: Sequence[T], most: int) -> list[Sequence[T]]:
    """The items in runs of nearly the same length, none longer than ``most``.

    >>> blocks([1, 2, 3, 4, 5, 6, 7], 5)
    [[1, 2, 3, 4], [5, 6, 7]]
    """
    rows = max(math.ceil(len(items) / max(most, 1)), 1)
    size = max(math.ceil(len(items) / rows), 1)
    return [items[i : i + size] for i in range(0, len(items), size)]


def short(flow: Flow, sign: bool = True) -> str:
    """A gradient in at most ten letters: its norm, with the sign that all its elements share, or why none.

    >>> short(Flow.of(-0.5)), short(Flow("absent"))
    ('0.5 −', 'no path')
    """
    if flow.state != "value":
        return _SHORT[flow.state]
    mark = {"+": " +", "-": " −"}.get(flow.sign, "") if sign else ""
    text = number(flow.norm) + mark
    return text if len(text) <= 10 else f"{flow.norm:.1e}{mark}"


def bar(flow: Flow, scale: Scale, width: int) -> str:
    """A bar whose length is the logarithm of the norm; nothing where there is no value.

    >>> bar(Flow.of(1.0), Scale(-2, 0), 4)
    '████'
    """
    if flow.state != "value":
        return ""
    eighths = max(round(scale.part(flow.norm) * width * 8), 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def spark(flow: Flow, scale: Scale) -> str:
    """A gradient as a single character: its height is the logarithm of the norm.

    >>> spark(Flow.of(1.0), Scale(-2, 0)), spark(Flow("zero"), Scale(-2, 0))
    ('█', '0')
    """
    if flow.state != "value":
        return _MARKS[flow.state]
    return _LEVELS[round(scale.part(flow.norm) * (len(_LEVELS) - 1))]


def marks_in_words(flows: Iterable[Flow]) -> str:
    """What the characters of `spark` mean that are no bars, those that occur."""
    states = {flow.state for flow in flows}
    words = {
        **{"zero": "0 exactly zero", "underflow": "u underflowed to zero", "nan": "N NaN"},
        **{"absent": "× no path to the loss", "constant": "– needs no gradient"},
    }
    return ", ".join(said for state, said in words.items() if state in states)
