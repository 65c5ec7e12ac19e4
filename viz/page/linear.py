"""Backward of a run as a linear system, so that the page can run it again with other gradients.

Backward is linear in the gradient: what an operation sends to an input is what arrived, times a derivative
that the forward pass alone decides. With these the page follows any loss, changes a gradient, divides a
weight's gradient by steps and shows the arithmetic of every operation, exactly.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.rows import descendants
from micrornn.messages import printable
from micrornn.recording import Recording
from viz.page.derivative import derivative
from viz.picture.story import LOSS, Box

_NUMBERS = (
    150_000  # in all derivatives: those that are equal, as of a weight at every step, count once
)
_ELEMENTS = 60_000  # of all nodes
_EDGES = 30_000


def linear(rec: Recording, boxes: Sequence[Box]) -> dict[str, Any] | None:
    """The derivatives between all nodes that a gradient passes; None where they would make the page large.

    Returns:
        nodes: newest first, as [box, index of the name, elements, step]; box -1 is none.
        edges: as [from, to, kind, place of the matrix], see `viz.page.derivative`.
        matrices: as [rows, columns], their numbers one after the other in ``numbers``.
        seeds: where the recorded backward began, as [node, values].
        losses: by box of a loss, its node, which is that of a state where the loss is one.
        weights: as [node, name] of every parameter.
        names: by node that is in no box, its name.
        numbers: of all matrices in turn, as base64 of float32.
    """
    place: dict[int, tuple[int, int]] = {}
    for i, box in enumerate(boxes):
        for k, node in enumerate(box.nodes.values()):
            place.setdefault(node.number, (i, k))
    seeds: dict[int, Any] = {}
    for run in rec.passes:
        seeds[run.out.number] = seeds.get(run.out.number, 0.0) + np.asarray(run.seed, dtype=float)
    own = {n.number: n for box in boxes for n in box.nodes.values()}
    weights = {p.number: p for p in rec.parameters}
    starts = {n.number for box in boxes if box.kind == LOSS for n in box.nodes.values()} | {*seeds}
    passed = descendants(rec.nodes, {*own, *weights}) & _behind(rec.nodes, starts)
    found = {n.number: n for n in rec.nodes if n.number in passed} | own
    found |= {n: p for n, p in weights.items() if n in passed}
    order = [found[number] for number in sorted(found, reverse=True)]
    if sum(node.size for node in order) > _ELEMENTS:
        return None
    index = {node.number: i for i, node in enumerate(order)}
    pool = _Pool()
    edges: list[list[int]] = []
    for i, node in enumerate(order):
        for slot, x in enumerate(node.inputs):
            if node.number not in passed or x.number not in index:
                continue
            local = derivative(node, slot)
            if local is None or pool.size > _NUMBERS or len(edges) > _EDGES:
                return None
            edges.append([i, index[x.number], local.kind, pool.place(local.matrix)])
    return {
        "nodes": [[*place.get(n.number, (-1, 0)), n.size, n.step] for n in order],
        "edges": edges,
        "matrices": [list(matrix.shape) for matrix in pool.matrices],
        "seeds": [
            [index[n], np.ravel(np.broadcast_to(seed, found[n].shape)).tolist()]
            for n, seed in seeds.items()
        ],
        "losses": {
            str(i): index[node.number]
            for i, box in enumerate(boxes)
            if box.kind == LOSS
            for node in box.nodes.values()
        },
        "weights": [
            [index[n], printable(p.name or f"#{n}")] for n, p in weights.items() if n in index
        ],
        "names": {
            str(i): printable(n.name or (n.primitive.name if n.primitive else f"#{n.number}"))
            for i, n in enumerate(order)
            if n.number not in place
        },
        "numbers": base64.b64encode(b"".join(m.tobytes() for m in pool.matrices)).decode(),
    }


class _Pool:
    """Matrices as float32, each of them once."""

    def __init__(self) -> None:
        self.matrices: list[np.ndarray[Any, Any]] = []
        self.size = 0
        self._places: dict[tuple[Any, ...], int] = {}

    def place(self, matrix: np.ndarray[Any, Any]) -> int:
        with np.errstate(over="ignore"):
            own = np.ascontiguousarray(matrix, dtype="<f4")
        key = (own.shape, own.tobytes())
        if key not in self._places:
            self._places[key] = len(self.matrices)
            self.matrices.append(own)
            self.size += own.size
        return self._places[key]


def _behind(nodes: Sequence[Tensor], starts: Iterable[int]) -> set[int]:
    """The numbers of the nodes that some of the starts depend on, with the starts."""
    found = set(starts)
    for node in reversed(nodes):
        if node.number in found:
            found.update(x.number for x in node.inputs)
    return found
