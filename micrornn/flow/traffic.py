"""Everything that passes between the losses and one node: what arrived where, and what sent it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import PartRows, Piece, ProductRows, Rows, assemble, one
from micrornn.flow.rows import descendants, sweep
from micrornn.flow.series import norm
from micrornn.flow.stacked import pull_rows
from micrornn.recording import Pass, Recording
from micrornn.recording.passes import total

Array = np.ndarray[Any, Any]

CLOSE = 1e-3  # of all that arrived: float32 sums in another order differ by less


class Sent(NamedTuple):
    """A contribution, as it was recorded or as a sweep carried it: from ``node`` to its input in ``slot``."""

    node: Tensor
    slot: int
    sent: Any

    def value(self) -> Array:
        """The contribution as an array in the shape of the input."""
        if isinstance(self.sent, (Rows, PartRows, ProductRows)):
            whole: Array = assemble([self.sent], self.node.inputs[self.slot].shape).values[0]
            return whole
        return np.asarray(dense(self.sent))


class Traffic:
    """The backward passes of a recording, seen from one node: only what lies on a path to it.

    What was recorded is read. Where nothing was, the rules run anew: for inputs and initial states, for which
    backward passes compute nothing, and where a pass broke off.

    Attributes:
        target: the node.
        below: numbers of the target and of all that was computed from it.
        gradients: by number, what arrived at a node on a path between the losses and the target.
        senders: by number, what sent it, newest first.
    """

    def __init__(self, rec: Recording, target: Tensor) -> None:
        self.target = target
        self.below = descendants(rec.nodes, {target.number})
        self.gradients: dict[int, Array] = {}
        self.senders: dict[int, list[Sent]] = {}
        self._sizes: dict[int, float] = {}
        self._sizes_sent: dict[int, float] = {}  # by identity: what was sent lives as long as this
        self.outs = {run.out.number: run.out for run in rec.passes if run.out.number in self.below}
        with np.errstate(all="ignore"):
            if all(_whole(run, self.below) for run in rec.passes):
                self._read(rec)
            else:
                self._run_anew(rec)

    def _read(self, rec: Recording) -> None:
        """From the recorded passes; only what needs no gradient is worked out."""
        pending: dict[int, list[Piece]] = {}
        for run in rec.passes:
            for node, g, contributions in run.pullbacks:
                number = node.number
                if number not in self.below:
                    continue
                old = self.gradients.get(number)
                self.gradients[number] = np.asarray(g) if old is None else old + g
                for slot, (x, c) in enumerate(zip(node.inputs, contributions)):
                    if x.number not in self.below:
                        continue
                    if c is None:
                        (c,) = pull_rows(node, one(g), [slot])
                        pending.setdefault(x.number, []).append(c)
                    self.senders.setdefault(x.number, []).append(Sent(node, slot, c))
        if len(rec.passes) > 1:
            for senders in self.senders.values():
                senders.sort(key=lambda s: -s.node.number)
        number = self.target.number
        if pending:
            rest = [n for n in rec.nodes if n.number in self.below and not n.requires_grad]
            shapes = {n.number: n.shape for n in rest}
            seeds = {n: assemble(pieces, shapes[n]) for n, pieces in pending.items()}
            sweep(rest, seeds, [number], turn=self._arrived, edge=self._sent)
        elif number not in self.gradients and number in self.senders:
            g = total([s.sent for s in self.senders[number]])
            self.gradients[number] = np.asarray(g)

    def _run_anew(self, rec: Recording) -> None:
        """By the rules alone."""
        seeds: dict[int, list[Piece]] = {}
        for run in rec.passes:
            if run.out.number in self.outs:
                seeds.setdefault(run.out.number, []).append(one(run.seed))
        totals = {n: assemble(pieces, self.outs[n].shape) for n, pieces in seeds.items()}
        sweep(rec.nodes, totals, [self.target.number], turn=self._arrived, edge=self._sent)

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
        size = self._sizes.get(node.number)
        if size is None:
            g = self.gradients.get(node.number)
            size = self._sizes[node.number] = 0.0 if g is None else norm(g)
        return size

    def size_sent(self, sent: Sent) -> float:
        """The norm of a contribution."""
        size = self._sizes_sent.get(id(sent.sent))
        if size is None:
            size = self._sizes_sent[id(sent.sent)] = norm(sent.value())
        return size

    def changed(self, node: Tensor) -> tuple[float, float] | None:
        """The norm that the contributions to a node add up to, and the norm of the gradient it went on with.

        None where the two are one and the same, as they are unless someone changed the gradient on its
        arrival: a what-if of the debugger, or a hook.
        """
        g, senders = self.gradients.get(node.number), self.senders.get(node.number, [])
        if g is None or not senders or not node.inputs or node.number in self.outs:
            return None
        given = senders[0].value()
        if len(senders) == 1 and (given == g).all():
            return None
        for s in senders[1:]:
            given = given + s.value()
        most = sum(self.size_sent(s) for s in senders)
        if not np.isfinite(most) or norm(given - g) <= CLOSE * most:
            return None
        return norm(given), self.size(node)

    def dominant(self) -> list[Sent]:
        """From the target toward a loss, at each node the sender of the largest contribution."""
        way = []
        node = self.target
        while senders := self.senders.get(node.number):
            best = max(senders, key=lambda s: _weight(self.size_sent(s)))
            way.append(best)
            node = best.node
        return way


def _weight(size: float) -> float:
    return size if size == size else np.inf


def _whole(run: Pass, below: set[int]) -> bool:
    """Whether a pass came to its end: every node that was sent something had its turn."""
    turns = run.arrived
    for node, _, contributions in run.pullbacks:
        if node.number in below:
            for x, c in zip(node.inputs, contributions):
                inside = x.number in below and x.requires_grad
                if inside and (c is None or (x.inputs and x.number not in turns)):
                    return False
    return True
