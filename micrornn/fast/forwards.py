"""Forwards that ask NumPy for the same in a cheaper way.

An operator costs less than its ufunc, `ufunc.reduce` less than the function around it, `.dot` less than
matmul, and of a Python float math's functions much less than NumPy's. What a forward here cannot do, it
leaves to the one that was declared.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.cotangent import put

Forward = Callable[..., Any]
_add_up: Any = np.add.reduce
_greatest: Any = np.maximum.reduce
_ndarray = np.ndarray
_NUMBER = (float, int)  # a Python number


def quicker(name: str, declared: Forward) -> Forward:
    """The forward of the primitive of that name: the quick one if there is one, else as declared."""
    make = _MAKERS.get(name)
    return make(declared) if make else _FORWARDS.get(name, declared)


def _pow(a: Any, b: Any) -> Any:
    if type(a) in _NUMBER and type(b) in _NUMBER:
        try:
            return math.pow(a, b)
        except ValueError:  # NaN or infinity, in NumPy
            raise ArithmeticError from None
    # NumPy 2.1 and 2.2 give float32 for float32 ** float64 without axes: only np.power is right there.
    return a**b if type(b) in _NUMBER else np.power(a, b)


def _sigmoid(declared: Forward) -> Forward:
    def forward(x: Any) -> Any:
        if type(x) is not _ndarray or x.dtype.kind != "f":
            return declared(x)
        with np.errstate(over="ignore"):  # e^-x is inf where the sigmoid is 0
            y = np.exp(-x)
        y += 1.0
        return np.divide(1.0, y, out=y if y.ndim else None)

    return forward


def _matmul(a: Any, b: Any) -> Any:
    if type(a) is type(b) is _ndarray and 0 < a.ndim <= 2 and 0 < b.ndim <= 2:
        return a.dot(b)
    return np.matmul(a, b)


def _linear(declared: Forward) -> Forward:
    def forward(x: Any, w: Any, b: Any = None) -> Any:
        if type(x) is not _ndarray or type(w) is not _ndarray or w.ndim != 2 or not x.ndim:
            return declared(x, w, b)
        if b is None:
            return w.dot(x) if x.ndim == 1 else x.dot(w.T)
        y = w.dot(x) if x.ndim == 1 else x.dot(w.T)
        if type(b) is not _ndarray or b.dtype is not y.dtype or b.shape != w.shape[:1]:
            return declared(x, w, b)
        y += b
        return y

    return forward


def _where(a: Any, b: Any, *, condition: Any) -> Any:
    if not condition.ndim and type(a) in _NUMBER and type(b) in _NUMBER:
        return float(a if condition else b)
    return np.where(condition, a, b)[()]


def _maximum(a: Any, b: Any) -> Any:
    if type(a) in _NUMBER and type(b) in _NUMBER:
        return float(a if a >= b or a != a else b)
    return np.maximum(a, b)


def _minimum(a: Any, b: Any) -> Any:
    if type(a) in _NUMBER and type(b) in _NUMBER:
        return float(a if a <= b or a != a else b)
    return np.minimum(a, b)


def _sum(x: Any, *, axis: Any, keepdims: bool) -> Any:
    return _add_up(x, axis=axis, keepdims=keepdims)


def _softmax(declared: Forward) -> Forward:
    def forward(x: Any, *, axis: int) -> Any:
        if x.dtype.kind != "f" or not x.size:
            return declared(x, axis=axis)
        y = np.exp(x - _greatest(x, axis=axis, keepdims=True))
        y /= _add_up(y, axis=axis, keepdims=True)
        return y

    return forward


def _log_softmax(declared: Forward) -> Forward:
    def forward(x: Any, *, axis: int) -> Any:
        if x.dtype.kind != "f" or not x.size:
            return declared(x, axis=axis)
        y = x - _greatest(x, axis=axis, keepdims=True)
        return y - np.log(_add_up(np.exp(y), axis=axis, keepdims=True))

    return forward


def _broadcast_to(x: Any, *, shape: tuple[int, ...]) -> Any:
    out = np.empty(shape, getattr(x, "dtype", float))  # cheaper than np.broadcast_to
    out[...] = x
    return out


_FORWARDS: dict[str, Forward] = {
    **{"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv},
    **{"neg": operator.neg, "pow": _pow, "matmul": _matmul, "where": _where, "sum": _sum},
    **{"maximum": _maximum, "minimum": _minimum, "broadcast_to": _broadcast_to},
    "scatter": lambda *parts, index, shape: put(parts, index, shape),
}
_MAKERS: dict[str, Callable[[Forward], Forward]] = {
    **{"sigmoid": _sigmoid, "linear": _linear, "softmax": _softmax, "log_softmax": _log_softmax},
}


def _sigmoid_of_float(x: float) -> float:
    try:
        return 1.0 / (1.0 + math.exp(-x))
    except OverflowError:
        return 0.0


# The same of one Python float. Where math raises, the call asks NumPy, which says NaN or infinity.
SCALAR: dict[str, Callable[[float], float]] = {
    **{"tanh": math.tanh, "exp": math.exp, "sigmoid": _sigmoid_of_float, "abs": math.fabs},
    "log": lambda x: math.log(x) if x > 0 else float(np.log(x)),
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else float(np.sqrt(x)),
    "sin": lambda x: math.sin(x) if math.isfinite(x) else math.nan,
    "cos": lambda x: math.cos(x) if math.isfinite(x) else math.nan,
    "relu": lambda x: x if x > 0.0 or x != x else 0.0,
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-math.fabs(x))),
    "sign": lambda x: x if x != x else float((x > 0.0) - (x < 0.0)),
}
