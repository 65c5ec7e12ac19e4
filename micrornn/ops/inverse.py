"""Linear systems: solve."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.primitive import Operation, primitive, sample
from micrornn.core.tensor import Data, shape_of
from micrornn.ops.shape import swapaxes


def _solve(a: Data, b: Data) -> Data:
    if np.ndim(a) != 2 or np.ndim(b) != 2:
        raise ValueError(
            f"a must have the shape (n, n) and b (n, k), not {shape_of(a)} and {shape_of(b)}"
        )
    return np.linalg.solve(a, b)


def _to_matrix(g: Any, y: Any, a: Any, b: Any) -> Any:
    return -(solve(swapaxes(a, -1, -2), g) @ swapaxes(y, -1, -2))


solve: Operation = primitive(
    "solve",
    "a⁻¹ b",
    forward=_solve,
    vjp=(_to_matrix, lambda g, y, a, b: solve(swapaxes(a, -1, -2), g)),
    jvp=(lambda d, y, a, b: -solve(a, d @ y), lambda d, y, a, b: solve(a, d)),
    samples=(sample((2, 2), (2, 3)), sample((3, 3), (3, 1))),
    symbol="⁻¹",
    numpy=[np.linalg.solve],
    methods="",
    doc="The y with a y = b, for a (n, n) and b (n, k).\n\n"
    ">>> import micrornn as mr\n"
    ">>> mr.solve(mr.tensor([[2.0, 0.0], [0.0, 4.0]]), [[1.0], [1.0]]).data\n"
    "array([[0.5 ],\n       [0.25]])",
    kind="product",
)
