"""What if: the rest of the backward pass again, with one gradient changed.

The pullbacks before the change are those of the recording, not copies; from there on the same rules run as in
any backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from micrornn.core.backward import Pullback
from micrornn.core.tensor import Tensor
from micrornn.debug.columns import size_of
from micrornn.recording import Pass
from micrornn.recording.passes import total

Change = Callable[[Any], Any]


@dataclass(frozen=True)
class Edit:
    """A change to the gradient that arrives at one node.

    Attributes:
        node: whose gradient.
        verb: set, scale or clip.
        amount: the value, the factor, or the largest norm allowed.
        words: how it is shown, ``h[3].grad scaled by 0.5``.
    """

    node: Tensor
    verb: str
    amount: Any
    words: str

    def __call__(self, g: Any) -> Any:
        """The gradient that goes on."""
        if self.verb == "set":
            new = np.broadcast_to(np.asarray(self.amount), np.shape(g))
        elif self.verb == "scale":
            new = np.asarray(g) * self.amount
        else:
            size = size_of(g)
            new = np.asarray(g) * (self.amount / size if size > self.amount else 1.0)
        if type(g) is float:
            return float(new)
        return np.array(new, dtype=getattr(g, "dtype", float))[()]


def rerun(run: Pass, turn: int, change: Change, later: Mapping[int, Change]) -> Pass:
    """The pass with the gradient of its turn ``turn`` changed, and all that follows from that.

    Args:
        later: changes that were made before at other nodes, by number; those to come are kept.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> w = mr.Value(0.5, "w")
    >>> rec = record(mr.tanh(w * 2.0))
    >>> rerun(rec.passes[0], 1, lambda g: 1.0, {}).gradient(w)
    2.0
    """
    kept = list(run.pullbacks[:turn])
    waiting: dict[int, tuple[Tensor, list[Any]]] = {}
    for node, _, contributions in kept:
        waiting.pop(node.number, None)
        _send(waiting, node, contributions)
    first = run.pullbacks[turn]
    waiting[first.node.number] = first.node, [first.gradient]
    order = [-number for number in waiting]
    heapify(order)
    while order:
        node, parts = waiting.pop(-heappop(order))
        g = total(parts)
        if node is first.node:
            g = change(g)
        elif node.number in later:
            g = later[node.number](g)
        assert node.primitive is not None
        contributions = node.primitive.pull(node, g)
        for number in _send(waiting, node, contributions):
            heappush(order, -number)
        kept.append(Pullback(node, g, contributions))
    return Pass(kept)


def _send(
    waiting: dict[int, tuple[Tensor, list[Any]]], node: Tensor, contributions: Sequence[Any]
) -> list[int]:
    """Put what was sent with what waits; returns the numbers of those that begin to wait."""
    new = []
    for x, c in zip(node.inputs, contributions):
        if c is None or not x.inputs:
            continue
        if x.number not in waiting:
            waiting[x.number] = x, []
            new.append(x.number)
        waiting[x.number][1].append(c)
    return new
