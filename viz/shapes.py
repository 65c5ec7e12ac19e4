"""The shapes that a layout places and a writer draws: boxes, paths, frames, on a sheet."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from viz.gradients import CONSTANT, Flow
from viz.metrics import text_width
from viz.scene import Link, Mark, Scene, Unit
from viz.style import number

FONT_SIZE = 12.0
MARK_SIZE = 8.5
MARK_HEIGHT = 12.0

Point = tuple[float, float]


@dataclass(eq=False)
class Box:
    """A unit with its place: the centre, the size, and whether it is drawn as a circle."""

    unit: Unit
    width: float
    height: float
    round: bool
    x: float = 0.0
    y: float = 0.0

    @property
    def left(self) -> float:
        """The x of the left side."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """The x of the right side."""
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        """The y of the upper side."""
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        """The y of the lower side."""
        return self.y + self.height / 2

    def toward(self, point: Point) -> Point:
        """Where the straight line from the centre to a point leaves the box."""
        dx, dy = point[0] - self.x, point[1] - self.y
        if dx == 0.0 and dy == 0.0:
            return (self.x, self.y)
        if self.round:
            scale = self.width / 2 / (dx * dx + dy * dy) ** 0.5
        else:
            across = self.width / 2 / abs(dx) if dx else float("inf")
            down = self.height / 2 / abs(dy) if dy else float("inf")
            scale = min(across, down)
        return (self.x + dx * scale, self.y + dy * scale)


@dataclass(eq=False)
class Path:
    """A link with its way: the corners of a line from the source box to the target box."""

    link: Link
    points: list[Point]
    curved: bool = False
    upright: bool = False  # a curve that leaves and arrives along y instead of x


@dataclass(eq=False)
class Frame:
    """A rounded rectangle around what belongs together: a step, a gate, a layer."""

    kind: str
    name: str
    left: float
    top: float
    right: float
    bottom: float
    step: int | None = None
    beside: bool = False

    @property
    def title(self) -> Point:
        """Where the title stands: inside at the top, or beside the upper right corner."""
        if self.beside:
            return (self.right + 6, self.top + 15)
        return ((self.left + self.right) / 2, self.top + 15)

    @property
    def anchor(self) -> str:
        """How the title hangs on that point."""
        return "start" if self.beside else "middle"


@dataclass(eq=False)
class Note:
    """A line of text somewhere on the sheet."""

    text: str
    x: float
    y: float
    anchor: str = "start"
    size: float = 11.0
    across: bool = False  # belongs to a band, where bands run across


@dataclass(eq=False)
class Sheet:
    """A scene laid out."""

    scene: Scene
    width: float
    height: float
    boxes: list[Box]
    paths: list[Path]
    frames: list[Frame] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def box_of(unit: Unit, detail: str) -> Box:
    """A box of the size that the unit's text and marks need."""
    if detail == "scalar" and unit.kind != "group":
        rows = scalar_rows(unit)
        width = max((text_width(a + b, MARK_SIZE) for a, b, _ in rows), default=0.0) + 24
        wide = max(width, text_width(unit.label, FONT_SIZE) + 12, marks_width(unit.marks))
        height = 20 + 12.0 * len(rows) + MARK_HEIGHT * len(unit.marks)
        return Box(unit, round(wide, 1), height, False)
    width = text_width(unit.label, FONT_SIZE)
    if unit.marks:
        wide = max(width + 12, marks_width(unit.marks), 26.0)
        return Box(unit, round(wide, 1), 20 + MARK_HEIGHT * len(unit.marks), False)
    if unit.kind == "op" and width <= 16:
        return Box(unit, 26.0, 26.0, True)
    return Box(unit, round(max(width + 14, 26.0), 1), 24.0, False)


def marks_width(marks: list[Mark]) -> float:
    """The width that a unit's weight marks need."""
    return max((text_width(mark.label, MARK_SIZE) + 14 for mark in marks), default=0.0)


MOST_SCALARS = 8  # of one array; the rest is counted, not drawn


def scalar_rows(unit: Unit) -> list[tuple[str, str, Flow]]:
    """The elements of a unit's value: each number, its gradient as text, and its flow."""
    values = np.asarray(unit.out._value).reshape(-1)
    elements = unit.elements if unit.elements is not None else [unit.flow] * values.size
    rows = []
    for value, flow in zip(values[:MOST_SCALARS].tolist(), elements, strict=False):
        sign = "−" if flow.sign == "-" else ""
        gradient = f"  ∂ {sign}{number(flow.norm)}" if flow.state == "value" else ""
        rows.append((number(float(value)), gradient, flow))
    if values.size > MOST_SCALARS:
        rows.append((f"+ {values.size - MOST_SCALARS} more", "", CONSTANT))
    return rows
