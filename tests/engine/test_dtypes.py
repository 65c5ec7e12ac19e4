"""Integers, booleans, float32 and Python numbers promote exactly as NumPy says."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrornn as mr

BINARY: list[Callable[[Any, Any], Any]] = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.pow),
    *(np.add, np.multiply, np.maximum, np.minimum),
]
VALUES: dict[str, Any] = {
    "float64": np.array([1.5, 2.0, 4.0]),
    "float32": np.array([1.5, 2.0, 4.0], np.float32),
    "float16": np.array([1.5, 2.0, 4.0], np.float16),
    "int64": np.array([1, 2, 4]),
    "int8": np.array([1, 2, 4], np.int8),
    "uint8": np.array([1, 2, 4], np.uint8),
    "0-d float64": np.array(2.0),
    "0-d float32": np.array(2.0, np.float32),
    "float64 scalar": np.float64(2.0),
    "float32 scalar": np.float32(2.0),
    "int32 scalar": np.int32(2),
    "float": 2.0,
    "int": 2,
    "bool": True,
}


def same(result: Any, expected: Any) -> None:
    found = result.data if isinstance(result, mr.Tensor) else result
    np.testing.assert_array_equal(found, expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
@pytest.mark.parametrize("b", VALUES)
@pytest.mark.parametrize("a", [k for k in VALUES if k not in ("float", "int", "bool")])
def test_two_operands(op: Callable[[Any, Any], Any], a: str, b: str) -> None:
    x, y = VALUES[a], VALUES[b]
    if isinstance(x, np.generic):
        x = np.asarray(x)
    # Before NumPy 2.3, a ** b forgets the dtype of an exponent without axes; np.power does not.
    numpy = np.power if op is operator.pow else op
    same(op(mr.tensor(x), y), numpy(x, y))
    same(op(y, mr.tensor(x)), numpy(y, x))
    if not isinstance(y, (float, int)) or isinstance(y, np.generic):
        same(op(mr.tensor(x), mr.tensor(y)), numpy(x, np.asarray(y)))


UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    **{name: (getattr(mr, name), getattr(np, name)) for name in ("exp", "sqrt", "tanh", "sign")},
    **{name: (getattr(mr, name), getattr(np, name)) for name in ("sum", "mean", "max", "cumsum")},
    **{"abs": (mr.abs, np.abs), "var": (mr.var, np.var), "neg": (mr.neg, np.negative)},
    "clip": (lambda x: mr.clip(x, 0, 3), lambda x: np.clip(x, 0, 3)),
    "where": (lambda x: mr.where(x > 1, x, 0), lambda x: np.where(x > 1, x, 0)),
    "relu": (mr.relu, lambda x: np.maximum(x, 0.0)),
    "sum over an axis": (lambda x: mr.sum(x, axis=0), lambda x: np.sum(x, axis=0)),
    "mean over an axis": (lambda x: mr.mean(x, axis=0), lambda x: np.mean(x, axis=0)),
}


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("value", [k for k in VALUES if type(VALUES[k]) is np.ndarray])
def test_one_operand(name: str, value: str) -> None:
    ours, theirs = UNARY[name]
    x = VALUES[value]
    if not x.ndim and "axis" in name:
        pytest.skip("no axis")
    same(ours(mr.tensor(x)), theirs(x))


@pytest.mark.parametrize(
    "f",
    [mr.softmax, mr.log_softmax, mr.logsumexp, mr.sigmoid, mr.softplus],
    ids=lambda f: f.__name__,
)
def test_integers_become_floats_where_the_result_is_no_integer(f: Callable[[Any], Any]) -> None:
    for dtype in (np.int64, np.int8, np.uint8):
        found = f(mr.tensor(np.array([1, 2, 4], dtype)))
        np.testing.assert_allclose(found.data, f(np.array([1.0, 2.0, 4.0])), rtol=1e-6)


def test_python_numbers_do_not_widen_float32_gradients() -> None:
    x = mr.tensor(np.array([0.5, 2.0], np.float32), requires_grad=True)
    for y in (
        *(x * 2.0, 2 * x, x + 1, 1.0 - x, x / 3, 3.0 / x, x**2, x**0.5, 2.0**x, x**0, -x),
        *(mr.where([True, False], x, 0.0), mr.where([True, False], 1, x), mr.maximum(x, 1.0)),
        *(mr.minimum(1, x), mr.clip(x, 0.0, 1), mr.mean(x), mr.var(x, ddof=1), mr.max(x)),
        *(mr.softmax(x), mr.log_softmax(x), mr.logsumexp(x), mr.cumsum(x), mr.sigmoid(x)),
        *(mr.relu(x), mr.softplus(x), mr.abs(x), mr.tanh(x), mr.Value(2.0) * x, x[[0, 0, 1]]),
        *(mr.einsum("i,i->", x, x), mr.pad(x, 1), mr.concatenate([x, x]), mr.flip(x)),
    ):
        assert y.dtype == np.float32, y
        for pullback in mr.pullbacks(y, np.ones(y.shape)):
            assert np.asarray(pullback.gradient).dtype == np.float32, y
        y.backward(np.ones(y.shape))
        assert x.grad.dtype == np.float32


def test_a_gradient_is_in_the_dtype_of_its_leaf_whatever_it_met() -> None:
    narrow = mr.tensor(np.ones(3, np.float32), requires_grad=True)
    wide = mr.tensor(np.ones(3), requires_grad=True)
    scalar = mr.Value(2.0)
    y = (narrow * wide * scalar).sum()
    assert y.dtype == np.float64
    y.backward()
    assert narrow.grad.dtype == np.float32
    assert wide.grad.dtype == np.float64
    assert type(scalar.grad) is float and scalar.grad == 3.0


def test_a_given_gradient_takes_the_dtype_of_the_result() -> None:
    x = mr.tensor(np.ones(3, np.float32), requires_grad=True)
    y = x * 2.0
    for gradient in (np.ones(3), [1, 1, 1], mr.tensor(np.ones(3))):
        first = next(iter(mr.pullbacks(y, gradient)))
        assert first.gradient.dtype == np.float32


def test_only_floats_want_gradients() -> None:
    with pytest.raises(TypeError, match=r"not int64; give dtype=float"):
        mr.tensor([1, 2], requires_grad=True)
    with pytest.raises(TypeError, match=r"real numbers.*complex"):
        mr.tensor([1j])
    with pytest.raises(TypeError, match=r"real numbers.*<U1"):
        mr.tensor(["a"])
    with pytest.raises(TypeError, match="regular shape"):
        mr.tensor([[1.0], [2.0, 3.0]])
    x = mr.tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match="not int64"):
        x.data = np.array([1])


def test_numbers_stay_python_numbers() -> None:
    a, b = mr.Value(3.0), mr.Value(-2.0)
    for y in (
        *(a + b, a - b, a * b, a / b, a**b, a**2, 2**a, -a, abs(b), 1 / a, a - 1, True * a),
        *(mr.exp(a), mr.log(a), mr.sqrt(a), mr.sin(a), mr.cos(a), mr.tanh(a), mr.sigmoid(a)),
        *(mr.relu(b), mr.softplus(a), mr.sign(b), mr.maximum(a, b), mr.minimum(a, 1)),
        *(mr.where(True, a, b), mr.clip(a, 0.0, 1.0), mr.identity(a), sum([a, b])),
    ):
        assert type(y.data) is float, y
        assert y.shape == () and y.ndim == 0 and y.size == 1 and y.dtype == np.float64
        y.backward()
    assert type(a.grad) is float and type(b.grad) is float


def test_without_a_tensor_an_operation_simply_computes() -> None:
    narrow = np.array([1.5, 2.0], np.float32)
    for found, expected in (
        *((mr.add(narrow, 2), narrow + 2), (mr.mul(2.0, narrow), 2.0 * narrow)),
        *((mr.exp(0.0), 1.0), (mr.sum([1, 2]), 3), (mr.tanh([0.0, 0.0]), np.zeros(2))),
        *((mr.exp(-1000.0), 0.0), (mr.sqrt(4), 2.0), (mr.matmul(narrow, narrow), np.float32(6.25))),
    ):
        assert not isinstance(found, mr.Tensor)
        same(found, expected)


def test_an_integer_counts_as_a_number() -> None:
    assert type(mr.Value(3).data) is float
    assert type(mr.tensor(3).data) is float
    assert mr.tensor(np.int64(3)).dtype == np.int64
    assert mr.tensor([1, 2]).dtype == np.int64
    assert mr.tensor([1, 2], dtype=np.float32).dtype == np.float32
    assert mr.tensor(1, dtype=np.float32).dtype == np.float32
