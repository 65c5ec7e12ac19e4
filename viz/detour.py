"""A way from one box to another that runs through none of the boxes between.

Straight if nothing is in the way, else with one corner, else along a channel between the boxes: the
shortest that is free.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from viz.shapes import Box, Point

Wall = tuple[float, float, float, float]  # centre, width and height of a box in the way

_CLEAR = (4.0, 7.0)  # how far a channel may keep from the box beside it


def detour(start: Box, end: Box, walls: list[Wall], straight: bool = True) -> list[Point] | None:
    """The corners of the way from one border to the other; None stands for the straight line."""
    if straight and _free([(start.x, start.y), (end.x, end.y)], walls):
        return None
    for way in (_across(start, end), _upright(start, end)):
        if _free(way, walls):
            return way
    for ways in (_channels(start, end, walls), _two_channels(start, end, walls)):
        free = [way for way in ways if _free(way, walls)]
        if free:
            return min(free, key=_length)
    return None


def snapped(box: Box, point: Point, following: Point) -> Point:
    """The end of a way, moved on to the border of a box that is larger or smaller at this step."""
    x, y = point
    if abs(y - following[1]) < 0.5:
        return (box.right if following[0] > box.x else box.left, y)
    return (x, box.bottom if following[1] > box.y else box.top)


def _across(start: Box, end: Box) -> list[Point]:
    """To the side first, then up or down to the target."""
    side = start.right if end.x > start.x else start.left
    # Beside the middle of the target, where another line may leave upwards.
    near = 0.0 if end.round else min(8.0, end.width / 4)
    x = end.x - near if end.x > start.x else end.x + near
    return [(side, start.y), (x, start.y), (x, end.bottom if end.y < start.y else end.top)]


def _upright(start: Box, end: Box) -> list[Point]:
    """Up or down first, then to the side of the target."""
    leave = start.top if end.y < start.y else start.bottom
    return [(start.x, leave), (start.x, end.y), (end.left if end.x > start.x else end.right, end.y)]


def _lines(boxes: list[Wall], level: bool) -> list[float]:
    """The places of all lines (level, or upright) that keep clear of some box."""
    sides = [(b[1], b[3]) if level else (b[0], b[2]) for b in boxes]
    return sorted({at + s * (size / 2 + c) for at, size in sides for c in _CLEAR for s in (-1, 1)})


def _boxes(start: Box, end: Box, walls: list[Wall]) -> list[Wall]:
    return [*walls, *[(b.x, b.y, b.width, b.height) for b in (start, end)]]


def _channels(start: Box, end: Box, walls: list[Wall]) -> Iterator[list[Point]]:
    """All ways along one upright or one level line that keeps clear of some box."""
    boxes = _boxes(start, end, walls)
    for x in _lines(boxes, level=False):
        leave = start.right if x > start.x else start.left
        enter = end.right if x > end.x else end.left
        yield [(leave, start.y), (x, start.y), (x, end.y), (enter, end.y)]
    for y in _lines(boxes, level=True):
        leave = start.bottom if y > start.y else start.top
        enter = end.bottom if y > end.y else end.top
        yield [(start.x, leave), (start.x, y), (end.x, y), (end.x, enter)]


def _two_channels(start: Box, end: Box, walls: list[Wall]) -> Iterator[list[Point]]:
    """All ways along an upright line near the start and then a level one."""
    boxes = _boxes(start, end, walls)
    for x in sorted(_lines(boxes, level=False), key=lambda x: abs(x - start.x))[:12]:
        leave = start.right if x > start.x else start.left
        for y in _lines(boxes, level=True):
            enter = end.bottom if y > end.y else end.top
            yield [(leave, start.y), (x, start.y), (x, y), (end.x, y), (end.x, enter)]


def _free(way: list[Point], walls: list[Wall]) -> bool:
    return not any(_crosses(p, q, wall) for p, q in pairwise(way) for wall in walls)


def _length(way: list[Point]) -> float:
    return sum(abs(x1 - x0) + abs(y1 - y0) for (x0, y0), (x1, y1) in pairwise(way))


def _crosses(p: Point, q: Point, wall: Wall) -> bool:
    """Whether the line from p to q runs through a box.

    >>> _crosses((0.0, 0.0), (10.0, 0.0), (5.0, 0.0, 2.0, 2.0))
    True
    >>> _crosses((0.0, 4.0), (10.0, 4.0), (5.0, 0.0, 2.0, 2.0))
    False
    """
    x, y, width, height = wall
    low, high = 0.0, 1.0  # the part of the line inside the box, cut down side by side
    sides = ((p[0], q[0], x, width / 2 + 1), (p[1], q[1], y, height / 2 + 1))
    for start, end, centre, half in sides:
        d = end - start
        if abs(d) < 1e-9:
            if abs(start - centre) >= half:
                return False
            continue
        a, b = (centre - half - start) / d, (centre + half - start) / d
        low, high = max(low, min(a, b)), min(high, max(a, b))
    return low < high
