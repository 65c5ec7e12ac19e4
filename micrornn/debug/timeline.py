"""The program that is debugged: turns in their order, backward or forward.

A backward turn is a pullback, a forward turn a node being computed. A cursor at position p stands before
turn p: p turns are done. Nothing here is copied from the recording; what is derived (who sent to whom)
is worked out once, when it is first asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.debug.columns import Columns
from micrornn.debug.partial import Partial
from micrornn.recording import Pass, Recording

Array = np.ndarray[Any, Any]

BACKWARD, FORWARD = "backward", "forward"


class Timeline:
    """All turns of a recording in one direction.

    Args:
        rec: the run.
        direction: "backward", over the pullbacks of its passes; or "forward", over its nodes.
        passes: those of a what-if, instead of the recording's own.

    Attributes:
        nodes: the node of each turn.
        amounts: what arrived there: the gradient, or forward the value.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> line = Timeline(record(mr.tanh(mr.Value(0.5, "w") * 2.0)))
    >>> [node.primitive.name for node in line.nodes], line.columns.norm.round(2).tolist()
    (['tanh', 'mul'], [1.0, 0.42])
    """

    def __init__(
        self, rec: Recording, direction: str = BACKWARD, passes: Sequence[Pass] | None = None
    ) -> None:
        self.rec = rec
        self.direction = direction
        self.passes = list(rec.passes if passes is None else passes)
        self.nodes: list[Tensor]
        self.amounts: list[Any]
        self.sent: list[Sequence[Any]]
        self.ends: list[int] = []  # by pass, the position after its last turn
        if direction == FORWARD:
            self.nodes = [n for n in rec.nodes if n.primitive is not None]
            self.amounts = [n._value for n in self.nodes]
            self.sent = []
        else:
            turns = [p for run in self.passes for p in run.pullbacks]
            self.nodes = [p.node for p in turns]
            self.amounts = [p.gradient for p in turns]
            self.sent = [p.contributions for p in turns]
            for run in self.passes:
                self.ends.append(len(run.pullbacks) + (self.ends[-1] if self.ends else 0))
        # Matches of breakpoints, by what they ask for: a breakpoint is a column over the turns.
        self.matches: dict[Any, Array] = {}
        self._partials: dict[tuple[int, int], Partial] = {}

    def __len__(self) -> int:
        return len(self.nodes)

    @cached_property
    def columns(self) -> Columns:
        """Facts about every turn, one array each."""
        return Columns(self)

    @cached_property
    def turns(self) -> dict[int, list[int]]:
        """By node number, its turns: one in every pass that reached it."""
        found: dict[int, list[int]] = {}
        for i, node in enumerate(self.nodes):
            found.setdefault(node.number, []).append(i)
        return found

    @cached_property
    def received(self) -> dict[int, list[tuple[int, int]]]:
        """By node number, (turn, slot) of all that was sent to it, in order; backward only."""
        found: dict[int, list[tuple[int, int]]] = {}
        for i, contributions in enumerate(self.sent):
            for slot, x in enumerate(self.nodes[i].inputs):
                if contributions[slot] is not None:
                    found.setdefault(x.number, []).append((i, slot))
        return found

    def feeders(self, i: int) -> list[int]:
        """The turns that what arrived at turn i came from."""
        node = self.nodes[i]
        if self.direction == FORWARD:
            return [self.turns[x.number][0] for x in node.inputs if x.number in self.turns]
        low = self.start(i)
        return [turn for turn, _ in self.received.get(node.number, ()) if low <= turn < i]

    def run(self, position: int) -> int:
        """Which pass a cursor at this position is in; the last one at the end."""
        return min(sum(end <= position for end in self.ends), max(len(self.ends) - 1, 0))

    def start(self, position: int) -> int:
        """Where the pass of this position begins."""
        run = self.run(position)
        return self.ends[run - 1] if run else 0

    def turn_of(self, node: Tensor, position: int) -> int | None:
        """The node's turn in the pass of this position, else its next one, else its last; or None."""
        turns = self.turns.get(node.number)
        if not turns:
            return None
        at = bisect_left(turns, self.start(position))
        return turns[min(at, len(turns) - 1)]

    def senders(self, node: Tensor, position: int) -> list[tuple[int, int]]:
        """Who sends to a node: of all passes for a leaf, which adds them up, else of this pass."""
        everyone = self.received.get(node.number, [])
        if node.is_leaf or len(self.ends) < 2:
            return everyone
        low, high = self.start(position), self.ends[self.run(position)]
        return everyone[bisect_left(everyone, (low, -1)) : bisect_left(everyone, (high, -1))]

    def arrived(self, node: Tensor, position: int) -> tuple[Any, int, int]:
        """A node's gradient before the turn at ``position``: the sum so far, parts so far, all parts.

        The sum is None while nothing has arrived. It is made of the recorded contributions, always in
        the same order and grouping, so that it is the same however the cursor got there.
        """
        turn = self.turn_of(node, position)
        if turn is not None and turn >= self.start(position) and turn <= position:
            count = len(self.senders(node, position)) or 1
            return self.amounts[turn], count, count
        senders = self.senders(node, position)
        done = bisect_left(senders, (position, -1))
        if not senders and turn is not None:  # where a pass begins: its gradient is given
            return None, 0, 1
        if not done:
            return None, 0, len(senders)
        key = node.number, 0 if node.is_leaf else self.run(position)
        if key not in self._partials:
            self._partials[key] = Partial([self.sent[i][slot] for i, slot in senders])
        return self._partials[key].upto(done), done, len(senders)
