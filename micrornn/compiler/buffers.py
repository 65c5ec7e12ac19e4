"""Buffers: arrays that a program keeps from call to call, and how long each value needs one."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.program import Loop, Past, Program, Row, Value, read, references, root, uses
from micrornn.compiler.traced import getitem

VIEWS = {getitem, np.transpose, np.swapaxes, np.reshape, np.expand_dims, np.squeeze, np.moveaxis}
VIEWS |= {np.broadcast_to}
WRITES = {
    np.concatenate,
    np.stack,
    np.sum,
    np.mean,
    np.max,
    np.min,
}  # besides the ufuncs, with out=


class Pool:
    """Arrays that are kept from call to call; one whose value is no longer needed serves the next."""

    def __init__(self, written: Any) -> None:
        self.written = written
        self.free: dict[Any, list[str]] = {}
        self.held: dict[Value, tuple[Any, str]] = {}

    def taken(self, v: Value, shape: tuple[int, ...]) -> str:
        """The name of an array for a value."""
        key = int(np.prod(shape)), v.dtype  # an array over time serves a flat product, too
        free, bound = self.free.get(key), self.written.bound
        if not free:
            name: str = self.written._name(v)
            bound[name] = np.empty(shape, v.dtype)
        else:
            name = next((n for n in free if bound[n].shape == shape), free[-1])
            free.remove(name)
            if bound[name].shape != shape:
                other, name = name, self.written._name(v)
                bound[name] = bound[other].reshape(shape)
            self.written.names[v] = name
        self.held[v] = (key, name)
        return name

    def release(self, values: list[Value]) -> None:
        """Let the arrays of values serve others."""
        for v in values:
            if v in self.held:
                key, name = self.held.pop(v)
                self.free.setdefault(key, []).append(name)


def elementwise(call: Any) -> bool:
    """Whether a call may write over what it reads."""
    return isinstance(call, np.ufunc) and call.signature is None


def last_uses(blocks: Any, outputs: Any, stored: set[Value]) -> dict[int, list[Value]]:
    """By position: the values that are used there for the last time, themselves or in a view."""
    base: dict[Value, Value] = {}
    last: dict[Value, int] = {}

    def used(reference: Any, at: int) -> None:
        for v in root(reference):
            v = base.get(v, v)
            last[v] = max(at, last.get(v, -1))

    for at, block in enumerate(blocks):
        for v in [block] if isinstance(block, Value) else block.body:
            for r in uses(v):
                used(r, at)
            if v.call in VIEWS and v not in stored:
                for r in uses(v):
                    whole = root(r)[0]
                    base[v] = base.get(whole, whole)
                    break
            last.setdefault(v, at)
    for r in references(outputs):
        used(r, len(blocks))
    by_position: dict[int, list[Value]] = {}
    for v, at in last.items():
        by_position.setdefault(at, []).append(v)
    return by_position


def rows_of(array: Any) -> list[Any]:
    """The rows of an array, as arrays, to be written into."""
    return [array[k, ...] for k in range(len(array))]


def carried(program: Program, stored: set[Value]) -> set[Value]:
    """The stored values of which only the next step reads the last row: one row is enough for them.

    All that reads the row before stands in the body before the value is written, and keeps no view of it.
    """
    used: dict[Value, list[tuple[Any, Loop | None]]] = {}
    for block in program.blocks:
        for reference, loop in read(block):
            for v in root(reference):
                used.setdefault(v, []).append((reference, loop))
    outside = {v for r in references(program.outputs) for v in root(r)}
    found: set[Value] = set()
    for loop in [block for block in program.blocks if isinstance(block, Loop)]:
        order = {v: i for i, v in enumerate(loop.body)}
        for v in loop.body:
            if v not in stored or v in outside:
                continue
            pasts = [r for r, _ in used.get(v, ()) if isinstance(r, Row) and _before(r, v)]
            if len({(r.start, r.stride) for r in pasts}) != 1:
                continue
            if any(at is not loop or not (r is v or r in pasts) for r, at in used[v]):
                continue
            readers = [w for w in loop.body if any(r in pasts for r in uses(w))]
            early = all(order[w] < order[v] or (w is v and elementwise(v.call)) for w in readers)
            if early and not any(w.call in VIEWS for w in readers):
                found.add(v)
    return found


def parts(stored: set[Value], states: set[Value]) -> dict[Value, Value]:
    """The stored values that are a slice of another, by that one, in whose rows they lie."""
    found: dict[Value, Value] = {}
    for v in stored - states:
        if v.call is getitem and _even(v.args[1]):
            x = v.args[0]
            if isinstance(x, Value) and x.loop is v.loop and x in stored - states:
                found[v] = x
    return {v: x for v, x in found.items() if x not in found}


def _even(index: Any) -> bool:
    entries = index if isinstance(index, tuple) else (index,)
    return all(i is Ellipsis or i is None or isinstance(i, (int, slice)) for i in entries) and not [
        *references(index)
    ]


def _before(reference: Row, v: Value) -> bool:
    """Whether a row is that of a state one step before."""
    of = reference.of
    return (
        isinstance(of, Past) and of.of is v and len(of.firsts) == 1 and abs(reference.stride) == 1
    )
