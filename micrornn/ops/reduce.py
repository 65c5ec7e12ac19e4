"""Operations along axes: sums, averages, extremes, running sums.

The names sum, max and min are NumPy's; in this file they are the operations, not Python's built-ins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.core.operators import offer
from micrornn.core.primitive import Operation, primitive, sample
from micrornn.core.tensor import Data, Tensor, shape_of
from micrornn.ops.elementwise import as_floats
from micrornn.ops.shape import broadcast_to, flip, reshape

Axis = Any  # None (all axes), an int, or a tuple of ints

REDUCTIONS = (
    sample((2, 3), axis=None, keepdims=False),
    sample((2, 3), axis=0, keepdims=False),
    sample((2, 3), axis=-1, keepdims=True),
    sample((2, 3, 4), axis=(0, 2), keepdims=False),
    sample((), axis=None, keepdims=False),
)


def _kept(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """The shape with the reduced axes kept as 1."""
    if axis is None:
        return (1,) * len(shape)
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple([1 if i in axes else n for i, n in enumerate(shape)])


def along(y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """A reduced value (or its cotangent) in a shape that broadcasts against x."""
    if keepdims or axis is None or not shape_of(x):
        return y
    return reshape(y, _kept(x.shape, axis))


_sum = primitive(
    "sum",
    "Σ x",
    forward=lambda x, *, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
    vjp=(lambda g, y, x, axis, keepdims: broadcast_to(along(g, x, axis, keepdims), shape_of(x)),),
    jvp=(lambda d, y, x, axis, keepdims: sum(d, axis, keepdims),),
    samples=REDUCTIONS,
    symbol="Σ",
    kind="reduction",
)


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over the axes (all of them by default).

    >>> import micrornn as mr
    >>> mr.sum(mr.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    tensor([4., 6.], sum)
    """
    return _sum(x, axis=axis, keepdims=keepdims)


offer(sum, "sum", numpy=[np.sum])


def _count(x: Any, axis: Axis) -> int:
    shape = shape_of(x)
    return math.prod([n for n, k in zip(shape, _kept(shape, axis), strict=True) if k == 1])


def _one_by(n: int) -> float:
    return 1.0 / n if n else math.nan


def _average(function: Any, x: Data, axis: Axis, keepdims: bool, **options: Any) -> Data:
    if _count(x, axis) == 0:  # NaN without a warning, as in PyTorch
        return np.sum(as_floats(x), axis=axis, keepdims=keepdims) + math.nan
    return function(x, axis=axis, keepdims=keepdims, **options)


