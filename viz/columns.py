"""The columns in which steps stand, and the rows into which they wrap.

Steps at which the same layers compute are of one kind, and have columns of one geometry: an encoder's steps
are as wide as the encoder needs, a decoder's as the decoder. Layers that never compute at the same time
share the same level.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from viz.bands import Band
from viz.cell import PAD, Role
from viz.metrics import text_width
from viz.scene import Scene, Unit
from viz.shapes import Box

ROW_WIDTH = (
    2400.0  # a row of steps wraps at about this many pixels, or where rows would make a tower
)
GUTTER = 30.0  # free on both sides of a column: the lanes between steps
TITLE = 22.0  # for "t = 3" above a column
BAND_GAP = 20.0
LITTLE = 40.0  # so much may stay empty above a band, for rows to look alike


@dataclass(eq=False)
class Kind:
    """What steps at which the same bands have units have in common.

    Attributes:
        bands: those bands, lowest first.
        width: of a column.
        lefts: by the id of a band, how far from the left of the column it stands.
    """

    bands: list[Band]
    width: float = 0.0
    lefts: dict[int, float] = field(default_factory=dict)


@dataclass(eq=False)
class Grid:
    """Columns and rows: where each step stands."""

    columns: dict[int, tuple[int, float, float]]  # step -> row, left, right
    kinds: dict[int, Kind]  # by step
    row_tops: list[float]  # of each row, and where the last one ends
    tops: list[dict[int, float]]  # by row and the id of a band: from the top of the row
    width: float
    left: float
    tail: float = 0.0
    before: float = 0.0  # where that begins which comes before all steps

    def row_top(self, row: int) -> float:
        """The y of the top of a row."""
        return self.row_tops[row]

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.tops)

    def row_of(self, step: int) -> tuple[float, float]:
        """The y at which the row of a step begins, and at which it ends."""
        row = self.columns[step][0]
        return self.row_tops[row], self.row_tops[row + 1]

    def top_of(self, band: Band, row: int) -> float:
        """The y of a band in a row."""
        return self.row_tops[row] + self.tops[row][id(band)]

    def corner(self, band: Band, step: int) -> tuple[float, float]:
        """The upper left corner of a band at a step."""
        row, x0, _ = self.columns[step]
        return x0 + self.kinds[step].lefts[id(band)], self.top_of(band, row)

    def by_row(self) -> list[list[Band]]:
        """The bands that have units in each row, those of earlier steps first."""
        found: list[dict[int, Band]] = [{} for _ in range(self.rows)]
        for step, (row, _, _) in self.columns.items():
            found[row].update((id(band), band) for band in self.kinds[step].bands)
        return [list(bands.values()) for bands in found]


def grid_of(
    scene: Scene,
    bands: list[Band],
    boxes: dict[int, Box],
    ends: list[Unit],
    head: float,
    row_width: float = ROW_WIDTH,
) -> Grid:
    """Where each step and each band stands; ``head`` is the width of what comes before all steps."""
    compact = scene.detail == "cell" and len(bands) == 1  # no lane is needed from band to band
    kinds = _kinds(scene, bands, boxes, 34.0 if compact else 2 * GUTTER)
    own = [kinds[step] for step in scene.steps]
    area = sum(kind.width for kind in own) * (TITLE + sum(b.height + BAND_GAP for b in bands))
    found = _rows(own, max(row_width, area**0.5))  # as wide as high, at most
    side = max((boxes[id(u)].width for u in ends), default=0.0)
    named = [text_width(b.layer, 10.0) for b in bands if b.recurrent]
    names = max(named, default=0.0) + 14.0
    left = max(side + (34.0 if side else 14.0), names)
    if head:
        left = names + head + side + (34.0 if side else 14.0)
    elif found[-1][0]:
        left = max(left, names + 14.0)  # lanes from row to row come by
    columns = {}
    right = left
    for step, kind, (row, x) in zip(scene.steps, own, found, strict=True):
        columns[step] = (row, left + x, left + x + kind.width)
        right = max(right, left + x + kind.width)
    last = scene.steps[-1] + 1
    if any(u.step == last for u in ends):
        right += side + 20
    grid = Grid(
        columns, kinds, [30.0 if scene.hidden else 10.0], [], right + 10, left, before=names
    )
    _stack_rows(grid, bands, scene)
    return grid


def _kinds(
    scene: Scene, bands: list[Band], boxes: dict[int, Box], gutters: float
) -> dict[int, Kind]:
    """The kind of each step, its column as wide as its widest band."""
    of_role = {role: i for i, band in enumerate(bands) for role in band.cell.spots}
    present: dict[int, set[int]] = {step: set() for step in scene.steps}
    wide: dict[tuple[int, int], float] = {}
    for unit in scene.units:
        if unit.step in present and unit.role in of_role:
            present[unit.step].add(of_role[unit.role])
    for i, band in enumerate(bands):
        for unit in band.inputs:
            key = (unit.step or 0, i)
            wide[key] = wide.get(key, 8.0) + boxes[id(unit)].width + 8
    made: dict[frozenset[int], Kind] = {}
    kinds: dict[int, Kind] = {}
    for step, found in present.items():
        kind = made.get(frozenset(found))
        if kind is None:
            own = [bands[i] for i in sorted(found)]
            kind = Kind(own, max([40.0, *(band.cell.width for band in own)]))
            made[frozenset(found)] = kind
        kinds[step] = kind
    for (step, _), width in wide.items():
        kinds[step].width = max(kinds[step].width, width)
    feeds: dict[Role, Role] = {}
    for unit in scene.units:
        for link in unit.inputs:
            if link.source.step == unit.step:
                feeds.setdefault(unit.role, link.source.role)
    for kind in made.values():
        kind.width += gutters
        _align(kind, feeds)
    return kinds


def _align(kind: Kind, feeds: dict[Role, Role]) -> None:
    """Where each band stands in its column: in the middle, a tower straight above what it reads."""
    placed: dict[Role, float] = {}
    for band in kind.bands:
        spots, width = band.cell.spots, band.cell.width
        left = (kind.width - width) / 2
        if not band.recurrent:
            fed = [r for r in spots if feeds.get(r) in placed]
            if fed:
                wanted = placed[feeds[fed[0]]] - spots[fed[0]].x
                left = min(max(wanted, 10.0), max(kind.width - width - 10.0, 10.0))
        kind.lefts[id(band)] = left
        for role, spot in spots.items():
            placed[role] = left + (width - spot.x if band.reverse else spot.x)


def _stack_rows(grid: Grid, bands: list[Band], scene: Scene) -> None:
    """In each row the bands that it has, one above the other, or side by side where their times are apart."""
    spans = _spans(bands, scene)
    head = TITLE + (26.0 if any(u.step is None for u in scene.units) else 6.0)
    for found in _upper_ends(grid, bands, scene):
        floors: dict[int, float] = {}
        for i in sorted(found):
            below = [
                floors[k] + bands[k].height - found[k] + BAND_GAP
                for k in floors
                if spans[k][0] <= spans[i][1] and spans[i][0] <= spans[k][1]
            ]
            floors[i] = max(below, default=0.0)
        high = max(floor + bands[i].height - found[i] for i, floor in floors.items())
        tops = {id(bands[i]): head + high - floor - bands[i].height for i, floor in floors.items()}
        grid.tops.append(tops)
        grid.row_tops.append(grid.row_tops[-1] + head + high + BAND_GAP + 12 + PAD)


def _upper_ends(grid: Grid, bands: list[Band], scene: Scene) -> list[dict[int, float]]:
    """For each row and each of its bands, how much at the top of the band is empty in this row."""
    levels = {}
    for i, band in enumerate(bands):
        frames = {gate.name: gate.top for gate in band.cell.gates if gate.framed}
        for role, spot in band.cell.spots.items():
            levels[role] = i, min(spot.y - spot.height / 2, frames.get(role[1], spot.y))
    rows = 1 + max(row for row, _, _ in grid.columns.values())
    found: list[dict[int, float]] = [{} for _ in range(rows)]
    for unit in scene.units:
        if unit.step in grid.columns and unit.role in levels:
            i, level = levels[unit.role]
            row = found[grid.columns[unit.step][0]]
            row[i] = min(row.get(i, level), level)
    for i, band in enumerate(bands):
        for unit in band.inputs:
            found[grid.columns[unit.step or 0][0]].setdefault(i, band.cell.height)
    return [{i: y - 8 if y > LITTLE else 0.0 for i, y in row.items()} for row in found]


def _spans(bands: list[Band], scene: Scene) -> list[tuple[int, int]]:
    """The first and the last step of each band, from where something is on its way to it."""
    of_role = {role: i for i, band in enumerate(bands) for role in band.cell.spots}
    shown = set(scene.steps)
    spans: list[tuple[int, int]] = [(scene.steps[-1], scene.steps[0]) for _ in bands]

    def widen(i: int, *steps: int) -> None:
        spans[i] = (min(spans[i][0], *steps), max(spans[i][1], *steps))

    for i, band in enumerate(bands):
        for unit in band.inputs:
            widen(i, unit.step or 0, unit.step or 0)
    for unit in scene.units:
        own = of_role.get(unit.role)
        if own is None or unit.step is None or unit.step not in shown:
            continue
        widen(own, unit.step, unit.step)
        for link in unit.inputs:
            at = link.source.step
            if at is not None and at in shown and at != unit.step:
                widen(own, at + 1 if at < unit.step else at, unit.step)
    return spans


def _rows(kinds: list[Kind], row_width: float) -> list[tuple[int, float]]:
    """The row of each column and how far from its left it begins: as few rows as can be, evenly filled.

    A row begins where other layers take over, as a decoder after an encoder, if that costs no row.
    """
    layers = [{id(band) for band in kind.bands if band.recurrent} for kind in kinds]
    turns = {i for i in range(1, len(kinds)) if not layers[i - 1] & layers[i]}
    widths = [kind.width for kind in kinds]
    count = _wrapped(widths, row_width, set())[-1][0] + 1
    if _wrapped(widths, row_width, turns)[-1][0] >= count:
        turns = set()
    even = sum(widths) / count
    for limit in (*(even * (1 + k / 20) for k in range(20)), row_width):
        found = _wrapped(widths, min(limit, row_width), turns)
        if found[-1][0] < count:
            break
    return found


def _wrapped(widths: list[float], limit: float, turns: set[int]) -> list[tuple[int, float]]:
    row, x = 0, 0.0
    found = []
    for i, width in enumerate(widths):
        if x and (x + width > limit + 0.5 or i in turns):
            row, x = row + 1, 0.0
        found.append((row, x))
        x += width
    return found
