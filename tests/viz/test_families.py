"""Every reader takes the states of every family by their names: pictures at each level, views, text."""

from xml.etree import ElementTree

import pytest

import micrornn as mr
import viz
from micrornn.flow.roles import state_names
from micrornn.recording import record
from micrornn.tasks import task
from micrornn.tasks.network import FAMILIES
from viz.labels import subscript
from viz.notebook import mimebundle
from viz.picture.rolled import layered, parts_of
from viz.picture.story import INPUT, STATE
from viz.picture.tell import tell


def loss_of(cell, steps=4):
    return task("hello").unrolled({"cell": cell, "hidden": 3, "steps": steps}).loss


@pytest.mark.parametrize("cell", FAMILIES)
def test_every_state_stands_in_the_picture_by_its_name(cell):
    loss = loss_of(cell)
    rec = record(loss)
    svg = viz.render(loss, detail="cell")
    words = {text.strip() for text in ElementTree.fromstring(svg).itertext()}
    for name in state_names(rec, f"{cell}.0"):
        assert f"{name}{subscript(2)}" in words


@pytest.mark.parametrize("detail", ["layer", "gate", "op"])
@pytest.mark.parametrize("cell", FAMILIES)
def test_every_level_can_be_drawn(cell, detail):
    svg = viz.render(loss_of(cell, 2), detail=detail)
    assert ElementTree.fromstring(svg).tag.endswith("svg")


@pytest.mark.parametrize("cell", FAMILIES)
def test_credit_and_paths_take_every_state(cell):
    rec = record(loss_of(cell))
    for name in state_names(rec, f"{cell}.0"):
        assert f"{name}[" in viz.plots.read("credit", rec, name).finding
        assert viz.plots.read("paths", rec, name).finding


@pytest.mark.parametrize("cell", ["mlstm", "lru", "s6", "delta"])
def test_an_input_that_skips_its_layer_stands_below_it(cell):
    parts, edges = parts_of(tell(record(loss_of(cell))))
    layered(parts, edges)
    depth = {key[0]: part.depth for key, part in parts.items()}
    assert depth[INPUT] < depth[STATE]


@pytest.mark.parametrize("cell", ["delta", "mlstm"])
def test_a_notebook_and_text_know_a_state_that_is_not_called_h(cell):
    loss = loss_of(cell, 3)
    assert "The last loss reaches step 1" in mimebundle(mr.Graph(loss))["image/svg+xml"]
    name = state_names(record(loss), f"{cell}.0")[0]
    text = viz.render(loss, format="txt", detail="cell")
    assert name in text
