"""A recorded run, computed once more with something changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.graph import Graph
from micrornn.core.primitive import Primitive, in_numpy
from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Array
from micrornn.ops.mark import identity
from micrornn.recording import Recording
from micrornn.recording.losses import kind_of
from micrornn.recording.observe import record

Change = Callable[[Sequence[Tensor]], Tensor]  # what stands for a node, from its new inputs

_LARGEST = 50_000  # nodes that are computed again
_WORK = 100_000  # nodes times steps of a descent


@dataclass(frozen=True)
class Rerun:
    """A run that was computed again.

    Attributes:
        loss: its value.
        recording: its graph, with a backward pass.
        nodes: by number in the first run, the node that stands for it now.
    """

    loss: float
    recording: Recording
    nodes: dict[int, Tensor]

    def gradient(self, node: Tensor) -> Array | None:
        """The gradient at what stands for a node of the first run."""
        now = self.nodes.get(node.number)
        if now is None or now.number not in self.recording.by_number:
            return None
        g = self.recording.gradient(now)
        return None if g is None else np.asarray(dense(g), dtype=float)


def computed(p: Primitive, inputs: Sequence[Tensor], params: dict[str, Any]) -> Tensor:
    """A node as the primitive's operation makes it."""
    values = tuple([x._value for x in inputs])
    node = Tensor(in_numpy(p.forward, values, params))
    node.primitive, node.params = p, params
    if any(x.requires_grad for x in inputs):
        node.inputs, node.values, node.requires_grad = tuple(inputs), values, True
    return node


class Replay:
    """The last backward pass of a recording, ready to be computed again.

    Attributes:
        possible: whether it can be: every operation is known, and there are not too many.

    >>> import micrornn as mr
    >>> w = mr.Value(2.0, "w")
    >>> rec = mr.record(w * w)
    >>> Replay(rec).run({w.number: np.array(3.0)}).loss
    9.0
    """

    def __init__(self, rec: Recording) -> None:
        self.rec = rec
        self.out = rec.passes[-1].out
        self.nodes = Graph([self.out]).nodes
        known = all(kind_of(n) != "opaque" for n in self.nodes)
        self.possible = known and len(self.nodes) <= _LARGEST and self._same()

    def _same(self) -> bool:
        """Whether it gives the same loss when nothing is changed."""
        try:
            loss = self.run().loss
        except (ValueError, TypeError, IndexError, AssertionError):
            return False
        return bool(np.isclose(loss, float(np.sum(self.out._value)), 1e-3))

    def run(
        self,
        values: Mapping[int, Array] | None = None,
        instead: Mapping[int, Change] | None = None,
        joined: bool = False,
    ) -> Rerun:
        """Compute it again.

        Args:
            values: by number of a leaf, its value.
            instead: by number of a node, what stands for it.
            joined: let the gradient pass where the graph was cut.
        """
        values, instead = values or {}, instead or {}
        now: dict[int, Tensor] = {}
        whole = [n for n in self.rec.nodes if n.number <= self.out.number]
        for node in whole if joined else self.nodes:
            number, cut = node.number, node.params.get("cut")
            given = [now[x.number] for x in node.inputs]
            if number in instead:
                made = instead[number](given)
            elif joined and cut in now:
                made = identity(now[cut])
            elif not node.inputs:
                value = values.get(number, self.rec.value(node))
                made = Tensor(np.array(value, copy=True), requires_grad=node.requires_grad)
            else:
                assert node.primitive is not None
                made = computed(node.primitive, given, node.params)
            now[number] = made
        out = now[self.out.number]
        return Rerun(float(np.sum(out._value)), record(out), now)

    def descend(
        self,
        rate: float,
        steps: int = 10,
        instead: Mapping[int, Change] | None = None,
        most: float | None = None,
        kept: bool = False,
    ) -> list[float]:
        """The losses of plain gradient descent on this one batch, from the weights as they were.

        Args:
            rate: the learning rate.
            steps: how many, fewer where the graph is large.
            instead: as in `run`.
            most: what the gradient's norm is clipped to.
            kept: whether gradients are added up from step to step, as without zero_grad.
        """
        parameters = [n for n in self.nodes if n.is_leaf and n.requires_grad]
        values = {p.number: np.array(self.rec.value(p), dtype=float) for p in parameters}
        losses: list[float] = []
        total: dict[int, Any] = dict.fromkeys(values, 0.0)
        for _ in range(max(2, min(steps, _WORK // len(self.nodes)))):
            run = self.run(values, instead)
            losses.append(run.loss)
            found = {p.number: g for p in parameters if (g := run.gradient(p)) is not None}
            total = {n: (total[n] if kept else 0.0) + found.get(n, 0.0) for n in values}
            size = float(np.sqrt(sum(np.sum(g**2) for g in total.values())))
            scale = 1.0 if most is None or size <= most else most / size
            values = {n: np.asarray(v - rate * scale * total[n]) for n, v in values.items()}
        return [*losses, self.run(values, instead).loss]
