"""The matrices in the page give what backward gave, for every box and any loss."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from micrornn.flow import credit
from micrornn.tasks.source import recorded
from viz.page.linear import DENSE, DIAGONAL, linear
from viz.picture.story import GATE, Box
from viz.picture.tell import tell

RUNS = [
    ("hello", {"cell": "rnn"}),
    ("hello", {"cell": "lstm", "steps": 12}),
    ("hello", {"cell": "gru"}),
    ("adding", {}),
    ("text", {"cell": "lstm"}),
    ("translate", {}),
    ("vanishing", {"steps": 300}),
]


def carried(block: dict[str, Any], seeds: dict[int, Any]) -> list[Any]:
    """What arrives at each node: the sum over all edges, newest first, as the page does it."""
    numbers = np.frombuffer(base64.b64decode(block["numbers"]), "<f4").astype(float)
    sizes = [size for _, _, size in block["nodes"]]
    arrived = [np.zeros(size) for size in sizes]
    for node, value in seeds.items():
        arrived[node] += value
    at = 0
    matrices = []
    for source, target, kind in block["edges"]:
        shape = {DENSE: (sizes[source], sizes[target]), DIAGONAL: (sizes[source],)}.get(kind, (0,))
        count = int(np.prod(shape))
        matrices.append((source, target, kind, numbers[at : at + count].reshape(shape)))
        at += count
    assert at == len(numbers)
    for source, target, kind, matrix in sorted(matrices, key=lambda edge: edge[0]):
        assert source < target, "an edge leads to an older node"
        if kind == DENSE:
            arrived[target] += arrived[source] @ matrix
        elif kind == DIAGONAL:
            arrived[target] += arrived[source] * matrix
    return arrived


def of_run(task: str, options: dict[str, Any]) -> tuple[Any, list[Box], dict[str, Any]]:
    rec = recorded(task, options).recording
    gates = [box for box in tell(rec, gates=True).boxes if box.kind == GATE]
    boxes = [*tell(rec).boxes, *gates]
    block = linear(rec, boxes)
    assert block is not None
    return rec, boxes, block


@pytest.mark.parametrize(("task", "options"), RUNS)
def test_backward_by_matrices_is_backward(task: str, options: dict[str, Any]) -> None:
    rec, boxes, block = of_run(task, options)
    arrived = carried(block, {node: np.array(value) for node, value in block["seeds"]})
    compared = 0
    for (box, name, _), value in zip(block["nodes"], arrived):
        node = [*boxes[box].nodes.values()][name] if box >= 0 else rec.passes[0].out
        wanted = rec.gradient(node)
        if wanted is not None:
            compared += 1
            np.testing.assert_allclose(value, np.ravel(wanted), rtol=1e-4, atol=1e-30)
    assert compared > len(block["nodes"]) / 3


def test_the_gradient_of_any_single_loss_comes_out_too() -> None:
    rec, boxes, block = of_run("hello", {"cell": "lstm", "steps": 8})
    nodes = rec.find("c", exact=True)
    norms = credit(rec, nodes).norms
    place = {boxes[box].nodes["c"].number: i for i, (box, name, _) in enumerate(block["nodes"])
             if box >= 0 and "c" in boxes[box].nodes and [*boxes[box].nodes][name] == "c"}  # fmt: skip
    for row, node in enumerate(block["losses"].values()):
        arrived = carried(block, {node: 1.0})
        own = [np.linalg.norm(arrived[place[c.number]]) for c in nodes]
        np.testing.assert_allclose(own, np.nan_to_num(norms[row]), rtol=1e-4)


def test_zero_and_no_path_are_two_things() -> None:
    # The forget gate of the first step multiplies c_0 = 0: the derivative is zero, and it was computed.
    _, boxes, block = of_run("hello", {"cell": "lstm"})
    first = next(i for i, box in enumerate(boxes) if box.step == 1 and "f" in box.nodes)
    node = next(i for i, (box, _, _) in enumerate(block["nodes"]) if box == first)
    assert [kind for _, target, kind in block["edges"] if target == node] == [2]


def test_a_large_run_has_none() -> None:
    rec = recorded("vanishing", {"steps": 5000}).recording
    assert linear(rec, tell(rec).boxes) is None
