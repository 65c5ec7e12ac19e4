"""What a source gives: one network unrolled over one sequence, forward done, with its losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from micrornn.nn.module import Module


@dataclass(frozen=True)
class Unrolled:
    """A network unrolled over a sequence, and what it was asked to do there.

    Attributes:
        title: one line that says what is seen.
        loss: what backward starts from, usually the sum of ``losses``.
        losses: the loss of each step that has one, in order of time.
        model: the network, where there is one.
        inputs: what is read at each step, in words.
        labels: what should be said at each step, in words.
        predictions: what the network says at each step.
        remarks: what was done to the input that its giver may not expect, one sentence each.

    >>> import micrornn as mr
    >>> w, h = mr.Value(0.5, "w"), mr.tensor(1.0)
    >>> for t in (1, 2):
    ...     with mr.scope(t=t):
    ...         h = w * h
    >>> unrolled = Unrolled("a linear loop", h)
    >>> unrolled.steps, unrolled.summary()
    ([1, 2], '4 nodes, steps 1 to 2, loss 0.25')
    """

    title: str
    loss: Tensor
    losses: Sequence[Tensor] = ()
    model: Module | None = None
    inputs: Sequence[str] = ()
    labels: Sequence[str] = ()
    predictions: Sequence[Tensor] = ()
    remarks: Sequence[str] = ()

    @cached_property
    def graph(self) -> Graph:
        """The nodes behind the loss."""
        return Graph(self.loss)

    @property
    def steps(self) -> list[int]:
        """The time steps at which something is computed.

        An initial state stands one step before its first: at 0, or at T + 1 where time runs backwards.
        """
        made = {node.step for node in self.graph if not node.is_leaf}
        return sorted(step for step in made if step is not None and step > 0)

    def summary(self) -> str:
        """How large the graph is and what its loss: ``"57 nodes, steps 1 to 4, loss 5.5452"``."""
        steps = self.steps
        words = [f"{len(self.graph):,} nodes"]
        if len(steps) > 1:
            words.append(f"steps {steps[0]} to {steps[-1]}")
        elif steps:
            words.append(f"step {steps[0]}")
        if self.loss.size == 1:
            words.append(f"loss {self.loss.item():.5g}")
        else:
            words.append(f"result of shape {self.loss.shape}")
        return ", ".join(words)

    def window(self, first: int | None, last: int | None) -> tuple[int, int]:
        """The steps from ``first`` to ``last``, both included; None stands for the end on its side.

        Raises:
            ValueError: there are no steps, or not these.
        """
        steps = self.steps
        if not steps:
            raise ValueError(f"{self.title} has no time steps, so there is no window of them")
        begin = steps[0] if first is None else first
        end = steps[-1] if last is None else last
        if begin > end:
            raise ValueError(f"the window {begin}:{end} ends before it begins; write {end}:{begin}")
        if begin < steps[0] or end > steps[-1]:
            raise ValueError(
                f"the window {begin}:{end} reaches outside the steps, which are "
                f"{steps[0]} to {steps[-1]}"
            )
        return begin, end


def remark_inputs(loss: Tensor, remarks: Sequence[str]) -> None:
    """Give the input of each step a remark for its place in a picture: x becomes ``x 'h'``.

    Only the first node of a step that is called x is one; later ones were made of it.
    """
    remarked: set[int] = set()
    for node in Graph(loss).named("x"):
        if node.step is not None and node.step not in remarked:
            remarked.add(node.step)
            node.name = f"x {remarks[node.step - 1]}"


def parse_window(text: str) -> tuple[int | None, int | None]:
    """The two ends of ``A:B``; None for one that is left out.

    Raises:
        ValueError: it is not of that form.

    >>> parse_window("3:8"), parse_window("3:")
    ((3, 8), (3, None))
    """
    ends = text.split(":")
    if len(ends) != 2 or not any(ends) or not all(end.isdecimal() for end in ends if end):
        raise ValueError(f"{text!r} is no window; write its first and last step, for example 3:8")
    first, last = (int(end) if end else None for end in ends)
    return first, last
