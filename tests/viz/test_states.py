"""Backward has not run, no path, exactly zero, underflowed, infinite, NaN: each looks like nothing else."""

from __future__ import annotations

import math
import re
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest

import micrornn as mr
import viz
from viz.gradients import flows_of

SVG = "{http://www.w3.org/2000/svg}"


def x() -> mr.Tensor:
    return mr.Value(2.0, "x")


def absent() -> mr.Graph:
    here = x()
    return mr.Graph(
        [mr.Value(3.0) * 1.0, mr.stack([here, here])]
    )  # the stack is no scalar: no loss


#: Each makes a graph in which that happens to the leaf "x", and says what its gradient is.
STATES: dict[str, tuple[Any, str]] = {
    "value": (lambda: x() * 3.0, "3"),
    "not run": (lambda: x() * 3.0, "none"),
    "absent": (absent, "absent"),
    "constant": (lambda: mr.tensor(2.0, name="x") * mr.Value(3.0), "constant"),
    "zero": (lambda: mr.relu(x() * -1.0) * 1.0, "zero"),
    "underflow": (lambda: x() * 1e-200 * 1e-200, "underflow"),
    "infinite": (lambda: x() * 1e200 * 1e200, "inf"),
    "nan": (lambda: x() * math.inf * 0.0, "nan"),
}
PAIRS = list(combinations(STATES, 2))
IN_WORDS = {
    "value": "gradient norm 3, positive",
    "not run": "backward has not run",
    "absent": "no path to the loss",
    "constant": "needs no gradient",
    "zero": "gradient exactly zero",
    "underflow": "gradient underflowed to zero",
    "infinite": "gradient norm ∞, positive",
    "nan": "gradient is NaN",
}
IN_TEXT = {
    "value": "3 +",
    "not run": "",
    "absent": "no path",
    "constant": "–",
    "zero": "zero",
    "underflow": "underflow",
    "infinite": "∞ +",
    "nan": "NaN",
}


def drawn(state: str, format: str) -> str:
    return str(viz.render(STATES[state][0](), format=format, gradients=state != "not run"))


def element(svg: str, kind: str) -> ElementTree.Element:
    """The node of "x", or the gradient that arrives there."""
    nodes = ElementTree.fromstring(svg).iter(f"{SVG}g")
    groups = [g for g in nodes if g.get("class") in ("node", "edge gradient")]
    (node,) = (g for g in groups if ", x," in (g.findtext(f"{SVG}title") or ""))
    if kind == "node":
        return node
    edges = (g for g in groups if g.get("data-from") == node.get("data-node"))
    return next(edges, ElementTree.Element("nothing"))


def look(group: ElementTree.Element) -> tuple[Any, ...]:
    """How it is drawn, wherever it stands: shapes with what colours and dashes them."""
    where = ("x", "y", "d", "points", "cx", "cy", "width", "height")
    shapes = (e for e in group.iter() if e is not group and e.tag not in (f"{SVG}title",))
    return tuple(
        (e.tag, e.text, *sorted((k, v) for k, v in e.attrib.items() if k not in where))
        for e in shapes
    )


@pytest.mark.parametrize("state", STATES)
def test_the_state_is_what_the_fixture_says(state: str) -> None:
    assert element(drawn(state, "svg"), "node").get("data-gradient") == STATES[state][1]


@pytest.mark.parametrize("state", STATES)
def test_the_node_says_it_in_words(state: str) -> None:
    title = element(drawn(state, "svg"), "node").findtext(f"{SVG}title") or ""
    assert IN_WORDS[state] in title.split(", x, ")[1]
    assert [w for w in IN_WORDS.values() if w in title] == [IN_WORDS[state]]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_the_svg_looks_different(a: str, b: str) -> None:
    found = [look(element(drawn(state, "svg"), "node")) for state in (a, b)]
    edges = [look(element(drawn(state, "svg"), "edge")) for state in (a, b)]
    if {a, b} == {"not run", "constant"}:  # neither has a gradient to draw; the legend says why
        assert "backward has not run" in drawn("not run", "svg")
        assert "backward has not run" not in drawn("constant", "svg")
        return
    assert edges[0] != edges[1] or found[0] != found[1]


def test_no_look_rests_on_colour_and_width_alone() -> None:
    def shape(state: str) -> tuple[Any, ...]:
        seen = (
            look(element(drawn(state, "svg"), "edge")),
            look(element(drawn(state, "svg"), "node")),
        )
        plain = ("stroke", "fill", "stroke-width", "rx", "r")
        return tuple(
            (tag, text, *((k, v) for k, v in attributes if k not in plain))
            for part in seen
            for tag, text, *attributes in part
        )

    shapes = {state: shape(state) for state in STATES if state not in ("not run", "constant")}
    alike = [(a, b) for a, b in combinations(shapes, 2) if shapes[a] == shapes[b]]
    assert alike == []


