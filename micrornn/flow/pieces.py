"""Rows of gradients, each under a label, as a sweep holds them: written out, or as a slice or a product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

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


def one(value: Any, label: int = 0) -> Rows:
    """A single gradient as rows."""
    return Rows(np.array([label]), np.asarray(value, getattr(value, "dtype", float))[None])


def assemble(pieces: Sequence[Piece], shape: tuple[int, ...]) -> Rows:
    """The sum of pieces: one row for each label that any of them has."""
    first = pieces[0]
    if len(pieces) == 1 and isinstance(first, Rows):
        return first
    labels = first.labels
    if not all(_same(piece.labels, labels) for piece in pieces):
        labels = np.concatenate([piece.labels for piece in pieces])
        labels.sort()
        labels = labels[_firsts(labels)]
    kinds = {p.left.dtype if isinstance(p, ProductRows) else p.values.dtype for p in pieces}
    total = np.zeros(
        (len(labels), *shape), kinds.pop() if len(kinds) == 1 else np.result_type(*kinds)
    )
    for piece in pieces:
        at: Any = slice(None)
        if len(piece.labels) < len(labels):
            places = np.searchsorted(labels, piece.labels)
            low, high = int(places[0]), int(places[-1]) + 1
            at = slice(low, high) if high - low == len(places) else places
        if isinstance(piece, PartRows):
            _add_part(total, at, piece)
        elif len(piece.labels) == len(labels):
            total += piece.dense()
        else:
            total[at] += piece.dense()
    return Rows(labels, total)


def _same(labels: Array, others: Array) -> bool:
    return labels is others or (len(labels) == len(others) and bool((labels == others).all()))


def _firsts(ordered: Array) -> Array:
    """Which elements differ from the one before."""
    found = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=found[1:])
    return found


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
    if (labels[1:] > labels[:-1]).all():
        return piece._replace(labels=labels)
    order = labels.argsort(kind="stable")
    ordered = labels[order]
    starts = np.flatnonzero(_firsts(ordered))
    new = ordered[starts]

    def merged(rows: Array) -> Array:
        rows = rows[order]
        return rows if len(new) == len(rows) else np.add.reduceat(rows, starts, axis=0)

    if not isinstance(piece, ProductRows):
        return piece._replace(labels=new, values=merged(piece.values))
    if piece.leading:
        return piece._replace(labels=new, left=merged(piece.left))
    return piece._replace(labels=new, right=merged(piece.right))


def first_moved(piece: Piece, label: int) -> Piece:
    """The piece with its first row under a higher label: `relabel`, without sorting.

    >>> first_moved(Rows(np.array([0, 2, 7]), np.array([1.0, 10.0, 100.0])), 2)
    Rows(labels=array([2, 7]), values=array([ 11., 100.]))
    >>> first_moved(Rows(np.array([0, 2, 7]), np.array([1.0, 10.0, 100.0])), 3)
    Rows(labels=array([2, 3, 7]), values=array([ 10.,   1., 100.]))
    """
    labels = piece.labels
    at = int(labels.searchsorted(label))
    there = at < len(labels) and labels[at] == label
    if not there or not isinstance(piece, Rows):
        return relabel(piece, np.concatenate([[label], labels[1:]]))
    values = piece.values[1:].copy()
    values[at - 1] += piece.values[0]
    return Rows(labels[1:], values)
