"""The picture of a scan: all of its elements and edges, with the gradient that backward sent along them."""

from xml.etree import ElementTree

import numpy as np
import pytest

import micrornn as mr
import viz
from micrornn import nn
from micrornn.nn.families import linear_scan
from viz.picture.scan import heading, tree_of

RNG = np.random.default_rng(0)


def scanned(steps, all_states=True):
    a = mr.tensor(RNG.uniform(0.5, 1.0, (steps, 2)), requires_grad=True)
    b = mr.tensor(RNG.normal(size=(steps, 2)), requires_grad=True)
    h = linear_scan(a, b)
    return a, b, mr.record(mr.sum((h if all_states else h[-1:]) ** 2))


@pytest.mark.parametrize("steps", [*range(2, 18), 33])
def test_every_gradient_in_it_is_one_that_backward_sent(steps):
    a, b, rec = scanned(steps)
    tree = tree_of(rec)
    assert tree.steps == steps == max(map(tree.end, tree.norms))
    for i in range(steps):
        both = np.concatenate([rec.gradient(a)[i], rec.gradient(b)[i]])
        assert tree.norms[0, i] == pytest.approx(np.linalg.norm(both))
    used = {}
    for (begin, end), size in tree.edges.items():
        assert begin in tree.norms and end in tree.norms and begin[0] < end[0]
        assert tree.end(begin) <= tree.end(end)
        used.setdefault(begin, []).append(size)
    for place, sizes in used.items():
        if len(sizes) == 1:  # all that arrived came along its only edge
            assert sizes[0] == pytest.approx(tree.norms[place])
        else:
            assert tree.norms[place] <= sum(sizes) * (1 + 1e-12)
    last_row = len(tree.heights) - 1
    assert {place for place in tree.norms if place not in used} == {
        (last_row, i) for i in range(steps)
    }


def test_the_loss_of_the_last_state_reaches_the_first_step_in_as_many_hops_as_rounds():
    *_, rec = scanned(8, all_states=False)
    tree = tree_of(rec)
    alive = {edge for edge, size in tree.edges.items() if size}
    place, hops = (6, 7), 0
    while place != (0, 0):
        place = min(begin for begin, end in alive if end == place)
        hops += 1
    assert hops == 6
    assert heading(tree) == "The scan computes 8 states in 6 rounds, and their gradients in 6 more"


def test_a_run_by_a_scan_is_drawn_as_its_tree():
    net = nn.MinGRU(3, 4, rng=0, scan=True)
    _, h = net(RNG.normal(size=(6, 3)))
    svg = viz.render(mr.sum(h**2), title="six steps")
    ElementTree.fromstring(svg)
    assert "The scan computes 6 states" in svg and "steps 5 to 6: gradient norm" in svg
    plain = viz.render(mr.sum(h**2), gradients=False)
    assert "no gradient" in plain and "gradient norm" not in plain


def test_what_is_no_scan_has_no_tree():
    assert tree_of(mr.record(mr.sum(nn.MinGRU(3, 4, rng=0)(np.ones((4, 3)))[0]))) is None
    one = mr.tensor([[1.0]], requires_grad=True)
    assert tree_of(mr.record(mr.sum(linear_scan(one, one)))) is None
