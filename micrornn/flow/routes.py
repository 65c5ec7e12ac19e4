"""One walk back from the losses to a node that keeps paths apart: by kind, and the heaviest one by one.

Every gradient goes back as a few rows, each under a label. Labels below `FIRST` are kinds of path, and their
rows add up to the whole gradient. Labels from `FIRST` on are single paths from state to state; at every state
the heaviest are followed further, and what the others bring is only in the whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import Piece, Rows, one
from micrornn.flow.rows import sweep
from micrornn.flow.series import norm, norms
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]
Edge = Callable[[Tensor, int, Piece], Piece]

FIRST = 1 << 20


class Stage(NamedTuple):
    """A partial path that has come to a state, with the norm of what it brought there."""

    node: Tensor
    size: float


class Stages:
    """The single paths that are followed, by label: each has come to a state from the stage before it.

    Args:
        beam: how many are followed further from every state.
    """

    def __init__(self, beam: int) -> None:
        self.beam = beam
        self.left_out = 0
        self._begins: list[int] = []  # by block of labels, the first of them
        self._blocks: list[tuple[Tensor, Array, Array]] = []  # where; the labels before; the norms
        self._next = FIRST

    def add(self, node: Tensor, before: Array, sizes: Array) -> Array:
        """Labels for paths that have come to a node."""
        self._begins.append(self._next)
        self._blocks.append((node, before, sizes))
        self._next += len(before)
        return np.arange(self._begins[-1], self._next)

    def turn(self, state: Tensor, rows: Rows) -> Rows:
        """The rows of a state: the heaviest paths with this stage added, without the others."""
        labels, values = rows
        kinds = int(labels.searchsorted(FIRST))
        sizes, before = norms(values[kinds:]), labels[kinds:]
        if len(sizes) > self.beam:
            heaviest = np.sort(np.argsort(-sizes, kind="stable")[: self.beam])
            self.left_out += len(sizes) - len(heaviest)
            sizes, before = sizes[heaviest], before[heaviest]
            values = values[np.concatenate([np.arange(kinds), heaviest + kinds])]
        return Rows(np.concatenate([labels[:kinds], self.add(state, before, sizes)]), values)

    def way(self, label: int) -> list[Stage]:
        """The stages of a path, from where it began."""
        found: list[Stage] = []
        while label:
            block = bisect_right(self._begins, label) - 1
            node, before, sizes = self._blocks[block]
            at = label - self._begins[block]
            stage = Stage(node, float(sizes[at]))
            if found and found[-1].node is node:  # a loss that is a state itself: no hop
                found.pop()
            found.append(stage)
            label = int(before[at])
        return found[::-1]


def routes(
    rec: Recording,
    target: Tensor,
    loss: Tensor | None,
    *,
    edge: Edge | None = None,
    states: Collection[str] = (),
    stages: Stages | None = None,
) -> Rows:
    """What arrives at the target: a row for each kind of path and each path that was followed.

    Args:
        loss: where the gradient begins; by default where the recorded passes began.
        edge: may give what is sent along an edge another kind.
        states: the names of the nodes between which single paths hop.
        stages: takes down the single paths; None follows none.

    Raises:
        RecordingError: no pass was recorded and no loss given.
    """
    seeds = seeds_of(rec, loss)
    turn = None
    if stages is not None:
        hubs = {n.number for n in rec.nodes if n.name in states and n.inputs} - {target.number}
        for number, rows in seeds.items():
            node = rec.by_number[number]
            own = stages.add(node, np.array([0]), np.array([norm(rows.values)]))
            seeds[number] = Rows(np.r_[rows.labels, own], np.repeat(rows.values, 2, axis=0))
        follow = stages.turn

        def turn(node: Tensor, rows: Rows) -> Rows:
            return follow(node, rows) if node.number in hubs else rows

    found = sweep(rec.nodes, seeds, [target.number], turn=turn, edge=edge).get(target.number)
    return Rows(np.zeros(0, int), np.zeros((0, *target.shape))) if found is None else found


def seeds_of(rec: Recording, loss: Tensor | None) -> dict[int, Rows]:
    """Where gradients begin, as kind 0: at a loss, or where the recorded passes began."""
    if loss is not None:
        return {rec.node(loss).number: one(np.ones_like(rec.value(loss)))}
    if not rec.passes:
        raise RecordingError("backward has not run in this recording; run it, or give loss=")
    seeds: dict[int, Rows] = {}
    for run in rec.passes:
        own = one(run.seed)
        old = seeds.get(run.out.number)
        seeds[run.out.number] = own if old is None else Rows(own.labels, own.values + old.values)
    return seeds
