"""What every unit of a step computes and what came back to it, a row each; the ledger of shared weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from viz.gradients import Flow, is_cut
from viz.labels import subscript, value_words
from viz.legend import scale_of
from viz.scene import Entry, Scene, Unit
from viz.shapes import MOST_SCALARS
from viz.style import AGAIN, in_words, number
from viz.text.plain import (
    WIDTH,
    blocks,
    clean,
    columns,
    marks_in_words,
    padded,
    shape_of,
    short,
    size_of,
    spark,
    wrapped,
)

CELL = 11  # columns for one step
_LEAST, _MOST = 20, 36  # columns for what a row is


@dataclass
class Row:
    """A line of a table: what it is, and a cell for each step."""

    words: str
    shape: str
    cells: dict[int, str] = field(default_factory=dict)


def units(scene: Scene) -> list[str]:
    """The units of every step, grouped by scope: label, weights, shape, and the gradient at each step."""
    groups = _groups(scene)
    rows = [row for group in groups.values() for row in group.values()]
    if not rows:
        return []
    head = "Norm of the gradient at each step, with its sign where all elements share one"
    if not scene.gradients.ran:
        head = (
            "Norm of the value at each step (backward has not run), of a number the number itself"
        )
    lines = wrapped(f"{head}. In a row: label, weights used, shape.")
    flows = [unit.flow for unit in scene.units if unit.step in scene.steps]
    if any(flow.state == "constant" for flow in flows):
        lines[-1:] = wrapped(f"{lines[-1]} –: needs no gradient.")
    if any(unit.lost is not None for unit in scene.units):
        lines[-1:] = wrapped(f"{lines[-1]} ✂: lost, because the value is detached.")
    if any(map(scene.again, scene.units)):
        lines[-1:] = wrapped(f"{lines[-1]} {AGAIN}: computed again in backward.")
    if scene.lit is not None:
        lines += wrapped("Only what lies on the chosen paths is listed.")
    lines.append("")
    return lines + _table(scene.steps, groups)


def _groups(scene: Scene) -> dict[str, dict[tuple[object, ...], Row]]:
    """The rows of each scope. Only what agrees in role, label, weights and shape shares a row."""
    shown = set(scene.steps)
    groups: dict[str, dict[tuple[object, ...], Row]] = {}
    for unit in scene.units:
        if unit.step is None or unit.step not in shown:
            continue
        if scene.lit is not None and id(unit) not in scene.lit:
            continue
        scope = unit.layer if scene.detail == "gate" else f"{unit.layer}/{unit.gate}".strip("/")
        group = groups.setdefault(scope, {})
        words = " ".join([label_of(unit), *(mark.label for mark in unit.marks)])
        key = (unit.role, words, unit.out.shape)
        row = group.setdefault(key, Row(clean(words), shape_of(unit.out)))
        row.cells[unit.step] = _cell(scene, unit)
        if scene.detail == "scalar" and unit.kind != "group":
            _elements(group, key, unit)
    return groups


def _cell(scene: Scene, unit: Unit) -> str:
    return AGAIN * bool(scene.again(unit)) + _amount(scene, unit)


def _amount(scene: Scene, unit: Unit) -> str:
    if not scene.gradients.ran:
        return size_of(unit.out)
    if unit.lost is not None and unit.lost.state == "value":
        return f"✂{short(unit.lost, sign=False)}"
    return short(unit.flow)


def _elements(group: dict[tuple[object, ...], Row], key: tuple[object, ...], unit: Unit) -> None:
    """Rows for the elements of a value, and for what came back to each."""
    values = np.asarray(unit.out._value).reshape(-1)
    step = unit.step
    assert step is not None
    for i, value in enumerate(values[:MOST_SCALARS]):
        index = ",".join(map(str, np.unravel_index(i, unit.out.shape)))
        name = f"  [{index}]" if index else "  value"
        group.setdefault((*key, i), Row(name, "value")).cells[step] = number(float(value))
        if unit.elements is not None:
            row = group.setdefault((*key, i, "gradient"), Row("", "gradient"))
            row.cells[step] = short(unit.elements[i])
    if values.size > MOST_SCALARS:
        more = f"  + {values.size - MOST_SCALARS} more elements, not listed"
        group.setdefault((*key, "more"), Row(more, ""))


def label_of(unit: Unit) -> str:
    """The label without what differs from step to step: hₜ for h₁, Lₜ for L₁ 1.22."""
    if unit.kind == "loss" and unit.step is not None:
        primitive = unit.out.primitive
        return f"Lₜ {primitive.symbol or primitive.name}" if primitive else "Lₜ"
    if is_cut(unit.out) and unit.kind != "group":
        return f"{unit.out.name}ₜ detached" if unit.out.name else "detached"
    if unit.out.is_leaf and unit.kind != "group":
        return f"{unit.out.name.split(' ')[0]}ₜ" if unit.out.name else "data"
    sub = subscript(unit.step or 0)
    return re.sub(rf"(?<=\w){sub}(?![₀-₉])", "ₜ", unit.label)


def _table(steps: Sequence[int], groups: dict[str, dict[tuple[object, ...], Row]]) -> list[str]:
    rows = [row for group in groups.values() for row in group.values()]
    left = max(columns(row.words) + columns(row.shape) for row in rows) + 5
    left = min(max(left, _LEAST), _MOST)
    lines: list[str] = []
    for shown in blocks(steps, (WIDTH - left) // CELL):
        if lines:
            lines.append("")
        lines.append(" " * left + "".join(padded(f"t = {t}", CELL) for t in shown))
        for scope, group in groups.items():
            if scope:
                lines += wrapped(clean(scope))
            for row in group.values():
                if any(t in row.cells for t in shown) or not row.cells:
                    lines += _lines(row, left, shown)
    return lines


def _lines(row: Row, left: int, steps: Sequence[int]) -> list[str]:
    """A row; words that are too long go on in lines of their own."""
    if not row.cells:
        return [f"  {row.words}"]
    room = left - 4 - columns(row.shape)
    first, *rest = wrapped(row.words, room - 1, "    " if row.words.startswith(" ") else "  ")
    head = "  " + padded(first, room) + row.shape + "  "
    cells = "".join(padded(row.cells.get(t, ""), CELL) for t in steps)
    return [head + cells, *(f"  {line}" for line in rest)]


def outside(scene: Scene) -> list[str]:
    """The units of no step, the total loss above all, and the initial states."""
    shown = set(scene.steps)
    initial = [u for u in scene.units if u.step is not None and u.step not in shown]
    tail = [u for u in scene.units if u.step is None]
    lines: list[str] = []
    for heading, found in (("before the first step", initial), ("outside the steps", tail)):
        if heading == "before the first step" and any((u.step or 0) > 0 for u in found):
            heading = "initial states"
        for i, unit in enumerate(found):
            lines += [heading] if i == 0 else []
            where = f" in {unit.out.scope}" if unit.out.scope else ""
            words = f"  {unit.label}{where}: {value_words(unit.out)}; {in_words(unit.flow)}"
            lines += wrapped(clean(words), indent="    ")
    return lines


def ledger(scene: Scene) -> list[str]:
    """The shared weights: label, name, shape, the total gradient, and what each step sent to it."""
    if not scene.ledger:
        return []
    steps = scene.steps
    ran = scene.gradients.ran
    lines = ["shared weights"]
    if not ran:
        return [*lines, *(line for e in scene.ledger for line in wrapped(_named(e), indent="    "))]
    wide = max(columns(clean(e.label)) + columns(shape_of(e.parameter)) for e in scene.ledger)
    left = min(max(wide + 5, _LEAST), _MOST)
    every = len(steps) < (WIDTH - left) // CELL
    listed = list(steps) if every else [steps[0], steps[-1]]
    heads = ["total", *(f"t = {t}" for t in listed)]
    lines = [padded("shared weights", left) + "".join(padded(head, CELL) for head in heads)]
    scale = scale_of(scene)
    flows: list[Flow] = []
    for entry in scene.ledger:
        by_step, name = entry.by_step, clean(entry.parameter.name or "")
        cells = dict(enumerate([short(entry.flow), *(_at(by_step, t) for t in listed)]))
        row = Row(clean(entry.label), shape_of(entry.parameter), cells)
        lines += _lines(row, left, range(len(cells)))
        if name not in ("", row.words):
            lines += wrapped(f"    {name}", indent="    ")
        if not every:
            flows += [by_step[t] for t in steps if t in by_step]
            for part in blocks(steps, 60):
                marks = "".join(spark(by_step[t], scale) if t in by_step else " " for t in part)
                lines.append(f"    t = {part[0]} {marks} {part[-1]}")
    if not every:
        low, high = (number(10.0**end) for end in (scale.low, scale.high))
        said = "; ".join(
            filter(None, [f"log scale from ▁ {low} to █ {high}", marks_in_words(flows)])
        )
        lines += wrapped(f"One mark per step: {said}.")
    return lines


def _named(entry: Entry) -> str:
    name = entry.parameter.name or ""
    words = entry.label if name in ("", entry.label) else f"{entry.label}  {name}"
    return f"  {clean(words)}  {shape_of(entry.parameter)}"


def _at(by_step: dict[int, Flow], step: int) -> str:
    return short(by_step[step]) if step in by_step else "not used"
