"""A backward pass: its pullbacks as they ran, and what arrived where.

Contributions stay as the rules sent them: that of a weight in one step is an outer product, kept as its two
factors, so that a recording grows with the number of steps and not with the number of weights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from micrornn.core.backward import Pullback, dense
from micrornn.core.tensor import Tensor
from micrornn.cotangent import Sum, Unwritten


class RecordingError(ValueError):
    """A recording cannot be read, written or asked in this way; the message says why."""


class Pass:
    """One backward pass: its pullbacks, newest node first.

    Attributes:
        out: the node it started from, usually a loss.
        pullbacks: each node's turn, with the gradient that arrived and the contributions it sent.
    """

    def __init__(self, pullbacks: Sequence[Pullback]) -> None:
        self.pullbacks = pullbacks
        self.out: Tensor = pullbacks[0].node

    @property
    def seed(self) -> Any:
        """The gradient that the pass began with, in the shape of ``out``; 1 for a loss."""
        return self.pullbacks[0].gradient

    @cached_property
    def arrived(self) -> dict[int, Any]:
        """The gradient that arrived, by number, of the nodes that took a turn."""
        return {p.node.number: p.gradient for p in self.pullbacks}

    @cached_property
    def received(self) -> dict[int, list[tuple[Pullback, int]]]:
        """By number, who sent a contribution to the node: pullback and slot, newest sender first."""
        found = defaultdict(list)
        for p in self.pullbacks:
            for slot, x in enumerate(p.node.inputs):
                if p.contributions[slot] is not None:
                    found[x.number].append((p, slot))
        return dict(found)

    def stream(self) -> Iterator[Pullback]:
        """The pullbacks, then the leaves with what arrived at them: as `core.backward.sweep` has it."""
        yield from self.pullbacks
        for senders in self.received.values():
            pullback, slot = senders[0]
            node = pullback.node.inputs[slot]
            if not node.inputs:
                yield Pullback(node, self.gradient(node), ())

    def gradient(self, node: Tensor) -> Any:
        """d(out)/d(node) in the node's shape, or None where nothing arrived."""
        if node.number in self.arrived:
            return self.arrived[node.number]
        senders = self.received.get(node.number)
        return None if senders is None else total([p.contributions[slot] for p, slot in senders])

    def __repr__(self) -> str:
        return f"<pass from #{self.out.number}: {len(self.pullbacks)} pullbacks>"


def total(contributions: Sequence[Any]) -> Any:
    """The sum of contributions, written out; those kept as products are multiplied out together."""
    if len(contributions) == 1:
        return dense(contributions[0])
    amount: Any = contributions[0]
    if isinstance(amount, Sum):  # a sum takes up what is added to it: add to one of our own
        amount = Sum(amount)
    for c in contributions[1:]:
        amount = amount + c
    return amount.dense() if isinstance(amount, Unwritten) else amount
