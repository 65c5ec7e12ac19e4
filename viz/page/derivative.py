"""The local derivative of an operation, in the form in which the page multiplies by it.

What an operation sends to an input is the gradient G that arrived, times the derivative of the operation. As
a matrix that has a row for each element of the result and a column for each of the input; most operations
need far fewer numbers, and a product is the gradient times the other factor, as on paper.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor, shape_of
from micrornn.flow.pieces import Rows
from micrornn.flow.stacked import pull_rows

# G times the matrix; G times the matrix element by element; nothing; the matrix times G; G transposed times
# the matrix; single entries, as rows of (element of the result, element of the input, number).
TIMES, EACH, ZERO, BEFORE, ACROSS, ENTRIES = range(6)
LARGEST = (
    300_000  # numbers of a derivative that has to be found by trying every element of the result
)


class Derivative(NamedTuple):
    """``kind`` is one of the six above; ``matrix`` has two axes and is empty where the derivative is zero."""

    kind: int
    matrix: np.ndarray[Any, Any]


def derivative(node: Tensor, slot: int) -> Derivative | None:
    """The derivative of a node by its input in ``slot``; None where it would be too large.

    >>> import micrornn as mr
    >>> x = mr.tensor([1.0, 2.0], requires_grad=True)
    >>> derivative(mr.exp(x * 0.0), 0)
    Derivative(kind=1, matrix=array([[1., 1.]]))
    >>> derivative(mr.matmul(mr.tensor([[3.0, 4.0]]), x), 1)
    Derivative(kind=3, matrix=array([[3.],
           [4.]]))
    """
    p = node.primitive
    assert p is not None
    if p.kind == "checkpoint":  # what it computed was forgotten
        return None
    found = None
    if p.name in _PRODUCTS:
        found = _PRODUCTS[p.name](slot, *map(np.asarray, node.values))
    elif p.kind in ("view", "join"):
        found = _entries(node, slot, _moved(node, slot))
    elif p.vjp is p.jvp and not p.variadic:
        found = _each(node, slot)
    return found or _tried(node, slot)


def _matmul(slot: int, a: Any, b: Any) -> Derivative | None:
    if a.ndim > 2 or b.ndim > 2:
        return None
    if slot == 0:  # G bᵀ
        return Derivative(TIMES, b.T if b.ndim == 2 else b[None, :])
    return Derivative(BEFORE, a.T if a.ndim == 2 else a[:, None])  # aᵀ G


def _linear(slot: int, x: Any, w: Any, *bias: Any) -> Derivative | None:
    if slot == 0:
        return Derivative(TIMES, w)
    return Derivative(ACROSS, x.reshape(-1, x.shape[-1])) if slot == 1 else None


_PRODUCTS: dict[str, Callable[..., Derivative | None]] = {"matmul": _matmul, "linear": _linear}


def _each(node: Tensor, slot: int) -> Derivative:
    """Of an operation on each element by itself: what a gradient of ones becomes."""
    p, shape = node.primitive, shape_of(node.values[slot])
    assert p is not None and not callable(p.vjp)
    with np.errstate(all="ignore"):
        ones = np.ones(node.shape, node.dtype)
        values = [np.float64(v) if type(v) in (float, int, bool) else v for v in node.values]
        own = p.vjp[slot](ones, node._value, *values, **node.params)
    own = np.ravel(np.broadcast_to(np.asarray(own), node.shape))
    if shape == node.shape:
        return Derivative(EACH, own[None]) if own.any() else Derivative(ZERO, own[:0, None])
    places = np.broadcast_to(np.arange(np.prod(shape, dtype=int)).reshape(shape), node.shape)
    return _entries(node, slot, places, own)


def _moved(node: Tensor, slot: int) -> Any:
    """Of an operation that only moves numbers: for each element of the result, where it came from; or -1."""
    p = node.primitive
    assert p is not None
    places = [np.full(shape_of(v), -1.0) for v in node.values]
    places[slot] = np.arange(float(places[slot].size)).reshape(places[slot].shape)
    params = {k: v for k, v in node.params.items() if k != "dtype"}
    moved = places[0] if p.name == "cast" else p.forward(*places, **params)
    return np.asarray(moved).astype(int)


def _entries(node: Tensor, slot: int, places: Any, numbers: Any = None) -> Derivative:
    """From the place in the input of each element of the result, or -1, and the number there, or 1."""
    places = np.ravel(places)
    size = int(np.prod(shape_of(node.values[slot])))
    if len(places) == size and (places == np.arange(size)).all():
        return Derivative(EACH, np.ones((1, size)) if numbers is None else numbers[None])
    at = np.flatnonzero(places >= 0)
    numbers = np.ones(len(at)) if numbers is None else numbers[at]
    return Derivative(ENTRIES, np.stack([at, places[at], numbers], axis=1))


def _tried(node: Tensor, slot: int) -> Derivative | None:
    """Of any operation, by sending back a gradient that is one at a single element, for each element."""
    m, n = node.size, int(np.prod(shape_of(node.values[slot])))
    if m * n > LARGEST:
        return None
    rows = Rows(np.arange(m), np.eye(m, dtype=node.dtype).reshape(m, *node.shape))
    with np.errstate(all="ignore"):
        matrix = np.asarray(pull_rows(node, rows, [slot])[0].dense()).reshape(m, n)
    if not matrix.any():
        return Derivative(ZERO, matrix[:0])
    if m == n and not (matrix - np.diag(np.diag(matrix))).any():
        return Derivative(EACH, np.diag(matrix)[None])
    at, to = np.nonzero(matrix)
    if 3 * len(at) < matrix.size:
        return Derivative(ENTRIES, np.stack([at, to, matrix[at, to]], axis=1))
    return Derivative(TIMES, matrix)


def times(g: Any, local: Derivative, size: int) -> Any:
    """What is sent: the flat gradient g times a derivative, as an array of ``size``.

    >>> times(np.array([1.0, 2.0]), Derivative(EACH, np.array([[3.0, 4.0]])), 2)
    array([3., 8.])
    """
    kind, m = local
    if kind == ENTRIES:
        sent = np.zeros(size)
        np.add.at(sent, m[:, 1].astype(int), g[m[:, 0].astype(int)] * m[:, 2])
        return sent
    if kind == TIMES:
        return (g.reshape(-1, m.shape[0]) @ m).ravel()
    if kind == BEFORE:
        return (m @ g.reshape(m.shape[1], -1)).ravel()
    if kind == ACROSS:
        return (g.reshape(m.shape[0], -1).T @ m).ravel()
    return g * m[0] if kind == EACH else np.zeros(size)
