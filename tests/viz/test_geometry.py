"""Nothing overlaps: read from the SVG itself, for every kind of network at every level of detail."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from drawn import Area, read, unrolled_svg
from faults import through, wrong
from nets import KINDS, OTHERS, unrolled

import viz
from micrornn.tasks import TASKS
from micrornn.tasks.source import resolve

#: The picture of every operation, also where states could be drawn cell by cell.
of_operations = partial(viz.render, detail="op")

NETS: dict[str, dict[str, Any]] = {
    "plain": {},
    "one step": {"steps": 1},
    "two layers": {"layers": 2, "steps": 3},
    "both ways": {"both_ways": True, "steps": 3},
    "two layers both ways": {"layers": 2, "both_ways": True, "steps": 3},
    "stacked gates": {"gates": "stacked", "steps": 2},
    "loss of the last step only": {"loss": "last"},
    "in several rows": {"steps": 40},
}
DOWNWARDS = ("one step", "two layers both ways", "loss of the last step only")

# ------------------------------------------------------------------------- the pictures as they are


@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("net", NETS)
def test_nothing_overlaps(net: str, kind: str, detail: str) -> None:
    drawing = read(unrolled_svg(unrolled(kind, **NETS[net]), detail, net))
    assert drawing.nodes and drawing.edges and drawing.legend
    assert wrong(drawing) == []


@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("net", DOWNWARDS)
def test_nothing_overlaps_with_time_downwards(net: str, kind: str, detail: str) -> None:
    svg = viz.render(unrolled(kind, **NETS[net]), detail=detail, rankdir="TB", title=net)
    assert wrong(read(svg)) == []


@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [(1, 2), (3, 5), (6, 6), (5, 99)])
def test_nothing_overlaps_in_a_window(window: tuple[int, int], kind: str, detail: str) -> None:
    drawing = read(unrolled_svg(unrolled(kind, steps=6), detail, window=window))
    assert wrong(drawing) == []
    if detail != "layer":
        shown = [int(f.name) for f in drawing.frames if f.kind == "step"]
        assert sorted(shown) == [t for t in range(1, 7) if window[0] <= t <= window[1]]


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("name", OTHERS)
def test_nothing_overlaps_in_other_graphs(name: str, detail: str, rankdir: str) -> None:
    assert wrong(read(viz.render(OTHERS[name](), detail=detail, rankdir=rankdir))) == []


@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("net", ["one step", "two layers both ways", "stacked gates"])
def test_lines_go_around_boxes(net: str, kind: str, detail: str) -> None:
    assert [*through(read(unrolled_svg(unrolled(kind, **NETS[net]), detail)))] == []


@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("name", OTHERS)
def test_lines_go_around_boxes_in_other_graphs(name: str, detail: str) -> None:
    assert [*through(read(unrolled_svg(OTHERS[name](), detail)))] == []


@pytest.mark.parametrize("detail", ["cell", "op"])
@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.module])
def test_pictures_of_the_built_in_sources_are_clean(name: str, detail: str) -> None:
    drawing = read(unrolled_svg(resolve(name).loss, detail))
    assert wrong(drawing) == []
    assert [*through(drawing)] == []


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_of_what_steps_are_made_stands_before_them(rankdir: str) -> None:
    """A picture's features begin the state; the mean of the losses comes after all."""
    drawing = read(of_operations(resolve("caption").loss, rankdir=rankdir))

    def along(area: Area) -> tuple[float, float]:
        return (area.left, area.right) if rankdir == "LR" else (area.top, area.bottom)

    first = min(along(frame.area)[0] for frame in drawing.frames if frame.kind == "step")
    last = max(along(frame.area)[1] for frame in drawing.frames if frame.kind == "step")
    (relu,), (total,), (begin,) = (
        [node for node in drawing.nodes.values() if node.texts[0].text.startswith(label)]
        for label in ("relu", "L 2", "h₀ ")
    )
    assert along(relu.area)[1] < along(begin.area)[0] < first
    assert along(total.area)[0] > last


