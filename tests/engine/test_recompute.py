"""`checkpoint`: the graph that was not kept is computed again, and is the same one."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.core.tensor import Tensor

Run = Callable[..., Any]


def eager(function: Callable[..., Any], *inputs: Any) -> Any:
    return function(*inputs)


def weights(*shapes: tuple[int, ...]) -> list[Tensor]:
    rng = np.random.default_rng(0)
    return [
        mr.tensor(rng.normal(size=shape), requires_grad=True, name=f"w{i}")
        for i, shape in enumerate(shapes)
    ]


def loop(run: Run, depth: int = 1, steps: int = 12, drop: float = 0.0) -> list[Any]:
    """A recurrent net cut into three parts, nested so deep; its loss, and all gradients."""
    w, u, v = weights((4, 4), (3, 4), (4,))
    data = np.random.default_rng(1).normal(size=(steps, 2, 3))
    generator = np.random.default_rng(2)

    def advance(h: Any, start: int, end: int, deep: int) -> dict[str, Any]:
        if deep:
            middle = (start + end) // 2
            first = run(advance, h, start, middle, deep - 1)
            second = run(advance, first["h"], middle, end, deep - 1)
            return {"h": second["h"], "all": (*first["all"], *second["all"])}
        states = []
        for t in range(start, end):
            with mr.scope("rnn", t=t + 1):
                h = mr.tanh(mr.matmul(data[t], u) + h @ w + 2.0 * v)
                h = nn.functional.dropout(h, drop, generator=generator)
            states.append(h)
        return {"h": h, "all": tuple(states)}

    h: Any = mr.tensor(np.zeros((2, 4)))
    states: list[Tensor] = []
    for start in range(0, steps, 4):
        found = run(advance, h, start, start + 4, depth)
        h = found["h"]
        states += found["all"]
    loss = (mr.stack(states) ** 2).mean() + (states[5] * states[2]).sum() + h[0].sum()
    loss.backward()
    return [loss, w.grad, u.grad, v.grad, generator.random()]


def same_bits(a: Any, b: Any) -> bool:
    return bool(np.asarray(a).tobytes() == np.asarray(b).tobytes())


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("drop", [0.0, 0.4])
def test_gradients_are_equal_to_the_last_bit(depth: int, drop: float) -> None:
    kept, again = loop(eager, depth, drop=drop), loop(mr.checkpoint, depth, drop=drop)
    assert kept[0].item() == again[0].item()
    for a, b in zip(kept[1:], again[1:]):
        assert same_bits(a, b)


def test_the_function_runs_once_more_and_only_in_backward() -> None:
    (w,) = weights((3,))
    calls = []

    def function(x: float) -> Tensor:
        calls.append(x)
        return (w * x).sum()

    y = mr.checkpoint(function, 2.0)
    assert calls == [2.0]
    y.backward()
    assert calls == [2.0, 2.0]
    assert w.grad is not None and w.grad.tolist() == [2.0] * 3
    y.backward()  # adds up, as ever
    assert calls == [2.0] * 3 and w.grad.tolist() == [4.0] * 3


def test_the_graph_inside_is_not_kept() -> None:
    (w,) = weights((50, 50))

    def deep(x: Any) -> Any:
        for _ in range(40):
            x = mr.tanh(x @ w)
        return x

    def peak(run: Run) -> int:
        gc.collect()
        tracemalloc.start()
        x: Any = mr.tensor(np.ones((50, 50)))
        for _ in range(10):
            x = run(deep, x)
        x.sum().backward()
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(mr.checkpoint) < peak(eager) / 5


def test_nothing_waits_for_the_cyclic_collector() -> None:
    (w,) = weights((100,))
    alive = [0]

    class Watched:
        def __del__(self) -> None:
            alive[0] -= 1

    def function(x: Any, watched: Any) -> Any:
        return mr.checkpoint(lambda x: mr.tanh(x * w), x * w)

    gc.disable()
    try:
        for _ in range(5):
            alive[0] += 1
            mr.checkpoint(function, 1.0, Watched()).sum().backward()
        assert alive[0] == 0
    finally:
        gc.enable()


def test_a_parameter_that_was_updated_since_has_its_old_value_again() -> None:
    (w,) = weights((3,))
    y = mr.checkpoint(lambda: (w * w * w).sum())
    before = w.numpy()
    w.data = w.data + 1.0
    after = w.numpy()
    y.backward()
    np.testing.assert_array_equal(w.grad, 3 * before**2)
    np.testing.assert_array_equal(w.numpy(), after)


def test_gradients_of_outputs_and_retained_ones() -> None:
    def run(call: Run) -> list[Any]:
        (w,) = weights((3,))

        def function() -> tuple[Tensor, Tensor]:
            a = mr.sin(w)
            return a, a * w  # a is used inside, too

        a, b = call(function)
        a.retain_grad()
        loss = (a * b).sum() + b[:2].sum()
        wanted = mr.grad(loss, [a, b, w])
        loss.backward()
        return [*wanted, a.grad, w.grad]

    for x, y in zip(run(eager), run(mr.checkpoint)):
        assert same_bits(x, y)


def test_second_derivatives() -> None:
    def run(call: Run) -> list[Any]:
        (w,) = weights((4,))
        y = call(lambda x: call(lambda z: mr.exp(z * w), mr.sin(x * w)) * w, 0.7).sum()
        first = mr.grad(y, w, create_graph=True)
        second = mr.grad((first * first).sum(), w, create_graph=True)
        return [first.data, second.data, mr.grad(second.sum(), w), mr.hvp(y, w, np.ones(4))]

    for x, y in zip(run(eager), run(mr.checkpoint)):
        assert same_bits(x, y)


def test_forward_mode() -> None:
    (w,) = weights((4,))

    def make(call: Run) -> Tensor:
        return call(lambda: call(lambda z: mr.exp(z * w), mr.sin(w)) * w)  # type: ignore[no-any-return]

    v = np.arange(4.0)
    assert same_bits(mr.jvp(make(eager), w, v), mr.jvp(make(mr.checkpoint), w, v))
    for mode in ("forward", "reverse"):
        kept, again = mr.jacobian(make(eager), w, mode), mr.jacobian(make(mr.checkpoint), w, mode)  # type: ignore[arg-type]
        assert same_bits(kept, again)


def test_gradcheck_sees_a_checkpoint_as_any_function() -> None:
    (w,) = weights((3, 3))
    mr.gradcheck(lambda w: mr.checkpoint(lambda x: mr.tanh(x @ x), w).sum(), [w])
    mr.gradgradcheck(lambda w: mr.checkpoint(lambda x: mr.tanh(x @ x), w).sum(), [w])


def test_what_needs_no_gradient_is_returned_as_it_is() -> None:
    x = mr.tensor([1.0, 2.0])
    y = mr.checkpoint(lambda x: (x * 2.0, "text", 7), x)
    assert not y[0].requires_grad and y[1:] == ("text", 7)
    (w,) = weights((2,))
    with mr.no_grad():
        assert not mr.checkpoint(lambda: w * 2.0).requires_grad
    assert mr.checkpoint(lambda x: x, w) is w


def test_a_tensor_that_leaves_the_function_sideways_has_its_gradient() -> None:
    (w,) = weights((2,))
    aside = []

    def function() -> Tensor:
        a = w * w
        aside[:] = [*aside, a][:1]
        return a * 3.0

    y = mr.checkpoint(function)
    (y + aside[0]).sum().backward()
    np.testing.assert_array_equal(w.grad, 8 * w.numpy())


def test_a_function_that_computes_something_else_is_refused() -> None:
    (w,) = weights((2,))
    rng = np.random.default_rng(0)
    y = mr.checkpoint(lambda: (w * rng.random()).sum())
    with pytest.raises(RuntimeError, match=r"computes something else the second time: sum .* has"):
        y.backward()
    runs = iter([1, 2])
    y = mr.checkpoint(lambda: (w * sum(1.0 * w for _ in range(next(runs)))).sum())
    with pytest.raises(RuntimeError, match=r"makes more nodes|has another value"):
        y.backward()
    runs = iter([2, 0])
    y = mr.checkpoint(lambda: mr.tanh(w) if next(runs) else w)
    with pytest.raises(RuntimeError, match="did not make"):
        y.sum().backward()
    assert w.grad is None


def test_backward_inside_the_function_is_refused() -> None:
    (w,) = weights((2,))
    with pytest.raises(RuntimeError, match="still runs the function"):
        mr.checkpoint(lambda: mr.grad((w * w).sum(), w))


def test_the_shared_generator_draws_the_same_and_goes_on_as_if_nothing_had_been() -> None:
    def run(call: Run) -> list[Any]:
        nn.init.manual_seed(3)
        (w,) = weights((200,))
        y = call(lambda: nn.functional.dropout(w, 0.5)).sum()
        nn.functional.dropout(w, 0.5)
        y.backward()
        return [w.grad, nn.functional.dropout(w, 0.5).data]

    for x, y in zip(run(eager), run(mr.checkpoint)):
        assert same_bits(x, y)


def test_numbers_taken_by_other_threads_change_nothing() -> None:
    kept = loop(eager, 2)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            mr.tanh(mr.Value(1.0))

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(20):
            again = loop(mr.checkpoint, 2)
            assert all(same_bits(a, b) for a, b in zip(kept[1:], again[1:]))
    finally:
        stop.set()
        thread.join()


def test_thousands_of_nested_parts_need_no_recursion() -> None:
    w = mr.Value(0.9999, "w")
    x: Any = mr.tensor(1.0)
    for _ in range(5_000):
        x = mr.checkpoint(lambda x: w * x, x)
    x.backward()
    assert w.grad == pytest.approx(5_000 * 0.9999**4_999)


def test_a_recording_has_the_whole_graph_and_says_what_was_computed_again() -> None:
    kept = mr.record(loop(eager, 0)[0])
    again = mr.record(loop(mr.checkpoint, 0)[0])
    assert [(n.primitive.name if n.primitive else None, n.place, n.name) for n in kept.nodes] == [
        (n.primitive.name if n.primitive else None, n.place, n.name) for n in again.nodes
    ]
    for a, b in zip(kept.passes[0].pullbacks, again.passes[0].pullbacks):
        assert same_bits(a.gradient, b.gradient)
    assert kept.recomputed == {}
    states = [n for n in again.nodes if n.primitive and n.primitive.name == "tanh"]
    inside = [n for n in again.nodes if n.place.scope == "rnn" and n.inputs]
    assert {n.number for n in inside} - set(again.recomputed) == {n.number for n in states}
    assert set(again.recomputed.values()) == {1}
    assert "nodes computed again by checkpoints" in str(again)
    assert "again" not in str(kept)


def test_nested_parts_are_computed_again_more_often() -> None:
    with mr.recording() as live:
        loop(mr.checkpoint, 1)
    later = mr.record(loop(mr.checkpoint, 1)[0])
    for rec in (live, later):
        assert set(rec.recomputed.values()) == {2}


def test_a_recomputed_node_has_the_line_of_the_function_that_made_it() -> None:
    (w,) = weights((2,))

    def function() -> Tensor:
        return mr.sin(w) * w

    with mr.recording() as rec:
        mr.checkpoint(function).sum().backward()
    first = function.__code__.co_firstlineno
    sine = next(n for n in rec.nodes if n.primitive and n.primitive.name == "sin")
    assert sine.source == (__file__, first + 1)
    rnn = nn.RNN(2, 2, checkpoint=1)
    with mr.recording() as rec:
        line = test_a_recomputed_node_has_the_line_of_the_function_that_made_it
        loss = rnn(np.ones((3, 2)))[0].sum()
        loss.backward()
    lines = {n.source[1] for n in rec.nodes if n.place.scope == "rnn.0" and n.source}
    start = line.__code__.co_firstlineno
    assert len(lines) == 1 and min(lines) > start
