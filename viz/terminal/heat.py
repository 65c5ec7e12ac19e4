"""Arrays and credit maps as small heat maps of colored characters, for the full screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.style import Style
from rich.text import Text

from micrornn.core.backward import dense
from micrornn.debug.report import number, sized
from micrornn.flow.credit import NOT_FINITE, VALUE, ZERO, CreditMap

Color = tuple[int, int, int]

GROUND: Color = (40, 40, 40)
# Okabe & Ito's blue and vermilion for signs; one pale-to-saturated scale for sizes.
NEGATIVE, POSITIVE, LARGE = (0, 114, 178), (213, 94, 0), (240, 228, 66)
MOST = 200  # rows and columns that are drawn; the line above says how many there are
NUMBER = 8  # characters of a cell that holds its number
SHADES = " ·-+*#@"


def array(title: str, value: Any, room: int) -> Text:
    """A value as cells on one scale: with their numbers where ``room`` holds these, else two characters each.

    A cell says its sign in characters too: ``-`` below zero, ``0`` exactly zero, ``!`` NaN or infinite.

    >>> print(array("value", np.array([1.0, -2.0, 0.0]), 40))
    value: shape (3,), norm 2.24, from -2 to 1
          1     -2      0
    >>> print(array("value", np.arange(40.0) - 20.0, 40).plain.splitlines()[1][:10])
    - - - - -
    """
    x = np.asarray(dense(value), dtype=float)
    head = f"{title}: shape {x.shape}, norm {sized(x)}"
    if not x.size:
        return Text(head)
    finite = x[np.isfinite(x)]
    if finite.size and x.ndim:
        head += f", from {number(float(finite.min()))} to {number(float(finite.max()))}"
    rows = x.reshape(-1, x.shape[-1]) if x.ndim else x.reshape(1, 1)
    if rows.shape[0] > MOST or rows.shape[1] > MOST:
        head += f"; the first {min(rows.shape[0], MOST)} x {min(rows.shape[1], MOST)}"
    rows = rows[:MOST, :MOST]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    numbers = rows.shape[1] * NUMBER <= max(room, NUMBER)
    text = Text(head, no_wrap=True)
    for row in rows.tolist():
        text.append("\n")
        for cell in row:
            text.append(_words(cell, numbers), _style(_signed(cell, largest)))
    return text


def _words(cell: float, number_: bool) -> str:
    if number_:
        return f"{number(cell):>{NUMBER - 1}} "
    return "! " if not math.isfinite(cell) else "0 " if cell == 0 else "- " if cell < 0 else "  "


def _signed(cell: float, largest: float) -> Color:
    if not math.isfinite(cell):
        return (204, 0, 0)
    share = abs(cell) / largest if largest else 0.0
    return _mixed(NEGATIVE if cell < 0 else POSITIVE, share)


def credit(found: CreditMap, step: int | None) -> Text:
    """|dL_t/dh_k|: a row for each loss, a column for each step, on a log scale; ``v`` marks the step.

    >>> import micrornn as mr
    >>> from micrornn.debug.tutorial import lesson
    >>> from micrornn.flow.credit import credit as credit_of
    >>> print(credit(credit_of(lesson()), 2).plain.splitlines()[0])
    |dL/dh[k]|, from 8.88e-16 to 1
    """
    values = found.norms[np.isfinite(found.norms) & (found.norms > 0)]
    low, high = (float(values.min()), float(values.max())) if values.size else (1.0, 1.0)
    head = f"|dL/d{found.name}[k]|, from {number(low)} to {number(high)}"
    text = Text(head if values.size else f"no gradient reaches {found.name}", no_wrap=True)
    steps = found.column_steps[:MOST]
    labels = found.rows[:MOST]
    wide = max(len(one) for one in labels)
    text.append("\n" + " " * (wide + 1) + "".join("v " if k == step else "  " for k in steps))
    for t, name in enumerate(labels):
        text.append(f"\n{name:>{wide}} ")
        for k in range(len(steps)):
            text.append(*_cell(found.norms[t, k], found.states[t, k], low, high))
    return text


def _cell(size: float, state: int, low: float, high: float) -> tuple[str, Style]:
    if state == VALUE:
        share = 1.0 if high == low else math.log(size / low) / math.log(high / low)
        return f"{SHADES[round(share * (len(SHADES) - 1))]} ", _style(
            _mixed(LARGE, 0.1 + 0.9 * share)
        )
    if state == ZERO:
        return "0 ", _style(GROUND)
    return ("! ", _style((204, 0, 0))) if state == NOT_FINITE else ("  ", Style())


def _mixed(color: Color, share: float) -> Color:
    return tuple(round(g + (c - g) * share) for c, g in zip(color, GROUND))  # type: ignore[return-value]


def _style(ground: Sequence[int]) -> Style:
    red, green, blue = ground
    ink = 0 if 0.3 * red + 0.59 * green + 0.11 * blue > 128 else 255
    return Style(bgcolor=f"rgb({red},{green},{blue})", color=f"rgb({ink},{ink},{ink})")
