"""What once passed without a word and did something else than it says."""

from __future__ import annotations

import contextvars
import copy
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn.core.context import current


def leaf() -> mr.Tensor:
    return mr.tensor([1.0, 2.0, 3.0], requires_grad=True)


# -- arrays made from .data are arrays like any other --------------------------------------------------

MADE: dict[str, Callable[[Any], Any]] = {
    **{"zeros_like": np.zeros_like, "ones_like": np.ones_like, "copy": lambda d: d.copy()},
    **{"np.copy": np.copy, "deepcopy": copy.deepcopy, "astype": lambda d: d.astype(np.float32)},
    **{"full_like": lambda d: np.full_like(d, 2.0), "arithmetic": lambda d: d * 2.0},
    **{"empty_like": lambda d: np.empty_like(d) * 0.0, "flatten": lambda d: d.flatten()},
}


@pytest.mark.parametrize("name", MADE)
def test_an_array_made_from_data_accumulates(name: str) -> None:
    p = leaf()
    made = MADE[name](p.data)
    same, before = made, np.array(made)
    made += 1.0  # Karpathy's memory of squares: mem += d * d
    made[0] -= 0.5
    np.add(made, 1.0, out=made)
    assert made is same or np.shares_memory(made, same)
    np.testing.assert_array_equal(same, before + np.array([1.5, 2.0, 2.0]))
    assert p.data.tolist() == [1.0, 2.0, 3.0]


def test_adagrad_as_karpathy_writes_it() -> None:
    p = leaf()
    mem = np.zeros_like(p.data)
    for _ in range(3):
        (p * p).sum().backward()
        mem += p.grad * p.grad
        p.data += -0.1 * p.grad / np.sqrt(mem + 1e-8)
        p.grad = None
    assert (mem > 4.0).all() and (p.data < [1.0, 2.0, 3.0]).all()


def test_data_of_a_leaf_is_updated_also_by_another_name() -> None:
    p = leaf()
    w = p.data
    w -= 0.5
    assert p.data.tolist() == [0.5, 1.5, 2.5] and w.tolist() == [0.5, 1.5, 2.5]
    stale = p.data
    p.data = np.zeros(3)
    with pytest.raises(ValueError, match="cannot be written in place"):
        stale += 1.0
    with pytest.raises(TypeError, match="complex128 cannot be written into float64"):
        p.data += 1j


# -- in place, under no_grad ----------------------------------------------------------------------------


def test_a_leaf_is_updated_in_place_under_no_grad() -> None:
    p, q = leaf(), mr.Value(2.0)
    (p * q).sum().backward()
    kept = [p, q]
    with mr.no_grad():
        for x in kept:
            x -= 0.1 * x.grad
    assert p.data.tolist() == [0.8, 1.8, 2.8] and q.data == pytest.approx(1.4)
    assert p.requires_grad and p.is_leaf


def test_a_leaf_that_requires_a_gradient_is_not_changed_while_recording() -> None:
    p = leaf()
    with pytest.raises(TypeError, match=r"requires a gradient.*mr\.no_grad\(\)"):
        p -= 1.0
    total: Any = mr.tensor(0.0)
    total += (p * p).sum()  # a leaf of data becomes a sum with a history
    assert total.requires_grad and not total.is_leaf
    h = p * 2.0
    h *= 3.0  # a computed tensor is given a new name
    assert h.data.tolist() == [6.0, 12.0, 18.0] and mr.grad(h.sum(), p).tolist() == [6.0, 6.0, 6.0]


def test_an_update_keeps_dtype_and_shape() -> None:
    p = mr.tensor(np.ones(2, np.float32), requires_grad=True)
    with mr.no_grad():
        p *= 0.5
        with pytest.raises(ValueError, match="shape"):
            p += np.ones((3, 2))
        with pytest.raises(TypeError, match="cannot be written"):
            n = mr.tensor([1, 2])
            n += 0.5
    assert p.dtype == np.float32 and p.data.tolist() == [0.5, 0.5]


# -- masks ------------------------------------------------------------------------------------------------


