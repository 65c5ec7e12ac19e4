"""A tensor: what it shows, what it refuses, and that nothing recorded can be changed."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn.core.tensor import RecordedArray


def leaf(data: Any = (1.0, 2.0, 3.0)) -> mr.Tensor:
    return mr.tensor(data if isinstance(data, float) else np.array(data), requires_grad=True)


# -- what it is made of -------------------------------------------------------------------------------


def test_the_data_is_a_copy() -> None:
    array = np.ones(3)
    x, y = mr.tensor(array), mr.tensor([1.0]) * array
    array[0] = 5.0
    assert x.data.tolist() == y.inputs == [] or x.data.tolist() == [1.0, 1.0, 1.0]
    assert (mr.tensor([1.0]) * mr.tensor(array)).data.tolist() == [5.0, 1.0, 1.0]
    assert y.data.tolist() == [1.0, 1.0, 1.0]


def test_params_are_copies() -> None:
    x = leaf()
    index, condition, shape = np.array([0, 2]), np.array([True, False, True]), [3, 1]
    rows = [0, 1]
    picked, chosen, folded, listed = (
        x[index],
        mr.where(condition, x, 0.0),
        mr.reshape(x, shape),
        x[rows],
    )
    index[:], condition[:], shape[0], rows[0] = 1, False, 7, 2
    assert mr.grad(picked, x, np.ones(2)).tolist() == [1.0, 0.0, 1.0]
    assert mr.grad(chosen, x, np.ones(3)).tolist() == [1.0, 0.0, 1.0]
    assert mr.grad(folded, x, np.ones((3, 1))).tolist() == [1.0, 1.0, 1.0]
    assert mr.grad(listed, x, np.ones(2)).tolist() == [1.0, 1.0, 0.0]
    assert folded.params == {"shape": (3, 1)}


def test_what_it_shows() -> None:
    x = mr.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="w")
    assert (x.shape, x.ndim, x.size, len(x), x.dtype) == ((2, 2), 2, 4, 2, np.float64)
    assert x.is_leaf and x.grad is None and x.name == "w" and x.source is None
    assert (x.scope, x.step, x.inputs, x.values, x.params) == ("", None, (), (), {})
    y = x.sum()
    assert not y.is_leaf and y.inputs == (x,) and y.params == {"axis": None, "keepdims": False}
    assert [row.data.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    assert repr(y) == "tensor(10.0, sum)"
    assert repr(x) == "tensor([[1., 2.],\n        [3., 4.]], name='w', requires_grad=True)"
    assert f"{y:.2f}" == "10.00" and f"{mr.Value(1.0)}" == "tensor(1.0, requires_grad=True)"
    assert float(y) == 10.0 and int(y) == 10 and bool(y) and y.item() == 10.0
    with pytest.raises(ValueError, match=r"one number; leaf 'w' #\d+ has shape \(2, 2\)"):
        x.item()
    with pytest.raises(TypeError, match="scalar and has no length"):
        len(y)
    with pytest.raises(AttributeError):
        x.nothing  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("count", range(5))
def test_inputs_and_values_of_any_number(count: int) -> None:
    xs = [leaf([float(i)]) for i in range(count)]
    node = mr.concatenate(xs) if count else leaf()
    assert node.inputs == tuple(xs)
    assert [v.tolist() for v in node.values] == [[float(i)] for i in range(count)]
    # made by hand, as a reader does that restores a graph, in either order
    for first, second in (("inputs", "values"), ("values", "inputs")):
        other = mr.Tensor.__new__(mr.Tensor)
        setattr(other, first, getattr(node, first))
        setattr(other, second, getattr(node, second))
        assert other.inputs == node.inputs and other.is_leaf == (count == 0)
        assert len(other.values) == count
        assert all(a is b for a, b in zip(other.values, node.values))
        assert other.grad is other.name is other.source is other.primitive is None


def test_copies_and_pickles_are_leaves() -> None:
    x = mr.tensor([1.0, 2.0], requires_grad=True, name="w")
    y = x * 2.0
    for again in (copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))):
        for t in (x, y):
            twin = again(t)
            assert twin is not t and twin.is_leaf and twin.requires_grad == t.requires_grad
            assert twin.name == t.name and twin.data.tolist() == t.data.tolist()
            assert not np.shares_memory(twin.data, t.data)
    assert pickle.loads(pickle.dumps(y.primitive)) is y.primitive


def test_tensors_are_keys() -> None:
    x, y = leaf(), leaf()
    assert {x: 1, y: 2}[x] == 1 and len({x, y, x}) == 2


# -- what it refuses ----------------------------------------------------------------------------------

WRITES: dict[str, Callable[[mr.Tensor], Any]] = {
    "t[0] = 1": lambda t: t.__setitem__(0, 1.0),
    "t.data[0] = 1": lambda t: t.data.__setitem__(0, 1.0),
    "t.data[0:2][0] = 1": lambda t: t.data[0:2].__setitem__(0, 1.0),
    "np.add(out=t.data)": lambda t: np.add(t.data, 1.0, out=t.data),
    "np.exp(out=t.data)": lambda t: np.exp(np.ones(3), out=t.data),
    "np.add.accumulate(out=t.data)": lambda t: np.add.accumulate(t.data, out=t.data),
    "np.add.at(t.data)": lambda t: np.add.at(t.data, 0, 1.0),
    "np.copyto(t.data)": lambda t: np.copyto(t.data, 1.0),
    "t.data.fill(0)": lambda t: t.data.fill(0.0),
    "t.data.sort()": lambda t: t.data.sort(),
    "t.data.flat[0] = 1": lambda t: t.data.flat.__setitem__(0, 1.0),
}


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("kind", ["leaf", "computed"])
def test_in_place_writes_are_refused(name: str, kind: str) -> None:
    t = leaf()
    t = t if kind == "leaf" else t + 0.0
    with pytest.raises((ValueError, TypeError), match=r"cannot be written|read-only"):
        WRITES[name](t)
    assert t.data.tolist() == [1.0, 2.0, 3.0]


def test_the_refusal_says_what_to_do() -> None:
    t = leaf() * 1.0
    advice = r"t = t \+ 1.*t\.numpy\(\).*t\.data = new_array"
    with pytest.raises(TypeError, match=r"mul #\d+ cannot be written in place.*" + advice):
        t[0] = 1.0
    with pytest.raises(ValueError, match="cannot be written in place.*" + advice):
        t.data[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        np.add(t.data, 1.0, out=t.data)


def test_computed_data_cannot_be_set() -> None:
    t = leaf() * 1.0
    with pytest.raises(ValueError, match=r"mul #\d+ was computed.*set the data of a leaf"):
        t.data = np.zeros(3)
    with pytest.raises(ValueError, match=r"the value of mul #\d+ cannot be written in place"):
        t.data += 1.0
    assert t.data.tolist() == [1.0, 2.0, 3.0]


def test_a_leaf_can_be_given_new_data() -> None:
    x = leaf()
    given = np.zeros(3)
    x.data = given
    given[0] = 9.0
    assert x.data.tolist() == [0.0, 0.0, 0.0]
    x.data -= np.array([1.0, 2.0, 3.0])
    x.data *= 2
    assert x.data.tolist() == [-2.0, -4.0, -6.0]
    with pytest.raises(ValueError, match=r"shape \(2,\) for leaf .* of shape \(3,\)"):
        x.data = np.zeros(2)
    a = mr.Value(1.0)
    a.data -= 0.25
    assert a.data == 0.75 and type(a.data) is float


def test_shown_arrays_are_plain_in_all_but_writing() -> None:
    x = leaf()
    shown = x.data
    assert isinstance(shown, RecordedArray) and repr(shown) == "array([1., 2., 3.])"
    for plain in (shown + 1, np.exp(shown), shown.sum(), shown @ shown, shown > 1, x.numpy()):
        assert not isinstance(plain, RecordedArray)
    mine = shown.copy()
    mine[0] = 7.0
    mine += 1.0
    np.multiply(mine, 2.0, out=mine)
    assert mine.tolist() == [16.0, 6.0, 8.0] and x.data.tolist() == [1.0, 2.0, 3.0]
    writable = x.numpy()
    writable[0] = 5.0
    assert x.data[0] == 1.0


def test_a_plain_array_needs_a_plain_tensor() -> None:
    with pytest.raises(TypeError, match=r"lose its history.*\.numpy\(\)"):
        np.asarray(leaf())
    assert np.asarray(leaf().detach()).tolist() == [1.0, 2.0, 3.0]
    assert leaf().detach().numpy().flags.writeable


# -- errors name the place ----------------------------------------------------------------------------


def test_a_wrong_shape_names_operation_place_and_shapes() -> None:
    a, b = mr.tensor(np.ones((2, 3)), name="a"), leaf(np.ones((4, 5)))
    with mr.scope("lstm.0"), mr.scope("forget gate", t=3):
        for f, what in (
            (lambda: a + b, "add (y = a + b)"),
            (lambda: a @ b, "matmul (y = a @ b)"),
            (lambda: mr.linear(a, b), "linear (y = x Wᵀ + b)"),
            (lambda: mr.concatenate([a, b]), "concatenate"),
        ):
            place = "in lstm.0/forget gate t=3"
            words = re.escape(what) + f".*{place}.*leaf 'a' #\\d+.* of shape \\(2, 3\\), leaf #\\d+"
            with pytest.raises(ValueError, match=words):
                f()
    with pytest.raises(ValueError, match=r"x must have the shape \(..., in\) and W \(out, in\)"):
        mr.linear(a, leaf())
    with pytest.raises(ValueError, match=r"bias must have the shape \(4,\), not \(5, 4\)"):
        mr.linear(leaf(np.ones(5)), b, np.ones((5, 4)))
    with pytest.raises(IndexError, match=r"getitem .*index=7"):
        a[7]
    with pytest.raises(TypeError, match=r"take wants integers.*astype\(int\)"):
        mr.take(a, [0.5])
    with pytest.raises(ValueError, match=r"axis 1 of length 3 does not divide into 2"):
        mr.split(a, 2, axis=1)
    with pytest.raises(ValueError, match="stands twice in 'ii'"):
        mr.einsum("ii->i", a)
    with pytest.raises(ValueError, match="names 2 operands, 1 given"):
        mr.einsum("ij,jk->ik", a)
    with pytest.raises(TypeError, match="integer"):
        mr.concatenate([a, a], axis=0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(2,), (1,), (), (2, 2), (4, 2), (1, 2)])
def test_a_bias_may_not_stretch_the_result(shape: tuple[int, ...]) -> None:
    x, w, b = leaf(np.ones((2, 3))), leaf(np.ones((2, 3))), leaf(np.ones(shape))
    for rows in (x, x[0]):
        fits = shape in ((2,), (1,), (), *[s for s in ((2, 2), (1, 2)) if rows.ndim == 2])
        for dtype in (np.float64, np.float32):
            bias = mr.tensor(b.data, requires_grad=True, dtype=dtype)
            if not fits:
                with pytest.raises(ValueError, match=r"linear"):
                    mr.linear(rows, w, bias)
                continue
            y = mr.linear(rows, w, bias)
            assert [g.shape for g in mr.grad(y.sum(), [x, w, bias])] == [(2, 3), (2, 3), shape]
