"""A credit map in characters, for a terminal: one for each entry, or for a block of entries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.flow import CreditMap
from micrornn.flow.credit import NO_PATH, NOT_APPLICABLE, NOT_FINITE, VALUE
from viz.style import number

Array = np.ndarray[Any, Any]
_LEVELS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_WIDEST, _HIGHEST = 64, 32  # characters and lines of a map


def coarse(own: CreditMap, of: str, span: tuple[float, float]) -> list[str]:
    """The map with a block of eight heights for each entry, by the logarithm of its norm.

    A larger map is merged: a character then stands for the largest of a block of entries.

    Args:
        own: the map.
        of: the name of what the columns are steps of.
        span: the decimal logarithms of the smallest and the largest norm, of all maps that are compared.
    """
    rows, columns = own.norms.shape
    high, wide = math.ceil(rows / _HIGHEST), math.ceil(columns / _WIDEST)
    merged = "" if high == wide == 1 else f", the largest of {high} losses and {wide} steps each"
    width = max(len(own.rows[i]) for i in range(0, rows, high))
    lines = [f"all losses (down), {of} of each step (to the right){merged}"]
    for i in range(0, rows, high):
        marks = ""
        for j in range(0, columns, wide):
            part = (slice(i, i + high), slice(j, j + wide))
            marks += _mark(own.norms[part], own.states[part], *span)
        lines.append(f"{own.rows[i]:>{width}} {marks}".rstrip())
    first, last = own.column_steps[0], own.column_steps[-1]
    ends = f"{of}[{first}]"
    room = math.ceil(columns / wide) - len(ends)
    lines.append(f"{'':>{width}} {ends}{f'{of}[{last}]':>{max(room, 0)}}")
    low, top = (number(10.0**end) for end in span)
    lines.append(f"{_LEVELS[0]}: {low} to {_LEVELS[-1]}: {top}, log scale")
    lines.append("blank: not applicable, the step is later than the loss")
    found = set(np.unique(own.states).tolist())
    words = {NO_PATH: "-: no path", NOT_FINITE: "!: not finite"}
    return [*lines, *(words[state] for state in words if state in found)]


def _mark(norms: Array, states: Array, low: float, top: float) -> str:
    if (states == NOT_FINITE).any():
        return "!"
    known = norms[states == VALUE]
    if len(known):
        part = (math.log10(float(known.max())) - low) / max(top - low, 1.0)
        return _LEVELS[min(int(part * len(_LEVELS)), len(_LEVELS) - 1)]
    if (states == NOT_APPLICABLE).all():
        return " "
    return "-" if (states == NO_PATH).any() else "0"
