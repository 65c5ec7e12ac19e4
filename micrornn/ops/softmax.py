"""Exponentials along axes, stable for inputs of any size: their logarithm of a sum, and normalized.

The name sum is NumPy's; in this file it is the operation, not Python's built-in."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.operators import offer
from micrornn.core.primitive import primitive, sample
from micrornn.core.tensor import Data, Tensor
from micrornn.ops.elementwise import as_floats, exp, where
from micrornn.ops.reduce import REDUCTIONS, Axis, along, sum


def _finite(y: Any) -> Any:
    # ln of an empty sum is -inf; its softmax weights are 0, not nan.
    return where(np.isinf(y._value if isinstance(y, Tensor) else y), 0.0, y)


def _logsumexp_forward(x: Data, *, axis: Axis, keepdims: bool) -> Data:
    x = as_floats(x)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    total = np.sum(np.exp(x - top), axis=axis, keepdims=True)
    with np.errstate(divide="ignore"):  # ln 0 = -inf is the right answer for all -inf
        y = np.log(total) + top
    return y if keepdims else np.squeeze(y, axis=axis)[()]


_logsumexp = primitive(
    "logsumexp",
    "ln Σ e^x",
    forward=_logsumexp_forward,
    vjp=(
        lambda g, y, x, axis, keepdims: (
            along(g, x, axis, keepdims) * exp(x - along(_finite(y), x, axis, keepdims))
        ),
    ),
    jvp=(
        lambda d, y, x, axis, keepdims: sum(
            d * exp(x - along(_finite(y), x, axis, keepdims)), axis, keepdims
        ),
    ),
    samples=REDUCTIONS,
    symbol="lse",
)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """ln of the sum of exponentials, stable for inputs of any size.

    >>> import micrornn as mr
    >>> round(mr.logsumexp(mr.tensor([1000.0, 1000.0])).item(), 4)
    1000.6931
    """
    return _logsumexp(x, axis=axis, keepdims=keepdims)


offer(logsumexp, "logsumexp")


def _softmax_forward(x: Data, *, axis: int) -> Data:
    x = as_floats(x)
    y = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    return y / np.sum(y, axis=axis, keepdims=True)


_SOFTMAXES = (sample((3,), axis=-1), sample((2, 3), axis=-1), sample((2, 3), axis=0))


def _softmax_rule(g: Any, y: Any, x: Any, axis: int) -> Any:
    return y * (g - sum(g * y, axis, True))  # the Jacobian is symmetric, so it serves both modes


_softmax = primitive(
    "softmax",
    "e^x / Σ e^x",
    forward=_softmax_forward,
    vjp=(_softmax_rule,),
    jvp=(_softmax_rule,),
    samples=_SOFTMAXES,
    kind="distribution",
)


def softmax(x: Any, axis: int = -1) -> Tensor:
    """Exponentials that are normalized to add up to 1 along the axis.

    >>> import micrornn as mr
    >>> mr.softmax(mr.tensor([0.0, 0.0]))
    tensor([0.5, 0.5], softmax)
    """
    return _softmax(x, axis=axis)


offer(softmax, "softmax")


def _log_softmax_forward(x: Data, *, axis: int) -> Data:
    x = as_floats(x)
    y = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    with np.errstate(divide="ignore"):  # of nothing, the sum is 0
        return y - np.log(np.sum(np.exp(y), axis=axis, keepdims=True))


_log_softmax = primitive(
    "log_softmax",
    "x - ln Σ e^x",
    forward=_log_softmax_forward,
    vjp=(lambda g, y, x, axis: g - exp(y) * sum(g, axis, True),),
    jvp=(lambda d, y, x, axis: d - sum(exp(y) * d, axis, True),),
    samples=_SOFTMAXES,
    kind="log distribution",
)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """The logarithm of softmax, without the underflow that taking it afterwards would bring.

    >>> import micrornn as mr
    >>> mr.log_softmax(mr.tensor([0.0, 1e4]))
    tensor([-10000.,      0.], log_softmax)
    """
    return _log_softmax(x, axis=axis)


offer(log_softmax, "log_softmax")
