"""Everything that passes between the losses and one node: what arrived where, and who sent it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import Piece, Rows, assemble, one
from micrornn.flow.rows import descendants, sweep
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
        totals = {n: assemble(pieces, self.outs[n].shape) for n, pieces in seeds.items()}
        with np.errstate(all="ignore"):
            sweep(rec.nodes, totals, [target.number], turn=self._arrived, edge=self._sent)

    def _arrived(self, node: Tensor, rows: Rows) -> Rows:
        self.gradients[node.number] = rows.values[0]
        return rows

    def _sent(self, node: Tensor, slot: int, piece: Piece) -> Piece:
        self.senders.setdefault(node.inputs[slot].number, []).append(Sent(node, slot, piece))
        return piece

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
