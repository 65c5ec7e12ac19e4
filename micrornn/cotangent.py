"""Contributions that are cheaper left unwritten.

The gradient of a slice fills only a part of the whole, and the gradient of a weight in one step is an
outer product. Written out, each would be an array as large as the weight, for every step. So the rules of
indexing and of matrix products send a `Part` or a `Product`; these add up in a `Sum`, which is written out
once, when the total is needed: parts into one buffer, products as one product over all steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Cotangent = Any  # an array, a float, or one of the forms below

_ROWS = (
    512  # a Sum multiplies out its products when it holds so many rows: they are still in the cache
)


class Unwritten:
    """A contribution that is not an array yet: `dense()` makes it one."""

    __slots__ = ()
    __array_ufunc__ = None  # array + Unwritten asks us, not NumPy

    def dense(self) -> Any:
        """The contribution as an array."""
        raise NotImplementedError

    def __add__(self, other: Cotangent) -> Sum:
        return Sum(self).add(other)

    def __radd__(self, other: Cotangent) -> Sum:
        return Sum(self).add(other)


class Part(Unwritten):
    """Zeros of ``shape`` except for ``gradient`` at ``index``."""

    __slots__ = ("gradient", "index", "shape")

    def __init__(self, gradient: Cotangent, index: Any, shape: tuple[int, ...]) -> None:
        self.gradient = gradient
        self.index = index
        self.shape = shape

    def dense(self) -> Any:
        """Shape ``shape``; repeated indices add up."""
        return write_out([self])


class Product(Unwritten):
    """``left.T @ right``, summed over all rows: left (..., m), right (..., n), result (m, n)."""

    __slots__ = ("left", "right")

    def __init__(self, left: Cotangent, right: Cotangent) -> None:
        self.left = left
        self.right = right

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the written-out contribution."""
        return (self.left.shape[-1], self.right.shape[-1])

    def dense(self) -> Any:
        """Shape (m, n)."""
        return multiply_out([self])


class Sum(Unwritten):
    """A running sum of contributions, some of them unwritten."""

    __slots__ = ("own", "parts", "products", "rows", "written")

    def __init__(self, first: Cotangent) -> None:
        self.parts: list[Part] = []
        self.products: list[Product] = []
        self.rows = 0
        self.written: Any = None
        self.own = False  # whether `written` was made here, and may be added to in place
        self.add(first)

    def add(self, other: Cotangent) -> Sum:
        """Take one more contribution in; returns itself."""
        kind = type(other)
        if kind is Product:
            left = other.left
            products = self.products
            if products and products[-1].left.ndim != left.ndim:
                self._flush()  # rows of one shape are stacked at a time
            self.products.append(other)
            self.rows += 1 if left.ndim == 1 else math.prod(left.shape[:-1])
            if self.rows >= _ROWS:
                self._flush()
        elif kind is Part:
            self.parts.append(other)
        elif kind is Sum:
            for term in (*other.parts, *other.products):
                self.add(term)
            if other.written is not None:
                self.add(other.written)
        else:
            self._write(other, fresh=False)
        return self

    __add__ = __radd__ = add

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the written-out sum."""
        for terms in (self.parts, self.products):
            if terms:
                return terms[0].shape
        return np.shape(self.written)

    def _flush(self) -> None:
        done = multiply_out(self.products)
        self.products = []
        self.rows = 0
        self._write(done, fresh=True)

    def _write(self, done: Any, fresh: bool) -> None:
        if self.written is None:
            self.written, self.own = done, fresh and type(done) is np.ndarray
        elif self.own and type(done) is np.ndarray and done.dtype == self.written.dtype:
            self.written += done
        else:
            self.written, self.own = self.written + done, False

    def dense(self) -> Any:
        """The total, as an array."""
        if self.products:
            self._flush()
        if self.parts:
            done = write_out(self.parts)
            self.parts = []
            self._write(done, fresh=True)
        self.own = False  # it is someone else's now
        return self.written


def write_out(parts: list[Part]) -> Any:
    """The sum of the parts, written into one array."""
    shape = parts[0].shape
    index = tuple([part.index for part in parts])
    gradients = [part.gradient for part in parts]
    return put(gradients, index, shape)


def put(parts: Sequence[Any], index: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros of a shape, with the parts added, each at its index; repeated elements add up."""
    tiles = _tiles(index, shape)
    if tiles:
        axis, order = tiles
        return np.concatenate([parts[i] for i in order], axis)
    whole = np.zeros(shape, np.result_type(*{getattr(p, "dtype", np.dtype(float)) for p in parts}))
    for part, where in zip(parts, index):
        if not _is_basic(where):
            np.add.at(whole, where, part)
        elif type(view := whole[where]) is np.ndarray and view.base is whole:
            view += part
        else:
            whole[where] += part
    return whole


def _is_basic(index: Any) -> bool:
    """Whether each element is named at most once, so that += reaches it."""
    parts = index if isinstance(index, tuple) else (index,)
    return not any(isinstance(i, np.ndarray) and i.dtype.kind != "b" and i.ndim for i in parts)


def _tiles(index: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, list[int]] | None:
    """The axis along which slices tile the whole, and their order; None if they do not.

    So do the gates of an LSTM, cut from one product.
    """
    spans, axis = [], None
    for i, where in enumerate(index):
        *lead, last = where if type(where) is tuple and where else (where,)
        if type(last) is not slice or last.step is not None:
            return None
        if lead and lead[0] is Ellipsis:
            at = len(shape) - 1 if len(lead) == 1 else None
        else:
            at = len(lead) if all(type(k) is slice and k == slice(None) for k in lead) else None
        if at is None or at != (at if axis is None else axis):
            return None
        axis = at
        spans.append((*last.indices(shape[axis])[:2], i))
    spans.sort()
    end = 0
    for start, stop, _ in spans:
        if start != end:
            return None
        end = stop
    if axis is None or end != shape[axis]:
        return None
    return axis, [i for _, _, i in spans]


def multiply_out(products: list[Product]) -> Any:
    """The sum of the products as one product of all their rows."""
    lefts = [product.left for product in products]
    rights = [product.right for product in products]
    if len(products) == 1 and lefts[0].ndim == 1:
        return lefts[0][:, None] * rights[0]
    return _rows(lefts).T.dot(_rows(rights))


def _as_rows(shape: tuple[int, ...]) -> tuple[int, int]:
    return math.prod(shape[:-1]), shape[-1]


def _rows(arrays: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    if arrays[0].ndim == 1:
        return np.array(arrays)
    if arrays[0].ndim > 2:
        arrays = [x.reshape(_as_rows(x.shape)) for x in arrays]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
