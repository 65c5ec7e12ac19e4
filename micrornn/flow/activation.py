"""The activation behind a gate or a state: its derivative there, its range, and where it is steepest.

All of it is worked out from the activation's own rules, so a new one needs nothing here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from micrornn.core.primitive import Primitive
from micrornn.core.tensor import Tensor
from micrornn.recording.losses import kind_of


def activation_of(node: Tensor) -> Tensor | None:
    """The activation that made a node: the node itself, or what it was sliced from."""
    while kind_of(node) == "view" and node.inputs:
        node = node.inputs[0]
    return node if kind_of(node) == "activation" else None


def pulled(active: Tensor, g: Any) -> Any:
    """What an activation sends to its input when g arrives, in the shape of g."""
    assert active.primitive is not None
    rule: Any = active.primitive.vjp[0]
    return rule(g, np.asarray(active._value), *active.values, **active.params)


def slope(active: Tensor) -> float:
    """The mean derivative over all elements."""
    return float(np.mean(pulled(active, np.ones(active.shape, active.dtype))))


@cache
def bounds(p: Primitive) -> tuple[float, float]:
    """The range of an activation: its values at minus and plus infinity.

    >>> import micrornn as mr
    >>> bounds(mr.tanh.primitive), bounds(mr.relu.primitive)
    ((-1.0, 1.0), (0.0, inf))
    """
    with np.errstate(all="ignore"):
        low, high = p.forward(np.array([-np.inf, np.inf]))
    return float(low), float(high)


@cache
def steepest(p: Primitive) -> float:
    """The largest derivative of an activation, on a grid that has 0 in it.

    >>> import micrornn as mr
    >>> steepest(mr.tanh.primitive), steepest(mr.sigmoid.primitive)
    (1.0, 0.25)
    """
    x = np.linspace(-8.0, 8.0, 1601)
    rule: Any = p.vjp[0]  # type: ignore[index]
    return float(np.max(rule(np.ones_like(x), p.forward(x), x)))
