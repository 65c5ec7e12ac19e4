"""Lower: each operation as the calls of NumPy that its own forward makes.

The forward is run once on arrays that know their origin. One that cannot be followed, because it loops over
its data, is called as a whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.follow import followed_forward
from micrornn.compiler.program import (
    Loop,
    Past,
    Program,
    Row,
    Rows,
    Value,
    blank,
    mapped,
    read,
    references,
)
from micrornn.core.primitive import Primitive, in_numpy


def lower(program: Program) -> Program:
    """The same program in calls of NumPy."""
    return _Lowering(program).program()


class _Lowering:
    def __init__(self, program: Program) -> None:
        self.given = program
        self.new: dict[Value, Any] = {}
        self.pasts: dict[Past, Past] = {}
        self.seen_outside = _seen_outside(program)

    def program(self) -> Program:
        blocks: list[Value | Loop] = []
        for block in self.given.blocks:
            if isinstance(block, Loop):
                loop = Loop(block.count, back=block.back)
                for v in block.body:
                    loop.body.extend(self._lowered(v, loop))
                blocks.append(loop)
            else:
                blocks.extend(self._lowered(block, None))
        for old, past in self.pasts.items():
            past.of = self.new[old.of]
            past.firsts = [
                self.new.get(x, x) if isinstance(x, Value) else self._moved(x) for x in old.firsts
            ]
        return Program(blocks, mapped(self.given.outputs, self._moved))

    def _moved(self, reference: Any) -> Any:
        """A reference to the old program as one to the new."""
        if isinstance(reference, Value):
            if type(getattr(reference.leaf, "value", None)) in (int, float):
                return reference.leaf.value
            return self.new.get(reference, reference)
        if isinstance(reference, Past):
            if reference not in self.pasts:
                self.pasts[reference] = Past(reference.of, list(reference.firsts))
            return self.pasts[reference]
        of = self._moved(reference.of)
        if isinstance(reference, Row):
            if isinstance(of, Rows):
                at = of.start + of.stride * reference.start
                return Row(of.of, at, of.stride * reference.stride)
            return Row(of, reference.start, reference.stride)
        if isinstance(of, Rows):
            at = of.start + of.stride * reference.start
            return Rows(of.of, at, of.stride * reference.stride, reference.count)
        return Rows(of, reference.start, reference.stride, reference.count)

    def _lowered(self, v: Value, loop: Loop | None) -> list[Value]:
        found = followed_forward(v, self._moved)
        values, result = found or ([], None)
        if result is None:
            call = whole(v.call) if isinstance(v.call, Primitive) else v.call
            args, kwargs = mapped((v.args, v.kwargs), self._moved)
            result = Value(call, args, kwargs, blank(v.shape, v.dtype))
            values = [result]
        kept = v in self.seen_outside if loop else not isinstance(result, Value)
        if result not in values and kept:  # what others refer to is a value of its own
            result = Value(np.positive, (result,), {}, blank(v.shape, v.dtype))
            values.append(result)
        for value in values:
            value.loop, value.place, value.source, value.back = loop, v.place, v, v.back
        if result in values:
            result.name, result.grad = v.name, v.grad
        self.new[v] = result
        return values


def whole(p: Primitive) -> Any:
    """An operation's forward, to be called as it is."""

    def forward(*inputs: Any, **params: Any) -> Any:
        return in_numpy(p.forward, inputs, params)

    forward.__name__ = p.name
    return forward


def _seen_outside(program: Program) -> set[Value]:
    """The values of loops that something outside the iteration refers to."""
    found: set[Value] = set()

    def look(reference: Any, loop: Loop | None) -> None:
        if isinstance(reference, Value):
            if reference.loop is not None and reference.loop is not loop:
                found.add(reference)
        elif isinstance(reference, Past):
            found.add(reference.of)
            for x in reference.firsts:
                look(x, loop)
        elif isinstance(reference.of, Past):
            look(reference.of, loop)
        else:
            found.add(reference.of)

    for block in program.blocks:
        for reference, loop in read(block):
            look(reference, loop)
    for r in references(program.outputs):
        look(r, None)
    return found
