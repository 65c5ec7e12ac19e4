"""The least of SVG that the writer needs: elements, text, ways, arrows, crosses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from itertools import pairwise

from viz.shapes import Path, Point

# What XML cannot hold, the controls of terminals, and those that turn the direction of text.
_CONTROL = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)
_RADIUS = 7.0  # of the corners of a way


def coordinate(x: float) -> str:
    """A coordinate to a tenth of a pixel, without a trailing zero.

    >>> coordinate(12.04), coordinate(-0.02), coordinate(3.16)
    ('12', '0', '3.2')
    """
    text = f"{x:.1f}"
    if text.endswith(".0"):
        text = text[:-2]
    return "0" if text == "-0" else text


class Pen:
    """Collects the elements of a document."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def open(self, tag: str, **attributes: object) -> None:
        """Begin an element that holds others."""
        self._lines.append(f"<{tag}{_attributes(attributes)}>")

    def close(self, tag: str) -> None:
        """End it."""
        self._lines.append(f"</{tag}>")

    def add(self, tag: str, **attributes: object) -> None:
        """An element that holds nothing."""
        self._lines.append(f"<{tag}{_attributes(attributes)}/>")

    def text_element(self, tag: str, text: str, **attributes: object) -> None:
        """An element that holds text."""
        self._lines.append(f"<{tag}{_attributes(attributes)}>{escape(text)}</{tag}>")

    def text(
        self,
        text: str,
        x: float,
        y: float,
        anchor: str | None = None,
        size: float | None = None,
        weight: str | None = None,
        fill: str | None = None,
        halo: bool = False,
    ) -> None:
        """A line of text with its baseline at y; the anchor is start, middle or end."""
        around: dict[str, object] = {}
        if halo:
            around = {"stroke": "#ffffff", "stroke_width": 3, "paint_order": "stroke"}
        anchor = None if anchor == "start" else anchor
        self.text_element(
            "text",
            text,
            x=x,
            y=y,
            text_anchor=anchor,
            font_size=size,
            font_weight=weight,
            fill=fill,
            **around,
        )

    def head(self, path: Path, back: bool, size: float, color: str | None = None) -> None:
        """An arrow head at the end of a way, or at its start."""
        start, tip = path.points[-2:]
        if back:
            tip, start = path.points[:2]
        if path.curved:  # a curve leaves and arrives along one axis
            start = (tip[0], start[1]) if path.upright else (start[0], tip[1])
        self.arrow(start, tip, size, color)

    def arrow(self, start: Point, tip: Point, size: float, color: str | None = None) -> None:
        """An arrow head at the tip of the line from start; without a color, in that around it."""
        dx, dy = tip[0] - start[0], tip[1] - start[1]
        length = (dx * dx + dy * dy) ** 0.5 or 1.0
        ux, uy = dx / length * size, dy / length * size
        bx, by = tip[0] - ux, tip[1] - uy
        corners = (tip, (bx - uy * 0.45, by + ux * 0.45), (bx + uy * 0.45, by - ux * 0.45))
        points = " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in corners)
        self.add("polygon", points=points, fill=color)

    def cross(self, x: float, y: float, size: float, color: str) -> None:
        """Two crossing strokes."""
        a, b, c, d = (coordinate(v) for v in (x - size, y - size, x + size, y + size))
        self.add(
            "path", d=f"M{a} {b}L{c} {d}M{a} {d}L{c} {b}", stroke=color, stroke_width=2, fill="none"
        )

    def document(self) -> str:
        """All of it, a line per element; control characters become a white box."""
        return _CONTROL.sub("□", "\n".join(self._lines) + "\n")


def _attributes(attributes: dict[str, object]) -> str:
    words = []
    for name, value in attributes.items():
        if value is None:
            continue
        text = coordinate(value) if isinstance(value, float) else escape(str(value))
        words.append(f' {_name(name)}="{text}"')
    return "".join(words)


@cache
def _name(keyword: str) -> str:
    """The attribute for a keyword, as ``stroke-width`` for ``stroke_width``."""
    return keyword if keyword == "viewBox" else keyword.rstrip("_").replace("_", "-")