@pytest.mark.parametrize("state", STATES)
def test_the_text_spells_it_out(state: str) -> None:
    text = drawn(state, "txt")
    (line,) = (line for line in text.splitlines() if line.split()[:1] == ["x"])
    assert re.split(r"  +", line.strip())[2:] == ([IN_TEXT[state]] if IN_TEXT[state] else [])
    assert ("backward has not run" in text) == (state == "not run")


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_the_dot_looks_different(a: str, b: str) -> None:
    def attributes(state: str) -> tuple[list[Any], list[Any]]:
        lines = drawn(state, "dot").splitlines()
        node = next(line for line in lines if "label=x" in line)
        edges = [line for line in lines if f"-> {node.split()[0]} " in line]
        keep = re.compile(r'\b(color|style|peripheries|label|xlabel)=("[^"]*"|[^\s\]]+)')
        scale = re.compile(r"\bcolor=")  # of a value, the colour is its size and not its kind
        seen = [[f"{k}={v}" for k, v in keep.findall(line)] for line in (node, *edges[:1])]
        if STATES[state][1] in ("3", "inf"):
            seen = [[word for word in words if not scale.match(word)] for words in seen]
        return seen[0], (seen[1] if edges else [])

    of_a, of_b = attributes(a), attributes(b)
    assert of_a[1] != of_b[1] or {a, b} == {"not run", "constant"}
    if not {a, b} & {"not run", "constant"}:  # without a gradient a node is plain
        assert of_a[0] != of_b[0]


@pytest.mark.parametrize("state", STATES)
def test_the_page_has_the_picture_and_the_words(state: str) -> None:
    page = drawn(state, "html")
    assert drawn(state, "svg") in page
    assert IN_WORDS[state] in page


def test_the_legend_explains_every_look_that_occurs_and_no_other() -> None:
    looks = {
        "zero": "exactly zero",
        "underflow": "underflowed",
        "absent": "no path to the loss",
        "nan": "NaN",
        "constant": "no ribbon: data",
    }
    for state, words in looks.items():
        legend = drawn(state, "svg").partition('class="legend"')[2]
        assert words in legend
        assert words not in drawn("value", "svg").partition('class="legend"')[2]
    assert "backward has not run" in drawn("not run", "svg")


def test_a_large_graph_without_time_is_drawn_by_scope() -> None:
    def network(scoped: bool) -> mr.Tensor:
        a = mr.Value(0.5, "a")
        for k in range(4):
            with mr.scope(f"layer{k}" if scoped else None):
                for _ in range(40):
                    a = a * mr.Value(1.01) + 0.01
        return a

    svg = str(viz.render(network(True)))  # 641 nodes
    for k in range(4):
        assert f">layer{k}: 160 nodes" in svg
    assert "boxes are scopes" in svg and svg.count('class="node"') == 5
    assert str(viz.render(network(True), detail="op")).count('class="node"') > 150
    assert str(viz.render(network(False))).count('class="node"') > 150


def test_a_weighted_sum_of_a_large_graph_is_one_box_with_its_weights() -> None:
    def neuron(inputs: list[mr.Tensor]) -> mr.Tensor:
        total = mr.Value(0.5)
        for i, a in enumerate(inputs):
            total = total + mr.Value(0.1 * (i + 1)) * a
        return total.tanh()

    layer = [mr.Value(0.3, "x0"), mr.Value(-0.2, "x1")]
    for width in (6, 6, 1):
        layer = [neuron(layer) for _ in range(width)]
    svg = str(viz.render(layer[0]))
    assert svg.count(">Σ 3 terms<") == 6 and svg.count(">Σ 7 terms<") == 7
    assert svg.count('class="mark"') == 6 * 3 + 7 * 7  # every weight and every bias
    assert svg.count('class="node"') == 2 + 2 * 13
    assert svg.count('class="edge gradient"') == 2 * 6 + 6 * 7 + 13


def test_a_state_with_no_gradient_is_told_in_the_strip() -> None:
    with mr.scope(t=0):
        h = mr.tensor([1.0], name="h")
    w = mr.Value(1e-200, "w")
    for t in (1, 2, 3):
        with mr.scope("rnn", t=t):
            h = w * h
            h.name = "h"
    text = viz.render(mr.sum(h), format="txt", detail="cell")
    row = next(line for line in text.splitlines() if "|dL/dh|" in line)
    assert row.split() == ["|dL/dh|", "underflow", "1e-200", "←", "1"]


def test_a_graph_without_a_number_to_start_from_has_not_run() -> None:
    flows = flows_of(mr.Graph(mr.tensor([1.0, 2.0], requires_grad=True) * 2.0))
    assert not flows.ran
