"""Lift: what does not depend on the state leaves the loop.

What no state leads to is computed before the loop, for all steps at once: the input's product becomes one.
What leads to no state is computed after it: readout, losses, and in the backward loop the gradients of the
weights, each one product over all steps. What stays is the recurrence.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.batch import Batching, Operand, batched
from micrornn.compiler.program import (
    Loop,
    Past,
    Program,
    Row,
    Rows,
    Value,
    blank,
    every,
    mapped,
    read,
    references,
    root,
    shape_at,
    uses,
)

# An element-wise call on rows of more bytes than this stays where it is made, because its operands are
# still in the cache: lifted, rows of 1 KB take 0.4 times as long, 8 KB 0.7, but 16 KB 1.4 and 64 KB 2.
LARGE = 8192


def lift(program: Program, large: int = LARGE) -> Program:
    """The same program, with loops of no more than they need."""
    moved: dict[Value, Value] = {}
    blocks: list[Value | Loop] = []
    needed_whole = _whole(program)
    for block in program.blocks:
        if isinstance(block, Loop):
            blocks.extend(_lifted(block, moved, needed_whole, large))
        else:
            blocks.append(block)

    def renamed(reference: Any) -> Any:
        if isinstance(reference, Value):
            return moved.get(reference, reference)
        if isinstance(reference, Past):
            reference.firsts = [renamed(x) for x in reference.firsts]
            return reference
        if isinstance(reference, Row):
            of = renamed(reference.of)
            return (
                of
                if reference.of in moved and of.steady
                else Row(of, reference.start, reference.stride)
            )
        return Rows(renamed(reference.of), reference.start, reference.stride, reference.count)

    for v in every(blocks):

        def here(reference: Any, loop: Loop | None = v.loop) -> Any:
            return _here(reference, moved, loop) or renamed(reference)

        v.args, v.kwargs = mapped((v.args, v.kwargs), here)
    outputs = mapped(program.outputs, renamed)
    return Program([b for b in blocks if not isinstance(b, Loop) or b.body], outputs)


def _whole(program: Program) -> set[Value]:
    """The values of loops of which all rows are wanted in one array."""
    found: set[Value] = set()
    for block in program.blocks:
        for r, loop in read(block):
            if isinstance(r, Rows) or (isinstance(r, Value) and r.loop is not loop):
                found.update(root(r))
    for r in references(program.outputs):
        found.update(root(r))
    return found


def _lifted(
    loop: Loop, moved: dict[Value, Value], whole: set[Value], large: int
) -> list[Value | Loop]:
    n = loop.count
    pasts = {
        r.of for v in loop.body for r in uses(v) if isinstance(r, Row) and isinstance(r.of, Past)
    }
    states = {past.of for past in pasts}
    before: list[Value] = []
    after: list[Value] = []

    steady: set[Value] = set()  # the same at every step

    def operand(x: Any) -> Operand:
        if isinstance(x, Value):
            if x.loop is loop:
                return Operand(moved.get(x, x), len(x.shape), x not in steady)
            return Operand(x, len(shape_at(x)), False)
        if isinstance(x, Row):
            axes = len(shape_at(x))
            if not x.stride:
                return Operand(x, axes, False)
            of = x.of
            if of in moved and moved[of].steady:
                return Operand(moved[of], axes, False)
            if isinstance(of, Value) and (x.start, x.stride) == (0, 1) and shape_at(of)[0] == n:
                return Operand(of, axes, True)
            return Operand(Rows(of, x.start, x.stride, n), axes, True)
        return Operand(x, np.ndim(x), False)

    def fits(v: Value) -> bool:
        small = int(np.prod(v.shape, dtype=int)) * v.dtype.itemsize <= large
        return small or not isinstance(v.call, np.ufunc) or v.call is np.matmul

    free: set[Value] = set()  # of the state
    for v in loop.body:
        own = [r for r in uses(v) if isinstance(r, Value) and r.loop is loop]
        carried = any(isinstance(r, Row) and isinstance(r.of, Past) for r in uses(v))
        if carried or v in states or not all(r in free for r in own):
            continue
        if not any(operand(r).timed for r in uses(v)):  # the same at every step
            args, kwargs = mapped((v.args, v.kwargs), lambda r: operand(r).reference)
            once = Value(v.call, args, kwargs, blank(v.shape, v.dtype))
            once.steady = True
            made: Any = [] if v in whole else [once]
            steady.update(made and [v])
        else:
            made = batched(Batching(v, n, operand)) if fits(v) else None
        if made:
            free.add(v)
            before.extend(made)
            moved[v] = _named(made, v)
    rest = [v for v in loop.body if v not in free]
    needed: set[Value] = set()  # for the state
    for v in reversed(rest):
        if v in states or v in needed:
            needed.add(v)
            needed.update(r for r in uses(v) if isinstance(r, Value) and r.loop is loop)
    last = [v for v in rest if v not in needed]
    while True:
        after.clear()
        stuck: set[Value] = set()
        for v in last:
            timed = any(operand(r).timed for r in uses(v))
            found = batched(Batching(v, n, operand)) if timed and fits(v) else None
            if found is None:
                stuck.add(v)
                continue
            after.extend(found)
            moved[v] = _named(found, v)
        if not stuck:
            break
        for v in last:
            moved.pop(v, None)
        kept = set(stuck)
        for v in reversed(last):
            if v in kept:
                kept.update(r for r in uses(v) if isinstance(r, Value) and r.loop is loop)
        last = [v for v in last if v not in kept]
    loop.body = [v for v in rest if v not in last]
    return [*before, loop, *after]


def _here(reference: Any, moved: dict[Value, Value], loop: Loop | None) -> Any:
    """What a value that left the loop is inside it."""
    if loop and isinstance(reference, Value) and reference.loop is loop and reference in moved:
        new = moved[reference]
        return new if new.steady else Row(new, 0, 1)
    return None


def _named(made: list[Value], v: Value) -> Value:
    for value in made:
        value.place, value.source, value.back = v.place, v.source, v.back
    made[-1].name, made[-1].grad = v.name, v.grad
    return made[-1]
