"""Rows: taking a step from an array is no computation, but a way to refer to its row.

And joining all rows of one array gives that array, in another order of its axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.program import Row, Rows, Value, blank, mapped, shape_at
from micrornn.compiler.repeats import LEAST
from micrornn.compiler.traced import getitem
from micrornn.core.primitive import named as primitive_named


def as_rows(values: list[Value], outputs: Any) -> tuple[list[Value], Any]:
    """The values without those that only take a row of an array made outside of steps."""
    taken: dict[tuple[Value, int], dict[int, list[Value]]] = {}
    for v in values:
        found = _taken(v)
        if found:
            x, axis, i = found
            taken.setdefault((x, axis), {}).setdefault(i, []).append(v)
    aliases: dict[Value, Row] = {}
    behind: dict[Value, list[Value]] = {}
    first: list[Value] = []
    for (x, axis), by_row in taken.items():
        if len(by_row) < LEAST or len(by_row) < x.shape[axis]:
            continue
        whole = x
        if axis:
            whole = _time_first(x, axis)
            (first if x.call is None else behind.setdefault(x, [])).append(whole)
        for i, same in by_row.items():
            for v in same:
                aliases[v] = Row(whole, i)
            if whole.name is None:
                whole.name = same[0].name

    def renamed(reference: Any) -> Any:
        return aliases.get(reference, reference) if isinstance(reference, Value) else reference

    kept = first
    for v in values:
        if v not in aliases:
            v.args = mapped(v.args, renamed)
            if v.kwargs:
                v.kwargs = mapped(v.kwargs, renamed)
            kept += [v, *behind.get(v, [])]
    return kept, mapped(outputs, renamed)


def _taken(v: Value) -> tuple[Value, int, int] | None:
    """The array, the axis and the number of the row that a value is."""
    if v.call is getitem:
        index = v.args[1]
    elif getattr(v.call, "kind", "") == "view" and "index" in v.kwargs:
        index = v.kwargs["index"]
    else:
        return None
    x = v.args[0]
    entries = index if isinstance(index, tuple) else (index,)
    if not isinstance(x, Value) or not entries or type(entries[-1]) is not int:
        return None
    if any(not (isinstance(i, slice) and i == slice(None)) for i in entries[:-1]):
        return None
    if x.call is not None and x.place.step is not None:
        return None
    axis = len(entries) - 1
    return x, axis, entries[-1] % x.shape[axis]


def _time_first(x: Value, axis: int) -> Value:
    order = (axis, *[i for i in range(len(x.shape)) if i != axis])
    sample = blank([x.shape[i] for i in order], x.dtype)
    if x.grad:
        value = Value(primitive_named("transpose"), (x,), {"axes": order}, sample)
    else:
        value = Value(np.transpose, (x, order), {}, sample)
    value.grad, value.name, value.place = x.grad, x.name, x.place
    return value


def joined(v: Value) -> list[Value]:
    """A join of rows that stand in order, as operations on all of them; none if it is no such join."""
    if len(v.args) < LEAST or getattr(v.call, "kind", "") != "join":
        return []
    first = v.args[0]
    if not all(isinstance(x, Row) and not x.stride for x in v.args):
        return []
    if any(x.of is not first.of for x in v.args):
        return []
    starts = np.array([x.start for x in v.args])
    stride = int(starts[1] - starts[0])
    if stride == 0 or (np.diff(starts) != stride).any():
        return []
    rows = Rows(first.of, first.start, stride, len(starts))
    inside = shape_at(first)
    axis = v.kwargs["axis"] % len(v.shape)
    order = (*range(1, axis + 1), 0, *range(axis + 1, len(inside) + 1))
    shape = [(len(starts), *inside)[i] for i in order]
    sample = blank(shape, v.dtype)
    made = [Value(primitive_named("transpose"), (rows,), {"axes": order}, sample)]
    if not axis and len(v.shape) > len(inside):  # time is its first axis already
        made = [Value(primitive_named("identity"), (rows,), {}, sample)]
    if tuple(shape) != v.shape:  # concatenated, and not stacked
        sample = blank(v.shape, v.dtype)
        made.append(Value(primitive_named("reshape"), (made[0],), {"shape": v.shape}, sample))
    for value in made:
        value.place, value.grad = v.place, v.grad
    made[-1].name = v.name
    return made
