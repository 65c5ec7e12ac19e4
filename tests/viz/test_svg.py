"""The SVG is data: classes, attributes, titles in words; the same bytes every time; linear in the steps."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from drawn import read, unrolled_svg
from nets import KINDS, OTHERS, unrolled

import micrornn as mr
import viz

SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).parents[2]

#: The picture of every operation, also where states could be drawn cell by cell.
of_operations = partial(viz.render, detail="op")


def groups(svg: str, kind: str) -> list[ElementTree.Element]:
    """The elements of a class."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}g")
    return [g for g in found if kind in g.get("class", "").split()]


# ------------------------------------------------------------------------------------------ data


@pytest.mark.parametrize("kind", KINDS)
def test_every_node_of_the_graph_is_there_with_its_data(kind: str) -> None:
    loss = unrolled(kind)
    graph = mr.Graph(loss)
    svg = of_operations(loss)
    nodes = {g.get("data-node"): g for g in groups(svg, "node")}
    assert len(nodes) == len(groups(svg, "node"))
    shown = 0
    for number, node in enumerate(graph, 1):
        found = nodes.get(str(number))
        if found is None:
            continue
        shown += 1
        assert found.get("data-op") == (node.primitive.name if node.primitive else "leaf")
        assert found.get("data-scope") == node.scope
        assert found.get("data-step") == (None if node.step is None else str(node.step))
    # The rest are the weights, their slices, and the numbers that are written into an operation.
    rest = [node for i, node in enumerate(graph, 1) if str(i) not in nodes]
    assert shown == len(nodes)
    assert {p.number for p in graph.parameters} <= {node.number for node in rest}
    assert all(node.step is None or node.size == 1 for node in rest)


def test_data_gradient_is_the_norm_that_backward_gives() -> None:
    w, c = mr.Value(-2.0, "w"), mr.tensor(3.0, name="c")
    loss = mr.tanh(w * c)
    nodes = {g.get("data-op"): g for g in groups(of_operations(loss), "node")}
    loss.backward()
    assert float(nodes["tanh"].get("data-gradient", "")) == 1.0
    found = {
        g.findtext(f"{SVG}title"): g.get("data-gradient")
        for g in groups(of_operations(loss), "node")
    }
    (of_w,) = (value for title, value in found.items() if title and ", w," in title)
    (of_c,) = (value for title, value in found.items() if title and ", c," in title)
    assert float(of_w or "") == pytest.approx(abs(w.grad), rel=1e-5)
    assert of_c == "constant"


def test_slices_and_joins_are_folded_into_the_edges_that_they_serve() -> None:
    out, _ = mr.nn.LSTM(3, 4)(mr.tensor(np.ones((5, 3))))
    loss = mr.sum(out * out)
    plain, whole = (str(viz.render(loss, detail="op", plumbing=p)) for p in (False, True))
    folded = [g.get("data-op") for g in groups(whole, "node")]
    kept = [g.get("data-op") for g in groups(plain, "node")]
    assert folded.count("getitem") - kept.count("getitem") == 4 * 5 and "20 slices" in plain
    gates = {g.get("data-node"): g for g in groups(plain, "node") if g.get("data-op") == "sigmoid"}
    sums = {g.get("data-node") for g in groups(plain, "node") if g.get("data-op") == "add"}
    into = [e for e in groups(plain, "forward") if e.get("data-to") in gates]
    assert len(gates) == 15 and all(e.get("data-from") in sums for e in into)
    back = {e.get("data-to"): e.get("data-gradient") for e in groups(plain, "gradient")}
    assert {back[n] for n in gates} == {
        e.get("data-gradient") for e in groups(whole, "gradient") if e.get("data-to") in gates
    }  # what passes a slice is what arrives behind it


@pytest.mark.parametrize("kind", KINDS)
def test_edges_name_the_nodes_that_they_join(kind: str) -> None:
    loss = unrolled(kind)
    svg = str(viz.render(loss, detail="op", plumbing=True))
    nodes = mr.Graph(loss).nodes
    numbers = {g.get("data-node") for g in groups(svg, "node")}
    forward = groups(svg, "forward")
    for edge in forward:
        source, target = edge.get("data-from", ""), edge.get("data-to", "")
        assert {source, target} <= numbers
        uses = [x.number for x in nodes[int(target) - 1].inputs]
        assert nodes[int(source) - 1].number in uses
    ways = [(e.get("data-from"), e.get("data-to")) for e in forward]
    assert len(set(ways)) == len(ways)
    back = groups(svg, "gradient")
    assert {(e.get("data-from"), e.get("data-to")) for e in back} < set(ways)
    assert all(e.get("class") == "edge forward" for e in forward)
    assert all(e.get("class") == "edge gradient" and e.get("data-gradient") for e in back)


def test_every_step_has_a_frame() -> None:
    steps = groups(of_operations(unrolled("gru", steps=5)), "step")
    assert sorted(g.get("data-step", "") for g in steps) == ["1", "2", "3", "4", "5"]
    assert {g.findtext(f"{SVG}text") for g in steps} == {f"t = {t}" for t in range(1, 6)}


