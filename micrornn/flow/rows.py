"""Many gradients carried through one graph at once: a row for each, under a label.

A pullback is linear in the gradient that arrives, so a stack of gradients can go through it together.
What a label means is the reader's business: the loss that a gradient began at (credit map), a unit of a
state (Jacobians), a class of paths, a single path. A node holds rows for those labels only that have
reached it, so that nothing is spent on what cannot be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.primitive import Primitive, unbroadcast
from micrornn.core.tensor import Tensor, shape_of

Array = np.ndarray[Any, Any]


class Rows(NamedTuple):
    """Gradients of one node: ``values[i]``, in the node's shape, under ``labels[i]``; labels ascend."""

    labels: Array
    values: Array

    def dense(self) -> Array:
        """The gradients, shape (rows, *node)."""
        return self.values


class PartRows(NamedTuple):
    """Gradients that are zero but for ``values`` at ``at``, as a slice sends them."""

    labels: Array
    values: Array
    at: tuple[Any, ...]
    shape: tuple[int, ...]

    def dense(self) -> Array:
        """The gradients, shape (rows, *node)."""
        return assemble([self], self.shape).values


class ProductRows(NamedTuple):
    """Gradients of a weight, ``left[i].T @ right`` or ``left.T @ right[i]``, over all rows of the batch."""

    labels: Array
    left: Array
    right: Array
    leading: bool  # whether left has the labels as its first axis; else right has

    def dense(self) -> Array:
        """The gradients, shape (rows, *weight)."""
        left, right = self.left, self.right
        n = len(self.labels)
        left = left.reshape(n if self.leading else 1, -1, left.shape[-1])
        right = right.reshape(1 if self.leading else n, -1, right.shape[-1])
        product: Array = np.matmul(left.swapaxes(1, 2), right)
        return product


Piece = Rows | PartRows | ProductRows
Turn = Callable[[Tensor, Rows], Rows]
Sent = Callable[[Tensor, int, Piece], None]
Edge = Callable[[Tensor, int, Piece], Piece]


def one(value: Any, label: int = 0) -> Rows:
    """A single gradient as rows."""
    return Rows(np.array([label]), np.asarray(value, getattr(value, "dtype", float))[None])


def sweep(
    nodes: Sequence[Tensor],
    seeds: dict[int, Rows],
    wanted: Iterable[int],
    *,
    stop: bool = False,
    turn: Turn | None = None,
    edge: Edge | None = None,
    sent: Sent | None = None,
) -> dict[int, Rows]:
    """Carry seeds back to the wanted nodes, through the nodes that lie between and no others.

    Unlike a backward pass, it reaches nodes that want no gradient as well: inputs and initial states.

    Args:
        nodes: the graph, oldest first.
        seeds: by node number, the rows to begin with.
        wanted: numbers of the nodes whose rows are asked for.
        stop: a wanted node sends nothing on (what lies between two states, and no further).
        turn: may change the rows of a node before they are sent on: give them other labels.
        edge: may likewise change what is sent from a node to one of its inputs.
        sent: is told of every contribution to a wanted node, which is then not added up.

    Returns:
        By number, the rows that arrived at the wanted nodes; nothing for a node without a path.
    """
    asked = set(wanted)
    needed = descendants(nodes, asked)
    pending: dict[int, list[Piece]] = {}
    found: dict[int, Rows] = {}
    for node in reversed(nodes):
        number = node.number
        pieces: list[Piece] = pending.pop(number, [])
        if number in seeds and number in needed:
            pieces.append(seeds[number])
        if not pieces:
            continue
        rows = assemble(pieces, node.shape)
        if turn is not None:
            rows = turn(node, rows)
        if number in asked:
            found[number] = rows
            if stop and number not in seeds:
                continue
        slots = [i for i, x in enumerate(node.inputs) if x.number in needed]
        if not slots:
            continue
        for slot, piece in zip(slots, pull_rows(node, rows, slots)):
            x = node.inputs[slot]
            if edge is not None:
                piece = edge(node, slot, piece)
            if sent is not None and x.number in asked:
                sent(node, slot, piece)
            else:
                pending.setdefault(x.number, []).append(piece)
    return found


def descendants(nodes: Sequence[Tensor], sources: set[int]) -> set[int]:
    """The numbers of the sources and of all that was computed from them."""
    reached = set(sources)
    for node in nodes:
        for x in node.inputs:
            if x.number in reached:
                reached.add(node.number)
                break
    return reached


def assemble(pieces: Sequence[Piece], shape: tuple[int, ...]) -> Rows:
    """The sum of pieces: one row for each label that any of them has."""
    first = pieces[0]
    if len(pieces) == 1 and isinstance(first, Rows):
        return first
    if all(piece.labels is first.labels for piece in pieces):
        labels = first.labels
    else:
        labels = np.unique(np.concatenate([piece.labels for piece in pieces]))
    kinds = [p.left.dtype if isinstance(p, ProductRows) else p.values.dtype for p in pieces]
    total = np.zeros((len(labels), *shape), np.result_type(*kinds))
    for piece in pieces:
        at: Any = slice(None)
        if piece.labels is not labels and len(piece.labels) < len(labels):
            places = np.searchsorted(labels, piece.labels)
            low, high = int(places[0]), int(places[-1]) + 1
            at = slice(low, high) if high - low == len(places) else places
        if isinstance(piece, PartRows):
            _add_part(total, at, piece)
        else:
            total[at] += piece.dense()
    return Rows(labels, total)


