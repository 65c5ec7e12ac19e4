"""Everything that passes between the losses and one node: what arrived where, and who sent it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.rows import Piece, assemble, descendants, one, pull_rows
from micrornn.flow.series import norm
from micrornn.recording import Recording

Array = np.ndarray[Any, Any]


class Sent(NamedTuple):
    """A contribution: ``node`` sent ``piece`` to its input in ``slot``."""

    node: Tensor
    slot: int
    piece: Piece

    def value(self) -> Array:
        """The contribution as an array in the shape of the input."""
        sent: Array = assemble([self.piece], self.node.inputs[self.slot].shape).values[0]
        return sent


class Traffic:
    """The backward passes of a recording, seen from one node: only what lies on a path to it.

    The rules run anew, so that it reaches inputs and initial states as well, for which backward passes
    compute nothing.

    Attributes:
        target: the node.
        below: numbers of the target and of all that was computed from it.
        gradients: by number, what arrived at a node on a path between the losses and the target.
        senders: by number, who sent it, newest first.
    """

    def __init__(self, rec: Recording, target: Tensor) -> None:
        self.target = target
        self.below = descendants(rec.nodes, {target.number})
        self.gradients: dict[int, Array] = {}
        self.senders: dict[int, list[Sent]] = {}
        self.outs = {run.out.number: run.out for run in rec.passes if run.out.number in self.below}
        seeds: dict[int, list[Piece]] = {}
        for run in rec.passes:
            if run.out.number in self.outs:
                seeds.setdefault(run.out.number, []).append(one(run.seed))
        with np.errstate(all="ignore"):
            self._run(rec, seeds)

    def _run(self, rec: Recording, seeds: dict[int, list[Piece]]) -> None:
        pending = seeds
        for node in reversed(rec.nodes):
            pieces = pending.pop(node.number, None)
            if not pieces:
                continue
            rows = assemble(pieces, node.shape)
            self.gradients[node.number] = rows.values[0]
            slots = [i for i, x in enumerate(node.inputs) if x.number in self.below]
            if node is self.target or not slots:
                continue
            for slot, piece in zip(slots, pull_rows(node, rows, slots)):
                x = node.inputs[slot]
                pending.setdefault(x.number, []).append(piece)
                self.senders.setdefault(x.number, []).append(Sent(node, slot, piece))

    @property
    def gradient(self) -> Array | None:
        """What arrived at the target, or None."""
        return self.gradients.get(self.target.number)

    def size(self, node: Tensor) -> float:
        """The norm of what arrived at a node; 0 where nothing did."""
        g = self.gradients.get(node.number)
        return 0.0 if g is None else norm(g)

    def dominant(self) -> list[Sent]:
        """From the target towards a loss, at each node the sender of the largest contribution."""
        way = []
        node = self.target
        while senders := self.senders.get(node.number):
            best = max(senders, key=lambda s: _weight(norm(s.value())))
            way.append(best)
            node = best.node
        return way


def _weight(size: float) -> float:
    return size if size == size else np.inf
