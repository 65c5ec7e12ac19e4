"""Where everything goes: time runs across, the cell stands upright.

One step of each layer is worked out once (`viz.cell`) and stamped through time, so equal steps look equal
and the cost grows linearly with the steps. Layers are bands, one above the other; long sequences wrap into
rows. A graph without a time axis goes to `viz.layered`.
"""

from __future__ import annotations

from viz.bands import Band, bands_of
from viz.cell import RAIL
from viz.columns import ROW_WIDTH, Grid, grid_of
from viz.layered import layered
from viz.metrics import text_width
from viz.route import TAIL_RAIL, Router
from viz.scene import Scene, Unit, computed_steps
from viz.shapes import Box, Frame, Note, Sheet, box_of

FREE_GAP = 26.0  # between what has no step


def lay_out(scene: Scene, rankdir: str = "LR", row_width: float = ROW_WIDTH) -> Sheet:
    """Place a scene on a sheet.

    Args:
        scene: what to draw.
        rankdir: "LR", time to the right, or "TB", time downwards.
        row_width: at which long sequences wrap.

    Raises:
        ValueError: rankdir is neither.
    """
    if rankdir not in ("LR", "TB"):
        raise ValueError(f"rankdir {rankdir!r}; choose LR or TB")
    if scene.detail == "layer" or not _over_time(scene):
        return layered(scene, rankdir)
    turned = rankdir == "TB"
    boxes = {id(unit): box_of(unit, scene.detail) for unit in scene.units}
    if turned:
        for box in boxes.values():
            box.width, box.height = box.height, box.width
    sheet = _timed(scene, boxes, row_width)
    if turned:
        _turn(sheet)
    return sheet


def _over_time(scene: Scene) -> bool:
    """Whether more than the loss has a time step: alone in the frame of its step it says nothing."""
    timed = [unit for unit in scene.units if unit.step in set(scene.steps)]
    return bool(scene.hidden) or any(unit.kind != "loss" for unit in timed)


def _timed(scene: Scene, boxes: dict[int, Box], row_width: float) -> Sheet:
    timed = [u for u in scene.units if u.step is not None]
    shown = set(scene.steps)
    ends = [u for u in timed if u.step not in shown]  # initial states, before or after all steps
    head, tail = _before_and_after(scene.units)
    bands = bands_of(timed, boxes, shown)
    grid = grid_of(scene, bands, boxes, ends, _width(head, boxes), row_width)
    frames: list[Frame] = []
    for band in bands:
        _stamp(band, grid, timed, boxes, frames)
    _place_ends(ends, bands, grid, boxes)
    _place_head(head, ends, grid, boxes)
    right = _place_tail(tail, grid, boxes)
    for step in scene.steps:
        _, x0, x1 = grid.columns[step]
        top, bottom = grid.row_of(step)
        frames.insert(0, Frame("step", f"t = {step}", x0 + 3, top, x1 - 3, bottom - 34, step))
    sheet = Sheet(
        scene,
        max(grid.width, right) + 16,
        grid.row_top(grid.rows),
        list(boxes.values()),
        [],
        frames,
    )
    sheet.notes += _names(grid, [boxes[id(unit)] for unit in ends])
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


def _names(grid: Grid, ends: list[Box]) -> list[Note]:
    """The name of each layer, at the left of each row; of two at the same level, the later one below."""
    notes: list[Note] = []
    for row, bands in enumerate(grid.by_row()):
        levels: list[float] = []
        for band in reversed(bands):
            if not band.recurrent or not band.layer:
                continue
            level = grid.top_of(band, row) + band.cell.height - 4
            wide = text_width(band.layer, 10.0) + 8
            while any(abs(level - other) < 12 for other in levels) or any(
                abs(level - 3 - box.y) < box.height / 2 + 8 and box.left < wide < grid.left
                for box in ends
            ):
                level -= 12
            levels.append(level)
            notes.append(Note(band.layer, 8.0, level, size=10.0, across=True))
    return notes


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
        left, top = grid.corner(band, unit.step)
        x = cell.width - spot.x if band.reverse else spot.x
        box = boxes[id(unit)]
        box.x, box.y = left + x, top + spot.y
        filled.add((unit.step, unit.gate))
    for step in grid.columns:
        for gate in cell.gates:
            if not gate.framed or (step, gate.name) not in filled:
                continue
            left, top = grid.corner(band, step)
            sides = (gate.left, gate.right)
            if band.reverse:
                sides = (cell.width - gate.right, cell.width - gate.left)
            y0, y1 = top + gate.top, top + gate.bottom
            frames.append(Frame("gate", gate.name, left + sides[0], y0, left + sides[1], y1))
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
            box.y = grid.top_of(band, row) + cell.height + RAIL + box.height / 2
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
        y = grid.top_of(band, row) + level
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
