"""The way of each link: straight within a cell, along rails and lanes between cells.

Rails run under the gates (one for the state, one for inputs) and above a row of steps (for what goes to the
end, such as the losses); lanes run upright in the gutters between steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from viz.cell import Role
from viz.detour import Wall, detour, snapped
from viz.scene import Link, Scene, Unit
from viz.shapes import Box, Path, Point

if TYPE_CHECKING:
    from viz.bands import Band
    from viz.columns import Grid

TAIL_RAIL = 31.0  # below the top of a row: where the losses travel to their sum
CARRY_LANE = 10.0  # from the edge of a column, for the state on its way to the next step
INPUT_LANE = 16.0  # for inputs of a band further up
UP_LANE = 22.0  # for what goes to the band above


class Router:
    """Finds the way of every link; ``right`` grows with what is routed around the right side."""

    def __init__(
        self, scene: Scene, boxes: dict[int, Box], bands: list[Band], grid: Grid, right: float
    ) -> None:
        self.scene = scene
        self.boxes = boxes
        self.grid = grid
        self.right = right
        self._band_of = {role: band for band in bands for role in band.cell.spots}
        self._lanes: dict[str, int] = {}
        self._ways: dict[tuple[Role, Role], list[Point] | None] = {}
        self._home = {unit.role: band for band in bands for unit in band.inputs}

    def path(self, link: Link) -> Path:
        """The way of one link, from source to target."""
        a, b = link.source, link.target
        start, end = self.boxes[id(a)], self.boxes[id(b)]
        columns = self.grid.columns
        if b.step not in columns:
            points = self._to_tail(a, start, end) if a.step in columns else None
        elif a.kind == "input" and a.step == b.step:
            points = self._from_input(a, b, start, end)
        elif a.step is None:
            points = None
        elif a.step != b.step:
            points = self._through_time(a, b, start, end)
        else:
            points = self._in_step(a, b, start, end)
        if points is not None:
            return Path(link, _tidy(points))
        return Path(link, [start.toward((end.x, end.y)), end.toward((start.x, start.y))])

    def _band(self, unit: Unit) -> Band | None:
        return self._band_of.get(unit.role)

    def _from_input(self, a: Unit, b: Unit, start: Box, end: Box) -> list[Point]:
        if abs(start.x - end.x) < 1 and self._home[a.role] is self._band(b):
            return [(start.x, start.top), (end.x, end.bottom)]
        rail = self._rail(b, "input")
        home = self._home[a.role]
        if home is self._band(b):
            return [(start.x, start.top), (start.x, rail), (end.x, rail), (end.x, end.bottom)]
        assert a.step is not None  # a band further up, past the gates of its own
        row, x0, _ = self.grid.columns[a.step]
        foot = self.grid.top_of(home, row) + home.cell.height + 3
        lane = x0 + INPUT_LANE
        up = [(start.x, start.top), (start.x, foot), (lane, foot), (lane, rail)]
        return [*up, (end.x, rail), (end.x, end.bottom)]

    def _rail(self, unit: Unit, which: str) -> float:
        band = self._band(unit)
        assert band is not None and unit.step is not None
        row, _, _ = self.grid.columns[unit.step]
        cell = band.cell
        y = cell.state_rail if which == "state" else cell.input_rail
        return self.grid.top_of(band, row) + y

    def _in_step(self, a: Unit, b: Unit, start: Box, end: Box) -> list[Point] | None:
        lower, upper = self._band(a), self._band(b)
        if lower is None or upper is None:
            return None
        if lower is upper:
            return self._around(a, b, start, end, lower)
        assert a.step is not None
        _, x0, x1 = self.grid.columns[a.step]
        rail = self._rail(b, "input")
        foot: list[Point] = [(end.x, rail), (end.x, end.bottom)]
        if not self._free(b, upper, above=False):  # past what stands below it
            side = self.grid.corner(upper, a.step)[0] - 8
            foot = [(side, rail), *self._reach(b, end, upper, (side, rail))]
        here = self.grid.kinds[a.step].bands
        if here.index(upper) == here.index(lower) + 1 and self._free(a, lower, above=True):
            if abs(start.x - end.x) < 1 and self._free(b, upper, above=False):
                return [(start.x, start.top), (end.x, end.bottom)]
            return [(start.x, start.top), (start.x, rail), *foot]
        lane = x0 + UP_LANE if lower.reverse else x1 - UP_LANE
        side = start.left if lower.reverse else start.right
        return [(side, start.y), (lane, start.y), (lane, rail), *foot]

    def _through_time(self, a: Unit, b: Unit, start: Box, end: Box) -> list[Point] | None:
        band = self._band(b)
        assert b.step is not None and a.step is not None
        if band is None:
            return None
        row, x0, x1 = self.grid.columns[b.step]
        forwards = not band.reverse
        near = self.grid.columns.get(a.step)
        begins = near is None and abs(a.step - b.step) == 1  # an initial state, given or computed
        if not begins and (near is None or self._band(a) is not band or abs(a.step - b.step) != 1):
            return self._far(a, b, start, end, band)
        leave = start.right if forwards else start.left
        enter = end.left if forwards else end.right
        straight = b.role in band.cell.highway and b.role == band.cell.highway[0]
        if near is not None and near[0] != row:
            return self._next_row(a, b, start, end, straight, row)
        if straight and abs(start.y - end.y) < 1:
            return [(leave, start.y), (enter, end.y)]
        lane = x0 + CARRY_LANE if forwards else x1 - CARRY_LANE
        if begins and (lane < leave if forwards else lane > leave):
            lane = leave
        if straight or b.role in band.cell.highway:
            return [(leave, start.y), (lane, start.y), (lane, end.y), (enter, end.y)]
        rail = self._rail(b, "state")
        if not band.cell.gates and not self._free(b, band, above=False):
            return [(leave, start.y), (lane, start.y), *self._reach(b, end, band, (lane, start.y))]
        return [(leave, start.y), (lane, start.y), (lane, rail), (end.x, rail), (end.x, end.bottom)]

    def _around(self, a: Unit, b: Unit, start: Box, end: Box, band: Band) -> list[Point] | None:
        """Within a band: the way found once for the two roles, moved to this step."""
        assert a.step is not None
        left, top = self.grid.corner(band, a.step)
        key = (a.role, b.role)
        if key not in self._ways:
            way = detour(start, end, self._walls(band, a.step, set(key)))
            self._ways[key] = None if way is None else [(x - left, y - top) for x, y in way]
        found = self._ways[key]
        if found is None:
            return None
        points = [(left + x, top + y) for x, y in found]
        points[0] = snapped(start, points[0], points[1])
        points[-1] = snapped(end, points[-1], points[-2])
        return points

    def _walls(self, band: Band, step: int, but: set[Role]) -> list[Wall]:
        """The boxes of a band at a step, without some roles."""
        left, top = self.grid.corner(band, step)
        width = band.cell.width
        return [
            (left + (width - s.x if band.reverse else s.x), top + s.y, s.width, s.height)
            for role, s in band.cell.spots.items()
            if role not in but
        ]

    def _reach(self, b: Unit, end: Box, band: Band, corner: Point) -> list[Point]:
        """From a point in the gutter to a unit that cannot be reached from straight below."""
        assert b.step is not None
        here = Box(b, 0.0, 0.0, False, *corner)
        way = detour(here, end, self._walls(band, b.step, {b.role}), straight=False)
        return way or [(corner[0], end.y), (end.toward(corner)[0], end.y)]

    def _leave(self, a: Unit, start: Box, lane: float) -> list[Point]:
        """From a unit to the lane on its right, over what stands in between."""
        band = self._band(a)
        level: list[Point] = [(start.right, start.y), (lane, start.y)]
        if band is None or a.step is None:
            return level
        walls = self._walls(band, a.step, {a.role})
        if detour(start, Box(a, 0.0, 0.0, False, lane, start.y), walls) is None:
            return level
        above = self.grid.corner(band, a.step)[1] - 6
        return detour(start, Box(a, 0.0, 0.0, False, lane, above), walls, straight=False) or level

    def _outer_lane(self, step: int) -> float:
        """The lane on the right of a column, for what goes further on: beside the widest of its boxes."""
        _, x0, x1 = self.grid.columns[step]
        kind = self.grid.kinds[step]
        ends = [x0 + kind.lefts[id(band)] + band.cell.width for band in kind.bands]
        return x1 - (UP_LANE if max(ends, default=x0) < x1 - UP_LANE - 4 else 6.0)

    def _free(self, unit: Unit, band: Band, above: bool) -> bool:
        """Whether nothing of its band stands above (or below) a unit, so that a line can go straight."""
        spots = band.cell.spots
        here = spots[unit.role]
        return not any(
            (s.y < here.y - 1 if above else s.y > here.y + 1)
            and abs(s.x - here.x) < s.width / 2 + 4
            for role, s in spots.items()
            if role != unit.role
        )

    def _open(self, a: Unit, start: Box, band: Band) -> bool:
        """Whether a line can go straight up from a unit, through its own band and all above it."""
        assert a.step is not None
        kind = self.grid.kinds[a.step]
        x = start.x - self.grid.columns[a.step][1]
        higher = kind.bands[kind.bands.index(band) + 1 :]
        return self._free(a, band, above=True) and not any(
            abs(kind.lefts[id(other)] + s.x - x) < s.width / 2 + 4
            for other in higher
            for s in other.cell.spots.values()
        )

    def _next_row(
        self, a: Unit, b: Unit, start: Box, end: Box, straight: bool, row: int
    ) -> list[Point]:
        """From the end of one row to the beginning of the next (or back, for the second direction)."""
        band = self._band(b)
        assert band is not None and a.step is not None and b.step is not None
        grid = self.grid
        a_row, a0, a1 = grid.columns[a.step]
        _, b0, b1 = grid.columns[b.step]
        lane = self._lanes.setdefault(f"{a.layer}/{a.out.name or a.role}", len(self._lanes)) % 3
        forwards = not band.reverse
        offset = 4.0 + 4 * lane
        out = a1 + offset if forwards else a0 - offset
        back = b0 - offset if forwards else b1 + offset
        gap = grid.row_top(max(a_row, row)) - 13 + 4 * lane
        leave = start.right if forwards else start.left
        head = [(leave, start.y), (out, start.y), (out, gap), (back, gap)]
        if straight or b.role in band.cell.highway:
            return [*head, (back, end.y), (end.left if forwards else end.right, end.y)]
        if not band.cell.gates and not self._free(b, band, above=False):
            level = grid.top_of(band, row) + band.cell.state_rail
            return [*head, (back, level), *self._reach(b, end, band, (back, level))]
        rail = self._rail(b, "state")
        return [*head, (back, rail), (end.x, rail), (end.x, end.bottom)]

    def _far(self, a: Unit, b: Unit, start: Box, end: Box, band: Band) -> list[Point] | None:
        """To a step further on (attention, a residual): under the band of the target, then up to it."""
        assert a.step is not None and b.step is not None
        if a.step not in self.grid.columns or a.step > b.step:
            return None
        a_row, _, a1 = self.grid.columns[a.step]
        b_row = self.grid.columns[b.step][0]
        rail, lane = self._rail(b, "input"), self._outer_lane(a.step)
        points = self._leave(a, start, lane)
        if a_row != b_row:
            gap = self.grid.row_top(b_row) - 13
            out, back = a1 + 4.0, self.grid.left - 16.0
            if lane < out:  # to the end of the row first, below everything in it
                out = self.grid.width - 6
            below = self.grid.row_top(a_row + 1) - 13
            points += [(lane, below), (out, below), (out, gap), (back, gap), (back, rail)]
        else:
            points.append((lane, rail))
        if self._free(b, band, above=False):
            return [*points, (end.x, rail), (end.x, end.bottom)]
        side = self.grid.corner(band, b.step)[0] - 8
        return [*points, (side, rail), *self._reach(b, end, band, (side, rail))]

    def _to_tail(self, a: Unit, start: Box, end: Box) -> list[Point]:
        """Up to the rail above the row, along it to the right, and to the end."""
        assert a.step is not None
        row, _, x1 = self.grid.columns[a.step]
        rail = self.grid.row_top(row) + TAIL_RAIL
        trunk, band = self.grid.tail - 12, self._band(a)
        head = [(start.x, start.top), (start.x, rail), (trunk, rail)]
        if band is not None and not self._open(a, start, band):
            lane = x1 - CARRY_LANE  # past what stands above it
            head = [(start.right, start.y), (lane, start.y), (lane, rail), (trunk, rail)]
        if end.left < self.grid.tail + 30:
            return [*head, (trunk, end.y), (end.left, end.y)]
        over = end.top - 10  # over those that come before it
        return [*head, (trunk, over), (end.x, over), (end.x, end.top)]


def _tidy(points: list[Point]) -> list[Point]:
    """Without corners that are none."""
    kept = [points[0]]
    for i in range(1, len(points) - 1):
        (x0, y0), (x1, y1), (x2, y2) = kept[-1], points[i], points[i + 1]
        if (abs(x0 - x1) < 0.5 and abs(x1 - x2) < 0.5) or (
            abs(y0 - y1) < 0.5 and abs(y1 - y2) < 0.5
        ):
            continue
        if abs(x0 - x1) < 0.5 and abs(y0 - y1) < 0.5:
            continue
        kept.append(points[i])
    kept.append(points[-1])
    return kept
