"""Where everything goes: time runs across, the cell stands upright.

One step of each layer is worked out once (`viz.cell`) and stamped through time, so equal steps look equal
and the cost grows linearly with the steps. Layers are bands, one above the other; long sequences wrap into
rows. A graph without a time axis goes to `viz.layered`.
"""

from __future__ import annotations

from dataclasses import dataclass

from viz.bands import Band, align, bands_of
from viz.cell import PAD, RAIL
from viz.layered import layered
from viz.metrics import text_width
from viz.route import TAIL_RAIL, Router
from viz.scene import Scene, Unit, computed_steps
from viz.shapes import Box, Frame, Note, Sheet, box_of

ROW_WIDTH = 2400.0  # a row of steps wraps at about this many pixels
GUTTER = 30.0  # free on both sides of a column: the lanes between steps
TITLE = 22.0  # for "t = 3" above a column
BAND_GAP = 20.0
FREE_GAP = 26.0  # between what has no step


@dataclass(eq=False)
class Grid:
    """Columns and rows: where each step stands."""

    columns: dict[int, tuple[int, float, float]]  # step -> row, left, right
    rows: int
    row_height: float
    width: float
    top: float
    left: float
    tail: float = 0.0
    before: float = 0.0  # where that begins which comes before all steps

    def row_top(self, row: int) -> float:
        """The y of the top of a row."""
        return self.top + row * self.row_height


def lay_out(scene: Scene, rankdir: str = "LR") -> Sheet:
    """Place a scene on a sheet.

    Args:
        scene: what to draw.
        rankdir: "LR", time to the right, or "TB", time downwards.

    Raises:
        ValueError: rankdir is neither.
    """
    if rankdir not in ("LR", "TB"):
        raise ValueError(f"rankdir {rankdir!r}; choose LR or TB")
    if not scene.steps or scene.detail == "layer":
        return layered(scene, rankdir)
    turned = rankdir == "TB"
    boxes = {id(unit): box_of(unit, scene.detail) for unit in scene.units}
    if turned:
        for box in boxes.values():
            box.width, box.height = box.height, box.width
    sheet = _timed(scene, boxes)
    if turned:
        _turn(sheet)
    return sheet


def _timed(scene: Scene, boxes: dict[int, Box]) -> Sheet:
    timed = [u for u in scene.units if u.step is not None]
    shown = set(scene.steps)
    ends = [u for u in timed if u.step not in shown]  # initial states, before or after all steps
    head, tail = _before_and_after(scene.units)
    bands = bands_of(timed, boxes, shown)
    grid = _grid(scene, bands, boxes, ends, _width(head, boxes))
    frames: list[Frame] = []
    for band in bands:
        _stamp(band, grid, timed, boxes, frames)
    _place_ends(ends, bands, grid, boxes)
    _place_head(head, ends, grid, boxes)
    right = _place_tail(tail, grid, boxes)
    for step in scene.steps:
        row, x0, x1 = grid.columns[step]
        top = grid.row_top(row)
        frames.insert(
            0, Frame("step", f"t = {step}", x0 + 3, top, x1 - 3, top + grid.row_height - 34, step)
        )
    sheet = Sheet(
        scene,
        max(grid.width, right) + 16,
        grid.row_top(grid.rows),
        list(boxes.values()),
        [],
        frames,
    )
    for band in bands:
        if band.recurrent and band.layer:
            for row in range(grid.rows):
                level = grid.row_top(row) + band.top + band.cell.height - 4
                sheet.notes.append(Note(band.layer, 8.0, level, size=10.0, across=True))
    router = Router(scene, boxes, bands, grid, right)
    sheet.paths = [router.path(link) for link in scene.links]
    sheet.width = max(sheet.width, router.right + 16)
    if scene.hidden:
        first, last = scene.steps[0], scene.steps[-1]
        earlier = sum(t < first for t in computed_steps(scene.graph))
        words = (
            f"steps {first} to {last}; not shown: {earlier} before, {scene.hidden - earlier} after"
        )
        sheet.notes.append(Note(words, 12.0, 16.0))
    return sheet