def test_a_masked_array_is_refused() -> None:
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    for make in (
        *(lambda: mr.tensor(masked), lambda: mr.tensor([masked, masked])),
        *(lambda: leaf()[:2] * masked, lambda: np.add(leaf()[:2], masked)),
    ):
        with pytest.raises(TypeError, match="masked array would lose its mask"):
            make()
    for make in (
        lambda: np.ma.array(leaf()),
        lambda: np.ma.sum(leaf()),
        lambda: np.ma.sqrt(leaf()),
        lambda: masked * leaf()[:2],
        lambda: np.ma.masked_where([True, False], leaf()[:2]),
    ):
        with pytest.raises(TypeError, match="history"):
            make()


# -- contexts of generators --------------------------------------------------------------------------------


def quiet() -> Iterator[bool]:
    with mr.no_grad():
        yield current().recording
        yield current().recording


def placed(name: str) -> Iterator[str]:
    with mr.scope(name):
        yield current().place.scope


def test_interleaved_generators_leave_recording_as_it_was() -> None:
    for order in ((0, 1), (1, 0)):
        both = [quiet(), quiet()]
        for g in both:
            next(g)
        for i in order:
            both[i].close()
        assert current().recording and current().change is None


def test_interleaved_scopes_leave_each_others_names() -> None:
    a, b = placed("a"), placed("b")
    assert next(a) == "a" and next(b) == "a/b"
    a.close()
    assert current().place.scope == "b"
    with mr.scope("c", t=2):
        b.close()
        assert (current().place.scope, current().place.step) == ("c", 2)
    assert current().place.scope == ""


def test_a_generator_that_ends_elsewhere_changes_nothing_there() -> None:
    g = quiet()
    contextvars.copy_context().run(next, g)
    with mr.scope("here"):
        g.close()
        assert current().recording and current().place.scope == "here"


def test_places_are_checked() -> None:
    with pytest.raises(TypeError, match="time step t='one': give an integer"):
        mr.scope(t="one")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="scope name 3"):
        mr.scope(3)  # type: ignore[arg-type]
    assert mr.scope(t=np.int64(3)).inside(current()).place.step == 3  # type: ignore[arg-type]
    node = leaf() * 2.0
    node.name = 5  # type: ignore[assignment]
    with pytest.raises(TypeError, match="has the name 5; give text"):
        mr.Graph(node)


# -- threads ---------------------------------------------------------------------------------------------


def test_threads_lose_no_gradient() -> None:
    w = mr.Value(1.0)

    def work() -> None:
        for _ in range(200):
            (w * 1.0).backward()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert w.grad == 1600.0


# -- odd arguments ------------------------------------------------------------------------------------------


def test_einsum_by_lists_of_axes() -> None:
    a, b = (
        mr.tensor(np.random.default_rng(s).normal(size=(3, 3)), requires_grad=True) for s in (0, 1)
    )
    for f in (
        *(lambda: np.einsum(a, [0, 1], b, [1, 2], [0, 2]), lambda: mr.einsum(a, [0, 1], b, [1, 2])),
    ):
        np.testing.assert_allclose(f().data, a.data @ b.data)
        assert mr.grad(f().sum(), a) is not None
    assert mr.einsum(a, [Ellipsis, 0], [Ellipsis]).shape == (3,)


def test_what_there_is_of_nothing() -> None:
    empty = mr.tensor(np.zeros((2, 0)), requires_grad=True)
    assert np.isnan(empty.mean().item()) and np.isnan(empty.mean(axis=1).data).all()
    assert np.isnan(empty.var().item())
    assert empty.softmax().shape == empty.log_softmax().shape == (2, 0)
    assert (empty.logsumexp(axis=1).data == -np.inf).all()
    for y in (empty.mean(), empty.softmax().sum(), empty.log_softmax().sum()):
        assert mr.grad(y, empty).shape == (2, 0)
    with pytest.raises(ValueError, match="max"):
        empty.max()


def test_take_of_a_scalar_and_of_a_wrong_axis() -> None:
    number = mr.Value(3.0)
    y = mr.take(number, [0, 0])
    assert y.data.tolist() == [3.0, 3.0] and mr.grad(y.sum(), number) == 2.0
    for f in (mr.take, lambda x, i, axis: mr.split(x, 1, axis)):
        with pytest.raises(IndexError, match="axis 5 is out of bounds"):
            f(mr.zeros(2, 2), [0], 5)
