"""Sums: a running total of which only the end is wanted is one sum, made after its loop.

``total = total + loss_t`` would tie every loss to the one before, and so to the loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.program import (
    Loop,
    Past,
    Program,
    Row,
    Value,
    every,
    mapped,
    references,
    uses,
)
from micrornn.core.primitive import Primitive
from micrornn.core.primitive import named as primitive_named


def gather(program: Program) -> Program:
    """The same program, with sums in the place of running totals."""
    read: dict[Value, list[Any]] = {}
    for r in [r for v in every(program.blocks) for r in uses(v)] + list(
        references(program.outputs)
    ):
        of = _of(r) or r
        read.setdefault(of.of if isinstance(of, Past) else of, []).append(r)
    blocks: list[Value | Loop] = []
    ends: dict[Value, Value] = {}
    for block in program.blocks:
        blocks.append(block)
        if isinstance(block, Loop):
            for v in list(block.body):
                past, term = _running(v)
                others = [r for r in read[v] if _of(r) is not past]
                last = Row(v, block.count - 1, 0)
                if past and len(others) == len(read[v]) - 1 and all(r == last for r in others):
                    block.body.remove(v)
                    kwargs = {"axis": 0, "keepdims": False}
                    total = Value(
                        primitive_named("sum"), (term,), kwargs, np.zeros(v.shape, v.dtype)
                    )
                    end = Value(v.call, (past.firsts[0], total), {}, np.zeros(v.shape, v.dtype))
                    for made in (total, end):
                        made.place, made.grad = v.place, True
                        blocks.append(made)
                    end.name = v.name
                    ends[v] = end

    def ended(reference: Any) -> Any:
        return (
            ends[reference.of] if isinstance(reference, Row) and reference.of in ends else reference
        )

    for v in every(blocks):
        v.args, v.kwargs = mapped((v.args, v.kwargs), ended)
    return Program(blocks, mapped(program.outputs, ended))


def _of(reference: Any) -> Any:
    return getattr(reference, "of", None)


def _running(v: Value) -> tuple[Any, Any]:
    """The past and the term of a running total; None and None for anything else."""
    if not (isinstance(v.call, Primitive) and v.call.kind == "sum" and len(v.args) == 2):
        return None, None
    if v.call.forward(1.0, 1.0) != 2.0:
        return None, None  # a difference
    for past, term in (v.args, v.args[::-1]):
        if isinstance(past, Row) and isinstance(past.of, Past) and past.of.of is v:
            own = isinstance(term, Value) and term.loop is v.loop and term.shape == v.shape
            return (past.of, term) if own and len(past.of.firsts) == 1 else (None, None)
    return None, None