def _add_part(total: Array, at: Any, piece: PartRows) -> None:
    repeats = any(isinstance(i, np.ndarray) and i.dtype.kind != "b" for i in piece.at)
    target = total[at] if isinstance(at, slice) else total[at].copy()
    if repeats:
        np.add.at(target, (slice(None), *piece.at), piece.values)
    else:
        target[(slice(None), *piece.at)] += piece.values
    if not isinstance(at, slice):
        total[at] = target


def relabel(piece: Piece, labels: Array) -> Piece:
    """The piece under other labels, one for each row; rows that share one are added up.

    >>> rows = Rows(np.array([0, 1, 2]), np.array([1.0, 10.0, 100.0]))
    >>> relabel(rows, np.array([5, 3, 5]))
    Rows(labels=array([3, 5]), values=array([ 10., 101.]))
    """
    new, inverse = np.unique(labels, return_inverse=True)

    def merged(rows: Array) -> Array:
        total = np.zeros((len(new), *rows.shape[1:]), rows.dtype)
        np.add.at(total, inverse, rows)
        return total

    if not isinstance(piece, ProductRows):
        return piece._replace(labels=new, values=merged(piece.values))
    if piece.leading:
        return piece._replace(labels=new, left=merged(piece.left))
    return piece._replace(labels=new, right=merged(piece.right))


def pull_rows(node: Tensor, rows: Rows, slots: Sequence[int]) -> list[Piece]:
    """What a node sends to the inputs in ``slots`` when these rows have arrived."""
    p = node.primitive
    assert p is not None
    labels, g = rows
    values = node.values
    if p.name == "linear":
        return [_linear(labels, g, values, slot) for slot in slots]
    if p.name == "matmul" and (values[1].ndim, values[0].ndim) in ((2, 1), (2, 2), (2, 3), (1, 2)):
        return [_matmul(labels, g, values, slot) for slot in slots]
    if p.name == "getitem" and (index := _direct(node.params["index"])) is not None:
        return [PartRows(labels, g, index, shape_of(values[0]))]
    if p.vjp is p.jvp and not p.variadic:  # elementwise: see ops/elementwise.py
        return [_elementwise(node, p, rows, slot) for slot in slots]
    return _one_by_one(node, rows, slots)


def _linear(labels: Array, g: Array, values: tuple[Any, ...], slot: int) -> Piece:
    if slot == 1:
        return ProductRows(labels, g, values[0], True)
    if slot == 2:
        return Rows(labels, g.sum(axis=tuple(range(1, g.ndim - 1))) if g.ndim > 2 else g)
    return Rows(labels, _times(g, values[1]))


def _matmul(labels: Array, g: Array, values: tuple[Any, ...], slot: int) -> Piece:
    a, b = values
    if b.ndim == 1:  # a matrix and a vector
        return ProductRows(labels, g, b, True) if slot == 0 else Rows(labels, _times(g, a))
    return Rows(labels, _times(g, b.T)) if slot == 0 else ProductRows(labels, a, g, False)


def _times(g: Array, matrix: Array) -> Array:
    flat: Array = g.reshape(-1, g.shape[-1]).dot(matrix)
    return flat.reshape(*g.shape[:-1], matrix.shape[-1])


def _direct(index: Any) -> tuple[Any, ...] | None:
    """The index as a tuple, if it means the same behind one more axis in front."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = sum(isinstance(i, np.ndarray) for i in parts)
    if (
        arrays
        and len(parts) > 1
        and not (arrays == 1 and all(isinstance(i, (np.ndarray, slice)) for i in parts))
    ):
        return None
    return (
        parts
        if all(isinstance(i, (int, slice, np.ndarray)) or i in (None, ...) for i in parts)
        else None
    )


def _elementwise(node: Tensor, p: Primitive, rows: Rows, slot: int) -> Piece:
    labels, g = rows
    # The result is given in the shape of the rows, because a rule may work in place on what it makes.
    y = np.broadcast_to(node._value, g.shape)
    rule: Any = p.vjp[slot]  # type: ignore[index]
    c = np.asarray(rule(g, y, *node.values, **node.params))
    shape = shape_of(node.values[slot])
    extra = c.ndim - 1 - len(shape)
    if extra > 0:
        c = c.sum(axis=tuple(range(1, 1 + extra)))
    if extra < 0 or c.shape[1:] != shape:
        stretched = tuple(i + 1 for i, n in enumerate(shape) if n == 1)
        c = c.sum(axis=stretched, keepdims=True)
    return Rows(labels, c)


def _one_by_one(node: Tensor, rows: Rows, slots: Sequence[int]) -> list[Piece]:
    """By the ordinary rule, row after row: right for every primitive."""
    p: Any = node.primitive
    stacks: list[list[Any]] = [[] for _ in slots]
    for g in rows.values:
        g = g[()]
        if p.variadic:
            sent = p.vjp(g, node._value, *node.values, **node.params)
            parts = [sent[slot] for slot in slots]
        else:
            parts = [p.vjp[s](g, node._value, *node.values, **node.params) for s in slots]
        for stack, slot, c in zip(stacks, slots, parts):
            stack.append(unbroadcast(dense(c), shape_of(node.values[slot])))
    return [Rows(rows.labels, np.array(stack)) for stack in stacks]
