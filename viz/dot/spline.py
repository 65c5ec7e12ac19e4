"""The ways of links as cubic curves, the only ones that Graphviz draws."""

from __future__ import annotations

from viz.pen import pieces
from viz.shapes import Path, Point


def cubic(path: Path) -> list[Point]:
    """The way of a link as one piecewise cubic curve, the same that the SVG draws.

    >>> from types import SimpleNamespace as fake
    >>> cubic(fake(points=[(0.0, 0.0), (30.0, 0.0)], curved=False))
    [(0.0, 0.0), (10.0, 0.0), (20.0, 0.0), (30.0, 0.0)]
    """
    found: list[Point] = []
    for command, bends in pieces(path):
        points = [(round(x, 1), round(y, 1)) for x, y in bends]
        if command == "M":
            found = points
            continue
        start, end = found[-1], points[-1]
        if command == "L":
            if start == end:
                continue
            found += [mixed(start, end, 1 / 3), mixed(start, end, 2 / 3), end]
        elif command == "Q":
            found += [mixed(start, points[0], 2 / 3), mixed(end, points[0], 2 / 3), end]
        else:
            found += points
    return found


def mixed(a: Point, b: Point, part: float) -> Point:
    """The point at a part of the way from a to b."""
    return (a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part)


def shortened(points: list[Point], by: float) -> list[Point]:
    """The curve with its last point drawn back, to make room for the head of an arrow.

    >>> shortened([(0.0, 0.0), (10.0, 0.0), (20.0, 0.0), (30.0, 0.0)], 5.0)[-1]
    (25.0, 0.0)
    """
    end, before = points[-1], points[-2]
    length = ((before[0] - end[0]) ** 2 + (before[1] - end[1]) ** 2) ** 0.5 or 1.0
    return [*points[:-1], mixed(end, before, min(by / length, 0.9))]
