"""Reverse: the program of the gradients, from the program of the loss.

Each operation's own rule is run once, on stand-ins, and what it computes is written down. A loop becomes a
loop from its last iteration to its first, and what the state of one step hands to the step before is its
carried value: the delta of backpropagation through time.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from micrornn.compiler.program import (
    Constant,
    Loop,
    Parameter,
    Past,
    Program,
    Row,
    Rows,
    Value,
    blank,
    dtype_of,
    leaf,
    mapped,
    references,
    shape_at,
    uses,
)
from micrornn.compiler.rules import flows, sent
from micrornn.core.primitive import named as primitive_named


def reverse(program: Program, loss: Any) -> Program:
    """The program with its backward pass: its outputs, and the gradient of each parameter by its tensor."""
    if isinstance(loss, Row):  # one of many rows: it needs a value of its own
        last = Value(
            primitive_named("identity"), (loss,), {}, blank(shape_at(loss), dtype_of(loss))
        )
        last.grad, last.name = True, loss.of.name
        loss, program = last, Program([*program.blocks, last], program.outputs)
    return _Reverse(program, loss).program()


def assembled(shape: tuple[int, ...], dtype: Any, pieces: Any) -> Any:
    """Zeros, with (start, stride, count, rows) added where they belong."""
    whole = np.zeros(shape, dtype)
    for start, stride, count, rows in pieces:
        at = np.arange(start, start + stride * count, stride) if count else start
        whole[at] += rows
    return whole


class _Reverse:
    def __init__(self, program: Program, loss: Value) -> None:
        self.forward = program
        self.loss = loss
        self.blocks: list[Value | Loop] = []  # of the backward pass
        self.whole: dict[Value, list[Any]] = defaultdict(list)  # contributions to all of a value
        self.pieces: dict[Value, list[tuple[int, int, int, Any]]] = defaultdict(list)

    def program(self) -> Program:
        """Both passes, one after the other."""
        ones = np.ones(self.loss.shape, self.loss.dtype)
        one = leaf(Constant(ones), ones, "dL")
        self.whole[self.loss].append(one)
        for block in reversed(self.forward.blocks):
            if isinstance(block, Loop):
                self._loop(block)
            else:
                g = self._cotangent(block)
                if g is not None:
                    values, given = sent(block, block, block.args, block.kwargs, g, None)
                    for value in values:
                        value.back = True
                    self.blocks.extend(values)
                    for reference, c in given:
                        self._give(reference, c)
        outputs: dict[Any, Any] = dict(self.forward.outputs)
        for v in [v for v in (*self.whole, *self.pieces) if isinstance(v.leaf, Parameter)]:
            if v.leaf.tensor not in outputs:
                outputs[v.leaf.tensor] = self._cotangent(v)
        return Program([*self.forward.blocks, *self.blocks], outputs)

    # -- cotangents of values outside of loops --

    def _give(self, reference: Any, c: Any) -> None:
        """A contribution, made outside of loops, to what a reference refers to."""
        if isinstance(reference, Value):
            self.whole[reference].append(c)
            return
        of, start = reference.of, reference.start
        if isinstance(of, Past):
            lag = len(of.firsts)
            self._give(of.firsts[start] if start < lag else Row(of.of, start - lag), c)
        elif isinstance(reference, Rows):
            self.pieces[of].append((start, reference.stride, reference.count, c))
        else:
            self.pieces[of].append((start, 0, 0, c))

    def _cotangent(self, v: Value) -> Any:
        """All that arrived at a value, added up; None if nothing did."""
        terms = self.whole.pop(v, [])
        pieces = self.pieces.pop(v, [])
        count = v.loop.count if v.loop else None
        shape = v.shape if count is None else (count, *v.shape)
        if pieces:
            covering = pieces[0]
            if len(pieces) == 1 and covering[:3] == (0, 1, shape[0]):
                terms.append(covering[3])
            else:
                arguments = (shape, v.dtype, tuple(pieces))
                sample = blank(shape, v.dtype)
                terms.append(self._write(None, assembled, arguments, {}, sample))
        return self._sum(None, terms, blank(shape, v.dtype), v)

    def _sum(self, loop: Loop | None, terms: list[Any], sample: Any, of: Value) -> Any:
        if not terms:
            return None
        terms = _merged(terms)
        total = terms[0]
        for term in terms[1:]:
            total = self._write(loop, primitive_named("add"), (total, term), {}, sample)
        if isinstance(total, Value) and total.source is None:
            total.source = of
        return total

    def _write(
        self, loop: Loop | None, call: Any, args: Any, kwargs: dict[str, Any], sample: Any
    ) -> Value:
        value = Value(call, args, kwargs, sample)
        value.loop, value.back = loop, True
        (self.blocks if loop is None else loop.body).append(value)
        return value

    # -- loops --

    def _loop(self, loop: Loop) -> None:
        n = loop.count
        back = Loop(n, back=True)
        pasts = _pasts(loop)
        live = self._live(loop, pasts)
        carried: dict[Past, Past] = {}
        arriving: dict[Past, list[Any]] = defaultdict(list)
        local: dict[Value, list[Any]] = defaultdict(list)
        outside: list[tuple[Any, Any]] = []
        for past in pasts:
            if past.of in live and any(_uses_past(v, past) for v in live):
                carried[past] = Past(None, self._beginning(past, n))

        def read_back(reference: Any) -> Any:
            """What a reference of the loop is in the loop that runs back."""
            own = isinstance(reference, Value) and reference.loop is loop
            return Row(reference, 0, 1) if own else reference

        for v in reversed(loop.body):
            if v not in live:
                continue
            terms = local.pop(v, [])
            terms += [Row(c, len(c.firsts), 1) for past, c in carried.items() if past.of is v]
            terms += self._rows_arriving(v, n)
            g = self._sum(back, terms, blank(v.shape, v.dtype), v)
            if g is None:
                continue
            y = Row(v, 0, 1)
            args, kwargs = mapped(v.args, read_back), mapped(v.kwargs, read_back)
            values, given = sent(v, y, args, kwargs, g, back)
            for value in values:
                value.loop, value.back = back, True
            back.body.extend(values)
            for reference, c in given:
                if isinstance(reference, Value) and reference.loop is loop:
                    local[reference].append(c)
                elif isinstance(reference, Row) and isinstance(reference.of, Past):
                    arriving[reference.of].append(c)
                else:
                    plain = isinstance(c, Row) and c.stride and isinstance(c.of, Value)
                    whole = Rows(c.of, c.start, c.stride, n) if plain else self._own(c, back)
                    outside.append((reference, whole))
        for past, ours in carried.items():
            v = past.of
            sample = blank(v.shape, v.dtype)
            delta = self._sum(back, arriving.pop(past, []), sample, v)
            if delta is None:
                delta = self._write(back, np.zeros, (v.shape, v.dtype), {}, sample)
            ours.of = self._own(delta, back)
            ours.of.source = v
        if back.body:
            self.blocks.append(back)
        for past, ours in carried.items():
            for i, first in enumerate(past.firsts):
                if flows(first):
                    self._give(first, Row(ours.of, i))
        for (
            past,
            terms,
        ) in arriving.items():  # to a first alone: nothing else of it needs a gradient
            for i, first in enumerate(past.firsts):
                if flows(first):
                    for c in terms:
                        self._give(first, Row(self._own(c, back), i))
        for reference, c in outside:
            self._leave(reference, c, n)

    def _beginning(self, past: Past, n: int) -> list[Any]:
        """What a carried cotangent begins with: what arrives at the last state alone, or zeros."""
        zero = np.zeros(past.of.shape, past.of.dtype)
        firsts: list[Any] = [leaf(Constant(zero), zero) for _ in past.firsts]
        pieces = self.pieces.get(past.of, [])
        ending = [piece for piece in pieces if piece[:3] == (n - 1, 0, 0)]
        if len(firsts) == 1 and ending:
            self.pieces[past.of] = [piece for piece in pieces if piece not in ending]
            firsts = [
                self._sum(None, [c for *_, c in ending], blank(zero.shape, zero.dtype), past.of)
            ]
        return firsts

    def _leave(self, reference: Any, c: Any, n: int) -> None:
        """Contributions of all iterations, to what the loop read from outside."""
        if isinstance(reference, Row) and reference.stride:
            start, stride = reference.start, reference.stride
            if isinstance(c, Value) and c.source is None:
                c.source = reference.of
            if stride < 0:
                start, stride = start + stride * (n - 1), -stride
                whole = c if isinstance(c, Rows) else Rows(c, 0, 1, n)
                last = whole.start + whole.stride * (n - 1)
                c = Rows(whole.of, last, -whole.stride, n)
            self.pieces[reference.of].append((start, stride, n, c))
            return
        kwargs = {"axis": 0, "keepdims": False}
        sample = blank(shape_at(c)[1:], dtype_of(c))
        total = self._write(None, primitive_named("sum"), (c,), kwargs, sample)
        self._give(reference, total)

    def _rows_arriving(self, v: Value, n: int) -> list[Any]:
        """What arrives at a value of a loop from outside, for the loop that runs back."""
        terms = [_row_of(g) for g in self.whole.pop(v, [])]
        partial = []
        for start, stride, count, c in self.pieces.pop(v, []):
            if (start, stride, count) == (0, 1, n):
                terms.append(_row_of(c))
            else:
                partial.append((start, stride, count, c))
        if partial:
            shape = (n, *v.shape)
            sample = blank(shape, v.dtype)
            whole = self._write(None, assembled, (shape, v.dtype, tuple(partial)), {}, sample)
            terms.append(Row(whole, 0, 1))
        return terms

    def _live(self, loop: Loop, pasts: list[Past]) -> set[Value]:
        """The values of a loop that a gradient reaches."""
        live = {v for v in loop.body if v.grad and (v in self.whole or v in self.pieces)}
        while True:
            before = len(live)
            for v in reversed(loop.body):
                if v in live:
                    for r in uses(v):
                        x = r.of.of if isinstance(r, Row) and isinstance(r.of, Past) else r
                        if isinstance(x, Value) and x.loop is loop and x.grad:
                            live.add(x)
            if len(live) == before:
                return live

    def _own(self, c: Any, loop: Loop) -> Value:
        """A contribution as a value of the loop."""
        if isinstance(c, Value) and c.loop is loop:
            return c
        shape = shape_at(c, loop)
        sample = blank(shape, dtype_of(c))
        return self._write(loop, np.positive, (c,), {}, sample)

    # -- one operation --


def _merged(terms: list[Any]) -> list[Any]:
    """Terms that fill parts of a whole, as one that fills all these parts."""
    parts = [t for t in terms if isinstance(t, Value) and getattr(t.call, "kind", "") == "parts"]
    if len(parts) < 2:
        return terms
    first, *others = parts
    for t in others:
        first.args = (*first.args, *t.args)
        first.kwargs = {**first.kwargs, "index": (*first.kwargs["index"], *t.kwargs["index"])}
    last = max(parts, key=lambda t: t.number)
    if last is not first:  # it stands where all its parts are known
        last.args, last.kwargs = first.args, first.kwargs
    return [*[t for t in terms if t not in parts], last]


def _pasts(loop: Loop) -> list[Past]:
    found = dict.fromkeys(
        r.of for v in loop.body for r in uses(v) if isinstance(r, Row) and isinstance(r.of, Past)
    )
    return list(found)


def _uses_past(v: Value, past: Past) -> bool:
    return any(isinstance(r, Row) and r.of is past for r in references(v.args))


def _row_of(reference: Any) -> Row:
    """Row t of a value, or of rows of one."""
    if isinstance(reference, Rows):
        return Row(reference.of, reference.start, reference.stride)
    return Row(reference, 0, 1)
