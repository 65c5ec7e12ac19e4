"""Backward between the boxes of the page as matrices, so that the page can run it again with other gradients.

Backward is linear in the gradient: what a box sends to another is what arrived there times a matrix that the
forward pass alone decides. With these matrices the page follows any loss, and changes a gradient, exactly.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import Rows
from micrornn.flow.rows import sweep
from micrornn.recording import Recording
from viz.picture.story import LOSS, Box

DENSE, DIAGONAL, ZERO = 0, 1, 2
_NUMBERS = 100_000  # in all matrices: half a megabyte of text
_ROWS = 4_000  # elements of all boxes: a row is carried back for each


def fits(boxes: Sequence[Box]) -> bool:
    """Whether these boxes are few enough for matrices between them."""
    return sum(node.size for box in boxes for node in box.nodes.values()) <= _ROWS


def linear(rec: Recording, boxes: Sequence[Box]) -> dict[str, Any] | None:
    """The matrices between the nodes of the boxes; None where they would make the page large.

    Returns:
        nodes: newest first, as [box, index of the name, elements]; box -1 is a total of losses.
        edges: as [from, to, kind], each with its matrix in ``numbers``: ``sent = arrived @ matrix``, shape
            (from, to), or its diagonal alone, or nothing where it is zero.
        seeds: where the recorded backward began, as [node, values].
        losses: by box of a loss, its node, which is that of a state where the loss is one.
        numbers: of all matrices in turn, as base64 of float32.
    """
    place: dict[int, tuple[Tensor, int, int]] = {}
    for i, box in enumerate(boxes):
        for k, node in enumerate(box.nodes.values()):
            place.setdefault(node.number, (node, i, k))
    seeds: dict[int, Any] = {}
    for run in rec.passes:
        place.setdefault(run.out.number, (run.out, -1, 0))
        seeds[run.out.number] = seeds.get(run.out.number, 0.0) + np.asarray(run.seed, dtype=float)
    order = sorted(place, reverse=True)
    if not fits(boxes):
        return None
    index = {number: i for i, number in enumerate(order)}
    first = dict(zip(order, np.cumsum([0, *(place[n][0].size for n in order)]).tolist()))
    edges: list[tuple[int, int, int]] = []
    numbers: list[np.ndarray[Any, Any]] = []
    room = _NUMBERS

    def identity(node: Tensor) -> Rows:
        size = node.size
        rows = np.eye(size, dtype=node.dtype).reshape(size, *node.shape)
        return Rows(np.arange(first[node.number], first[node.number] + size), rows)

    def turn(node: Tensor, rows: Rows) -> Rows:
        nonlocal room
        if node.number not in index or room < 0:
            return rows
        for source in {owner[label] for label in rows.labels.tolist()} - {node.number}:
            own = [owner[label] == source for label in rows.labels.tolist()]
            labels, size = rows.labels[own] - first[source], place[source][0].size
            matrix = np.zeros((size, node.size))
            matrix[labels] = rows.values[own].reshape(len(labels), -1)
            kind, kept = _compact(matrix)
            if kind == ZERO and not _within(boxes, place[source][1], place[node.number][1]):
                continue  # a slice of what was joined, say: no way leads from one to the other
            edges.append((index[source], index[node.number], kind))
            numbers.append(kept)
            room -= kept.size
        return identity(node)

    owner = [number for number in order for _ in range(place[number][0].size)]
    with np.errstate(all="ignore"):
        sweep(rec.nodes, {n: identity(place[n][0]) for n in order}, index, turn=turn)
    if room < 0:
        return None
    flat = np.concatenate([*numbers, np.zeros(0)]).astype("<f4")
    return {
        "nodes": [[place[n][1], place[n][2], place[n][0].size] for n in order],
        "edges": [list(edge) for edge in edges],
        "seeds": [
            [index[n], np.ravel(np.broadcast_to(seed, place[n][0].shape)).tolist()]
            for n, seed in seeds.items()
        ],
        "losses": {
            str(i): index[node.number]
            for i, box in enumerate(boxes)
            if box.kind == LOSS
            for node in box.nodes.values()
        },
        "numbers": base64.b64encode(flat.tobytes()).decode(),
    }


def _compact(matrix: np.ndarray[Any, Any]) -> tuple[int, np.ndarray[Any, Any]]:
    """The kind of a matrix, and the numbers that have to be kept of it."""
    if not matrix.any():
        return ZERO, np.zeros(0)
    rows, columns = matrix.shape
    if rows == columns and not (matrix - np.diag(np.diag(matrix))).any():
        return DIAGONAL, np.diag(matrix)
    return DENSE, matrix.ravel()


def _within(boxes: Sequence[Box], source: int, target: int) -> bool:
    """Whether both are of one layer, at the same step or the next: there a zero is one that was computed."""
    a, b = boxes[source], boxes[target]
    return bool(
        min(source, target) >= 0 and a.layer and a.layer == b.layer and a.step - b.step <= 1
    )
