"""Pictures of networks of several parts, such as an encoder and a decoder: room, names, and groups."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from drawn import Drawing, read, unrolled_svg
from faults import through, wrong

import micrornn as mr
from micrornn import nn
from micrornn.core.graph import Graph
from micrornn.tasks import task
from viz.build import build

KINDS = ("none", "dot", "scaled", "general", "additive")


@cache
def picture(attention: str, detail: str) -> Drawing:
    return read(unrolled_svg(task("reverse").unrolled({"attention": attention}).loss, detail))


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
        if node.texts and node.texts[0].text.endswith("[ ]") and node.texts[0].text != "h₀ [ ]":
            tops.setdefault(node.data["data-step"], node.area.top)
    assert len(tops) == 7
    assert max(tops.values()) - min(tops.values()) < 60


@pytest.mark.parametrize("attention", KINDS)
def test_the_decoder_begins_a_row_where_that_costs_none(attention: str) -> None:
    drawing = picture(attention, "op")
    tops = [drawing.column(str(t)).top for t in range(1, 8)]
    assert tops[0] == tops[2] < tops[3] == tops[6]


def test_marks_of_weights_have_short_names() -> None:
    loss = task("translate").unrolled({}).loss
    scene = build(Graph(loss), "op")
    labels = {mark.label for unit in scene.units for mark in unit.marks}
    assert {"W_iz", "W_hr", "b_in", "readout.W", "query_weight", "v"} < labels
    assert {"encoder.embedding.W", "decoder.embedding.W"} < labels
    assert len(labels) == 12 + 7


def test_weights_alike_in_name_are_told_apart_by_their_modules() -> None:
    """In the whole picture; W_ih and its like within a layer, beside which stands its name."""

    class Coder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.out = nn.RNNCell(2, 2, rng=0), nn.Linear(2, 2, rng=1)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = Coder(), Coder()
            self.last = nn.Linear(2, 1, rng=2)

    def labels(*scopes: str) -> set[str]:
        net, h = Net(), np.zeros(2)
        for t, (coder, scope) in enumerate(zip((net.one, net.two), scopes), 1):
            with mr.scope(scope, t=t):
                h = coder.out(coder.cell(h))
        with mr.scope(t=2):
            loss = mr.sum(net.last(h))
        scene = build(Graph(loss), "op")
        return {mark.label for unit in scene.units for mark in unit.marks}

    alike = {"one.out.W", "one.out.b", "two.out.W", "two.out.b", "last.W", "last.b"}
    short = {"W_ih", "W_hh", "b_ih", "b_hh"}
    assert labels("a", "b") == alike | short
    assert labels("a", "a") == alike | {
        f"{cell}.{s}" for cell in ("one.cell", "two.cell") for s in short
    }


def test_what_reads_a_picture_is_grouped_by_its_scopes() -> None:
    loss = task("caption").unrolled({}).loss

    def free(detail: str) -> list[str]:
        return [u.label for u in build(Graph(loss), detail).units if u.step is None]

    assert free("cell")[:3] == ["image windows", "features", "begin"]
    gates = ["image windows", "features.conv", "relu", "features.pool", "x reshape", "@", "tanh"]
    assert free("gate")[:7] == gates


def test_what_comes_after_the_steps_does_not_make_one_layer_of_those_within() -> None:
    with mr.scope("net"):
        _, h = nn.GRU(2, 3, num_layers=2, rng=0)([np.ones(2)] * 2)
        loss = mr.sum(h * h)
    layers = {
        u.layer for u in build(Graph(loss), "cell").units if u.step in (1, 2) and u.kind != "input"
    }
    assert layers == {"net/gru.0", "net/gru.1"}


def test_a_module_used_twice_outside_steps_is_two_boxes() -> None:
    linear = nn.Linear(2, 2, rng=0)
    with mr.scope("features"):
        h = mr.tanh(linear(mr.tanh(linear(np.ones(2)))))
    for t in (1, 2):
        with mr.scope("rnn", t=t):
            h = mr.tanh(h)
    labels = [u.label for u in build(Graph(mr.sum(h)), "gate").units if u.step is None]
    assert labels.count("linear") == 0 and labels.count("@") == 2


@pytest.mark.parametrize("detail", ["layer", "cell", "gate"])
def test_neither_direction_leads_to_the_other(detail: str) -> None:
    """What is said at a step reads the states of both; neither of them is made of the other."""
    net = nn.RNN(2, 2, bidirectional=True, rng=0)
    states, _ = net(list(np.ones((3, 2))))
    scene = build(mr.Graph(mr.sum(mr.stack(states))), detail)
    ways = {(link.source.layer, link.target.layer) for link in scene.links}
    assert ("rnn.0.reverse", "rnn.0") not in ways
    assert ("rnn.0", "rnn.0.reverse") not in ways
    assert {("rnn.0", "rnn.0.both"), ("rnn.0.reverse", "rnn.0.both")} <= ways
