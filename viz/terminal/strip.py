"""The full screen's parts as text: the strip of steps, the present cell, stops, source. No library in it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.debug.errors import DebuggerError
from micrornn.debug.report import made, shown, sized
from micrornn.debug.session import Session
from viz.terminal.effects import source_line

BARS = " ▁▂▃▄▅▆▇█"


def strip(session: Session, width: int) -> list[str]:
    """The steps with the gradient's magnitude in each: bars on a log scale, and what they mean.

    It is that of the state h where there is one, else the largest of the step.

    Steps that do not fit share a column, which shows their largest; the line below says how many.
    """
    line, position = session.line, session.state.position
    t, norms = line.columns.t, line.columns.norm
    steps = sorted({int(x) for x in t[~np.isnan(t)]})
    if not steps:
        return ["no time steps", ""]
    done = np.arange(len(line)) < position + 1
    each = -(-len(steps) // max(width - 2, 1))
    columns = [steps[i : i + each] for i in range(0, len(steps), each)]
    states = line.columns.name == "h"
    seen = done & states if states.any() else done
    sizes = _sizes(t, norms, columns, seen)
    finite = [x for x in sizes if x is not None and 0 < x < math.inf]
    low, high = (math.log10(min(finite)), math.log10(max(finite))) if finite else (0.0, 0.0)
    now = line.nodes[position].step if position < len(line) else None
    bars = "".join(_bar(x, low, high) for x in sizes)
    mark = "".join("^" if now in column else " " for column in columns)
    scale = f"|gradient| {10**low:.1e} to {10**high:.1e}" if finite else "nothing has arrived yet"
    some = f", {each} steps a column" if each > 1 else ""
    return [
        bars,
        mark,
        f"t={steps[0]} to {steps[-1]}{some}; {scale}; . not yet, 0 exactly zero, ! NaN",
    ]


def _sizes(t: Any, norms: Any, columns: list[list[int]], seen: Any) -> list[float | None]:
    index = {step: i for i, column in enumerate(columns) for step in column}
    best: list[float | None] = [None] * len(columns)
    for step, size in zip(t[seen].tolist(), norms[seen].tolist()):
        i = index.get(int(step)) if step == step else None
        if i is not None:
            old = best[i]
            best[i] = size if old is None or not size <= old else old
    return best


def _bar(x: float | None, low: float, high: float) -> str:
    if x is None:
        return "."
    if not math.isfinite(x):
        return "!"
    if x == 0:
        return "0"
    share = 1.0 if high == low else (math.log10(x) - low) / (high - low)
    return BARS[1 + round(share * (len(BARS) - 2))]


def cell(session: Session, height: int) -> list[str]:
    """The turns around the cursor, with what arrived; -> is the present one."""
    line, position = session.line, session.state.position
    first = max(0, min(position - height // 2, len(line) - height + (position >= len(line))))
    lines = []
    for i in range(first, min(first + height, len(line))):
        node = line.nodes[i]
        mark = "->" if i == position else "  "
        step = "" if node.step is None else f"t={node.step}"
        come = sized(line.amounts[i]) if i <= position else "."
        lines.append(f"{mark}{i + 1:5} {come:>10} {step:6} {made(node, session.places)}")
    return [*lines, "-> the end"][:height] if position >= len(line) else lines


def values(session: Session) -> list[str]:
    """The present node: value, gradient, source line."""
    line, position = session.line, session.state.position
    if position >= len(line):
        return [f"the {line.direction} pass is over"]
    node = line.nodes[position]
    lines = [node.scope or "no scope", "value: " + shown(node._value)[0]]
    if line.sent:
        lines.append("gradient: " + shown(line.amounts[position])[0])
        lines += [
            f"sends {sized(c)} to {session.places.label(x)}"
            for x, c in zip(node.inputs, line.sent[position])
            if c is not None
        ]
    return lines


def source(session: Session, height: int) -> list[str]:
    """The program around the line that made the present node; > marks that line."""
    line, position = session.line, session.state.position
    node = line.nodes[position] if position < len(line) else None
    if node is None or node.source is None:
        return ["source not recorded"] if node is not None else []
    file, number = node.source
    first = max(1, number - height // 2)
    found = []
    for n in range(first, first + height):
        text = source_line(file, n)
        if text is not None or n == number:
            found.append(f"{'>' if n == number else ' '}{n:4} {text or ''}")
    return found


def stops(session: Session) -> list[str]:
    """Breakpoints, watches and displays."""
    lines = [
        f"{one.number} {'watch' if one.kind == 'watch' else 'break'} {one.words} ({one.hits})"
        + ("" if one.enabled else " off")
        for one in session.state.stops
    ]
    for number, expression in session.state.displays:
        try:
            value = session.moment.value(expression)
            head = shown(value._value if hasattr(value, "primitive") else value)[0]
        except DebuggerError:
            head = "not yet"
        lines.append(f"d{number} {expression} = {head}")
    return lines or ["no breakpoints: break t=1"]
