"""The matrices in the page give what backward gave, for every box and any loss."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from operations import CASES, leaves, like, operation

from micrornn.core.backward import dense
from micrornn.core.primitive import Primitive, Sample
from micrornn.flow import credit
from micrornn.tasks.source import recorded
from viz.page.derivative import ZERO, Derivative, derivative, times
from viz.page.linear import linear
from viz.page.operations import operations
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
    sizes = [size for _, _, size, _ in block["nodes"]]
    arrived = [np.zeros(size) for size in sizes]
    for node, value in seeds.items():
        arrived[node] += value
    ends = np.cumsum([rows * columns for rows, columns in block["matrices"]])
    assert ends[-1] == len(numbers)
    matrices = [
        own.reshape(shape)
        for own, shape in zip(np.split(numbers, ends[:-1]), block["matrices"], strict=True)
    ]
    for source, target, kind, m in sorted(block["edges"], key=lambda edge: edge[0]):
        assert source < target, "an edge leads to an older node"
        arrived[target] += times(arrived[source], Derivative(kind, matrices[m]), sizes[target])
    return arrived


def of_run(task: str, options: dict[str, Any]) -> tuple[Any, list[Box], dict[str, Any]]:
    rec = recorded(task, options).recording
    gates = [box for box in tell(rec, gates=True).boxes if box.kind == GATE]
    boxes = [*tell(rec).boxes, *gates]
    boxes += operations(rec, boxes)[0]
    block = linear(rec, boxes)
    assert block is not None
    return rec, boxes, block


@pytest.mark.parametrize(("task", "options"), RUNS)
def test_backward_by_matrices_is_backward(task: str, options: dict[str, Any]) -> None:
    rec, boxes, block = of_run(task, options)
    arrived = carried(block, {node: np.array(value) for node, value in block["seeds"]})
    compared = 0
    weights = {node: rec.node(name) for node, name in block["weights"]}
    assert len(weights) == len(rec.parameters)
    for i, ((box, name, *_), value) in enumerate(zip(block["nodes"], arrived, strict=True)):
        if box < 0 and i not in weights:
            continue
        node = [*boxes[box].nodes.values()][name] if box >= 0 else weights[i]
        wanted = rec.gradient(node)
        if wanted is not None:
            compared += 1
            np.testing.assert_allclose(value, np.ravel(wanted), rtol=1e-4, atol=1e-30)
    assert compared > len(block["nodes"]) / 3


def test_the_gradient_of_any_single_loss_comes_out_too() -> None:
    rec, boxes, block = of_run("hello", {"cell": "lstm", "steps": 8})
    nodes = rec.find("c", exact=True)
    norms = credit(rec, nodes).norms
    place = {boxes[box].nodes["c"].number: i for i, (box, name, *_) in enumerate(block["nodes"])
             if box >= 0 and "c" in boxes[box].nodes and [*boxes[box].nodes][name] == "c"}  # fmt: skip
    for row, node in enumerate(block["losses"].values()):
        arrived = carried(block, {node: 1.0})
        own = [np.linalg.norm(arrived[place[c.number]]) for c in nodes]
        np.testing.assert_allclose(own, np.nan_to_num(norms[row]), rtol=1e-4)


def test_zero_and_no_path_are_two_things() -> None:
    # The forget gate of the first step multiplies c_0 = 0: the derivative is zero, and it was computed.
    _, boxes, block = of_run("hello", {"cell": "lstm"})
    first = next(i for i, box in enumerate(boxes) if box.step == 1 and "f" in box.nodes)
    node = next(i for i, (box, *_) in enumerate(block["nodes"]) if box == first)
    assert [kind for _, target, kind, _ in block["edges"] if target == node] == [ZERO]


@pytest.mark.parametrize(("p", "sample"), CASES)
def test_every_primitive_s_derivative_times_the_gradient_is_what_backward_sends(
    p: Primitive, sample: Sample
) -> None:
    node = operation(p, sample)(*leaves(sample))
    arrived = like(node, 1)
    sent = p.pull(node, arrived if arrived.ndim else np.float64(arrived))
    for slot, (x, wanted) in enumerate(zip(node.inputs, sent, strict=True)):
        local = derivative(node, slot)
        assert local is not None
        got = times(np.ravel(arrived), local, x.size)
        np.testing.assert_allclose(got, np.ravel(dense(wanted)), rtol=1e-6, atol=1e-12)


def test_a_weight_of_every_step_is_kept_once() -> None:
    _, _, short = of_run("hello", {"cell": "rnn", "steps": 5})
    _, _, long = of_run("hello", {"cell": "rnn", "steps": 40})
    size = [max(rows * columns for rows, columns in block["matrices"]) for block in (short, long)]
    large = [
        sum(rows * columns == most for rows, columns in block["matrices"])
        for block, most in zip((short, long), size, strict=True)
    ]
    assert size[0] == size[1] and large == [1, 1]


def test_a_large_run_has_none() -> None:
    rec = recorded("hello", {"cell": "lstm", "steps": 2500}).recording
    assert linear(rec, tell(rec).boxes) is None
