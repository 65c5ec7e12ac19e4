"""Buffers: arrays that a program keeps from call to call, and how long each value needs one."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.program import Loop, Value, references, root, uses
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
        key = (shape, v.dtype)
        free = self.free.get(key)
        if free:
            name = self.written.names[v] = free.pop()
        else:
            name = self.written._name(v)
            self.written.bound[name] = np.empty(shape, v.dtype)
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
        for v in block.body if isinstance(block, Loop) else [block]:
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
