"""Arrays without elements or axes, numbers without bounds; every warning is an error here."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import micrornn as mr

INF, NAN = math.inf, math.nan


def gradient(f: Callable[[Any], Any], x: Any) -> Any:
    leaf = mr.tensor(x, requires_grad=True)
    y = f(leaf)
    return mr.grad(y, leaf, np.ones(y.shape))


# -- no elements --------------------------------------------------------------------------------------

EMPTY: dict[str, Callable[[Any], Any]] = {
    **{"add": lambda x: x + x, "mul by a row": lambda x: x * np.ones((1, 3))},
    **{"neg": lambda x: -x, "tanh": mr.tanh, "sigmoid": mr.sigmoid, "relu": mr.relu},
    **{"pow": lambda x: x**2, "where": lambda x: mr.where(x > 0, x, 1.0)},
    **{"sum": mr.sum, "sum of columns": lambda x: mr.sum(x, axis=0)},
    **{"sum of rows": lambda x: mr.sum(x, axis=1), "mean of rows": lambda x: mr.mean(x, axis=1)},
    **{"var of rows": lambda x: mr.var(x, axis=1), "cumsum": mr.cumsum},
    **{"max of rows": lambda x: mr.max(x, axis=1), "min of rows": lambda x: mr.min(x, axis=1)},
    **{"logsumexp of rows": lambda x: mr.logsumexp(x, axis=1), "softmax": mr.softmax},
    **{"log_softmax": mr.log_softmax, "reshape": lambda x: mr.reshape(x, (3, 0))},
    **{"transpose": mr.transpose, "flip": mr.flip, "slice": lambda x: x[:, 1:]},
    **{"rows": lambda x: x[np.array([], int)], "take": lambda x: mr.take(x, [], axis=0)},
    **{
        "mask": lambda x: x[np.zeros((0, 3), bool)],
        "concatenate": lambda x: mr.concatenate([x, x]),
    },
    **{"stack": lambda x: mr.stack([x, x]), "split": lambda x: mr.split(x, 3, axis=1)[1]},
    **{"pad": lambda x: mr.pad(x, 1), "expand_dims": lambda x: mr.expand_dims(x, 0)},
    **{"broadcast_to": lambda x: mr.broadcast_to(x, (2, 0, 3))},
    **{"matmul": lambda x: x @ np.ones((3, 2)), "matmul with a vector": lambda x: x @ np.ones(3)},
    **{"nothing summed": lambda x: mr.transpose(x) @ np.ones((0, 4))},
    **{"linear": lambda x: mr.linear(x, np.ones((2, 3)), np.ones(2))},
    **{"einsum": lambda x: mr.einsum("ij,kj->ik", x, np.ones((2, 3)))},
}


@pytest.mark.parametrize("name", EMPTY)
def test_arrays_without_elements(name: str) -> None:
    x = mr.tensor(np.zeros((0, 3)), requires_grad=True)
    y = EMPTY[name](x)
    g = mr.grad(y, x, np.ones(y.shape))
    assert g.shape == (0, 3) and g.dtype == np.float64
    assert mr.jvp(y, x, np.zeros((0, 3))).shape == y.shape
    assert mr.grad(y, x, np.ones(y.shape), create_graph=True).shape == (0, 3)


def test_weights_that_met_no_rows() -> None:
    x = mr.tensor(np.zeros((0, 3)))
    w, v, b = (mr.tensor(np.ones(s), requires_grad=True) for s in ((2, 3), (3, 2), (2,)))
    y = mr.linear(x, w, b).sum() + (x @ v).sum()
    for leaf in (w, v, b):
        np.testing.assert_array_equal(mr.grad(y, leaf), np.zeros(leaf.shape))


def test_weights_without_columns() -> None:
    x, w = (mr.tensor(np.ones(s), requires_grad=True) for s in ((4, 0), (2, 0)))
    y = mr.linear(x, w)
    np.testing.assert_array_equal(y.data, np.zeros((4, 2)))
    assert [g.shape for g in mr.grad(y.sum() + y.sum(), [x, w])] == [(4, 0), (2, 0)]


def test_the_extreme_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"max .*zero-size array"):
        mr.max(mr.tensor(np.zeros(0)))


# -- no axes ------------------------------------------------------------------------------------------

NO_AXES: dict[str, Callable[[Any], Any]] = {
    **{"sum": mr.sum, "mean": mr.mean, "max": mr.max, "logsumexp": mr.logsumexp},
    **{"sum over -1": lambda x: mr.sum(x, axis=-1), "sum over 0": lambda x: mr.sum(x, axis=0)},
    **{"kept": lambda x: mr.sum(x, keepdims=True), "softmax": mr.softmax, "cumsum": mr.cumsum},
    **{"log_softmax": mr.log_softmax, "reshape": lambda x: mr.reshape(x, (1, 1))},
    **{"reshape -1": lambda x: x.reshape(-1), "expand_dims": lambda x: mr.expand_dims(x, 0)},
    **{"broadcast_to": lambda x: mr.broadcast_to(x, (2, 3)), "transpose": mr.transpose},
    **{"stack": lambda x: mr.stack([x, x]), "squeeze": mr.squeeze, "flip": mr.flip},
    **{"where": lambda x: mr.where([True, False], x, 0.0), "outer": lambda x: x * np.ones((2, 3))},
    **{"einsum": lambda x: mr.einsum(",i->i", x, np.ones(2)), "clip": lambda x: mr.clip(x, 0, 9)},
}


@pytest.mark.parametrize("name", NO_AXES)
@pytest.mark.parametrize("value", [2.0, np.array(2.0)], ids=["number", "0-d array"])
def test_one_number(name: str, value: Any) -> None:
    x = mr.tensor(value, requires_grad=True)
    mr.gradcheck(NO_AXES[name], x)
    mr.gradgradcheck(NO_AXES[name], x)
    y = NO_AXES[name](x)
    y.backward(np.ones(y.shape))
    assert type(x.grad) is (float if isinstance(value, float) else np.ndarray)
    assert np.shape(x.grad) == ()


@pytest.mark.parametrize("index", [(), None, Ellipsis], ids=str)
def test_indexing_an_array_without_axes(index: Any) -> None:
    x = mr.tensor(np.array(2.0), requires_grad=True)
    mr.gradcheck(lambda x: x[index], x)
    y = x[index] * 1.0 + (x * x if index == () else 0.0)
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(x.grad, 1.0 + (4.0 if index == () else 0.0))


def test_a_number_is_no_vector() -> None:
    a, w = mr.Value(2.0), np.ones((2, 3))
    for f in (
        *(lambda: a @ w, lambda: w @ a, lambda: mr.linear(a, w), lambda: a[0], lambda: len(a)),
        *(lambda: list(a), lambda: mr.linear(w[0], a), lambda: mr.concatenate([a, a])),
        *(lambda: mr.linear(np.array(2.0), mr.tensor(w)), lambda: mr.sum(a, axis=1)),
    ):
        with pytest.raises((ValueError, TypeError, IndexError)):
            f()


# -- no bounds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [1e3, 1e4, 1e308, INF])
def test_sigmoid_reaches_its_limits(x: float) -> None:
    for dtype in (np.float64, np.float32):
        with np.errstate(over="ignore"):
            values = np.array([-x, x], dtype)
        np.testing.assert_array_equal(mr.sigmoid(mr.tensor(values)).data, [0.0, 1.0])
        np.testing.assert_array_equal(gradient(mr.sigmoid, values), [0.0, 0.0])
    assert mr.sigmoid(mr.Value(-x)).data == 0.0 and mr.sigmoid(mr.Value(x)).data == 1.0


def test_sigmoid_keeps_its_digits_far_out() -> None:
    # 1 + tanh would say 0 here: a gate that is nearly shut is not shut
    x = np.array([-40.0, -100.0, -700.0])
    np.testing.assert_allclose(mr.sigmoid(mr.tensor(x)).data, np.exp(x), rtol=1e-14)
    np.testing.assert_allclose(gradient(mr.sigmoid, x), np.exp(x), rtol=1e-14)


def test_softplus_far_out() -> None:
    x = np.array([-INF, -1e4, -40.0, 0.0, 40.0, 1e4, INF])
    expected = [0.0, 0.0, math.exp(-40.0), math.log(2.0), 40.0, 1e4, INF]
    np.testing.assert_allclose(mr.softplus(mr.tensor(x)).data, expected, rtol=1e-14)
    slopes = gradient(mr.softplus, x)
    np.testing.assert_allclose(slopes, [0.0, 0.0, math.exp(-40.0), 0.5, 1.0, 1.0, 1.0], rtol=1e-14)


def test_softmax_far_out() -> None:
    x = mr.tensor([[-1e4, 0.0, 1e4], [1e4, 1e4, -1e4], [-INF, 0.0, 0.0]], requires_grad=True)
    p = [[0.0, 0.0, 1.0], [0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]
    half = math.log(2.0)
    logs = [[-2e4, -1e4, 0.0], [-half, -half, -2e4 - half], [-INF, -half, -half]]
    np.testing.assert_allclose(mr.softmax(x).data, p, atol=0)
    np.testing.assert_allclose(mr.log_softmax(x).data, logs, rtol=1e-15)
    for f, expected in (
        (lambda x: mr.softmax(x)[:, 2].sum(), [[0.0] * 3, [0.0] * 3, [0.0, -0.25, 0.25]]),
        (
            lambda x: mr.log_softmax(x)[:, 1].sum(),
            [[0.0, 1.0, -1.0], [-0.5, 0.5, 0.0], [0.0, 0.5, -0.5]],
        ),
        (lambda x: mr.logsumexp(x, axis=1).sum(), p),
    ):
        np.testing.assert_allclose(mr.grad(f(x), x), expected, rtol=1e-12, atol=0)


def test_logsumexp_of_nothing_but_minus_infinity() -> None:
    x = mr.tensor([[-INF, -INF], [0.0, -INF]], requires_grad=True)
    y = mr.logsumexp(x, axis=1)
    np.testing.assert_array_equal(y.data, [-INF, 0.0])
    np.testing.assert_array_equal(mr.grad(y, x, [1.0, 1.0]), [[0.0, 0.0], [1.0, 0.0]])
    assert mr.logsumexp(mr.Value(-INF)).data == -INF
    assert mr.logsumexp(mr.tensor([0.0, INF])).data == INF


def test_tanh_and_the_others_far_out() -> None:
    far = np.array([-1e4, 1e4])
    np.testing.assert_array_equal(mr.tanh(mr.tensor(far)).data, [-1.0, 1.0])
    np.testing.assert_array_equal(gradient(mr.tanh, far), [0.0, 0.0])
    np.testing.assert_array_equal(gradient(mr.exp, np.array([-1e4, -INF])), [0.0, 0.0])
    np.testing.assert_array_equal(gradient(mr.abs, np.array([-INF, INF])), [-1.0, 1.0])
    np.testing.assert_array_equal(gradient(mr.relu, np.array([-INF, INF])), [0.0, 1.0])
    np.testing.assert_array_equal(gradient(lambda x: mr.clip(x, -1, 1), np.array([-INF, INF])), 0.0)


def test_a_case_that_does_not_count_gets_exactly_zero_from_an_infinite_gradient() -> None:
    x = mr.tensor([-1.0, 1.0, 3.0], requires_grad=True)
    infinite = np.full(3, INF)
    for y, expected in (
        *((mr.relu(x), [0.0, INF, INF]), (mr.clip(x, 0.0, 2.0), [0.0, INF, 0.0])),
        *((mr.maximum(x, 0.0), [0.0, INF, INF]), (mr.minimum(x, 0.0), [INF, 0.0, 0.0])),
        *((mr.where(x > 0, x, 0.0), [0.0, INF, INF]), (mr.sign(x), [0.0, 0.0, 0.0])),
        *((x**0, [0.0, 0.0, 0.0]), (x[1:], [0.0, INF, INF])),
    ):
        np.testing.assert_array_equal(mr.grad(y, x, infinite[: y.size]), expected)


def test_division_by_zero_is_numpys_also_for_python_numbers() -> None:
    for f, x, value, slope in (
        (lambda x: 1.0 / x, 0.0, INF, -INF),
        (lambda x: x / 0.0, 1.0, INF, INF),
        (mr.log, 0.0, -INF, INF),
        (mr.sqrt, 0.0, 0.0, INF),
        (lambda x: x**0.5, 0.0, 0.0, INF),
        (lambda x: x**-1.0, 0.0, INF, -INF),
        (mr.exp, 1e3, INF, INF),
        (lambda x: x**2, 1e200, INF, 2e200),
        (mr.log, -1.0, NAN, -1.0),
        (lambda x: x**0.5, -1.0, NAN, NAN),
        (lambda x: (-2.0) ** x, 0.5, NAN, NAN),
        (lambda x: (-2) ** x, 0.5, NAN, NAN),
    ):
        with np.errstate(all="ignore"):
            number, array = mr.Value(x), mr.tensor([x], requires_grad=True)
            for leaf in (number, array):
                y = f(leaf)
                np.testing.assert_array_equal(y.data, value)
                assert not np.iscomplexobj(y.data)
                np.testing.assert_array_equal(mr.grad(y, leaf, np.ones(y.shape)), slope)


def test_numpy_warns_where_it_would() -> None:
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        y = mr.Value(1.0) / 0.0
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        mr.sqrt(mr.Value(0.0)).backward()
    with pytest.warns(RuntimeWarning, match="overflow"):
        mr.exp(mr.Value(1e4))
    assert y.data == INF


def test_nan_goes_through() -> None:
    x = np.array([1.0, NAN])
    for f in (mr.tanh, mr.sigmoid, mr.relu, mr.exp, mr.softplus, mr.abs, mr.sign, mr.sum, mr.max):
        assert np.isnan(f(mr.tensor(x)).data).any()
    for f in (mr.tanh, mr.sigmoid, mr.exp, mr.softplus):
        assert np.isnan(gradient(f, x)).tolist() == [False, True]


def test_the_extreme_of_numbers_among_which_one_is_nan() -> None:
    x = np.array([[1.0, NAN, NAN], [3.0, 2.0, 3.0]])
    for f in (mr.max, mr.min):
        assert np.isnan(f(mr.tensor(x), axis=1).data).tolist() == [True, False]
        np.testing.assert_array_equal(gradient(partial(f, axis=1), x)[0], [0.0, 0.5, 0.5])
    np.testing.assert_array_equal(gradient(lambda x: mr.max(x, axis=1), x)[1], [0.5, 0.0, 0.5])


def test_a_variance_without_degrees_of_freedom() -> None:
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        x = mr.tensor([2.0], requires_grad=True)
        y = mr.var(x, ddof=1)
    assert np.isnan(y.data) and np.isnan(mr.grad(y, x)).all()
