"""Pictures of an encoder and a decoder: each step takes the room of what is computed at it, and no more."""

from __future__ import annotations

from functools import cache

import pytest
from drawn import Drawing, read
from faults import through, wrong

import viz
from micrornn.graph import Graph
from micrornn.tasks.drawn import builder
from viz.build import build

KINDS = ("none", "dot", "scaled", "general", "additive")


@cache
def picture(attention: str, detail: str) -> Drawing:
    return read(viz.render(builder("reverse")(attention=attention).loss, detail=detail))


@pytest.mark.parametrize("detail", ["cell", "gate", "op"])
@pytest.mark.parametrize("attention", KINDS)
def test_it_is_clean_and_not_larger_than_two_screens(attention: str, detail: str) -> None:
    drawing = picture(attention, detail)
    assert wrong(drawing) == []
    assert [*through(drawing)] == []
    assert drawing.page.right < 2000
    assert drawing.page.bottom < 2000


@pytest.mark.parametrize("attention", KINDS)
def test_a_gate_is_framed_where_something_stands_in_it(attention: str) -> None:
    drawing = picture(attention, "op")
    frames = [frame for frame in drawing.frames if frame.kind == "gate"]
    assert len(frames) == 3 * 7  # the gates of one GRU at every step, not of two
    for frame in frames:
        assert any(node.area.within(frame.area) for node in drawing.nodes.values()), frame


def test_steps_of_one_kind_are_equally_wide_and_those_of_another_not() -> None:
    drawing = picture("additive", "cell")
    areas = [drawing.column(str(t)) for t in range(1, 8)]
    widths = [round(area.right - area.left) for area in areas]
    assert len(set(widths[:2])) == len(set(widths[3:])) == 1
    assert widths[0] < widths[3]


@pytest.mark.parametrize("attention", KINDS)
def test_encoder_and_decoder_share_a_level_where_they_share_a_row(attention: str) -> None:
    drawing = picture(attention, "cell")
    tops: dict[str, float] = {}
    for node in drawing.nodes.values():
        if node.texts and node.texts[0].text == "embedding [ ]":
            tops.setdefault(node.data["data-step"], node.area.top)
    assert len(tops) == 7
    assert max(tops.values()) - min(tops.values()) < 60


@pytest.mark.parametrize("attention", KINDS)
def test_the_decoder_begins_a_row_where_that_costs_none(attention: str) -> None:
    drawing = picture(attention, "op")
    tops = [drawing.column(str(t)).top for t in range(1, 8)]
    assert tops[0] == tops[2] < tops[3] == tops[6]


def test_marks_of_weights_have_short_names() -> None:
    loss = builder("translate")().loss
    scene = build(Graph(loss), "op")
    labels = {mark.label for unit in scene.units for mark in unit.marks}
    assert {"W_iz", "W_hr", "b_in", "readout.W", "query_weight", "v"} < labels
    assert {"encoder.embedding.W", "decoder.embedding.W"} < labels
    assert len(labels) == 12 + 7
