"""Long graphs: no recursion, linear work, and all memory given back without the cyclic collector."""

from __future__ import annotations

import gc
import sys
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from well_formed import verify

import micrornn as mr

LONG = 100_000


@pytest.fixture
def uncollected() -> Iterator[None]:
    """With the cyclic collector off."""
    mr.tensor(
        [1.0], requires_grad=True
    ).sum().backward()  # some things are looked up the first time
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def unrolled(steps: int, hidden: int = 4) -> tuple[mr.Tensor, mr.Tensor, list[Any]]:
    """A tanh network with a loss at every step: the loss, its weight, and references to the states."""
    w = mr.tensor(np.eye(hidden) * 0.9, requires_grad=True)
    h: Any = mr.tensor(np.ones(hidden))
    total: Any = 0.0
    states = []
    for t in range(1, steps + 1):
        with mr.scope(t=t):
            h = mr.tanh(mr.linear(h, w))
            total = total + h[0] * h[1]
            states.append(weakref.ref(h))
    return total, w, states


def test_a_hundred_thousand_steps() -> None:
    assert sys.getrecursionlimit() < LONG
    a = mr.Value(0.999)
    y: Any = 1.0
    for _ in range(LONG):
        y = y * a
    y.backward()
    assert a.grad == pytest.approx(LONG * 0.999 ** (LONG - 1), rel=1e-9)
    assert len(mr.Graph(y)) == LONG + 2
    assert mr.jvp(y, a, 1.0) == pytest.approx(a.grad, rel=1e-12)
    del y  # does not overflow the stack either


def test_a_hundred_thousand_steps_of_an_array(uncollected: None) -> None:
    w = mr.tensor([0.9, 1.0], requires_grad=True)
    h: Any = mr.tensor([0.5, 0.5])
    for t in range(1, LONG + 1):
        with mr.scope(t=t):
            h = mr.tanh(h * w)
    h.sum().backward()
    assert np.isfinite(w.grad).all() and h.step == LONG
    last = weakref.ref(h)
    del h
    assert last() is None and gc.collect() < 50


def test_all_memory_comes_back_without_the_collector(uncollected: None) -> None:
    before = len(gc.get_objects())
    total, w, states = unrolled(LONG // 10)
    total.backward()
    assert np.isfinite(w.grad).all()
    verify(mr.Graph(total))
    assert all(ref() is not None for ref in states)
    del total
    assert not any(ref() is not None for ref in states)
    states.clear()
    assert len(gc.get_objects()) < before + 200
    assert gc.collect() < 50  # and nothing was left for the collector


READERS: dict[str, Callable[[mr.Tensor, mr.Tensor], Any]] = {
    "backward": lambda loss, w: loss.backward(),
    "grad": lambda loss, w: mr.grad(loss, w),
    "create_graph": lambda loss, w: mr.grad(loss, w, create_graph=True).sum().backward(),
    "pullbacks": lambda loss, w: [None for _ in mr.pullbacks(loss)],
    "half a stream": lambda loss, w: next(mr.pullbacks(loss)),
    "jvp": lambda loss, w: mr.jvp(loss, w, np.ones(w.shape)),
    "jacobian": lambda loss, w: mr.jacobian(loss, w),
    "hvp": lambda loss, w: mr.hvp(loss, w, np.ones(w.shape)),
    "graph": lambda loss, w: str(mr.Graph(loss)),
    "retain_grad": lambda loss, w: loss.inputs[0].retain_grad(),
    "an error": lambda loss, w: _refused(loss),
}


def _refused(loss: mr.Tensor) -> None:
    with pytest.raises(ValueError, match="reshape"):
        loss.reshape(7)


@pytest.mark.parametrize("name", READERS)
def test_no_reader_keeps_the_graph(name: str, uncollected: None) -> None:
    loss, w, states = unrolled(50)
    READERS[name](loss, w)
    w.grad = None
    del loss
    assert not any(ref() is not None for ref in states)


def test_memory_is_what_the_arrays_need() -> None:
    def peak(steps: int) -> int:
        tracemalloc.start()
        total, _, _ = unrolled(steps, hidden=64)
        total.backward()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    small, large = peak(200), peak(800)
    assert large < 4.5 * small  # linear in the steps
    per_step = (large - small) / 600
    assert per_step < 6 * 64 * 8 + 2500  # a few arrays of 64, and the nodes


def test_work_is_linear_in_the_steps() -> None:
    # counted, not timed: every node takes one turn, and every edge carries one contribution
    for steps in (10, 1000):
        total, _, _ = unrolled(steps)
        turns = edges = 0
        for node, _, contributions in mr.pullbacks(total):
            turns += 1
            edges += sum(c is not None for c in contributions)
            assert len(contributions) == len(node.inputs)
        graph = mr.Graph(total)
        inner = [node for node in graph if node.inputs]
        assert turns == len(inner) == 6 * steps
        assert edges == sum(edge.source.requires_grad for edge in graph.edges)


def test_a_wide_graph_is_swept_in_order() -> None:
    # many branches that join late: the nodes that wait are many
    a = mr.Value(1.5)
    branches = [mr.tanh(a * (0.001 * i)) for i in range(3000)]
    y = sum(branches)
    seen = [p.node.number for p in mr.pullbacks(y)]  # type: ignore[arg-type]
    assert seen == sorted(seen, reverse=True) and len(seen) == 9000
    mr.backward(y)  # type: ignore[arg-type]
    x = 0.001 * np.arange(3000)
    assert a.grad == pytest.approx(np.sum(x * (1 - np.tanh(1.5 * x) ** 2)), rel=1e-12)


def test_backward_leaves_the_collector_as_it_was() -> None:
    loss, _, _ = unrolled(3)
    assert gc.isenabled()
    loss.backward()
    assert gc.isenabled()
    gc.disable()
    try:
        loss.backward()
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(ValueError, match="new value"):
        _, w, _ = unrolled(3)
        loss = (w * w).sum()
        w.data = w.data + 1.0
        mr.grad(loss, w, create_graph=True)
    assert gc.isenabled()


def test_a_node_and_its_inputs_are_all_that_the_collector_walks() -> None:
    a = mr.Value(1.5)
    gc.collect()
    before = len(gc.get_objects())
    y: Any = a
    for _ in range(500):
        y = mr.tanh(y * a)
    gc.collect()
    assert len(gc.get_objects()) - before <= 2010
