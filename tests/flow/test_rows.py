"""Many gradients through one pullback: for every primitive the same as one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn  # noqa: F401  (its losses are primitives too)
from micrornn.core.backward import dense
from micrornn.core.context import current
from micrornn.core.primitive import PRIMITIVES, Sample
from micrornn.core.tensor import Tensor, lift
from micrornn.flow.pieces import Rows, assemble, one
from micrornn.flow.rows import sweep
from micrornn.flow.stacked import pull_rows

CASES = [
    pytest.param(name, sample, id=f"{name}-{i}")
    for name, p in PRIMITIVES.items()
    for i, sample in enumerate(p.samples)
]


def made(name: str, sample: Sample, rng: Any) -> Tensor:
    """A node made by the primitive from random inputs."""
    p = PRIMITIVES[name]
    low, high = sample.between
    inputs = []
    for shape in sample.shapes:
        value = rng.uniform(low, high, shape)
        inputs.append(mr.tensor(float(value) if shape is None else value, requires_grad=True))
    node = Tensor.__new__(Tensor)
    node.values = tuple(x._value for x in inputs)
    node._value = p.forward(*node.values, **sample.params)
    node.primitive, node.inputs, node.params = p, tuple(inputs), sample.params
    node.number, node.place, node.requires_grad = current().number(), lift(1.0).place, True
    return node


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_every_primitive(name: str, sample: Sample) -> None:
    rng = np.random.default_rng(0)
    node = made(name, sample, rng)
    g = rng.normal(size=(3, *node.shape))
    slots = range(len(node.inputs))
    labels = np.array([2, 5, 9])
    pieces = pull_rows(node, Rows(labels, g), slots)
    for slot, piece in zip(slots, pieces):
        x = node.inputs[slot]
        rows = assemble([piece, piece], x.shape)
        np.testing.assert_array_equal(rows.labels, labels)
        for row, own in zip(rows.values, g):
            expected = dense(node.primitive.pull(node, own[()])[slot])  # type: ignore[union-attr]
            np.testing.assert_allclose(row, 2 * np.asarray(expected), rtol=1e-12, atol=1e-14)
        assert rows.values.shape == (3, *x.shape)


def test_labels_are_united() -> None:
    a = Rows(np.array([1, 4]), np.array([1.0, 2.0]))
    b = Rows(np.array([0, 4, 7]), np.array([10.0, 20.0, 30.0]))
    rows = assemble([a, b], ())
    assert rows.labels.tolist() == [0, 1, 4, 7]
    assert rows.values.tolist() == [10.0, 1.0, 22.0, 30.0]


def test_a_wanted_node_that_stops_keeps_what_is_behind_it_out() -> None:
    a = mr.Value(2.0)
    b = a * 3.0
    c = b * b
    nodes = mr.Graph(c).nodes
    seeds = {c.number: one(1.0)}
    numbers = [a.number, b.number]
    passed = sweep(nodes, seeds, numbers)
    stopped = sweep(nodes, seeds, numbers, stop=True)
    assert passed[a.number].values.tolist() == [36.0]
    assert a.number not in stopped and stopped[b.number].values.tolist() == [12.0]
