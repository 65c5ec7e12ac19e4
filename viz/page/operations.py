"""Every operation of a run as a box of the page, placed as `viz.layout` places it.

Positions are relative to what is near, so that equal steps are equal text, which compresses to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrornn.core.graph import Graph
from micrornn.messages import printable
from micrornn.recording import Recording
from viz.build import build
from viz.gradients import Flow
from viz.labels import subscript
from viz.layout import lay_out
from viz.picture.story import OPERATION, Box
from viz.scene import Scene, Unit
from viz.shapes import Sheet

LEVELS = ("op", "scalar")
ROOM = Flow("value", 1.25e-3, "-")
INFIX = frozenset("+−×÷")
MOST = 6_000  # nodes of a run that is drawn operation by operation


def operations(
    rec: Recording, boxes: Sequence[Box]
) -> tuple[list[Box], list[str], dict[str, dict[str, Any]]]:
    """The operations that have no box yet, and where all boxes stand.

    Args:
        boxes: those that the page has already.

    Returns:
        The further boxes; what each is called; and by level of detail ``columns`` as [step, left, right];
        ``spots`` as [box, name, column or -1, x from its left, y, width, height, label, weights used there];
        and ``ways`` as [box, name, box, name, x, y, ...] from what is used to what uses it, the first point
        seen from the middle of the first box, every other from the one before.
    """
    known: dict[int, tuple[int, int]] = {}
    for i, box in enumerate(boxes):
        for k, node in enumerate(box.nodes.values()):
            known.setdefault(node.number, (i, k))
    made: list[Box] = []
    labels: list[str] = []
    sheets: dict[str, dict[str, Any]] = {}
    # Of a backward pass, what it went through: not what was computed and never used.
    graph = Graph([run.out for run in rec.passes]) if rec.passes else rec.graph
    for level in LEVELS:
        scene = build(graph, level, gradients=False, plumbing=True)
        if not scene.steps:
            return [], [], {}
        for unit in scene.units:  # room for a gradient beside each number
            unit.elements = [ROOM] * unit.out.size
        sheet = lay_out(scene, row_width=float("inf"))
        for unit in scene.units:
            if unit.out.number not in known:
                known[unit.out.number] = (len(boxes) + len(made), 0)
                step = unit.step if unit.step is not None else _nearest(scene, sheet, id(unit))
                made.append(Box(OPERATION, unit.out.scope, step, {"": unit.out}))
                labels.append(_told(unit))
        sheets[level] = _placed(scene, sheet, known)
    return made, labels, sheets


def _told(unit: Unit) -> str:
    """An operation by what it is of: "f₂ × c₁", "@ (x₁, W_if)", or by where it is."""
    inputs = unit.out.inputs
    timed = [(x.name.split(" ")[0], x.step) for x in inputs if x.name and x.step is not None]
    named = [f"{name}{subscript(t)}" for name, t in timed]
    if len(named) == 2 == len(inputs) and unit.label in INFIX:
        return f" {unit.label} ".join(named)
    known = named + [mark.label for mark in unit.marks]
    if not known and inputs and (unit.gate or unit.layer):
        return f"{unit.label} in {unit.gate or unit.layer}"
    return f"{unit.label} ({', '.join(known)})" if known else unit.label


def _spans(scene: Scene, sheet: Sheet) -> list[tuple[int, float, float]]:
    frames = [f for f in sheet.frames if f.kind == "step" and f.step is not None]
    return sorted((f.step or 0, f.left, f.right) for f in frames)


def _nearest(scene: Scene, sheet: Sheet, unit: int) -> int:
    """The step next to which an operation stands that has none itself."""
    x = next(box.x for box in sheet.boxes if id(box.unit) == unit)
    first, *_ = spans = _spans(scene, sheet)
    return next((t for t, left, _ in reversed(spans) if left <= x), first[0])


def _placed(scene: Scene, sheet: Sheet, known: dict[int, tuple[int, int]]) -> dict[str, Any]:
    columns = [(t, round(left), round(right)) for t, left, right in _spans(scene, sheet)]
    spots, ways = [], []
    middle = {}
    for box in sheet.boxes:
        place, name = known[box.unit.out.number]
        x, y = round(box.x), round(box.y)
        middle[id(box.unit)] = (x, y)
        column = sum(left <= x for _, left, _ in columns) - 1
        seen = x - (columns[column][1] if column >= 0 else 0)
        size = (round(box.width), round(box.height))
        used = [printable(mark.label) for mark in box.unit.marks]
        label = printable(box.unit.label)
        spots.append([place, name, column, seen, y, *size, label, used])
    for path in sheet.paths:
        source, target = path.link.source, path.link.target
        way: list[int] = [*known[source.out.number], *known[target.out.number]]
        before = middle[id(source)]
        for point in path.points:
            here = (round(point[0]), round(point[1]))
            way += [here[0] - before[0], here[1] - before[1]]
            before = here
        ways.append(way)
    return {
        "width": round(sheet.width),
        "height": round(sheet.height),
        "columns": [list(column) for column in columns],
        "spots": spots,
        "ways": ways,
    }
