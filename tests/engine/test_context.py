"""Scopes, steps, no_grad and detach; and that threads and tasks do not see each other's."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import micrornn as mr
from micrornn.core.context import observed


def test_scopes_nest_into_a_path_and_the_innermost_step_holds() -> None:
    a = mr.Value(1.0)
    with mr.scope("lstm.0") as outer:
        b = a * 2.0
        with mr.scope("forget gate", t=3):
            c = b * 2.0
            with mr.scope(t=4):
                d = c * 2.0
            with mr.scope():
                e = c * 2.0
        f = b * 2.0
    g = f * 2.0
    places = [(x.scope, x.step) for x in (a, b, c, d, e, f, g)]
    gate = "lstm.0/forget gate"
    assert places == [
        *(("", None), ("lstm.0", None), (gate, 3), (gate, 4), (gate, 3)),
        *(("lstm.0", None), ("", None)),
    ]
    assert b.place is outer
    assert repr(c.place) == "lstm.0/forget gate t=3" and repr(a.place) == "no scope"
    # constants and leaves made inside belong there too
    with mr.scope("x", t=1):
        assert mr.tensor(1.0).step == (a * 3.0).inputs[1].step == 1


def test_a_step_of_zero_is_a_step() -> None:
    with mr.scope(t=0):
        assert mr.Value(1.0).step == 0
    with mr.scope(t=2), mr.scope("a"):
        assert mr.Value(1.0).step == 2


def test_a_scope_ends_with_an_error() -> None:
    with pytest.raises(ZeroDivisionError), mr.scope("a", t=1):
        raise ZeroDivisionError
    assert mr.Value(1.0).scope == "" and mr.Value(1.0).step is None


def test_a_scope_can_be_used_again_and_inside_itself() -> None:
    cell = mr.scope("cell", t=1)
    for _ in range(2):
        with cell:
            assert mr.Value(1.0).scope == "cell"
    with cell, cell:
        assert mr.Value(1.0).scope == "cell/cell"
    assert mr.Value(1.0).scope == ""


def test_no_grad() -> None:
    a = mr.Value(2.0)
    with mr.scope("cell", t=2), mr.no_grad():
        b = a * 3.0
        with mr.scope("inner"):
            c = mr.concatenate([b.reshape(1), a.reshape(1)])
    for x in (b, c):
        assert x.is_leaf and not x.requires_grad and x.inputs == x.values == ()
    assert b.primitive is not None and (c.scope, c.step) == ("cell/inner", 2)
    with pytest.raises(ZeroDivisionError), mr.no_grad():
        raise ZeroDivisionError
    assert (a * 3.0).requires_grad
    with pytest.raises(ValueError, match=r"requires_grad=True.*no_grad\(\) or detach\(\)"):
        (b * 2.0).backward()


def test_detach_cuts_the_path_and_remembers_where() -> None:
    a = mr.tensor([2.0], requires_grad=True, name="h")
    cut = (a * a).detach()
    named = a.detach()
    assert cut.is_leaf and not cut.requires_grad and cut.data.tolist() == [4.0]
    assert cut.params["cut"] < cut.number and named.name == "h"
    assert named.params["cut"] == a.number
    y = (a * cut).sum()
    y.backward()
    assert a.grad.tolist() == [4.0]
    assert mr.jvp(y, a, [1.0]) == 4.0
    assert mr.jacobian(y, a, "forward").tolist() == mr.jacobian(y, a, "reverse").tolist() == [4.0]
    assert mr.detach(np.ones(2)).data.tolist() == [1.0, 1.0]


def test_a_detached_value_can_want_a_gradient_of_its_own() -> None:
    a = mr.Value(2.0)
    b = (a * 3.0).detach()
    b.requires_grad = True
    (b * b).backward()
    assert (a.grad, b.grad) == (None, 12.0)


def test_threads_do_not_see_each_others_scopes() -> None:
    barrier = threading.Barrier(4)

    def work(i: int) -> list[tuple[str, int | None, bool]]:
        seen = []
        for k in range(50):
            with mr.scope(f"thread {i}", t=k):
                if i % 2:
                    with mr.no_grad():
                        barrier.wait()
                        node = mr.Value(1.0) * 2.0
                else:
                    barrier.wait()
                    node = mr.Value(1.0) * 2.0
                seen.append((node.scope, node.step, node.requires_grad))
        return seen

    with mr.scope("main"), ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(4)))
    for i, seen in enumerate(results):
        assert seen == [(f"thread {i}", k, not i % 2) for k in range(50)]


def test_numbers_are_unique_among_threads() -> None:
    with ThreadPoolExecutor(4) as pool:
        chunks = pool.map(lambda _: [mr.Value(0.0).number for _ in range(2000)], range(4))
        numbers = [n for chunk in chunks for n in chunk]
    assert len(set(numbers)) == len(numbers)


def test_graphs_of_threads_are_their_own() -> None:
    def gradient(x: float) -> float:
        a = mr.Value(x)
        y = a
        for _ in range(200):
            y = mr.tanh(y) * 1.1
        y.backward()
        return float(a.grad)

    xs = np.linspace(-1, 1, 8).tolist()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(gradient, xs)) == [gradient(x) for x in xs]


def test_tasks_do_not_see_each_others_scopes() -> None:
    async def work(i: int) -> list[tuple[str, int | None]]:
        seen = []
        for k in range(5):
            with mr.scope(f"task {i}", t=k):
                await asyncio.sleep(0)
                seen.append((mr.Value(1.0).scope, mr.Value(1.0).step))
        return seen

    async def main() -> list[list[tuple[str, int | None]]]:
        with mr.scope("main"):  # a task begins where it was made
            return await asyncio.gather(*[work(i) for i in range(3)])

    for i, seen in enumerate(asyncio.run(main())):
        assert seen == [(f"main/task {i}", k) for k in range(5)]


class Notes:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_node(self, node: mr.Tensor) -> None:
        self.seen.append(f"made {node.primitive.name}")  # type: ignore[union-attr]

    def on_pullback(self, pullback: mr.Pullback) -> None:
        self.seen.append(f"pulled {pullback.node.primitive.name}")  # type: ignore[union-attr]


def test_observers_see_every_node_and_every_pullback() -> None:
    x = mr.tensor([1.0, 2.0], requires_grad=True)
    outer, inner = Notes(), Notes()
    with observed(outer):
        y = mr.concatenate([mr.tanh(x)[:1], x * 2.0])
        with observed(inner), mr.scope("here"):
            loss = y.sum()
        mr.sigmoid(mr.tensor(1.0))
        loss.backward()
    mr.sigmoid(x)
    made = [f"made {name}" for name in ("tanh", "getitem", "mul", "concatenate", "sum", "sigmoid")]
    pulled = [f"pulled {name}" for name in ("sum", "concatenate", "mul", "getitem", "tanh")]
    assert outer.seen[:6] == made
    assert [note for note in outer.seen if note.startswith("pulled")] == pulled
    assert inner.seen == ["made sum"]
