"""Whether a graph is well formed: what every other part takes for granted."""

from __future__ import annotations

from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor, describe, shape_of


def verify(graph: Graph) -> None:
    """Check that the graph is well formed.

    Raises:
        ValueError: names the first node that is not, and what is wrong with it.
    """
    seen: dict[int, Tensor] = {}
    for node in graph.nodes:
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
