"""Fixed: the numbers that a program was written with, and which of them another run has otherwise."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrornn.compiler.program import Constant, Program, Row, Value, every, named, uses
from micrornn.core.context import Place


class Fixed(NamedTuple):
    """A number, or one for each step of a loop, that an operation reads."""

    operation: str
    place: Place  # of a loop: that of its second step
    by_step: bool
    value: Any
    stride: int  # from one step of the loop to the next


def fixed_in(program: Program) -> list[Fixed]:
    """What the operations of a program read besides arguments, parameters and each other, in order."""
    found = []
    for v in every(program.blocks):
        for r in uses(v):
            of = r.of if isinstance(r, Row) else r
            if isinstance(of, Value) and isinstance(of.leaf, Constant):
                by_step = isinstance(r, Row) and r.stride == 1
                found.append(
                    Fixed(
                        named(v.call),
                        v.place,
                        by_step,
                        of.leaf.value,
                        v.loop.stride if v.loop else 0,
                    )
                )
    return found


def difference(before: list[Fixed], now: list[Fixed]) -> str:
    """Where two runs of a function read different numbers first, for a message; "" where none is known."""
    for a, b in zip(before, now):
        if a[:2] != b[:2]:
            return f"the first operation that differs is {_where(b)}"
        x, y = np.asarray(a.value), np.asarray(b.value)
        by_step = a.by_step or b.by_step
        if (
            a.by_step != b.by_step
        ):  # one number for all steps then, and one for each now, or the reverse
            x, y = np.broadcast_arrays(x, y)
        if x.shape != y.shape:
            return f"{_where(b)} reads a constant of shape {y.shape} that had shape {x.shape}"
        off = np.argwhere((x != y) & ~((x != x) & (y != y)))
        if len(off):
            at = tuple(off[0])
            there = _where(b, int(at[0]) if by_step else None)
            return f"{there} reads {y[at]:.6g}, which was {x[at]:.6g}"
    return ""


def _where(fixed: Fixed, row: int | None = None) -> str:
    scope, step = fixed.place
    if row is not None and step is not None:
        step = step + (row - 1) * fixed.stride if fixed.stride else None
    parts = [f"in {scope}" if scope else "", f"at step {step}" if step is not None else ""]
    return " ".join(["the operation", fixed.operation, *[part for part in parts if part]])
