"""The graph behind a tensor: what it lists, and that it notices when it is not well formed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from well_formed import verify

import micrornn as mr


def network() -> tuple[mr.Tensor, mr.Tensor]:
    """Two steps of h = tanh(w h + x)."""
    w = mr.tensor(0.5, requires_grad=True, name="w")
    with mr.scope(t=0):
        h = mr.tensor(1.0, name="h")
    for t in (1, 2):
        with mr.scope("rnn", t=t):
            x = mr.tensor(float(t), name="x")
            h = mr.tanh(w * h + x)
            h.name = "h"
    return h, w


def test_what_it_lists() -> None:
    h, w = network()
    graph = mr.Graph(h)
    verify(graph)
    assert len(graph) == 10 and list(graph) == graph.nodes and graph.outs == (h,)
    numbers = [node.number for node in graph]
    assert numbers == sorted(numbers)
    assert graph.steps == [0, 1, 2] and graph.scopes == ["rnn"]
    assert graph.parameters == [w]
    assert [n.step for n in graph.named("h")] == [0, 1, 2] and graph.named("nothing") == []
    assert len(graph.at(1)) == 4 and graph.at(None) == [w] and graph.at(7) == []
    assert len(graph.edges) == 10
    for source, target, slot in graph.edges:
        assert target.inputs[slot] is source
    assert sum(edge.source is w for edge in graph.edges) == 2


def test_a_tensor_used_twice_has_two_edges() -> None:
    a = mr.Value(2.0)
    graph = mr.Graph(a * a)
    assert len(graph) == 2 and [edge.slot for edge in graph.edges] == [0, 1]


def test_several_results_and_a_lone_leaf() -> None:
    a = mr.Value(2.0)
    graph = mr.Graph([a * 2.0, a * 3.0, a])
    verify(graph)
    assert len(graph) == 5 and len(graph.outs) == 3
    assert mr.Graph(a).nodes == [a]
    for wrong in (3.0, "abc"):
        with pytest.raises(TypeError, match="drawn from one or several tensors, not from"):
            mr.Graph([wrong])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="not from nothing"):
        mr.Graph([])


def test_it_can_be_read() -> None:
    h, w = network()
    lines = str(mr.Graph(h)).splitlines()
    assert lines[0] == "graph of 10 nodes, 1 parameters, steps 0 to 2"
    assert lines[1] == f"  #{w.number} w = leaf  scalar  [no scope]"
    assert lines[-1] == f"  #{h.number} h = tanh(#{h.inputs[0].number})  scalar  [rnn t=2]"
    wide = mr.tensor(np.ones((2, 3)), requires_grad=True)
    assert str(mr.Graph(wide)).endswith("= leaf  2×3  [no scope]")


def _swap_numbers(graph: mr.Graph) -> None:
    graph.nodes[-1].number, graph.nodes[-2].number = graph.nodes[-2].number, graph.nodes[-1].number


def _double(graph: mr.Graph) -> None:
    graph.nodes[-1].number = graph.nodes[-2].number


def _lose_primitive(graph: mr.Graph) -> None:
    graph.nodes[-1].primitive = None


def _lose_value(graph: mr.Graph) -> None:
    graph.nodes[-1].values = (np.ones(3),)


def _lose_node(graph: mr.Graph) -> None:
    del graph.nodes[-2]


def _want_nothing(graph: mr.Graph) -> None:
    graph.nodes[-1].inputs[0].requires_grad = False


def _take_a_stranger(graph: mr.Graph) -> None:
    old = graph.nodes[-2]
    stranger = mr.Tensor.__new__(mr.Tensor)
    stranger.number, stranger.place, stranger._value = old.number, old.place, old._value
    stranger.requires_grad = True
    graph.nodes[-1].inputs = (stranger,)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_swap_numbers, r"tanh 'h' #\d+.*input 0, add #\d+.*is not older than the node itself"),
        (_double, r"tanh 'h' #\d+ in 'rnn' at step 2: its number is that of add #\d+.* too"),
        (_lose_primitive, r"leaf 'h' #\d+.*has inputs but no primitive that made it from them"),
        (_lose_value, r"tanh .*saved value 0 has shape \(3,\), its input add .* has \(\)"),
        (_lose_node, r"tanh .*input 0, add .*is not in the graph"),
        (_take_a_stranger, r"tanh .*input 0, leaf .*is not in the graph"),
        (_want_nothing, r"tanh .*was recorded, but none of its inputs wants a gradient"),
    ],
)
def test_verify_names_the_node_and_what_is_wrong(
    spoil: Callable[[mr.Graph], Any], words: str
) -> None:
    graph = mr.Graph(network()[0])
    verify(graph)
    spoil(graph)
    with pytest.raises(ValueError, match=words):
        verify(graph)
