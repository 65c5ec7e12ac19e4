"""An unrolled network: one run over one sequence, forward done, with its losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from micrornn.nn.module import Module
from micrornn.recording.run import Recording


@dataclass(frozen=True)
class Unrolled:
    """A network unrolled over a sequence, with the task it has there.

    Attributes:
        title: what it is, in one line.
        loss: where backward starts, usually the sum of ``losses``.
        losses: the loss of each step that has one, in order of time.
        model: the network, where there is one.
        inputs: the input of each step, as text.
        labels: the target of each step, as text.
        remarks: what was changed in the input, one sentence each.
        inferred: how unmarked time steps were found; "" if they were marked.
        recomputed: by number, how many times checkpoints computed a node again; see `Recording`.
        recording: where the network was read from a recording, all of it.

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
    remarks: Sequence[str] = ()
    inferred: str = ""
    recomputed: Mapping[int, int] = field(default_factory=dict)
    recording: Recording | None = None

    def titled(self, title: str) -> Unrolled:
        """The same with another title."""
        return replace(self, title=title)

    @cached_property
    def graph(self) -> Graph:
        """The nodes behind the loss."""
        return Graph(self.loss)

    @property
    def steps(self) -> list[int]:
        """The time steps at which something is computed.

        An initial state is one step before its first: at 0, or at T + 1 of a layer that runs backward.
        """
        computed = {node.step for node in self.graph if not node.is_leaf}
        return sorted(step for step in computed if step is not None and step > 0)

    def summary(self) -> str:
        """The size of the graph and the loss: ``"57 nodes, steps 1 to 4, loss 5.5452"``."""
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
        """The steps from ``first`` to ``last``, both included; None stands for the first or last step.

        Raises:
            ValueError: there are no steps, or not these.
        """
        steps = self.steps
        if not steps:
            raise ValueError(f"{self.title} has no time steps, so it has no window of steps")
        begin = steps[0] if first is None else first
        end = steps[-1] if last is None else last
        if begin > end:
            raise ValueError(f"window {begin}:{end} ends before it begins; write {end}:{begin}")
        if begin < steps[0] or end > steps[-1]:
            raise ValueError(
                f"window {begin}:{end} is out of range; the steps are {steps[0]} to {steps[-1]}"
            )
        return begin, end


def label_inputs(loss: Tensor, labels: Sequence[str]) -> None:
    """Name the input of each step after its content, for pictures: x becomes ``x 'h'``.

    Only the first node named x of a step is an input; later ones were computed from it.
    """
    labeled: set[int] = set()
    for node in Graph(loss).named("x"):
        if node.step is not None and node.step not in labeled:
            labeled.add(node.step)
            node.name = f"x {labels[node.step - 1]}"


def parse_window(text: str) -> tuple[int | None, int | None]:
    """The two ends of ``A:B``; None for an end that is left out.

    Raises:
        ValueError: the text has another form.

    >>> parse_window("3:8"), parse_window("3:")
    ((3, 8), (3, None))
    """
    ends = text.split(":")
    valid = len(ends) == 2 and any(ends) and all(e.isdecimal() and len(e) < 19 for e in ends if e)
    if not valid:
        raise ValueError(f"{text!r} is not a window; give the first and last step, for example 3:8")
    first, last = (int(end) if end else None for end in ends)
    return first, last
