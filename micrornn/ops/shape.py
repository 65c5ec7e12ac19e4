"""Operations that move elements without changing them: reshaping, joining, padding, broadcasting."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from micrornn.core.operators import Operators, offer
from micrornn.core.primitive import primitive, sample, unbroadcast
from micrornn.core.tensor import Tensor, shape_of
from micrornn.ops.index import getitem

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


def _pieces(g: Any, y: Any, *xs: Any, axis: int) -> list[Any]:
    ends = np.cumsum([shape_of(x)[axis] for x in xs])
    lead = (slice(None),) * (axis % len(shape_of(xs[0])))
    starts = (0, *ends[:-1])
    return [g[(*lead, slice(int(a), int(b)))] for a, b in zip(starts, ends, strict=True)]


def _or_zeros(ds: Sequence[Any], xs: Sequence[Any]) -> list[Any]:
    return [np.zeros_like(x) if d is None else d for d, x in zip(ds, xs)]


_concatenate = primitive(
    "concatenate",
    "x₁, x₂, ... joined along an axis",
    forward=lambda *xs, axis: np.concatenate(xs, axis=axis),
    vjp=_pieces,
    jvp=lambda ds, y, *xs, axis: concatenate(_or_zeros(ds, xs), axis),
    samples=(sample((2, 3), (1, 3), axis=0), sample((2, 3), (2, 2), (2, 1), axis=-1)),
    symbol="⧺",
    kind="join",
)


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """Arrays joined along an existing axis.

    Raises:
        TypeError: the axis is no integer (to join flattened arrays, reshape them first).

    >>> import micrornn as mr
    >>> mr.concatenate([mr.tensor([1.0]), mr.tensor([2.0])])
    tensor([1., 2.], concatenate)
    """
    return _concatenate(*arrays, axis=operator.index(axis))


offer(concatenate, numpy=[np.concatenate])


def _layers(g: Any, y: Any, *xs: Any, axis: int) -> list[Any]:
    lead = (slice(None),) * (axis % len(shape_of(y)))
    return [g[(*lead, i)] for i in range(len(xs))]


_stack = primitive(
    "stack",
    "x₁, x₂, ... along a new axis",
    forward=lambda *xs, axis: np.stack(xs, axis=axis),
    vjp=_layers,
    jvp=lambda ds, y, *xs, axis: stack(_or_zeros(ds, xs), axis),
    samples=(
        sample((2, 3), (2, 3), axis=0),
        sample((3,), (3,), (3,), axis=-1),
        sample((), (), axis=0),
    ),
    kind="join",
)


def stack(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """Arrays of one shape joined along a new axis.

    >>> import micrornn as mr
    >>> mr.stack([mr.tensor(1.0), mr.tensor(2.0)])
    tensor([1., 2.], stack)
    """
    return _stack(*arrays, axis=operator.index(axis))


offer(stack, numpy=[np.stack])


def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """x cut along an axis: into equal sections, or at the given positions, as NumPy's split.

    Raises:
        ValueError: the axis does not divide into that many equal sections.

    >>> import micrornn as mr
    >>> mr.split(mr.tensor([1.0, 2.0, 3.0, 4.0]), 2)[1].data
    array([3., 4.])
    """
    axis = normalize_axis_index(axis, len(shape_of(x)))
    length = shape_of(x)[axis]
    if isinstance(sections, (int, np.integer)):
        if sections < 1 or length % sections:
            raise ValueError(
                f"split: axis {axis} of length {length} does not divide into {sections} equal "
                "sections; give a divisor, or the positions to cut at"
            )
        sections = [length // sections * i for i in range(1, sections)]
    edges = [0, *map(int, sections), length]
    lead = (slice(None),) * axis
    return [getitem(x, index=(*lead, slice(a, b))) for a, b in pairwise(edges)]


offer(split, numpy=[np.split])


def _unpad(g: Any, y: Any, x: Any, widths: Any) -> Any:
    return g[tuple([slice(a, a + n) for (a, _), n in zip(widths, shape_of(x), strict=True)])]


_pad = primitive(
    "pad",
    "x with zeros around it",
    forward=lambda x, *, widths: np.pad(x, widths),
    vjp=(_unpad,),
    jvp=(lambda d, y, x, widths: pad(d, widths),),
    samples=(sample((2, 3), widths=((1, 0), (0, 2))), sample((3,), widths=((2, 1),))),
)


def pad(x: Any, widths: Any) -> Tensor:
    """x with zeros around it; widths as NumPy's pad: an int, (before, after), or one pair per axis.

    >>> import micrornn as mr
    >>> mr.pad(mr.tensor([1.0]), (1, 2))
    tensor([0., 1., 0., 0.], pad)
    """
    pairs = np.broadcast_to(widths, (len(shape_of(x)), 2)).tolist()
    return _pad(x, widths=tuple((a, b) for a, b in pairs))


offer(pad, numpy=[np.pad])


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
