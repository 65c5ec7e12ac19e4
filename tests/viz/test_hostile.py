"""Graphs drawn as they come: strange names, loops begun outside of steps, whole sequences at once."""

from __future__ import annotations

import gc
import weakref
from xml.dom import minidom

import numpy as np
import pytest

import micrornn as mr
import viz
from micrornn import nn
from viz.build import build


@pytest.mark.parametrize(
    "name", ["a\x01\x00b", "<&\"'>", "\uffff", "two\nlines", "x" * 5000, "日本"]
)
@pytest.mark.parametrize("format", ["svg", "txt", "dot", "html"])
def test_any_name_can_be_drawn(name: str, format: str) -> None:
    picture = viz.render(mr.Value(1.0, name) * 2.0, format=format, title=name[:50])
    assert picture
    if format == "svg":
        minidom.parseString(picture)


def test_no_box_swallows_both_sides_of_another() -> None:
    """The readout of a whole sequence stands between its stack and its loss."""
    out, _ = nn.LSTM(2, 3, rng=0)(np.ones((4, 2)))
    loss = nn.functional.mse_loss(nn.Linear(3, 2, rng=1)(out), np.zeros((4, 2)))
    for detail in ("cell", "layer"):
        scene = build(mr.Graph(loss), detail)
        order = {id(unit): unit for unit in scene.units if unit.step is None}
        after = {
            key: {id(k.target) for k in unit.outputs} & order.keys() for key, unit in order.items()
        }
        for _ in order:  # take away, again and again, what nothing follows
            after = {k: v & after.keys() for k, v in after.items() if v & after.keys()}
        assert not after, f"{detail}: a circle"


def test_what_a_loop_begins_with_stands_before_its_first_step() -> None:
    w, h = mr.tensor(np.eye(2), requires_grad=True, name="W"), mr.tensor(np.ones(2), name="h")
    for t in (1, 2, 3):
        with mr.scope("cell", t=t):
            h = mr.tanh(mr.linear(h, w))
    scene = build(mr.Graph(h.sum()), "op")
    begins = [unit for unit in scene.units if unit.kind == "initial"]
    assert [(unit.out.name, unit.step) for unit in begins] == [("h", 0)]


def test_a_running_total_does_not_take_the_highway() -> None:
    from viz.cell import plan_core

    def role(name: str) -> tuple[str, ...]:
        return ("", "", name, "", "0")

    at, tanh, square, total = (role(n) for n in ("@", "tanh", "square", "total"))
    sizes = dict.fromkeys((at, tanh, square, total), (20.0, 20.0))
    links = {(at, tanh), (tanh, square), (square, total)}
    cell = plan_core(sizes, links, {(tanh, at), (total, total)}, dict.fromkeys(sizes, ""))
    assert cell.highway == [at, tanh]


@pytest.mark.parametrize("format", ["svg", "txt", "dot", "html"])
def test_a_picture_does_not_keep_the_graph(format: str) -> None:
    gc.disable()
    try:
        x = mr.Value(1.0)
        y = (x * x).tanh()
        gone = weakref.ref(y)
        viz.render(y, format=format)
        del x, y
        assert gone() is None
    finally:
        gc.enable()
