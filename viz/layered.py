"""A plain layered drawing for graphs without a time axis: inputs on the left, the result on the right.

Ranks by the longest path, order within a rank by the mean place of the neighbours, swept to and fro, and a
waypoint in every rank that a link passes, so that it goes around what stands there (Sugiyama, Tagawa & Toda
1981). A link that runs against the order of computing, as between layers that feed each other over time,
does not count for the ranks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from viz.scene import Link, Scene, Unit
from viz.shapes import Box, Path, Point, Sheet, box_of

RANK_GAP = 46.0
NODE_GAP = 14.0
WAY_GAP = 4.0
SWEEPS = 8
_MOST_GAP = 170.0  # more room between two ranks, where many links pass


@dataclass(eq=False)
class Item:
    """What stands in a rank: a box, or the waypoint of a link that passes."""

    size: float
    box: Box | None = None
    y: float = 0.0
    before: list[Item] = field(default_factory=list)
    after: list[Item] = field(default_factory=list)

    @property
    def gap(self) -> float:
        """The free room around it."""
        return NODE_GAP if self.box else WAY_GAP


def layered(scene: Scene, rankdir: str) -> Sheet:
    """Place a scene in ranks, left to right or (``"TB"``) from the top down."""
    boxes = {id(unit): box_of(unit, scene.detail) for unit in scene.units}
    turned = rankdir == "TB"
    if turned:
        for box in boxes.values():
            box.width, box.height = box.height, box.width
    rank = _rank(scene.units)
    ranks, ways = _items(scene, boxes, rank)
    _order(ranks)
    xs = _place(ranks)
    for items in ranks:
        for item in items:  # items hold each other: let them go
            item.before, item.after = [], []
    paths = []
    for link in scene.links:
        start, end = boxes[id(link.source)], boxes[id(link.target)]
        middle = [(xs[r], item.y) for r, item in ways[id(link)]]
        points: list[Point] = [(start.right, start.y), *middle, (end.left, end.y)]
        paths.append(Path(link, points, curved=True))
    width = max((box.right for box in boxes.values()), default=0.0) + 24
    height = max((item.y + item.size / 2 for items in ranks for item in items), default=0.0) + 20
    sheet = Sheet(scene, width, height, list(boxes.values()), paths)
    if turned:
        _turn(sheet)
    return sheet


def _rank(units: list[Unit]) -> dict[int, int]:
    place = {id(unit): i for i, unit in enumerate(units)}
    rank: dict[int, int] = {}
    for unit in units:
        before = [id(k.source) for k in unit.inputs if place[id(k.source)] < place[id(unit)]]
        rank[id(unit)] = max((rank[b] + 1 for b in before), default=0)
    for unit in reversed(units):  # leaves stand right before their first use
        after = [rank[id(k.target)] for k in unit.outputs if place[id(k.target)] > place[id(unit)]]
        if not unit.inputs and after:
            rank[id(unit)] = max(min(after) - 1, 0)
    used = {r: i for i, r in enumerate(sorted(set(rank.values())))}
    return {unit: used[r] for unit, r in rank.items()}


def _items(
    scene: Scene, boxes: dict[int, Box], rank: dict[int, int]
) -> tuple[list[list[Item]], dict[int, list[tuple[int, Item]]]]:
    """The items of every rank, and the waypoints of every link, with their ranks."""
    ranks: list[list[Item]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    items = {}
    for unit in scene.units:
        box = boxes[id(unit)]
        items[id(unit)] = item = Item(box.height, box)
        ranks[rank[id(unit)]].append(item)
    ways: dict[int, list[tuple[int, Item]]] = {}
    for link in scene.links:
        ways[id(link)] = way = []
        previous = items[id(link.source)]
        first, last = rank[id(link.source)], rank[id(link.target)]
        for r in _between(first, last):
            item = Item(4.0)
            ranks[r].append(item)
            way.append((r, item))
            _join(previous, item, link)
            previous = item
        _join(previous, items[id(link.target)], link)
    return ranks, ways


def _between(first: int, last: int) -> range:
    return range(first + 1, last) if first < last else range(first, last - 1, -1)


def _join(a: Item, b: Item, link: Link) -> None:
    a.after.append(b)
    b.before.append(a)


def _order(ranks: list[list[Item]]) -> None:
    """Order each rank by the mean place of its neighbours, and place it along y."""
    for rank in ranks:
        _spread(rank, None)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for rank in ranks if down else reversed(ranks):
            wanted: dict[int, float] = {}
            for item in rank:
                near = (item.before if down else item.after) or item.after or item.before
                wanted[id(item)] = sum(i.y for i in near) / len(near) if near else item.y
            rank.sort(key=lambda item: wanted[id(item)])
            _spread(rank, wanted)


def _spread(rank: list[Item], wanted: dict[int, float] | None) -> None:
    """Give each its wanted y as far as there is room, then centre the rank on what was wanted."""
    edge = -float("inf")
    for item in rank:
        least = edge + item.size / 2
        item.y = max(least, wanted[id(item)]) if wanted else max(least, item.size / 2)
        edge = item.y + item.size / 2 + item.gap
    if wanted and rank:
        off = sum(item.y - wanted[id(item)] for item in rank) / len(rank)
        for item in rank:
            item.y -= off


def _place(ranks: list[list[Item]]) -> list[float]:
    """Put boxes where their items are; returns the x of each rank's middle."""
    lift = min((i.y - i.size / 2 for items in ranks for i in items), default=0.0) - 14.0
    x, xs = 24.0, []
    for items in ranks:
        wide = max((item.box.width for item in items if item.box), default=0.0)
        for item in items:
            item.y -= lift
            if item.box:
                item.box.x, item.box.y = x + wide / 2, item.y
        xs.append(x + wide / 2)
        # The more links pass between two ranks, the more room they have, so that they are told apart.
        passing = sum(len(item.after) for item in items)
        x += wide + RANK_GAP + min(2.0 * max(passing - 8, 0), _MOST_GAP)
    return xs


def _turn(sheet: Sheet) -> None:
    for box in sheet.boxes:
        box.x, box.y = box.y, box.x
        box.width, box.height = box.height, box.width
    for path in sheet.paths:
        path.points = [(y, x) for x, y in path.points]
        path.upright = True
    sheet.width, sheet.height = sheet.height, sheet.width
