"""Nothing overlaps: read from the SVG itself, for every kind of network at every level of detail."""

from __future__ import annotations

from itertools import combinations

import pytest
from drawn import Drawing, read
from nets import KINDS, OTHERS, unrolled

import viz

NETS = {
    "plain": {},
    "one step": {"steps": 1},
    "two layers": {"layers": 2, "steps": 3},
    "both ways": {"both_ways": True, "steps": 3},
    "two layers both ways": {"layers": 2, "both_ways": True, "steps": 3},
    "stacked gates": {"gates": "stacked"},
    "loss of the last step only": {"loss": "last"},
    "wrapped": {"steps": 40},
}


def wrong(drawing: Drawing) -> list[str]:
    """Everything that overlaps, sticks out or hangs loose in a picture, one sentence each."""
    found = []
    nodes = list(drawing.nodes.values())
    for a, b in combinations(nodes, 2):
        if a.area.overlaps(b.area):
            found.append(f"boxes overlap: {a} and {b}")
    steps = {f.name: f.area for f in drawing.frames if f.kind == "step"}
    for node in nodes:
        step = node.data.get("data-step")
        if step in steps and not node.area.within(steps[step], slack=0.0):
            found.append(f"not inside the frame of step {step}: {node}")
        for text in node.texts:
            if not text.area.within(node.area, slack=1.0):
                found.append(f"{text.text!r} does not fit into {node}")
    for edge in drawing.edges:
        ends = (("data-from", edge.points[0]), ("data-to", edge.points[-1]))
        for name, point in ends:
            if drawing.nodes[edge.data[name]].distance_to_border(point) > 1.5:
                found.append(f"{edge}: {name} ends off its box {drawing.nodes[edge.data[name]]}")
    for area in [*drawing.picture, *drawing.legend]:
        if not area.within(drawing.page):
            found.append(f"outside of the page: {area}")
    top = min((area.top for area in drawing.legend), default=drawing.page.bottom)
    found += [f"the legend overlaps {area}" for area in drawing.picture if area.bottom > top]
    for a, b in combinations(drawing.texts, 2):
        if a.area.overlaps(b.area):
            found.append(f"texts overlap: {a.text!r} and {b.text!r}")
    for a, b in combinations(drawing.frames, 2):
        apart = not a.area.overlaps(b.area)
        if not (apart or a.area.within(b.area) or b.area.within(a.area)):
            found.append(f"frames cross: {a} and {b}")
    return found


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("net", NETS)
def test_nothing_overlaps(net: str, kind: str, detail: str, rankdir: str) -> None:
    svg = viz.render(unrolled(kind, **NETS[net]), detail=detail, rankdir=rankdir, title=net)
    assert wrong(read(svg)) == []


@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [(1, 2), (3, 5), (6, 6), (5, 99)])
def test_nothing_overlaps_in_a_window(window: tuple[int, int], kind: str, detail: str) -> None:
    assert wrong(read(viz.render(unrolled(kind, steps=6), detail=detail, window=window))) == []


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("name", OTHERS)
def test_nothing_overlaps_in_other_graphs(name: str, detail: str, rankdir: str) -> None:
    assert wrong(read(viz.render(OTHERS[name](), detail=detail, rankdir=rankdir))) == []
