"""The picture for Graphviz: our own positions, and PDF where Graphviz is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
from drawn import read, unrolled_svg
from nets import KINDS, OTHERS, truncated, unrolled

import micrornn as mr
import viz
from viz import dot
from viz.layout import lay_out
from viz.shapes import Sheet

#: The picture of every operation, also where states could be drawn cell by cell.
of_operations = partial(viz.render, detail="op")

NEATO = shutil.which("neato")
needs_graphviz = pytest.mark.skipif(NEATO is None, reason="Graphviz is not installed here")

NODE = re.compile(r"^\t*(n\d+) \[(.*)\]$", re.MULTILINE)
EDGE = re.compile(r"^\t*(n\d+) -> (n\d+) \[(.*)\]$", re.MULTILINE)


def attribute(attributes: str, name: str) -> str:
    found = re.search(rf'\b{name}=("(?:[^"\\]|\\.)*"|<.*>|[^\s\]]+)', attributes)
    assert found, (name, attributes)
    return found[1].strip('"')


def sheet(loss: mr.Tensor, detail: str = "op") -> Sheet:
    from viz.render import build, graph_of

    return lay_out(build(graph_of(loss), detail))


@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("kind", KINDS)
def test_nodes_stand_where_the_svg_has_them(kind: str, detail: str) -> None:
    loss = unrolled(kind, layers=2, steps=2)
    drawing = read(unrolled_svg(loss, detail))
    nodes = dict(NODE.findall(viz.render(loss, format="dot", detail=detail)))
    nodes = {name: look for name, look in nodes.items() if "pos=" in look}
    assert {name[1:] for name in nodes} == set(drawing.nodes)
    shifts = set()
    for name, look in nodes.items():
        x, y = (float(v) for v in attribute(look, "pos").split(","))
        area = drawing.nodes[name[1:]].area
        shifts.add((round(x - area.centre[0]), round(y + area.centre[1])))
        ring = 8 if "peripheries=2" in look else 0
        assert float(attribute(look, "width")) * 72 + ring == pytest.approx(
            area.right - area.left, abs=0.2
        )
    xs, ys = {x for x, _ in shifts}, {y for _, y in shifts}
    assert max(xs) - min(xs) <= 1 and max(ys) - min(ys) <= 1  # all moved by the same


def test_gradients_are_edges_of_their_own_against_the_forward_edges() -> None:
    loss = unrolled("lstm")
    edges = EDGE.findall(of_operations(loss, format="dot"))
    forward = [(a, b) for a, b, look in edges if "class=forward" in look]
    back = [(b, a) for a, b, look in edges if "class=gradient" in look]
    assert len(forward) == len(set(forward)) and set(back) < set(forward)
    drawing = read(of_operations(loss))
    assert len(back) == sum(edge.kind == "gradient" for edge in drawing.edges)
    assert not EDGE.findall(
        of_operations(loss, format="dot", gradients=False).replace("forward", "")
    )[len(forward) :]


def test_ways_begin_and_end_at_their_boxes() -> None:
    text = of_operations(unrolled("gru"), format="dot")
    boxes = {}
    for name, look in NODE.findall(text):
        if "pos=" in look:
            x, y = (float(v) for v in attribute(look, "pos").split(","))
            half = float(attribute(look, "width")) * 36, float(attribute(look, "height")) * 36
            boxes[name] = (x, y, half[0] + 5, half[1] + 5)  # 4 for a second line, 1 for rounding

    def near(name: str, point: str) -> bool:
        x, y, across, up = boxes[name]
        px, py = (float(v) for v in point.split(","))
        return abs(px - x) <= across and abs(py - y) <= up

    edges = EDGE.findall(text)
    assert edges
    for a, b, look in edges:
        points = attribute(look, "pos").split()
        tip = points.pop(0)[2:] if points[0].startswith("e,") else points[-1]
        assert len(points) % 3 == 1
        assert near(a, points[0]) and near(b, tip)


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_steps_are_clusters_that_hold_their_nodes_and_gates(rankdir: str) -> None:
    loss = unrolled("lstm", steps=12)
    text = of_operations(loss, format="dot", rankdir=rankdir)
    drawing = read(of_operations(loss, rankdir=rankdir))
    clusters = re.findall(r"\tsubgraph cluster_\d+ \{\n(.*?)\n\t\}\n", text, re.DOTALL)
    steps = [f.name for f in drawing.frames if f.kind == "step"]
    assert len(clusters) == len(steps) == 12
    for step, cluster in zip(steps, clusters):
        own = [n for n in drawing.nodes.values() if n.data.get("data-step") == step]
        assert sorted(re.findall(r"^\t\tn(\d+)$", cluster, re.MULTILINE)) == sorted(
            node.data["data-node"] for node in own
        )
        outer, *gates = (
            [float(v) for v in bb.split(",")] for bb in re.findall(r'bb="([\d.,]+)"', cluster)
        )
        assert len(gates) == 4
        for left, low, right, high in gates:
            assert outer[0] <= left < right <= outer[2] and outer[1] <= low < high <= outer[3]


def test_a_cut_is_a_dashed_edge_with_no_gradient() -> None:
    edges = EDGE.findall(of_operations(truncated(), format="dot"))
    (cut,) = ((a, b) for a, b, look in edges if "class=forward" in look and "dashed" in look)
    assert not [1 for a, b, _ in edges if (b, a) == cut]


def test_what_is_on_none_of_the_chosen_paths_is_faint() -> None:
    text = of_operations(unrolled("rnn"), format="dot", ends=("L4", "h2"))
    faint = re.compile(r"#[0-9a-f]{6}26\b")
    looks = {attribute(look, "tooltip"): look for _, look in NODE.findall(text) if "pos=" in look}
    marked = {tip for tip, look in looks.items() if faint.search(look)}
    assert any(tip.startswith("tanh, h, step 1,") for tip in marked)
    assert not any(tip.startswith("tanh, h, step 3,") for tip in marked)
    for tip in marked:
        assert not re.search(r"#[0-9a-f]{6}\b(?!26)", looks[tip]), tip
    assert not faint.search(of_operations(unrolled("rnn"), format="dot"))


def test_names_and_backslashes_are_taken_as_they_are() -> None:
    w = mr.Value(2.0, 'a\\N "quoted" <b>')
    text = of_operations(w * mr.Value(1.0, "<i>"), format="dot", title="a\\nb")
    assert 'label="a\\\\N \\"quoted\\" <b>"' in text
    assert 'label="<i>"' in text
    assert "a\\\\nb" in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_graphviz_is_named_with_what_to_do(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError) as caught:
        of_operations(unrolled(kind), tmp_path / "picture.pdf")
    assert str(caught.value) == dot.NO_GRAPHVIZ
    for words in (
        "program dot",
        "apt install graphviz",
        "brew install graphviz",
        "svg, png or html",
    ):
        assert words in dot.NO_GRAPHVIZ
    assert list(tmp_path.iterdir()) == []  # nothing half-written is left
    assert of_operations(unrolled(kind), format="dot").startswith(
        "digraph"
    )  # which needs no Graphviz


def test_a_graphviz_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\ncat > /dev/null\necho 'no fonts today' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(RuntimeError, match="could not draw the picture: no fonts today"):
        of_operations(unrolled(), format="pdf")


@needs_graphviz
@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", *OTHERS])
def test_neato_takes_the_positions_and_complains_of_nothing(name: str, detail: str) -> None:
    loss = OTHERS[name]() if name in OTHERS else unrolled(name, steps=2)
    text = viz.render(loss, format="dot", detail=detail)
    run = subprocess.run(
        [str(NEATO), "-n2", "-Tplain"], input=text, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    complaints = [line for line in run.stderr.splitlines() if "too small for label" not in line]
    assert complaints == []  # fonts differ between machines, so a label may be said to be wide
    wanted = {
        name: [float(v) / 72 for v in attribute(look, "pos").split(",")]
        for name, look in NODE.findall(text)
        if "pos=" in look
    }
    placed = {
        line.split()[1]: [float(v) for v in line.split()[2:4]]
        for line in run.stdout.splitlines()
        if line.startswith("node n")
    }
    assert placed.keys() == wanted.keys()
    shift = [[round(p - w, 2) for p, w in zip(placed[n], wanted[n])] for n in placed]
    assert max(s[0] for s in shift) - min(s[0] for s in shift) <= 0.02
    assert max(s[1] for s in shift) - min(s[1] for s in shift) <= 0.02


@needs_graphviz
def test_pdf_is_drawn_where_graphviz_is() -> None:
    assert of_operations(unrolled("lstm"), format="pdf").startswith(b"%PDF")