_mean = primitive(
    "mean",
    "Σ x / n",
    forward=lambda x, *, axis, keepdims: _average(np.mean, x, axis, keepdims),
    vjp=(
        lambda g, y, x, axis, keepdims: broadcast_to(
            along(g, x, axis, keepdims) * _one_by(_count(x, axis)), shape_of(x)
        ),
    ),
    jvp=(lambda d, y, x, axis, keepdims: mean(d, axis, keepdims),),
    samples=REDUCTIONS,
    kind="reduction",
)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean over the axes (all of them by default).

    >>> import micrornn as mr
    >>> mr.mean(mr.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=1)
    tensor([1.5, 3.5], mean)
    """
    return _mean(x, axis=axis, keepdims=keepdims)


offer(mean, "mean", numpy=[np.mean])


def _centered(x: Any, axis: Axis, ddof: int) -> Any:
    """2 (x - mean) / (n - ddof): the gradient of the variance."""
    return (x - mean(x, axis, True)) * (2.0 * _one_by(_count(x, axis) - ddof))


_var = primitive(
    "var",
    "Σ (x - mean)² / (n - ddof)",
    forward=lambda x, *, axis, keepdims, ddof: _average(np.var, x, axis, keepdims, ddof=ddof),
    vjp=(
        lambda g, y, x, axis, keepdims, ddof: (
            along(g, x, axis, keepdims) * _centered(x, axis, ddof)
        ),
    ),
    jvp=(lambda d, y, x, axis, keepdims, ddof: sum(d * _centered(x, axis, ddof), axis, keepdims),),
    samples=(
        sample((2, 3), axis=None, keepdims=False, ddof=0),
        sample((2, 3), axis=1, keepdims=False, ddof=1),
        sample((2, 3), axis=0, keepdims=True, ddof=0),
    ),
)


def var(x: Any, axis: Axis = None, keepdims: bool = False, ddof: int = 0) -> Tensor:
    """The variance over the axes, divided by n - ddof, as NumPy's (PyTorch's default is ddof=1).

    >>> import micrornn as mr
    >>> mr.var(mr.tensor([1.0, 3.0]))
    tensor(1.0, var)
    """
    return _var(x, axis=axis, keepdims=keepdims, ddof=ddof)


offer(var, "var", numpy=[np.var])


def _winners(x: Any, y: Any, axis: Axis, keepdims: bool) -> Any:
    """Each element's share of the extreme: ties split it evenly, as PyTorch's amax does."""
    values = x._value if isinstance(x, Tensor) else x
    best = y._value if isinstance(y, Tensor) else y
    best = along(best, values, axis, keepdims)
    tied = np.equal(values, best)
    if np.isnan(best).any():  # the extreme of numbers among which one is NaN is that NaN
        tied |= np.isnan(values) & np.isnan(best)
    shares = tied / np.sum(tied, axis=axis, keepdims=True)
    return shares.astype(getattr(values, "dtype", float))


def _extreme(name: str, forward: Any) -> Operation:
    return primitive(
        name,
        f"{name} x",
        forward=lambda x, *, axis, keepdims: forward(x, axis=axis, keepdims=keepdims),
        vjp=(
            lambda g, y, x, axis, keepdims: (
                along(g, x, axis, keepdims) * _winners(x, y, axis, keepdims)
            ),
        ),
        jvp=(
            lambda d, y, x, axis, keepdims: sum(d * _winners(x, y, axis, keepdims), axis, keepdims),
        ),
        samples=REDUCTIONS,
    )


_max = _extreme("max", np.max)
_min = _extreme("min", np.min)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element over the axes; ties share the gradient evenly (PyTorch's amax).

    >>> import micrornn as mr
    >>> mr.max(mr.tensor([1.0, 3.0, 2.0]))
    tensor(3.0, max)
    """
    return _max(x, axis=axis, keepdims=keepdims)


offer(max, "max", numpy=[np.max, np.amax])


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element over the axes; ties share the gradient evenly (PyTorch's amin).

    >>> import micrornn as mr
    >>> mr.min(mr.tensor([1.0, 3.0, 2.0]))
    tensor(1.0, min)
    """
    return _min(x, axis=axis, keepdims=keepdims)


offer(min, "min", numpy=[np.min, np.amin])


def _cumsum_rule(g: Any, y: Any, x: Any, axis: Axis) -> Any:
    if axis is None:
        return reshape(flip(cumsum(flip(g, 0), 0), 0), shape_of(x))
    return flip(cumsum(flip(g, axis), axis), axis)


_cumsum = primitive(
    "cumsum",
    "y_i = x_1 + ... + x_i",
    forward=lambda x, *, axis: np.cumsum(x, axis=axis),
    vjp=(_cumsum_rule,),
    jvp=(lambda d, y, x, axis: cumsum(d, axis),),
    samples=(sample((4,), axis=0), sample((2, 3), axis=1), sample((2, 3), axis=None)),
)


def cumsum(x: Any, axis: Axis = None) -> Tensor:
    """The running sum along an axis (of the flattened array by default, as NumPy's).

    >>> import micrornn as mr
    >>> mr.cumsum(mr.tensor([1.0, 2.0, 3.0]))
    tensor([1., 3., 6.], cumsum)
    """
    return _cumsum(x, axis=axis)


offer(cumsum, "cumsum", numpy=[np.cumsum])