def along(path: Path) -> str:
    """The path data of a way, each piece from the end of the one before.

    >>> from types import SimpleNamespace as fake
    >>> along(fake(points=[(0.0, 0.0), (0.0, 20.0), (30.5, 20.0)], curved=False))
    'M0 0v13q0 7 7 7h23.5'
    """
    here, words = (0, 0), []
    for command, points in pieces(path):
        ends = [(round(x * 10), round(y * 10)) for x, y in points]
        if command == "M":
            words.append("M" + _numbers(*ends[0]))
        else:
            steps = [n for x, y in ends for n in (x - here[0], y - here[1])]
            if command != "L":
                words.append(command.lower() + _numbers(*steps))
            elif any(steps):
                flat = "v" * (not steps[0]) + "h" * (not steps[1])
                words.append(f"{flat or 'l'}{_numbers(*(n for n in steps if n or not flat))}")
        here = ends[-1]
    return "".join(words)


def _numbers(*tenths: int) -> str:
    """Numbers of path data, given in tenths: a minus sign parts as well as a space."""
    text = " ".join(f"{n // 10}" if n % 10 == 0 else f"{n / 10:.1f}" for n in tenths)
    return text.replace(" -", "-")


def pieces(path: Path) -> Iterator[tuple[str, list[Point]]]:
    """A way as M, L, Q and C with the points of each: straight with round corners, or curved."""
    points = path.points
    yield "M", points[:1]
    if path.curved:
        for (ax, ay), (bx, by) in pairwise(points):
            if path.upright:
                bend = (by - ay) / 2
                yield "C", [(ax, ay + bend), (bx, by - bend), (bx, by)]
            else:
                bend = (bx - ax) / 2
                yield "C", [(ax + bend, ay), (bx - bend, by), (bx, by)]
        return
    for before, corner, after in zip(points, points[1:], points[2:]):
        yield "L", [_near(corner, before)]
        yield "Q", [corner, _near(corner, after)]
    yield "L", points[-1:]


def _near(corner: Point, other: Point) -> Point:
    """The point on the way from a corner to another at which the rounding ends."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    part = min(_RADIUS, length / 2) / length
    return corner[0] + dx * part, corner[1] + dy * part


def middle(points: list[Point]) -> Point:
    """The middle of the longest straight piece of a way."""
    pieces = pairwise(points)
    (x0, y0), (x1, y1) = max(
        pieces, key=lambda p: (p[0][0] - p[1][0]) ** 2 + (p[0][1] - p[1][1]) ** 2
    )
    return (x0 + x1) / 2, (y0 + y1) / 2


class Signs:
    """Finds a free place for the sign of each gradient, on its way and not on another sign."""

    def __init__(self) -> None:
        self._taken: set[tuple[int, int]] = set()

    def place(self, path: Path) -> Point:
        """Near the start of a way, where its gradient arrives; further along if that place is taken."""
        (x0, y0), (x1, y1) = path.points[:2]
        lift = (8.0, -3.0) if abs(x1 - x0) < abs(y1 - y0) else (0.0, -6.0)
        for part in (0.35, 0.55, 0.75, 0.15, 0.95):
            if path.curved:
                x, y = _on_curve((x0, y0), (x1, y1), part, path.upright)
            else:
                x, y = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
            x, y = x + lift[0], y + lift[1]
            cell = (int(x // 10), int(y // 10))
            near = {(cell[0] + i, cell[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
            if not near & self._taken:
                break
        self._taken.add(cell)
        return x, y


def _on_curve(start: Point, end: Point, part: float, upright: bool) -> Point:
    """The point of the curve that `along` draws from start to end."""
    swing = part * part * (3 - 2 * part)  # across the axis of the curve, both ends flat
    (x0, y0), (x1, y1) = start, end
    if upright:
        return x0 + (x1 - x0) * swing, y0 + (y1 - y0) * part
    return x0 + (x1 - x0) * part, y0 + (y1 - y0) * swing
