"""Reading a part of an array, and writing parts into a whole: indexing, embedding lookup, scatter."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from micrornn.core.operators import offer
from micrornn.core.primitive import Operation, primitive, sample
from micrornn.core.tensor import Data, Tensor, shape_of
from micrornn.ops.followed import fresh

Index = Any  # what NumPy takes between brackets

_REPEATED = np.array([2, 0, 2])  # the same row twice: its gradients add up

getitem: Operation = primitive(
    "getitem",
    "x[index]",
    forward=lambda x, *, index: x[index],
    vjp=(lambda g, y, x, index: scatter(g, index=(index,), shape=shape_of(x)),),
    jvp=(lambda d, y, x, index: getitem(d, index=index),),
    samples=(
        sample((4, 3), index=1),
        sample((4, 3), index=(slice(1, 3), slice(None, None, 2))),
        sample((4, 3), index=(Ellipsis, None, 0)),
        sample((4, 3), index=_REPEATED),
        sample((4, 3), index=(_REPEATED, np.array([0, 1, 0]))),
        sample((4, 3), index=np.eye(4, 3) > 0),
    ),
    symbol="[ ]",
    methods="",
    kind="view",
)


def as_index(index: Index) -> Index:
    """An index that NumPy takes and that cannot change later: tensors become arrays, arrays copies."""
    if isinstance(index, tuple):
        return tuple([as_index(i) for i in index])
    if isinstance(index, Tensor):
        index = index._value
        return int(index) if isinstance(index, float) else index
    if isinstance(index, (list, np.ndarray)):
        array = fresh(index)
        return array if array.size or array.dtype.kind in "iub" else array.astype(int)
    return index


def _index_with(x: Tensor, index: Index) -> Tensor:
    """x[index]: NumPy's basic and integer-array indexing.

    >>> import micrornn as mr
    >>> x = mr.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> x[[0, 2, 2]].sum().backward()
    >>> x.grad
    array([1., 0., 2.])
    """
    kind = type(index)
    return getitem(x, index=index if kind is int or kind is slice else as_index(index))


offer(_index_with, "__getitem__")


def take(x: Any, index: Any, axis: int = 0) -> Tensor:
    """Rows (or slices along an axis) picked by an integer array: an embedding lookup.

    Args:
        x: shape (V, ...) for axis 0.
        index: integers of any shape S; the result has shape S + x.shape[1:] for axis 0.

    Raises:
        TypeError: the index does not hold integers.

    >>> import micrornn as mr
    >>> table = mr.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> mr.take(table, [1, 0, 1]).shape
    (3, 2)
    """
    index = as_index(index)
    if np.asarray(index).dtype.kind not in "iu":
        raise TypeError(
            f"take wants integers to pick rows with, not {np.asarray(index).dtype}; "
            "convert the index, for example index.astype(int)"
        )
    shape = shape_of(x)
    if not shape:  # of a scalar NumPy takes as of a list of one
        x, shape = getitem(x, index=(None,)), (1,)
    lead = (slice(None),) * normalize_axis_index(axis, len(shape))
    return getitem(x, index=(*lead, index) if lead else index)


offer(take, "take", numpy=[np.take])


def _scatter(*parts: Data, index: tuple[Index, ...], shape: tuple[int, ...]) -> Data:
    whole = np.zeros(shape, np.result_type(*[np.result_type(part) for part in parts]))
    for part, where in zip(parts, index):
        np.add.at(whole, where, part)
    return whole


scatter: Operation = primitive(
    "scatter",
    "zeros of a shape, with x₁ added at index₁, x₂ at index₂, ...",
    forward=_scatter,
    vjp=lambda g, y, *parts, index, shape: [g[i] for i in index],
    jvp=lambda ds, y, *parts, index, shape: scatter(
        *[d for d in ds if d is not None],
        index=tuple([i for i, d in zip(index, ds, strict=True) if d is not None]),
        shape=shape,
    ),
    samples=(
        sample((3,), (2,), index=(1, (slice(0, 2), 0)), shape=(4, 3)),
        sample((3, 3), index=(_REPEATED,), shape=(4, 3)),
    ),
    methods="",
    kind="parts",
)