def _before_and_after(units: list[Unit]) -> tuple[list[Unit], list[Unit]]:
    """The units without a step: those of which steps are made (features of a picture, say), and others."""
    free = [unit for unit in units if unit.step is None]
    early: set[int] = set()
    for unit in free:  # inputs come before what is made of them
        if all(id(link.source) in early for link in unit.inputs):
            early.add(id(unit))
    needed: set[int] = set()
    for unit in reversed(free):
        if any(k.target.step is not None or id(k.target) in needed for k in unit.outputs):
            needed.add(id(unit))
    head = [unit for unit in free if id(unit) in early & needed]
    return head, [unit for unit in free if id(unit) not in early & needed]


def _ranks(units: list[Unit]) -> list[list[Unit]]:
    """Units by how many of them come before, at most: the columns in which they stand."""
    depth: dict[int, int] = {}
    columns: dict[int, list[Unit]] = {}
    for unit in units:
        before = [depth[id(k.source)] + 1 for k in unit.inputs if id(k.source) in depth]
        depth[id(unit)] = max(before, default=0)
        columns.setdefault(depth[id(unit)], []).append(unit)
    return [columns[rank] for rank in sorted(columns)]


def _width(units: list[Unit], boxes: dict[int, Box]) -> float:
    """How wide the columns of such units are together."""
    return sum(max(boxes[id(u)].width for u in column) + FREE_GAP for column in _ranks(units))


def _place_columns(units: list[Unit], boxes: dict[int, Box], x: float, y: float) -> float:
    """Their columns from x to the right, each from y downwards; returns where they end."""
    for column in _ranks(units):
        wide = max(boxes[id(u)].width for u in column)
        top = y
        for unit in column:
            box = boxes[id(unit)]
            box.x = x + wide / 2
            box.y = max(top, y)
            top = box.bottom + 10 + box.height / 2
        x += wide + FREE_GAP
    return x


