"""Operations made of other operations: they make no primitive of their own, and need no rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from micrornn.core.operators import offer
from micrornn.core.tensor import Data, Tensor, shape_of
from micrornn.ops.elementwise import mul, sqrt, where
from micrornn.ops.index import getitem, take
from micrornn.ops.join import concatenate
from micrornn.ops.piecewise import abs
from micrornn.ops.product import einsum
from micrornn.ops.reduce import Axis, max, sum, var
from micrornn.ops.shape import expand_dims, reshape, squeeze


def std(x: Any, axis: Axis = None, keepdims: bool = False, ddof: int = 0) -> Tensor:
    """The standard deviation over the axes, with n - ddof, as NumPy's (PyTorch's default is ddof=1).

    >>> import micrornn as mr
    >>> mr.std(mr.tensor([1.0, 3.0])).item()
    1.0
    """
    return sqrt(var(x, axis, keepdims, ddof))


offer(std, "std", numpy=[np.std])


def prod(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The product over an axis (of all elements by default), halved until one is left.

    >>> import micrornn as mr
    >>> mr.prod(mr.tensor([2.0, 3.0, 4.0])).item()
    24.0
    """
    shape = shape_of(x)
    if axis is None:
        whole = prod(reshape(x, (-1,)), 0)
        return reshape(whole, (1,) * len(shape)) if keepdims else whole
    axis = normalize_axis_index(axis, len(shape))
    lead = (slice(None),) * axis

    def part(x: Any, start: int, stop: int) -> Any:
        return getitem(x, index=(*lead, slice(start, stop)))

    if shape[axis] == 0:
        return sum(x, axis, keepdims) + 1.0
    while (n := shape_of(x)[axis]) > 1:
        halves = mul(part(x, 0, n // 2), part(x, n // 2, 2 * (n // 2)))
        x = concatenate([halves, part(x, n - 1, n)], axis) if n % 2 else halves
    return x if keepdims else squeeze(x, axis)


offer(prod, "prod", numpy=[np.prod])


def norm(x: Any, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The norm of all elements together, or along axes; its gradient at 0 is 0, as PyTorch's.

    Args:
        ord: 1 (sum of absolute values), 2 (Euclidean), or infinity (largest absolute value).

    Raises:
        ValueError: another order.

    >>> import micrornn as mr
    >>> mr.norm(mr.tensor([3.0, 4.0])).item()
    5.0
    """
    if ord == 1:
        return sum(abs(x), axis, keepdims)
    if ord == np.inf:
        return max(abs(x), axis, keepdims)
    if ord != 2:
        raise ValueError(f"norm of order {ord!r}; give 1, 2 or inf")
    square = sum(mul(x, x), axis, keepdims)
    zero = np.equal(square, 0.0)
    return where(zero, 0.0, sqrt(where(zero, 1.0, square)))


offer(norm, "norm")


def outer(a: Any, b: Any) -> Tensor:
    """a_i b_j for vectors a (m,) and b (n,); shape (m, n).

    >>> import micrornn as mr
    >>> mr.outer(mr.tensor([1.0, 2.0]), [3.0, 4.0]).data.tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    return mul(expand_dims(reshape(a, (-1,)), 1), reshape(b, (-1,)))


offer(outer, "outer", numpy=[np.outer])


def tensordot(a: Any, b: Any, axes: int | Sequence[Any] = 2) -> Tensor:
    """The sum of products over several axes: the last of a with the first of b, or those that are listed.

    >>> import micrornn as mr
    >>> mr.tensordot(mr.tensor([[1.0, 2.0]]), [[3.0], [4.0]], axes=1).data.tolist()
    [[11.0]]
    """
    m, n = len(shape_of(a)), len(shape_of(b))
    if isinstance(axes, int):
        axes = (range(m - axes, m), range(axes))
    pairs = [[axis] if isinstance(axis, int) else list(axis) for axis in axes]
    of_a = list(range(m))
    of_b = list(range(m, m + n))
    for i, j in zip(*pairs, strict=True):
        of_b[j] = of_a[i]
    kept = [k for k in of_a if k not in of_b] + [k for k in of_b if k not in of_a]
    return einsum(a, of_a, b, of_b, kept)


offer(tensordot, numpy=[np.tensordot])


def roll(x: Any, shift: int, axis: int | None = None) -> Tensor:
    """The elements moved along an axis, what falls off at the end coming in at the front, as NumPy's.

    >>> import micrornn as mr
    >>> mr.roll(mr.tensor([1.0, 2.0, 3.0]), 1).data
    array([3., 1., 2.])
    """
    if axis is None:
        return reshape(roll(reshape(x, (-1,)), shift, 0), shape_of(x))
    length = shape_of(x)[axis]
    return take(x, (np.arange(length) - shift) % (length or 1), axis)


offer(roll, "roll", numpy=[np.roll])


def gather(x: Any, axis: int, index: Any) -> Tensor:
    """Elements picked along an axis, one index for each element of the result (NumPy's take_along_axis).

    Args:
        index: integers of the result's shape, which is that of x but along the axis.

    >>> import micrornn as mr
    >>> mr.gather(mr.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, [[0], [1]]).data.tolist()
    [[1.0], [4.0]]
    """
    index = np.asanyarray(index._value if isinstance(index, Tensor) else index)
    shape = shape_of(x)
    if index.dtype.kind not in "iu" or index.ndim != len(shape):
        raise TypeError(
            f"gather needs integers with {len(shape)} axes, as x has; index has {index.ndim} of {index.dtype}"
        )
    grid: list[Data] = list(np.indices(index.shape, sparse=True))
    grid[normalize_axis_index(axis, len(shape))] = index
    return getitem(x, index=tuple(grid))


offer(gather, "gather")
