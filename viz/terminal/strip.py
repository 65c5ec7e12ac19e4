"""The full screen's parts as text: the strip of steps, the present cell, stops, source. No library in it."""

from __future__ import annotations

import linecache
import math
from typing import Any

import numpy as np

from micrornn.debug.errors import DebuggerError
from micrornn.debug.report import few, made, shown, sized
from micrornn.debug.session import Session
from micrornn.flow.roles import main_state

BARS = " ▁▂▃▄▅▆▇█"


def strip(session: Session, width: int) -> list[str]:
    """The steps with the gradient's magnitude in each: bars on a log scale, and what they mean.

    It is that of the main state where there is one, else the largest of the step.

    Steps that do not fit share a column, which shows their largest; the line below says how many.
    """
    line, position = session.line, session.state.position
    t, norms = line.columns.t, line.columns.norm
    steps, each = _columns(t, width)
    if not steps:
        return ["no time steps", ""]
    done = np.arange(len(line)) < position + 1
    columns = [steps[i : i + each] for i in range(0, len(steps), each)]
    states = line.columns.name == main_state(session.rec)
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


def _columns(t: Any, width: int) -> tuple[list[int], int]:
    """The steps that occur, and how many of them share a column."""
    steps = np.unique(t[~np.isnan(t)]).astype(int).tolist()
    return steps, -(-len(steps) // max(width - 2, 1))


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


AROUND = 200  # turns on either side of the cursor that can be scrolled to


def turns(session: Session) -> tuple[list[str], int]:
    """The turns around the cursor, with what arrived, and which of the lines is the present one, ``->``."""
    line, position = session.line, session.state.position
    first = max(position - AROUND, 0)
    lines = []
    for i in range(first, min(position + AROUND, len(line))):
        node = line.nodes[i]
        mark = "->" if i == position else "  "
        step = "" if node.step is None else f"t={node.step}"
        come = sized(line.amounts[i]) if i <= position else "."
        lines.append(f"{mark}{i + 1:5} {come:>10} {step:6} {made(node, session.places)}")
    return ([*lines, "-> the end"] if position >= len(line) else lines), position - first


def turn_in(session: Session, row: int) -> int | None:
    """The number of the turn in a line of `turns`, for `goto`."""
    turn = max(session.state.position - AROUND, 0) + row
    return turn + 1 if turn < len(session.line) else None


def turn_at(session: Session, column: int, width: int) -> int | None:
    """The number of the first turn of the step in a column of the strip, for `goto`."""
    t = session.line.columns.t
    steps, each = _columns(t, width)
    step = steps[column * each] if column * each < len(steps) else None
    found = np.flatnonzero(t == step)
    return int(found[0]) + 1 if len(found) else None


def facts(session: Session) -> list[str]:
    """The scope of the present node, and what it sends."""
    line, position = session.line, session.state.position
    if position >= len(line):
        return [f"the {line.direction} pass is over"]
    node = line.nodes[position]
    sent = [
        f"{sized(c)} to {session.places.label(x)}"
        for x, c in zip(node.inputs, line.sent[position] if line.sent else ())
        if c is not None
    ]
    return [node.scope or "no scope", *([f"sends {few(sent)}"] if sent else [])]


def values(session: Session) -> list[tuple[str, Any]]:
    """What is drawn of the present node: its value, and the gradient that arrived."""
    line, position = session.line, session.state.position
    if position >= len(line):
        return []
    found = [("value", line.nodes[position]._value)]
    return [*found, ("gradient", line.amounts[position])] if line.sent else found


def source(session: Session) -> tuple[list[str], int]:
    """The program, and which of its lines made the present node; > marks that line."""
    line, position = session.line, session.state.position
    node = line.nodes[position] if position < len(line) else None
    if node is None or node.source is None:
        return (["source not recorded"] if node is not None else []), 0
    file, number = node.source
    text = [one.rstrip("\n") for one in linecache.getlines(file)]
    lines = [f"{'>' if n == number else ' '}{n:4} {one}" for n, one in enumerate(text, 1)]
    return lines or [f"{file}, line {number}"], number - 1


def place_in(session: Session, row: int) -> str | None:
    """A line of `source`, for `break`: FILE:LINE."""
    line, position = session.line, session.state.position
    node = line.nodes[position] if position < len(line) else None
    return None if node is None or node.source is None else f"{node.source[0]}:{row + 1}"


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
