"""Graph: the nodes behind a tensor in the order in which they were made.

Every reader of a whole graph (forward mode, pictures, recordings) starts here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from micrornn.tensor import Tensor, describe, shape_of


class Edge(NamedTuple):
    """A use of one node by another: ``target.inputs[slot] is source``."""

    source: Tensor
    target: Tensor
    slot: int


class Graph:
    """The nodes that one or several results were computed from.

    Args:
        out: a tensor, or several (the losses of all steps, say).

    Raises:
        TypeError: out is not made of tensors.

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
        """The time steps that occur, in order."""
        return sorted({node.step for node in self.nodes if node.step is not None})

    @property
    def scopes(self) -> list[str]:
        """The scope paths that occur, in the order of their first node."""
        return list(dict.fromkeys(node.scope for node in self.nodes if node.scope))

    @property
    def leaves(self) -> list[Tensor]:
        """The nodes that nothing recorded made."""
        return [node for node in self.nodes if node.is_leaf]

    @property
    def parameters(self) -> list[Tensor]:
        """The leaves that want a gradient."""
        return [node for node in self.nodes if node.is_leaf and node.requires_grad]

    def at(self, step: int | None) -> list[Tensor]:
        """The nodes of one time step (None: those without a step)."""
        return [node for node in self.nodes if node.step == step]

    def named(self, name: str) -> list[Tensor]:
        """The nodes of that name, in order: ``graph.named("h")`` is h over time."""
        return [node for node in self.nodes if node.name == name]

    def counts(self) -> dict[str, int]:
        """How often each primitive occurs (leaves count as "leaf"), most frequent first."""
        names = (node.primitive.name if node.primitive else "leaf" for node in self.nodes)
        return dict(Counter(names).most_common())

    def verify(self) -> None:
        """Check that the graph is well formed.

        Raises:
            ValueError: names the first node that is not, and what is wrong with it.
        """
        seen: dict[int, Tensor] = {}
        for node in self.nodes:
            what = describe(node)
            if seen.setdefault(node.number, node) is not node:
                raise ValueError(
                    f"{what}: its number is that of {describe(seen[node.number])} too; "
                    "numbers must be unique"
                )
            if node.inputs and node.primitive is None:
                raise ValueError(f"{what}: has inputs but no primitive that made it from them")
            if node.inputs and not any(x.requires_grad for x in node.inputs):
                raise ValueError(f"{what}: was recorded, but none of its inputs wants a gradient")
            for i, (x, value) in enumerate(zip(node.inputs, node.values)):
                if x.number >= node.number:
                    raise ValueError(
                        f"{what}: input {i}, {describe(x)}, is not older than the node itself"
                    )
                if seen.get(x.number) is not x:
                    raise ValueError(f"{what}: input {i}, {describe(x)}, is not in the graph")
                if shape_of(value) != x.shape:
                    raise ValueError(
                        f"{what}: saved value {i} has shape {shape_of(value)}, "
                        f"its input {describe(x)} has {x.shape}"
                    )

    def __str__(self) -> str:
        steps = self.steps
        span = f", steps {steps[0]} to {steps[-1]}" if steps else ""
        lines = [f"graph of {len(self)} nodes, {len(self.parameters)} parameters{span}"]
        place = None
        for node in self.nodes:
            if (node.step, node.scope) != place:
                place = (node.step, node.scope)
                lines.append(f"  [{node.place!r}]")
            inputs = ", ".join(_label(x) for x in node.inputs)
            made = f"{node.primitive.name}({inputs})" if node.primitive else "leaf"
            shape = "×".join(map(str, node.shape)) or "scalar"
            lines.append(f"    {_label(node)} = {made}  {shape}")
        return "\n".join(lines)


def _label(node: Tensor) -> str:
    return f"#{node.number} {node.name}" if node.name else f"#{node.number}"
