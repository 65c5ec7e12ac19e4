"""A node in words: how it is written, and how errors speak of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from micrornn.tensor import Tensor


def describe(node: Any) -> str:
    """A node in words for errors: what made it, its name, number, scope and step.

    >>> import micrornn as mr
    >>> describe(mr.tensor(1.0, name="bias")).split(" #")[0]
    "leaf 'bias'"
    """
    made = node.primitive.name if node.primitive is not None else "leaf"
    name = f" {node.name!r}" if node.name else ""
    place = node.place
    scope = f" in {place.scope!r}" if place.scope else ""
    step = f" at step {place.step}" if place.step is not None else ""
    line = f" made at {node.source[0]}:{node.source[1]}" if node.source else ""
    return f"{made}{name} #{node.number}{scope}{step}{line}"


def written(node: Tensor) -> str:
    """A node as `repr` writes it: its value, what made it, its name and step."""
    value = node._data
    words = [str(value)]
    if isinstance(value, np.ndarray):
        words = [np.array2string(value, separator=", ", prefix="tensor(")]
    if node.primitive is not None:
        words.append(node.primitive.name)
    if node.name:
        words.append(f"name={node.name!r}")
    if node.step is not None:
        words.append(f"t={node.step}")
    if node.requires_grad and node.is_leaf:
        words.append("requires_grad=True")
    return f"tensor({', '.join(words)})"
