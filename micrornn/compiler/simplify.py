"""Simplify: what is computed twice is computed once, and a sum of products over time is one product."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from micrornn.compiler.batch import sample_of
from micrornn.compiler.program import (
    Loop,
    Past,
    Program,
    Row,
    Rows,
    Value,
    blank,
    dtype_of,
    every,
    living,
    mapped,
    read,
    references,
    root,
    shape_at,
    uses,
)
from micrornn.compiler.traced import astype, getitem


def simplify(program: Program) -> Program:
    """The same program in fewer calls."""
    program = _rewritten(living(program), _same)
    program = _contracted(program)
    return living(_rewritten(program, _same))


def _rewritten(program: Program, same: Any) -> Program:
    """Each value replaced by an earlier one that is equal to it."""
    new: dict[Value, Any] = {}
    known: dict[Any, Value] = {}

    def renamed(reference: Any) -> Any:
        if isinstance(reference, Value):
            return new.get(reference, reference)
        if isinstance(reference, Past):
            reference.firsts = [renamed(x) for x in reference.firsts]
            return reference
        moved = replace(reference, of=renamed(reference.of))
        return moved.of if isinstance(moved, Rows) and _all_of(moved) else moved

    abroad = {
        v for b in program.blocks for r, loop in read(b) for v in root(r) if v.loop is not loop
    } | {v for r in references(program.outputs) for v in root(r)}
    pasts = [getattr(r, "of", None) for v in every(program.blocks) for r in uses(v)]
    states = {past.of for past in pasts if isinstance(past, Past)}
    for block in program.blocks:
        kept = []
        for v in block.body if isinstance(block, Loop) else [block]:
            v.args, v.kwargs = mapped((v.args, v.kwargs), renamed)
            alias = None if v in states else same(v)
            if alias is None and v not in states:
                alias = _in_another_loop(v, known, abroad) or _known(v, known)
            if alias is None:
                kept.append(v)
            else:
                new[v] = alias
                alias = alias if isinstance(alias, Value) else alias.of
                if alias.name is None and alias.source is None:
                    alias.name, alias.source = v.name, v.source
        if isinstance(block, Loop):
            block.body = kept
    blocks = [b for b in program.blocks if isinstance(b, Loop) or b not in new]
    for v in every(blocks):  # a reference to what comes later, such as a past
        v.args, v.kwargs = mapped((v.args, v.kwargs), renamed)
    return Program(blocks, mapped(program.outputs, renamed))


def _known(v: Value, known: dict[Any, Value]) -> Value | None:
    """The earlier value that equals this one. A sum that keeps its axis is one that does not, reshaped."""
    kwargs = {key: x for key, x in v.kwargs.items() if key != "keepdims"}
    key = (v.loop, v.call, _key(v.args), _key(kwargs))
    earlier = known.setdefault(key, v)
    if earlier is v or earlier.shape == v.shape:
        return None if earlier is v else earlier
    v.call, v.args, v.kwargs = np.reshape, (earlier, v.shape), {}
    return None


def _in_another_loop(v: Value, known: dict[Any, Value], abroad: set[Value]) -> Row | None:
    """The row of an earlier loop that is equal to this value, such as a softmax that backward needs again."""
    rows = [r for r in uses(v) if not (isinstance(r, Value) and r.loop is None)]
    if (
        v.loop is None
        or v in abroad
        or not rows
        or not all(isinstance(r, Row) and r.stride for r in rows)
    ):
        return None
    row = rows[0]
    if any(isinstance(r.of, Past) or r.of.loop is None for r in rows):
        return None
    if len({(r.of.loop, r.start, r.stride) for r in rows}) > 1:
        return None
    args, kwargs = mapped((v.args, v.kwargs), lambda r: r.of if isinstance(r, Row) else r)
    kwargs = {key: x for key, x in kwargs.items() if key != "keepdims"}
    earlier = known.get((row.of.loop, v.call, _key(args), _key(kwargs)))
    if earlier is None or (earlier.call in CHEAP and earlier not in abroad):
        return None
    there = Row(earlier, row.start, row.stride)
    if earlier.shape == v.shape:
        return there
    v.call, v.args, v.kwargs = np.reshape, (there, v.shape), {}
    return None


CHEAP = {
    np.add,
    np.subtract,
    np.multiply,
    np.negative,
}  # computed again rather than kept at each step


def _key(tree: Any) -> Any:
    if isinstance(tree, (Value, Row, Rows)):
        return tree
    if isinstance(tree, Past):
        return id(tree)
    if isinstance(tree, (tuple, list)):
        return (type(tree).__name__, *map(_key, tree))
    if isinstance(tree, slice):
        return ("slice", _key(tree.start), _key(tree.stop), _key(tree.step))
    if isinstance(tree, dict):
        return tuple([(key, _key(x)) for key, x in sorted(tree.items())])
    if isinstance(tree, np.ndarray):
        return (tree.shape, str(tree.dtype), tree.tobytes())
    return (type(tree).__name__, repr(tree))


def _same(v: Value) -> Any:
    """What a value is equal to, if its call changes nothing."""
    x = v.args[0] if v.args else None
    if not isinstance(x, (Value, Row, Rows)):
        return _without_numbers(v)
    alike = shape_at(x, v.loop) == v.shape
    if v.loop is not None and not (isinstance(x, Value) and x.loop is v.loop):
        return None  # it may be read from outside as a value of this loop
    call = v.call
    if call is astype and isinstance(x, Value) and x.dtype == np.dtype(v.args[1]):
        return x
    if call in (np.reshape, np.broadcast_to, np.squeeze, np.copy, np.positive) and alike:
        return x if isinstance(x, Value) else None
    if (
        call is np.transpose
        and isinstance(x, Value)
        and x.call is np.transpose
        and _flip(v)
        and _flip(x)
    ):
        return x.args[0] if isinstance(x.args[0], Value) else None
    if call is np.reshape and isinstance(x, Value) and x.call is np.reshape and x.loop is v.loop:
        v.args = (x.args[0], *v.args[1:])
    if call is getitem and alike and _everything(v.args[1], v.shape):
        return x if isinstance(x, Value) else None
    if v.kwargs.get("axis", 0) == () and alike and dtype_of(x) == v.dtype:  # over no axis
        return x if isinstance(x, Value) else None
    if call is np.transpose and _in_order(v):
        return x if isinstance(x, Value) else None
    return _without_numbers(v)


def _without_numbers(v: Value) -> Any:
    """A product or a sum with the same number everywhere: without it, or with it as one number."""
    if v.call not in (np.multiply, np.add) or len(v.args) != 2 or v.kwargs:
        return None
    for at in (0, 1):
        number, x = _uniform(v.args[at]), v.args[1 - at]
        if number is None or not isinstance(x, Value) or _uniform(x) is not None:
            continue
        if shape_at(x, v.loop) != v.shape or x.dtype != v.dtype:
            continue
        if number == (1.0 if v.call is np.multiply else 0.0) and x.loop is v.loop:
            return x
        v.args = (number, x) if at == 0 else (x, number)
    return None


def _uniform(x: Any) -> float | None:
    """The number that stands everywhere in a value, if that is known."""
    while isinstance(x, Value) and x.call in UNCHANGED:
        x = x.args[0]
    if isinstance(x, (Row, Rows)):
        return _uniform(x.of) if isinstance(x.of, Value) else None
    if type(x) is float:
        return x
    if isinstance(x, Value) and x.call is np.multiply:
        first, second = map(_uniform, x.args)
        return None if first is None or second is None else first * second
    held = getattr(getattr(x, "leaf", None), "value", None)
    if held is None or not np.size(held) or np.asarray(held).dtype.kind != "f":
        return None
    first = np.ravel(held)[0]
    return float(first) if (np.asarray(held) == first).all() else None


UNCHANGED = {getitem, np.reshape, np.broadcast_to, np.transpose, np.moveaxis, np.expand_dims}


def _in_order(v: Value) -> bool:
    axes = v.args[1] if len(v.args) > 1 else v.kwargs.get("axes")
    return axes is not None and tuple(axes) == tuple(range(len(v.shape)))


def _all_of(rows: Rows) -> bool:
    whole = isinstance(rows.of, Value) and shape_at(rows.of)[:1] == (rows.count,)
    return whole and (rows.start, rows.stride) == (0, 1)


def _flip(v: Value) -> bool:
    """Whether it exchanges the two axes of a matrix."""
    return len(v.shape) == 2 and (len(v.args) == 1 or v.args[1] in (None, (1, 0)))


def _everything(index: Any, shape: tuple[int, ...]) -> bool:
    entries = index if isinstance(index, tuple) else (index,)
    if len(entries) > len(shape) or not all(isinstance(i, slice) for i in entries):
        return False
    return all(
        all(isinstance(k, (int, type(None))) for k in (i.start, i.stop, i.step))
        and i.indices(n) == (0, n, 1)
        for i, n in zip(entries, shape)
    )


def _contracted(program: Program) -> Program:
    """Sums over time of products, as one product over time."""
    count: dict[Value, int] = {}
    for v in every(program.blocks):
        for r in uses(v):
            of = r if isinstance(r, Value) else r.of
            if isinstance(of, Value):
                count[of] = count.get(of, 0) + 1
    for r in references(program.outputs):
        of = r if isinstance(r, Value) else r.of
        count[of] = count.get(of, 0) + 2
    blocks: list[Value | Loop] = []
    for block in program.blocks:
        if isinstance(block, Value):
            blocks += _product_over_time(block, count) or _sum_over_time(block, count)
        blocks.append(block)
    return Program(blocks, program.outputs)


def _product_over_time(v: Value, count: dict[Value, int]) -> list[Value]:
    if getattr(v.call, "__self__", None) is not np.add or v.kwargs.get("keepdims"):
        return []
    w = v.args[0]
    if not (isinstance(w, Value) and w.loop is None and w.call is np.matmul and count[w] == 1):
        return []
    if v.kwargs["axis"] not in (0, -len(w.shape)):
        return []
    left, right = w.args
    if len(shape_at(left)) != 3 or len(shape_at(right)) != 3:
        return []
    made: list[Value] = []

    def call(function: Any, *args: Any) -> Value:
        value = Value(function, args, {}, function(*mapped(args, sample_of)))
        value.place, value.source, value.back = v.place, v.source, v.back
        made.append(value)
        return value

    if isinstance(left, Value) and left.call is np.transpose and tuple(left.args[1]) == (0, 2, 1):
        left = left.args[0]
    else:
        left = call(np.transpose, left, (0, 2, 1))

    def flat(x: Any) -> Any:
        steps, rows, width = shape_at(x)
        x = _unshaped(x)
        shape = steps * rows, width
        return x if shape_at(x) == shape else call(np.reshape, x, shape)

    v.call, v.args, v.kwargs = np.matmul, (call(np.transpose, flat(left)), flat(right)), {}
    return made


def _sum_over_time(v: Value, count: dict[Value, int]) -> list[Value]:
    """A sum over time of sums over the batch, as one sum over both."""
    if v.call != np.add.reduce or v.kwargs.get("axis") not in (0, -2) or v.kwargs.get("keepdims"):
        return []
    w = v.args[0]
    if not isinstance(w, Value) or w.loop or w.call != np.add.reduce or count[w] > 1:
        return []
    if w.kwargs != {"axis": (1,)}:
        return []
    shape = shape_at(w.args[0])
    if len(shape) != 3:
        return []
    flat = shape[0] * shape[1], shape[2]
    both = Value(np.reshape, (w.args[0], flat), {}, blank(flat, w.dtype))
    both.place, both.source, both.back = v.place, v.source, v.back
    v.args = (both,)
    return [both]


def _unshaped(x: Any) -> Any:
    """What a reshaped value was before."""
    return x.args[0] if isinstance(x, Value) and x.loop is None and x.call is np.reshape else x