def test_a_node_says_what_it_is_in_words() -> None:
    titles = [
        g.findtext(f"{SVG}title") or "" for g in groups(of_operations(unrolled("lstm")), "node")
    ]
    pattern = re.compile(
        r"tanh, g, step 3, gradient norm [\d.e-]+(, \w+)?, in lstm.0/candidate, 3, "
    )
    assert [title for title in titles if pattern.match(title)]
    assert all(titles)


@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("name", OTHERS)
def test_every_gradient_and_every_weight_says_it_in_words(name: str, detail: str) -> None:
    svg = unrolled_svg(OTHERS[name](), detail, "<a & b>")
    for kind in ("node", "gradient", "mark", "ledger"):
        for group in groups(svg, kind):
            words = group.findtext(f"{SVG}title") or ""
            assert "gradient" in words or "no path to the loss" in words
    root = ElementTree.fromstring(svg)
    assert root.findtext(f"{SVG}title") == "<a & b>"
    assert "nodes" in (root.findtext(f"{SVG}desc") or "")


def test_no_ids_and_no_styles_so_that_pictures_can_share_a_page() -> None:
    root = ElementTree.fromstring(of_operations(unrolled("lstm")))
    for element in root.iter():
        assert not {"id", "style"} & set(element.attrib)
        assert element.tag != f"{SVG}style"


def test_marks_stand_where_a_weight_is_used_and_nowhere_else() -> None:
    svg = of_operations(unrolled("rnn", steps=3))
    uses: dict[str, int] = {}
    for node in groups(svg, "node"):
        for mark in (g for g in node.iter(f"{SVG}g") if g.get("class") == "mark"):
            name = mark.get("data-parameter", "")
            uses[name] = uses.get(name, 0) + 1
    weights = ["bias", "bias_hh_l0", "bias_ih_l0", "weight", "weight_hh_l0", "weight_ih_l0"]
    assert uses == dict.fromkeys(weights, 3)
    assert sorted(g.get("data-parameter", "") for g in groups(svg, "ledger")) == weights


def test_a_name_cannot_break_the_document() -> None:
    w = mr.Value(1.0, 'a"><script>&]]>')
    svg = of_operations(w * 2.0, title="</svg>")
    assert "<script" not in svg
    titles = [g.findtext(f"{SVG}title") or "" for g in groups(svg, "node")]
    assert any('a"><script>&]]>' in title for title in titles)


# ---------------------------------------------------------------------------------- the same bytes

PROGRAM = """
import hashlib, sys
sys.path[:0] = sys.argv[1:]
import viz
from nets import OTHERS, unrolled

for make in (lambda: unrolled("lstm", both_ways=True), *OTHERS.values()):
    for format in ("svg", "txt", "dot", "html"):
        print(hashlib.sha256(viz.render(make(), format=format, title="t").encode()).hexdigest())
"""


def test_the_same_graph_gives_the_same_bytes_in_every_process() -> None:
    runs = []
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PROGRAM, str(ROOT), str(ROOT / "tests")]
        run = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, cwd=ROOT
        )
        assert run.returncode == 0, run.stderr
        runs.append(run.stdout)
    assert len(runs[0].split()) == 4 * (1 + len(OTHERS))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("format", ["svg", "txt", "dot", "html"])
def test_the_same_graph_gives_the_same_bytes_twice(format: str) -> None:
    loss = unrolled("gru", layers=2)
    assert of_operations(loss, format=format) == of_operations(loss, format=format)
    assert of_operations(loss, format=format) == of_operations(
        unrolled("gru", layers=2), format=format
    )


# ------------------------------------------------------------------------------------ how it grows


@pytest.mark.parametrize("detail", ["cell", "gate", "op", "scalar"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_grows_linearly_with_the_steps(kind: str, detail: str) -> None:
    def elements(steps: int) -> int:
        svg = unrolled_svg(unrolled(kind, steps=steps), detail)
        root = ElementTree.fromstring(svg)
        legend = next(g for g in root.iter(f"{SVG}g") if g.get("class") == "legend")
        # What depends on the numbers alone: a sign, a second line where one is zero, hidden elements.
        plain = [e for e in root.iter(f"{SVG}g") if "mark" not in e.get("class", "")]
        return len(plain) - len(list(legend.iter(f"{SVG}g")))

    few, more, most = elements(8), elements(16), elements(24)
    assert more - few == most - more


def test_a_long_lstm_is_drawn_whole() -> None:
    drawing = read(of_operations(unrolled("lstm", steps=200)))
    steps = {node.data.get("data-step") for node in drawing.nodes.values()}
    assert {str(t) for t in range(1, 201)} <= steps
    assert len(drawing.nodes) > 200 * 20


def test_drawing_leaves_the_gradients_alone() -> None:
    loss = unrolled("rnn")
    graph = mr.Graph(loss)
    of_operations(loss)
    assert all(p.grad is None for p in graph.parameters)
    loss.backward()
    before = [np.array(p.grad) for p in graph.parameters]
    of_operations(loss)
    assert all(np.array_equal(g, p.grad) for g, p in zip(before, graph.parameters))
