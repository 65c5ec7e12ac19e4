"""Again: what one cheap call makes of values that are kept anyway is made again, and not kept for each step.

``1 - z`` of a GRU is an array over time only because backward reads it; z is one, too.
"""

from __future__ import annotations

from math import prod
from typing import Any

from micrornn.compiler.program import (
    Loop,
    Past,
    Program,
    Row,
    Value,
    blank,
    every,
    mapped,
    read,
    references,
    root,
    uses,
)
from micrornn.compiler.simplify import CHEAP

LEAST = 4096  # bytes of a row: for smaller ones a call takes longer than to read a row from memory


def again(program: Program) -> Program:
    """The same program, in which loops make cheap values of other loops again."""
    readers: dict[Value, list[tuple[Any, Loop | None]]] = {}
    for block in program.blocks:
        for r, loop in read(block):
            for v in root(r):
                readers.setdefault(v, []).append((r, loop))
    wanted = {v for r in references(program.outputs) for v in root(r)}
    for v in list(every(program.blocks)):
        if v.loop is None or v in wanted or v.call not in CHEAP or v.kwargs:
            continue
        if prod(v.shape) * v.dtype.itemsize < LEAST:
            continue
        outside = [(r, loop) for r, loop in readers.get(v, []) if loop is not v.loop]
        rows = all(isinstance(r, Row) and r.of is v and r.stride and loop for r, loop in outside)
        inside = all(r is v for r, loop in readers.get(v, []) if loop is v.loop)
        if outside and rows and inside and all(_kept(x, v, readers) for x in uses(v)):
            for r, loop in dict.fromkeys(outside):
                assert loop is not None
                _make(v, r, loop)
    return program


def _kept(x: Any, v: Value, readers: dict[Value, list[tuple[Any, Loop | None]]]) -> bool:
    """Whether an operand of a value is there for every step, whatever becomes of the value."""
    if isinstance(x, Row):
        return isinstance(x.of, Past) or x.of.leaf is not None
    if not isinstance(x, Value) or x.loop is not v.loop:
        return isinstance(x, Value)
    return any(loop is not v.loop or r is not x for r, loop in readers[x])


def _make(v: Value, row: Row, loop: Loop) -> None:
    """Write a value of another loop down where a loop first reads a row of it."""

    def there(x: Any) -> Any:
        if isinstance(x, Row):
            return Row(x.of, x.start + x.stride * row.start, x.stride * row.stride)
        return Row(x, row.start, row.stride) if x.loop is v.loop else x

    args, kwargs = mapped((v.args, v.kwargs), there)
    made = Value(v.call, args, kwargs, blank(v.shape, v.dtype))
    made.loop, made.back, made.place, made.source, made.name = loop, True, v.place, v.source, v.name
    first = min(i for i, w in enumerate(loop.body) if row in uses(w))
    for w in loop.body:
        w.args, w.kwargs = mapped((w.args, w.kwargs), lambda r: made if r == row else r)
    loop.body.insert(first, made)
