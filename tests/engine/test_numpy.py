"""NumPy's functions and operators on tensors: they record, or say that they cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn.core.operators import NUMPY
from micrornn.ops.protocols import QUESTIONS

ARRAY = np.array([[0.5, 1.0, 2.0], [1.5, 0.25, 3.0]])


def t() -> mr.Tensor:
    return mr.tensor(ARRAY, requires_grad=True)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    **{"add": lambda x: np.add(x, 1.0), "subtract": lambda x: np.subtract(ARRAY, x)},
    **{"multiply": lambda x: np.multiply(x, ARRAY), "divide": lambda x: np.divide(1.0, x)},
    **{"negative": np.negative, "power": lambda x: np.power(x, 3), "exp": np.exp, "log": np.log},
    **{"sqrt": np.sqrt, "absolute": np.absolute, "abs": np.abs, "sign": np.sign, "sin": np.sin},
    **{"cos": np.cos, "tanh": np.tanh, "maximum": lambda x: np.maximum(x, 1.0)},
    **{"minimum": lambda x: np.minimum(1.0, x), "square": np.square},
    "solve": lambda x: np.linalg.solve(np.eye(2) + x @ x.T, x),
    **{"matmul": lambda x: np.matmul(x, ARRAY.T), "dot": lambda x: np.dot(ARRAY.T, x)},
    **{"dot with a number": lambda x: np.dot(x, 2.0), "sum": np.sum, "mean": np.mean},
    **{"sum axis": lambda x: np.sum(x, axis=0), "sum kept": lambda x: np.sum(x, 1, keepdims=True)},
    **{"mean axis": lambda x: np.mean(x, axis=-1), "var": np.var},
    **{"var ddof": lambda x: np.var(x, axis=1, ddof=1), "max": np.max, "amax": np.amax},
    **{"min axis": lambda x: np.min(x, axis=1), "amin": np.amin},
    **{"cumsum": lambda x: np.cumsum(x, axis=1)},
    **{"where": lambda x: np.where(ARRAY > 1.0, x, 0.0), "clip": lambda x: np.clip(x, 0.4, 1.2)},
    **{"reshape": lambda x: np.reshape(x, (3, 2)), "transpose": np.transpose},
    **{"swapaxes": lambda x: np.swapaxes(x, 0, 1), "squeeze": lambda x: np.squeeze(x[:1])},
    **{"broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3)), "flip": lambda x: np.flip(x, 1)},
    **{"expand_dims": lambda x: np.expand_dims(x, 1), "pad": lambda x: np.pad(x, 1)},
    **{"concatenate": lambda x: np.concatenate([x, ARRAY, x], axis=1)},
    **{"stack": lambda x: np.stack((ARRAY, x)), "split": lambda x: np.split(x, 3, axis=1)[1]},
    **{"einsum": lambda x: np.einsum("ij,kj->ik", x, ARRAY)},
    **{"take": lambda x: np.take(x, [0, 0, 1], axis=1), "std": np.std, "prod": np.prod},
    **{"outer": lambda x: np.outer(x, ARRAY), "tensordot": lambda x: np.tensordot(x, ARRAY)},
    **{"roll": lambda x: np.roll(x, 1)},
    **{"t + array": lambda x: x + ARRAY, "array + t": lambda x: ARRAY + x},
    **{"t - array": lambda x: x - ARRAY, "array - t": lambda x: ARRAY - x},
    **{"t * array": lambda x: x * ARRAY, "array * t": lambda x: ARRAY * x},
    **{"t / array": lambda x: x / ARRAY, "array / t": lambda x: ARRAY / x},
    **{"t ** array": lambda x: x**ARRAY, "array ** t": lambda x: ARRAY**x},
    **{"t @ array": lambda x: x @ ARRAY.T, "array @ t": lambda x: ARRAY.T @ x},
    **{"float64 * t": lambda x: np.float64(2.0) * x, "t * float32": lambda x: x * np.float32(2)},
    **{"int64 - t": lambda x: np.int64(3) - x, "0-d array * t": lambda x: np.array(2.0) * x},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_records(name: str) -> None:
    f = FUNCTIONS[name]
    y = f(t())
    assert isinstance(y, mr.Tensor) and y.requires_grad
    np.testing.assert_allclose(y.data, f(ARRAY), rtol=1e-15)
    mr.gradcheck(f, t())


def test_every_function_of_the_table_was_tried() -> None:
    names = [name.split()[0] for name in FUNCTIONS]
    tried = {getattr(np, name, None) or getattr(np.linalg, name, None) for name in names}
    assert {f.__name__ for f in NUMPY if f not in QUESTIONS} <= {
        f.__name__ for f in tried if f is not None
    }


def test_methods() -> None:
    x = t()
    for name, given in (
        *(("sum", (0,)), ("mean", ()), ("var", (1,)), ("max", (0,)), ("min", ())),
        *(("cumsum", (0,)), ("reshape", (3, 2)), ("reshape", ((3, 2),)), ("reshape", (-1,))),
        *(("transpose", ()), ("transpose", (1, 0)), ("transpose", ((1, 0),))),
        *(("swapaxes", (0, 1)), ("squeeze", ()), ("take", ([0], 1)), ("dot", (ARRAY.T,))),
        ("clip", (0.0, 1.0)),
    ):
        found = getattr(x, name)(*given)
        assert isinstance(found, mr.Tensor)
        np.testing.assert_array_equal(found.data, getattr(ARRAY, name)(*given))
    np.testing.assert_array_equal(x.T.data, ARRAY.T)
    for name in ("exp", "log", "sqrt", "abs", "tanh"):
        np.testing.assert_array_equal(getattr(x, name)().data, getattr(np, name)(ARRAY))
    np.testing.assert_allclose(x.softmax().log().data, x.log_softmax().data)
    np.testing.assert_allclose(x.logsumexp(1).data, np.log(np.exp(ARRAY).sum(1)))
    assert x.detach().is_leaf


def test_comparisons_are_data() -> None:
    x = t()
    for ufunc in (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal):
        expected = ufunc(ARRAY, 1.0)
        for found in (ufunc(x, 1.0), ufunc(x, np.ones((2, 3))), ufunc(x, mr.tensor(np.ones(3)))):
            assert type(found) is np.ndarray
            np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(ufunc(1.0, x), ufunc(1.0, ARRAY))
        np.testing.assert_array_equal(ufunc(np.ones(3), x), ufunc(1.0, ARRAY))
    for found, expected in (
        *((x < 1.0, ARRAY < 1.0), (x <= 1.0, ARRAY <= 1.0), (x > 1.0, ARRAY > 1.0)),
        *((x >= 1.0, ARRAY >= 1.0), (x == 1.0, ARRAY == 1.0), (x != 1.0, ARRAY != 1.0)),
        *((1.0 < x, 1.0 < ARRAY), (ARRAY > x, ARRAY > ARRAY), (x == x, ARRAY == ARRAY)),
    ):
        np.testing.assert_array_equal(found, expected)
    assert (mr.Value(1.0) < 2.0) and not (mr.Value(1.0) > mr.Value(2.0))


def test_questions_about_the_value() -> None:
    x = t()
    assert np.argmax(x) == 5 and np.isfinite(x).all() and not np.isnan(x).any()
    assert np.allclose(x, ARRAY) and np.array_equal(x, x) and np.any(x) and np.all(x)
    assert np.shape(x) == (2, 3) and np.ndim(x) == 2 and np.size(x) == 6
    assert type(np.zeros_like(x)) is np.ndarray and np.ones_like(x).sum() == 6


def test_a_list_of_tensors_is_never_an_array_of_objects() -> None:
    a, b = mr.Value(1.0), mr.Value(2.0)
    for make in (lambda: np.array([a, b]), lambda: np.asarray(t()), lambda: mr.tensor([a, b])):
        with pytest.raises(TypeError, match=r"lose its history.*\.detach\(\)"):
            make()
    plain = np.array([mr.tensor(1.0), mr.tensor(2.0)])  # nothing to lose
    assert plain.dtype == np.float64 and plain.tolist() == [1.0, 2.0]
    assert np.asarray(mr.tensor([1.0, 2.0]), dtype=np.float32).dtype == np.float32
    with pytest.raises(TypeError, match="lose its history"):
        np.add(np.ones(3), [a, a, a])


@pytest.mark.parametrize(
    ("f", "name"),
    [
        *((np.median, "numpy.median"), (np.linalg.norm, "numpy.linalg.norm")),
        *((np.arctan, "numpy.arctan"), (np.add.reduce, "numpy.add.reduce")),
        (np.vstack, "numpy.vstack"),
        (lambda x: np.copyto(np.zeros((2, 3)), x), "numpy.copyto"),
    ],
    ids=lambda f: f if isinstance(f, str) else "",
)
def test_what_is_not_supported_says_so(f: Callable[[Any], Any], name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} is not supported on .*detach"):
        f(t())


def test_arguments_that_are_not_supported_say_so() -> None:
    x = t()
    for f, words in (
        (lambda: np.sum(x, dtype=float), r"numpy.sum on a tensor takes x, axis, keepdims: .*dtype"),
        (lambda: np.pad(x, 1, "edge"), r"numpy.pad on a tensor takes x, widths: too many"),
        (lambda: np.add(x, 1.0, dtype=float), r"numpy.add on a tensor does not take dtype="),
        (lambda: np.add(x, 1.0, where=ARRAY > 1), r"does not take where="),
        (lambda: np.dot(x, np.ones((2, 3, 4))), r"dot of shapes .* einsum"),
        (lambda: np.concatenate([x, x], axis=None), r"integer"),
        (lambda: x + None, r"real numbers"),
        (lambda: x + "a", r"real numbers"),
    ):
        with pytest.raises(TypeError, match=words):
            f()


def test_nothing_is_written_into_an_array() -> None:
    x, out = t(), np.zeros((2, 3))
    with pytest.raises(TypeError, match=r"out= would write"):
        np.add(x, 1.0, out=out)
    with pytest.raises(TypeError, match=r"not a \+= t"):
        out += x  # type: ignore[misc]
    assert not out.any()