@pytest.mark.parametrize("kind", KINDS)
def test_equal_steps_have_equal_geometry(kind: str) -> None:
    drawing = read(of_operations(unrolled(kind, steps=40)))
    steps = []
    for step in map(str, range(1, 41)):
        frame = drawing.column(step)
        own = [node for node in drawing.nodes.values() if node.data.get("data-step") == step]
        own.sort(key=lambda node: int(node.data["data-node"]))
        steps.append([(x - frame.left, y - frame.top) for x, y in (n.area.centre for n in own)])
    assert len(steps[0]) > 5
    for step in steps:
        assert np.allclose(step, steps[0], atol=0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_sequence_takes_several_rows_each_from_left_to_right(kind: str) -> None:
    drawing = read(of_operations(unrolled(kind, steps=40)))
    corners = [(c.top, c.left) for c in (drawing.column(str(t)) for t in range(1, 41))]
    assert corners == sorted(corners)
    assert len({top for top, _ in corners}) > 1
    assert drawing.page.right < 3000


# --------------------------------------------------------------------- and that each check can fail


def page_of(*elements: str) -> str:
    """A page of 200 by 100 with a box "a" at (20, 20), a box "b" at (120, 20), and these elements."""
    box = (
        '<g class="node" data-node="{}"><rect x="{}" y="20" width="30" height="20"/>'
        '<text x="{}" y="34" text-anchor="middle" font-size="12">{}</text></g>'
    )
    inside = "".join([box.format(1, 20, 35, "a"), box.format(2, 120, 135, "b"), *elements])
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100">'
        f'<g transform="translate(0 10)">{inside}</g></svg>'
    )


EDGE = '<g class="edge forward" data-from="1" data-to="2"><path d="M{} 30L{} 30"/></g>'
FRAME = '<g class="{}" data-step="{}"><rect x="{}" y="5" width="40" height="50"/></g>'
BOX = '<g class="node" data-node="3" data-step="1"><rect x="{}" y="20" width="30" height="20"/></g>'


def test_a_page_without_faults_passes() -> None:
    fine = page_of(EDGE.format(50, 120), FRAME.format("step", 1, 60), BOX.format(65))
    drawing = read(fine)
    assert wrong(drawing) == []
    assert drawing.nodes["1"].area == Area(20, 30, 50, 50)  # the shift counts


@pytest.mark.parametrize(
    ("complaint", "element"),
    [
        ("boxes overlap", BOX.format(45)),
        ("not inside the frame of step 1", FRAME.format("step", 1, 60) + BOX.format(75)),
        ("frames cross", FRAME.format("step", 1, 60) + FRAME.format("gate", "", 80)),
        ("data-from ends off its box", EDGE.format(60, 120)),
        ("data-to ends off its box", EDGE.format(50, 123)),
        ("outside of the page", '<path d="M10 95v9"/>'),
        ("outside of the page", '<text x="180" y="60">wide</text>'),
        ("outside of the page", '<polygon points="3,3 -2,3 3,5"/>'),
        ("the legend overlaps", '<g class="legend"><text x="60" y="9">high</text></g>'),
        ("texts overlap", '<text x="60" y="60">one</text><text x="66" y="62">two</text>'),
        (
            "does not fit into",
            '<g class="node" data-node="3"><rect x="70" y="60" width="30" height="20"/>'
            '<text x="72" y="74">too long</text></g>',
        ),
        (
            "ends off its box",
            '<g class="node" data-node="3"><circle cx="70" cy="70" r="10"/></g>'
            '<g class="edge gradient" data-from="1" data-to="3"><path d="M35 40L61 61"/></g>',
        ),
    ],
)
def test_a_fault_is_found(complaint: str, element: str) -> None:
    found = wrong(read(page_of(element)))
    assert found
    assert all(complaint in sentence for sentence in found), found


@pytest.mark.parametrize("d", ["M50 30L120 30", "M50 30C80 30 80 31 120 30"])
def test_a_line_through_a_box_is_found(d: str) -> None:
    edge = f'<g class="edge forward" data-from="1" data-to="2"><path d="{d}"/></g>'
    assert len([*through(read(page_of(edge, BOX.format(70))))]) == 1


def test_a_curve_around_a_box_is_none_through_it() -> None:
    edge = '<g class="edge forward" data-from="1" data-to="2"><path d="M50 30Q60 -20 120 30"/></g>'
    small = '<g class="node" data-node="3"><rect x="80" y="30" width="10" height="10"/></g>'
    assert [*through(read(page_of(edge, small)))] == []
