"""Where each number comes from: which time step and which sequence of the batch it was computed from.

A mark is an integer that every element of a value carries: the place it was read from, or the state it was
computed from. Views move marks as they move elements; operations by element keep them; a product keeps the
mark that all elements share which it adds up. What comes from nowhere, or from several places, is `NONE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.recording.losses import kind_of

Array = np.ndarray[Any, Any]
Marks = dict[int, Array]  # by a node's number, in the node's shape

NONE = -1
_MOVES = ("view", "join")


def carried(
    nodes: Iterable[Tensor],
    seed: Callable[[Tensor], Array | None],
    stop: Callable[[Tensor], bool] = lambda node: False,
) -> Marks:
    """The marks of all nodes that something marked leads to.

    Args:
        nodes: oldest first.
        seed: the marks of a node where marking begins; None anywhere else.
        stop: nodes that pass no marks on.
    """
    marks: Marks = {}
    for node in nodes:
        own = seed(node)
        if own is None and not stop(node) and any(x.number in marks for x in node.inputs):
            own = through(node, [marks.get(x.number) for x in node.inputs])
        if own is not None and (own != NONE).any():
            marks[node.number] = own
    return marks


def through(node: Tensor, marks: list[Array | None]) -> Array | None:
    """The marks of a node, from those of its inputs; None where none is left."""
    kind = kind_of(node)
    if kind in _MOVES:
        return _moved(node, marks)
    if kind == "product":
        return _product(node, marks)
    if kind == "reduction":
        return _reduced(node, marks[0])
    if kind == "loss":
        axis = node.params.get("axis")
        if marks[0] is None or not isinstance(axis, int) or not node.ndim:
            return None
        return shared(marks[0], axis)
    return _by_element(node, marks)


def _moved(node: Tensor, marks: list[Array | None]) -> Array | None:
    p = node.primitive
    given = [np.full(x.shape, NONE) if m is None else m for m, x in zip(marks, node.inputs)]
    try:
        moved = np.asarray(p.forward(*given, **node.params)) if p is not None else None
    except (ValueError, TypeError, IndexError):
        return None
    if moved is None or moved.shape != node.shape:
        return None
    return moved.astype(np.int64)


def _product(node: Tensor, marks: list[Array | None]) -> Array | None:
    marked = [i for i, m in enumerate(marks) if m is not None]
    if marked == [0] and marks[0] is not None and marks[0].ndim:
        rows = shared(marks[0], -1)[..., None]
    elif marked == [1] and marks[1] is not None and marks[1].ndim >= 2:
        rows = shared(marks[1], -2)[..., None, :]
    else:
        return None
    fits = rows.ndim == node.ndim and all(a in (1, b) for a, b in zip(rows.shape, node.shape))
    return np.broadcast_to(rows, node.shape) if fits else None


def _reduced(node: Tensor, marks: Array | None) -> Array | None:
    axis = node.params.get("axis")
    if marks is None or axis is None:
        return None
    axes = axis if isinstance(axis, tuple) else (axis,)
    for one in sorted({a % marks.ndim for a in axes}, reverse=True):
        marks = shared(marks, one)
        if node.params.get("keepdims"):
            marks = np.expand_dims(marks, one)
    return marks if marks.shape == node.shape else None


def _by_element(node: Tensor, marks: list[Array | None]) -> Array | None:
    whole: Array | None = None
    for m, x in zip(marks, node.inputs):
        if m is None or (node.requires_grad and not x.requires_grad):  # a mask, or noise
            continue
        try:
            one = np.broadcast_to(m, node.shape)
        except ValueError:
            return None
        if whole is None:
            whole = one
        else:
            whole = np.where(
                whole == NONE, one, np.where((one == NONE) | (one == whole), whole, NONE)
            )
    return whole


def shared(marks: Array, axis: int) -> Array:
    """Along an axis, the mark that all elements share; `NONE` where they differ."""
    if not marks.shape[axis]:
        return np.full(np.delete(marks.shape, axis), NONE)
    first = np.take(marks, 0, axis)
    same = (marks == np.expand_dims(first, axis)).all(axis)
    return np.where(same, first, NONE)