def _grid(
    scene: Scene, bands: list[Band], boxes: dict[int, Box], ends: list[Unit], head: float
) -> Grid:
    wide = max(band.cell.width for band in bands)
    for band in bands:
        by_step: dict[int | None, float] = {}
        for unit in band.inputs:
            by_step[unit.step] = by_step.get(unit.step, 8.0) + boxes[id(unit)].width + 8
        wide = max(wide, *by_step.values(), 0.0) if by_step else wide
    compact = scene.detail == "cell" and len(bands) == 1  # no lane is needed from band to band
    column = wide + (34.0 if compact else 2 * GUTTER)
    align(bands, column, scene.units)
    per_row = max(int(ROW_WIDTH // column), 1)
    side = max((boxes[id(u)].width for u in ends), default=0.0)
    named = [text_width(b.layer, 10.0) for b in bands if b.recurrent]
    names = max(named, default=0.0) + 14.0
    left = max(side + (34.0 if side else 14.0), names)
    if head:
        left = names + head + side + (34.0 if side else 14.0)
    y = TITLE + (26.0 if any(u.step is None for u in scene.units) else 6.0)
    for band in reversed(bands):
        band.top = y
        y += band.height + BAND_GAP
    columns = {}
    for i, step in enumerate(scene.steps):
        row, k = divmod(i, per_row)
        columns[step] = (row, left + k * column, left + (k + 1) * column)
    rows = (len(scene.steps) - 1) // per_row + 1
    right = left + min(len(scene.steps), per_row) * column
    last = scene.steps[-1] + 1
    if any(u.step == last for u in ends):
        right += side + 20
    top = 30.0 if scene.hidden else 10.0
    return Grid(columns, rows, y + 12 + PAD, right + 10, top, left, before=names)


def _stamp(
    band: Band, grid: Grid, timed: list[Unit], boxes: dict[int, Box], frames: list[Frame]
) -> None:
    """Put the band's units where the template says, at every step."""
    cell, spots = band.cell, band.cell.spots
    filled: set[tuple[int, str]] = set()  # the steps and gates at which something stands
    for unit in timed:
        spot = spots.get(unit.role)
        if spot is None or unit.step not in grid.columns or unit.kind in ("input", "initial"):
            continue
        row, x0, _ = grid.columns[unit.step]
        start = x0 + band.left
        x = cell.width - spot.x if band.reverse else spot.x
        box = boxes[id(unit)]
        box.x, box.y = start + x, grid.row_top(row) + band.top + spot.y
        filled.add((unit.step, unit.gate))
    for at, (row, x0, _) in grid.columns.items():
        start, top = x0 + band.left, grid.row_top(row) + band.top
        for gate in cell.gates:
            if not gate.framed or (at, gate.name) not in filled:
                continue
            sides = (gate.left, gate.right)
            if band.reverse:
                sides = (cell.width - gate.right, cell.width - gate.left)
            left, right = start + sides[0], start + sides[1]
            frames.append(Frame("gate", gate.name, left, top + gate.top, right, top + gate.bottom))
    per_step: dict[int, list[Unit]] = {}
    for unit in band.inputs:
        per_step.setdefault(unit.step or 0, []).append(unit)
    for step, units in per_step.items():
        row, x0, x1 = grid.columns[step]
        width = sum(boxes[id(u)].width for u in units) + 8 * (len(units) - 1)
        x = (x0 + x1 - width) / 2
        if len(units) == 1:
            targets = [boxes[id(k.target)] for k in units[0].outputs if k.target.step == step]
            if len(targets) == 1:  # straight below the only one that reads it
                x = targets[0].x - width / 2
        for unit in units:
            box = boxes[id(unit)]
            box.x = x + box.width / 2
            box.y = grid.row_top(row) + band.top + cell.height + RAIL + box.height / 2
            x += box.width + 8


def _place_ends(ends: list[Unit], bands: list[Band], grid: Grid, boxes: dict[int, Box]) -> None:
    """Initial states: level with the state that they begin, before the first step or after the last."""
    taken: set[tuple[float, float]] = set()
    for unit in ends:
        users = [k.target for k in unit.outputs if k.target.step in grid.columns]
        box = boxes[id(unit)]
        band = next((b for b in bands if users and users[0].role in b.cell.spots), bands[0])
        level = _level(unit, users, band)
        first = min(grid.columns)
        after = (unit.step or 0) > first
        row, x0, x1 = grid.columns[max(grid.columns) if after else first]
        box.x = x1 + box.width / 2 + 12 if after else x0 - box.width / 2 - 12
        y = grid.row_top(row) + band.top + level
        while any(abs(y - other) < box.height + 6 and abs(x - box.x) < 40 for x, other in taken):
            y += box.height + 8
        taken.add((box.x, y))
        box.y = y


def _level(unit: Unit, users: list[Unit], band: Band) -> float:
    spots = band.cell.spots
    on_highway = [u for u in users if u.role in band.cell.highway]
    if on_highway:
        return spots[on_highway[0].role].y
    same = [s.y for role, s in spots.items() if role[2] == unit.out.name and role in spots]
    return same[0] if same else band.cell.state_rail


def _place_head(head: list[Unit], ends: list[Unit], grid: Grid, boxes: dict[int, Box]) -> None:
    """What comes before all steps: to the left of the first, level with the state that it begins."""
    begun = [u for u in ends if any(id(k.source) in {id(h) for h in head} for k in u.inputs)]
    level = boxes[id(begun[0])].y if begun else grid.row_top(0) + TAIL_RAIL
    _place_columns(head, boxes, grid.before, level)


def _place_tail(tail: list[Unit], grid: Grid, boxes: dict[int, Box]) -> float:
    """What comes after all steps, the total loss above all: to the right of the last step."""
    if not tail:
        return grid.width
    row = grid.rows - 1
    x = max(x1 for r, _, x1 in grid.columns.values() if r == row) + 24
    if grid.rows > 1:
        x = max(x, grid.width + 24)
    grid.tail = x
    return _place_columns(tail, boxes, x, grid.row_top(row) + TAIL_RAIL)


def _turn(sheet: Sheet) -> None:
    """Time downwards: exchange the axes, inputs to the left."""
    height = sheet.height
    for box in sheet.boxes:
        box.x, box.y = height - box.y, box.x
        box.width, box.height = box.height, box.width
    for path in sheet.paths:
        path.points = [(height - y, x) for x, y in path.points]
    for frame in sheet.frames:
        sides = (height - frame.bottom, frame.left, height - frame.top, frame.right)
        frame.left, frame.top, frame.right, frame.bottom = sides
        frame.beside = frame.kind == "step"
    sheet.notes = [note for note in sheet.notes if not note.across]
    for note in sheet.notes:
        note.x, note.y = 12.0, sheet.width - 6
    sheet.width, sheet.height = sheet.height + 50, sheet.width + (12 if sheet.notes else 0)
