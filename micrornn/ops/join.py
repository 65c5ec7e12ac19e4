"""Several arrays as one, and one as several: joining, stacking, splitting, padding."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from micrornn.core.operators import offer
from micrornn.core.primitive import primitive, sample
from micrornn.core.tensor import Tensor, shape_of
from micrornn.ops.index import getitem


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
