"""Arrange: a weight that a loop multiplies by is laid out once as the product reads it.

``h @ W.T`` reads W against its order in memory. For a batch of 4 to 32 rows the product by a copy of W.T
takes 0.2 to 0.7 times as long, and the copy as long as one to five products, so a loop soon pays for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.program import Loop, Program, Value, shape_at

LEAST = 8  # iterations from which on a copy is made


def arrange(program: Program) -> Program:
    """The same program, with copies of the transposed weights that its loops multiply batches by."""
    copies: dict[Value, Value] = {}
    blocks: list[Value | Loop] = []
    for block in program.blocks:
        if isinstance(block, Loop) and block.count >= LEAST:
            for v in block.body:
                weight = _turned(v, block)
                if weight is None:
                    continue
                if weight not in copies:
                    copies[weight] = _copy(weight)
                    blocks.append(copies[weight])
                v.args = (v.args[0], copies[weight])
        blocks.append(block)
    return Program(blocks, program.outputs)


def _turned(v: Value, loop: Loop) -> Value | None:
    """The transposed weight that an operation of a loop multiplies a batch of rows by."""
    if v.call is not np.matmul:
        return None
    rows, weight = v.args
    outside = isinstance(weight, Value) and weight.loop is None and weight.call is np.transpose
    if not outside or len(weight.shape) != 2 or len(_shape(rows, loop)) != 2:
        return None
    return weight if _shape(rows, loop)[0] > 1 else None


def _shape(x: Any, loop: Loop) -> tuple[int, ...]:
    return np.shape(x) if isinstance(x, (np.ndarray, np.generic)) else shape_at(x, loop)


def _copy(weight: Value) -> Value:
    value = Value(np.positive, (weight,), {}, np.zeros(weight.shape, weight.dtype))
    value.name = f"{weight.args[0].name or 'weight'}_T"
    value.place, value.source, value.back = weight.place, weight.source, weight.back
    return value
