"""A plain layered drawing for graphs without a time axis: inputs on the left, the result on the right.

Ranks by the longest path (Sugiyama, Tagawa & Toda 1981), order within a rank by the mean place of the
neighbours, swept to and fro. A link that runs against the order of computing, as between layers that feed
each other over time, does not count for the ranks.
"""

from __future__ import annotations

from viz.scene import Scene, Unit
from viz.shapes import Box, Path, Sheet, box_of

RANK_GAP = 46.0
NODE_GAP = 14.0
SWEEPS = 6


def layered(scene: Scene, rankdir: str) -> Sheet:
    """Place a scene in ranks, left to right or (``"TB"``) from the top down."""
    boxes = {id(unit): box_of(unit, scene.detail) for unit in scene.units}
    turned = rankdir == "TB"
    if turned:
        for box in boxes.values():
            box.width, box.height = box.height, box.width
    ranks = _ranks(scene.units)
    _order(ranks, boxes)
    lift = min((box.top for box in boxes.values()), default=0.0) - 14.0
    x = 24.0
    tallest = 0.0
    for rank in ranks:
        wide = max(boxes[id(u)].width for u in rank)
        for unit in rank:
            boxes[id(unit)].x = x + wide / 2
            boxes[id(unit)].y -= lift
            tallest = max(tallest, boxes[id(unit)].bottom)
        x += wide + RANK_GAP
    width, height = x - RANK_GAP + 24, tallest + 20
    if turned:
        width, height = height, width
        for box in boxes.values():
            box.x, box.y = box.y, box.x
            box.width, box.height = box.height, box.width
    paths = []
    for link in scene.links:
        start, end = boxes[id(link.source)], boxes[id(link.target)]
        if turned:
            points = [(start.x, start.bottom), (end.x, end.top)]
        else:
            points = [(start.right, start.y), (end.left, end.y)]
        paths.append(Path(link, points, curved=True))
    return Sheet(scene, width, height, list(boxes.values()), paths)


def _ranks(units: list[Unit]) -> list[list[Unit]]:
    place = {id(unit): i for i, unit in enumerate(units)}
    rank: dict[int, int] = {}
    for unit in units:
        before = [id(k.source) for k in unit.inputs if place[id(k.source)] < place[id(unit)]]
        rank[id(unit)] = max((rank[b] + 1 for b in before), default=0)
    for unit in reversed(units):  # leaves stand right before their first use
        after = [rank[id(k.target)] for k in unit.outputs if place[id(k.target)] > place[id(unit)]]
        if not unit.inputs and after:
            rank[id(unit)] = max(min(after) - 1, 0)
    ranks: list[list[Unit]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for unit in units:
        ranks[rank[id(unit)]].append(unit)
    return [r for r in ranks if r]


def _order(ranks: list[list[Unit]], boxes: dict[int, Box]) -> None:
    """Order each rank by the mean place of its neighbours, and place it along y."""
    for rank in ranks:
        _spread(rank, boxes, None)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for rank in ranks if down else reversed(ranks):
            wanted: dict[int, float] = {}
            for unit in rank:
                near = [k.source for k in unit.inputs] if down else [k.target for k in unit.outputs]
                near = near or [k.target for k in unit.outputs] or [k.source for k in unit.inputs]
                if near:
                    wanted[id(unit)] = sum(boxes[id(u)].y for u in near) / len(near)
                else:
                    wanted[id(unit)] = boxes[id(unit)].y
            rank.sort(key=lambda u: wanted[id(u)])
            _spread(rank, boxes, wanted)


def _spread(rank: list[Unit], boxes: dict[int, Box], wanted: dict[int, float] | None) -> None:
    """Give each its wanted y as far as there is room, from the top down, then centre the rank on it."""
    y = 20.0
    for unit in rank:
        box = boxes[id(unit)]
        least = y + box.height / 2
        box.y = least if wanted is None else max(least, wanted[id(unit)])
        y = box.bottom + NODE_GAP
    if wanted and rank:
        off = sum(boxes[id(u)].y - wanted[id(u)] for u in rank) / len(rank)
        top = boxes[id(rank[0])].top
        shift = min(off, top - 20.0)
        for unit in rank:
            boxes[id(unit)].y -= max(shift, 0.0)
