"""The legend at the foot of a picture: the scale of the gradient, and the looks that occur."""

from __future__ import annotations

import math

from viz.metrics import fitted, text_width
from viz.pen import Pen
from viz.picture.numbers import power
from viz.picture.theme import Scale, Theme
from viz.style import number

LEFT = 56.0  # the margin of every picture


def wedge(
    pen: Pen,
    scale: Scale,
    theme: Theme,
    y: float,
    size: float,
    cut: bool = False,
    nan: bool = False,
    right: float | None = None,
    marks: str = "",
    forward: bool = True,
    note: str = "",
    end: float = math.inf,
) -> None:
    """The legend: the scale as a wedge that widens and darkens, and what else occurs.

    Args:
        cut: whether something is detached.
        nan: whether something is NaN.
        right: if given, all looks are explained, and this is where the sheet ends.
        marks: what the marks of checkpoints mean, those that occur.
        forward: whether forward edges are drawn.
        note: how to read the numbers, where there is room for it before ``end``.
    """
    full = right is not None
    cut, nan = cut or full, nan or full
    x = LEFT
    pen.text("gradient norm", x, y + 4, None, 12.5 * size, None, theme.muted)
    x += text_width("gradient norm", 12.5 * size) + 16
    length, pieces = 240.0 if right is None else 180.0, 40
    for i in range(pieces):
        part = (i + 0.5) / pieces
        wide = 1.6 + 10.4 * part
        pen.add(
            *("rect",),
            x=x + length * i / pieces,
            y=y - wide / 2,
            width=length / pieces + 0.8,
            height=wide,
            fill=scale.at(part),
        )
    for tick in scale.ticks():
        pen.text(
            power(number(tick)),
            x + length * scale.part(tick),
            y + 22,
            "middle",
            12 * size,
            None,
            theme.muted,
        )
    x += length + 44
    if forward:
        pen.add("line", x1=x, y1=y, x2=x + 34, y2=y, stroke=theme.line, stroke_width=1.3)
        pen.arrow((x, y), (x + 40, y), 7.0, theme.line)
        pen.text("forward", x + 50, y + 4, None, 12.5 * size, None, theme.muted)
        x += 50 + text_width("forward", 12.5 * size) + 34
    color = scale.at(0.6)
    pen.add("line", x1=x + 10, y1=y, x2=x + 40, y2=y, stroke=color, stroke_width=6)
    pen.arrow((x + 12, y), (x, y), 12.0, color)
    pen.text("gradient, back", x + 50, y + 4, None, 12.5 * size, None, theme.muted)
    x += 50 + text_width("gradient, back", 12.5 * size) + 34
    if cut:
        pen.cross(x, y, 5.0, theme.alarm)
        pen.text("detached", x + 14, y + 4, None, 12.5 * size, None, theme.muted)
        x += 14 + text_width("detached", 12.5 * size) + 34
    if nan:
        pen.add("line", x1=x, y1=y, x2=x + 34, y2=y, stroke=theme.alarm, stroke_width=6)
        pen.text("NaN", x + 44, y + 4, None, 12.5 * size, None, theme.muted)
        x += 44 + text_width("NaN", 12.5 * size) + 34
    if marks:
        pen.text(marks, x, y + 4, None, 12.5 * size, None, theme.muted)
        x += text_width(marks, 12.5 * size) + 34
    if note and right is None and x + text_width(note, 12.5 * size) <= end:
        pen.text(note, x, y + 4, None, 12.5 * size, None, theme.muted)
    if right is not None:
        words = fitted("0: exactly zero; no number: no path", 12.5 * size, right - x - 24)
        pen.text(words, x, y + 4, None, 12.5 * size, None, theme.muted)
