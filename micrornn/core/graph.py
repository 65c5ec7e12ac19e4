"""Graph: the nodes behind a tensor, oldest first. Every reader of a whole graph starts here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from micrornn.core.tensor import Tensor


class Edge(NamedTuple):
    """A use of one node by another: ``target.inputs[slot] is source``."""

    source: Tensor
    target: Tensor
    slot: int


class Graph:
    """The nodes from which one or several results were computed.

    Args:
        out: a tensor, or several, such as the losses of all steps.

    >>> import micrornn as mr
    >>> w = mr.tensor(0.5, requires_grad=True, name="w")
    >>> h = mr.tensor(1.0)
    >>> for t in (1, 2):
    ...     with mr.scope(t=t):
    ...         h = mr.tanh(w * h)
    >>> graph = mr.Graph(h)
    >>> len(graph), graph.steps, [p.name for p in graph.parameters]
    (6, [1, 2], ['w'])
    """

    def __init__(self, out: Tensor | Sequence[Tensor]) -> None:
        outs = (out,) if isinstance(out, Tensor) else tuple(out)
        if not outs or not all(isinstance(o, Tensor) for o in outs):
            given = [type(o).__name__ for o in outs] or "nothing"
            raise TypeError(f"a graph is drawn from one or several tensors, not from {given}")
        self.outs = outs
        found = {o.number: o for o in outs}
        stack = list(found.values())
        while stack:
            for x in stack.pop().inputs:
                if x.number not in found:
                    found[x.number] = x
                    stack.append(x)
        self.nodes: list[Tensor] = [found[number] for number in sorted(found)]
        for node in self.nodes:
            if not isinstance(node.name, (str, type(None))):
                raise TypeError(f"node #{node.number} has the name {node.name!r}; give text")

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.nodes)

    @property
    def edges(self) -> list[Edge]:
        """Every use of a node by another, by target and slot."""
        return [Edge(x, node, i) for node in self.nodes for i, x in enumerate(node.inputs)]

    @property
    def steps(self) -> list[int]:
        """The time steps in the graph, in order."""
        return sorted({node.step for node in self.nodes if node.step is not None})

    @property
    def scopes(self) -> list[str]:
        """The scope paths in the graph, in the order of their first node."""
        return list(dict.fromkeys(node.scope for node in self.nodes if node.scope))

    @property
    def parameters(self) -> list[Tensor]:
        """The leaves that require a gradient."""
        return [node for node in self.nodes if node.is_leaf and node.requires_grad]

    def at(self, step: int | None) -> list[Tensor]:
        """The nodes of one time step (None: those without a step)."""
        return [node for node in self.nodes if node.step == step]

    def named(self, name: str) -> list[Tensor]:
        """The nodes of that name, in order: ``graph.named("h")`` is h over time."""
        return [node for node in self.nodes if node.name == name]

    def __str__(self) -> str:
        steps = f", steps {self.steps[0]} to {self.steps[-1]}" if self.steps else ""
        lines = [f"graph of {len(self)} nodes, {len(self.parameters)} parameters{steps}"]
        for node in self.nodes:
            label = f"#{node.number} {node.name}" if node.name else f"#{node.number}"
            inputs = ", ".join(f"#{x.number}" for x in node.inputs)
            made = f"{node.primitive.name}({inputs})" if node.primitive else "leaf"
            shape = "×".join(map(str, node.shape)) or "scalar"
            lines.append(f"  {label} = {made}  {shape}  [{node.place!r}]")
        return "\n".join(lines)
