"""What if: the rest of the backward pass again, with one gradient changed.

The pullbacks before the change are those of the recording, not copies; from there on the same rules run as in
any backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.core.backward import sweep
from micrornn.core.tensor import Tensor
from micrornn.debug.columns import size_of
from micrornn.recording import Pass

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
    first = run.pullbacks[turn]
    changes = {**later, first.node.number: change}
    done = {p.node.number for p in kept} | {first.node.number}
    # What waits when the turn comes: all that was sent to nodes whose turn has not been.
    waiting = [
        (x, c)
        for p in kept
        for x, c in zip(p.node.inputs, p.contributions)
        if c is not None and x.inputs and x.number not in done
    ]

    def changed(node: Tensor, g: Any) -> Any:
        return changes[node.number](g) if node.number in changes else g

    def pull(node: Tensor, g: Any) -> Sequence[Any]:
        assert node.primitive is not None
        sent: Sequence[Any] = node.primitive.pull(node, changed(node, g))
        return sent

    for p in sweep([(first.node, first.gradient), *waiting], pull):
        if p.node.inputs:
            kept.append(p._replace(gradient=changed(p.node, p.gradient)))
    return Pass(kept)
