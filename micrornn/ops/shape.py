"""Operations that move elements without changing them: reshaping, reordering, broadcasting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.operators import Operators, offer
from micrornn.core.primitive import primitive, sample, unbroadcast
from micrornn.core.tensor import Tensor, shape_of

Shape = tuple[int, ...]


def _fixed(numbers: Any) -> Any:
    """Lengths or axes that cannot change later: a list as a tuple, anything else as it is."""
    return tuple(numbers) if isinstance(numbers, list) else numbers


_reshape = primitive(
    "reshape",
    "x in another shape",
    forward=lambda x, *, shape: np.reshape(x, shape),
    vjp=(lambda g, y, x, shape: reshape(g, shape_of(x)),),
    jvp=(lambda d, y, x, shape: reshape(d, shape),),
    samples=(sample((2, 3), shape=(3, 2)), sample((6,), shape=(-1, 2)), sample((), shape=(1, 1))),
    kind="view",
)


def reshape(x: Any, shape: int | Sequence[int]) -> Tensor:
    """The same elements in another shape; one length may be -1.

    >>> import micrornn as mr
    >>> mr.reshape(mr.tensor([1.0, 2.0]), (2, 1)).shape
    (2, 1)
    """
    return _reshape(x, shape=_fixed(shape))


offer(reshape, numpy=[np.reshape])


def _reshape_method(x: Tensor, *shape: Any) -> Tensor:
    return reshape(x, _one_or_several(shape))


offer(_reshape_method, "reshape")


def _one_or_several(given: tuple[Any, ...]) -> Any:
    """What NumPy's methods take: ``(2, 3)`` and ``2, 3`` are the same."""
    return given[0] if len(given) == 1 and not isinstance(given[0], int) else given


_transpose = primitive(
    "transpose",
    "x with its axes permuted",
    forward=lambda x, *, axes: np.transpose(x, axes),
    vjp=(lambda g, y, x, axes: transpose(g, None if axes is None else _inverse(axes)),),
    jvp=(lambda d, y, x, axes: transpose(d, axes),),
    samples=(sample((2, 3), axes=None), sample((2, 3, 4), axes=(2, 0, 1))),
    symbol="ᵀ",
    kind="view",
)


def _inverse(axes: Shape) -> Shape:
    inverse = [0] * len(axes)
    for i, axis in enumerate(axes):
        inverse[axis] = i
    return tuple(inverse)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """The axes permuted; reversed by default.

    >>> import micrornn as mr
    >>> mr.transpose(mr.tensor([[1.0, 2.0]])).shape
    (2, 1)
    """
    return _transpose(x, axes=_fixed(axes))


offer(transpose, numpy=[np.transpose])


def _transpose_method(x: Tensor, *axes: Any) -> Tensor:
    return transpose(x, _one_or_several(axes) if axes else None)


offer(_transpose_method, "transpose")


setattr(Operators, "T", property(transpose, doc="The tensor with its axes reversed."))  # noqa: B010


_swapaxes = primitive(
    "swapaxes",
    "x with two axes exchanged",
    forward=lambda x, *, axis1, axis2: np.swapaxes(x, axis1, axis2),
    vjp=(lambda g, y, x, axis1, axis2: swapaxes(g, axis1, axis2),),
    jvp=(lambda d, y, x, axis1, axis2: swapaxes(d, axis1, axis2),),
    samples=(sample((2, 3, 4), axis1=0, axis2=-1),),
    kind="view",
)


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged.

    >>> import micrornn as mr
    >>> mr.swapaxes(mr.tensor([[1.0, 2.0]]), 0, 1).shape
    (2, 1)
    """
    return _swapaxes(x, axis1=axis1, axis2=axis2)


offer(swapaxes, "swapaxes", numpy=[np.swapaxes])


_broadcast_to = primitive(
    "broadcast_to",
    "x repeated to a shape",
    forward=lambda x, *, shape: np.broadcast_to(x, shape).copy(),
    vjp=(lambda g, y, x, shape: unbroadcast(g, shape_of(x)),),
    jvp=(lambda d, y, x, shape: broadcast_to(d, shape),),
    samples=(sample((3,), shape=(2, 3)), sample((2, 1), shape=(2, 3)), sample((), shape=(2,))),
    kind="view",
)


def broadcast_to(x: Any, shape: int | Sequence[int]) -> Tensor:
    """x repeated along new and length-1 axes to the shape, by NumPy's rules.

    >>> import micrornn as mr
    >>> mr.broadcast_to(mr.tensor([1.0]), (2, 2)).shape
    (2, 2)
    """
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return x if shape_of(x) == shape else _broadcast_to(x, shape=shape)


offer(broadcast_to, numpy=[np.broadcast_to])


_squeeze = primitive(
    "squeeze",
    "x without axes of length 1",
    forward=lambda x, *, axis: np.squeeze(x, axis=axis),
    vjp=(lambda g, y, x, axis: reshape(g, shape_of(x)),),
    jvp=(lambda d, y, x, axis: squeeze(d, axis),),
    samples=(sample((2, 1, 3), axis=1), sample((1, 3, 1), axis=None)),
    kind="view",
)


def squeeze(x: Any, axis: Any = None) -> Tensor:
    """x without its axes of length 1, or without the named ones.

    >>> import micrornn as mr
    >>> mr.squeeze(mr.tensor([[1.0, 2.0]])).shape
    (2,)
    """
    return _squeeze(x, axis=axis)


offer(squeeze, "squeeze", numpy=[np.squeeze])


_expand_dims = primitive(
    "expand_dims",
    "x with new axes of length 1",
    forward=lambda x, *, axis: np.expand_dims(x, axis),
    vjp=(lambda g, y, x, axis: reshape(g, shape_of(x)),),
    jvp=(lambda d, y, x, axis: expand_dims(d, axis),),
    samples=(sample((2, 3), axis=0), sample((2, 3), axis=-1), sample((3,), axis=(0, 2))),
    kind="view",
)


def expand_dims(x: Any, axis: Any) -> Tensor:
    """x with new axes of length 1 at the named positions.

    >>> import micrornn as mr
    >>> mr.expand_dims(mr.tensor([1.0, 2.0]), 0).shape
    (1, 2)
    """
    return _expand_dims(x, axis=_fixed(axis))


offer(expand_dims, numpy=[np.expand_dims])


_flip = primitive(
    "flip",
    "x in reverse order",
    forward=lambda x, *, axis: np.flip(x, axis),
    vjp=(lambda g, y, x, axis: flip(g, axis),),
    jvp=(lambda d, y, x, axis: flip(d, axis),),
    samples=(sample((2, 3), axis=0), sample((2, 3), axis=(0, 1)), sample((3,), axis=None)),
    kind="view",
)


def flip(x: Any, axis: Any = None) -> Tensor:
    """x in reverse order along the axes (all of them by default).

    >>> import micrornn as mr
    >>> mr.flip(mr.tensor([1.0, 2.0]))
    tensor([2., 1.], flip)
    """
    return _flip(x, axis=_fixed(axis))


offer(flip, numpy=[np.flip])
