"""Truncated BPTT: how far back the gradient goes, and where the graph is cut.

BPTT(h; h') of Williams & Peng (1990), k2 and k1 of later authors: after every k1 steps, the gradient of the
losses of those steps goes back through the last k2 steps, and the weights are updated. The state is carried
across all cuts, so the network remembers as before; only the gradient stops. This bounds the cost of a step
and biases the gradient: dependencies on earlier steps are not learned.

A sequence becomes chunks of k1 steps, each starting at a detached state. If k2 = k1, that is all. If k2 > k1,
the gradient that arrives at the start of a chunk is passed on to the end of the chunk before, as far as k2
reaches: the chunks are one graph, unrolled backward by hand. If k2 is not a multiple of k1, only the last
k2 mod k1 steps of the oldest chunk take part, which are computed once more for that: twice the forward work.
The window starts anew with each batch, so give batches of at least k2 steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.context import no_grad
from micrornn.core.tensor import Tensor
from micrornn.data.feeds import Batch
from micrornn.training.objective import Computed, Objective


class Truncation(NamedTuple):
    """k1 steps between two updates, and k2 >= k1 steps that the gradient goes back.

    >>> Truncation.parse("5:20")
    Truncation(k1=5, k2=20)
    >>> Truncation.parse("5:3")
    Traceback (most recent call last):
    ValueError: truncation 5:3: k2 must be at least k1; for example 5:10
    """

    k1: int
    k2: int

    @classmethod
    def parse(cls, text: str) -> Truncation:
        """From ``K1:K2``, or ``K`` for both.

        Raises:
            ValueError: the text has another form, or k2 is less than k1.
        """
        parts = text.split(":")
        if len(parts) > 2 or not all(
            part.isdecimal() and len(part) < 10 and int(part) for part in parts
        ):
            raise ValueError(f"{text!r} is not a truncation; give K1:K2, for example 5:20")
        return cls(int(parts[0]), int(parts[-1])).checked()

    def checked(self) -> Truncation:
        """The truncation itself, if it is valid.

        Raises:
            ValueError: k1 is less than 1, or k2 less than k1.
        """
        if self.k1 < 1:
            raise ValueError(f"truncation {self.k1}:{self.k2}: k1 must be at least 1")
        if self.k2 < self.k1:
            raise ValueError(
                f"truncation {self.k1}:{self.k2}: k2 must be at least k1; "
                f"for example {self.k1}:{2 * self.k1}"
            )
        return self


class Chunk(NamedTuple):
    """Some steps, with the cut before them.

    Attributes:
        begin: the detached state at their start.
        source: the state it was detached from.
        computed: their losses and the state at their end.
        oldest: that state as a function of the steps that the window has of its oldest chunk.
    """

    begin: Any
    source: Any
    computed: Computed
    oldest: Any


def chunks(
    objective: Objective, batch: Batch, state: Any, truncation: Truncation
) -> Iterator[Chunk]:
    """The chunks of a batch; after each, the gradient of its losses is in ``.grad``.

    Update the weights before the next chunk, which is computed with the new ones; the graphs of earlier
    chunks keep the values they were computed with.

    Raises:
        ValueError: the batch has no loss at each step, or the model carries no state.
    """
    k1, k2 = truncation.checked()
    reach, rest = -(-k2 // k1), k2 % k1
    window: deque[Chunk] = deque(maxlen=reach)
    for part in batch.cut(k1):
        source = None if part.fresh else state
        begin = detached(source, wants_gradient=reach > 1)
        computed = objective(part, begin)
        if computed.state is None and k1 < len(batch):
            raise ValueError(
                "the model carries no state from step to step, so there is nothing to truncate; train "
                "with full BPTT"
            )
        end = state_after(objective, part, begin, rest) if rest else computed.state
        window.append(Chunk(begin, source, computed, end))
        go_back(window)
        yield window[-1]
        state = computed.state


def state_after(objective: Objective, part: Batch, begin: Any, last: int) -> Any:
    """The state at the end of a part as a function of its last steps only; its value is the same."""
    first = len(part) - last
    if first > 0:
        with no_grad():
            head = replace(part, inputs=part.inputs[:first], targets=part.targets[:first])
            begin = detached(objective(head, begin).state)
        part = replace(part, inputs=part.inputs[first:], targets=part.targets[first:], fresh=False)
    return objective(part, begin).state


def go_back(window: deque[Chunk]) -> None:
    """Backward from the newest chunk's losses through all chunks in the window."""
    arrived: list[Any] = []
    for i, chunk in enumerate(reversed(window)):
        if i == 0:
            chunk.computed.total.backward()
        else:
            # <state, gradient>: a scalar whose gradient with respect to the state is that gradient.
            ends = parts(chunk.oldest if i + 1 == window.maxlen else chunk.computed.state)
            shares = [(s * g).sum() for s, g in zip(ends, arrived) if g is not None]
            if not shares:
                return
            sum(shares[1:], shares[0]).backward()
        begins = parts(chunk.begin)
        arrived = [b.grad for b in begins]
        for b in begins:
            b.grad = None


def parts(state: Any) -> list[Tensor]:
    """The tensors of a state: one for an RNN or a GRU, two for an LSTM."""
    if state is None:
        return []
    return list(state) if isinstance(state, (tuple, list)) else [state]


def detached(state: Any, wants_gradient: bool = False) -> Any:
    """The state, cut off from its history; the cut is visible in the graph as a node ``detach``.

    >>> import micrornn as mr
    >>> h = mr.tanh(mr.Value(0.5))
    >>> cut = detached(h)
    >>> cut.primitive.name, cut.params["cut"] == h.number, cut.requires_grad
    ('detach', True, False)
    """
    if isinstance(state, (tuple, list)):
        return tuple(detached(s, wants_gradient) for s in state)
    if not isinstance(state, Tensor):
        return state
    cut = state.detach()
    cut.requires_grad = wants_gradient
    return cut


def as_arrays(state: Any) -> list[np.ndarray[Any, Any]] | None:
    """A state as arrays, for a checkpoint."""
    return None if state is None else [s.numpy() for s in parts(state)]


def from_arrays(arrays: Any) -> Any:
    """The state of which `as_arrays` made arrays."""
    if arrays is None:
        return None
    tensors = tuple(Tensor(a) for a in arrays)
    return tensors if len(tensors) > 1 else tensors[0]
