"""Many gradients through one pullback, in as few calls as its rule allows.

A rule is linear in the gradient, and most rules treat further axes in front as elements, so that a whole
stack of gradients goes through in one call. Which rules do is found by trying them, not by name: random
gradients, stacked and one by one, must give the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.primitive import Primitive, unbroadcast
from micrornn.core.tensor import Tensor, shape_of
from micrornn.cotangent import Part, Product
from micrornn.flow.pieces import Array, PartRows, Piece, ProductRows, Rows

Way = Literal["stack", "unwritten", "each"]

_WAYS: dict[Any, Sequence[Way]] = {}  # by rule and shapes: how a stack goes through
_REMEMBERED = 10_000


def pull_rows(node: Tensor, rows: Rows, slots: Sequence[int]) -> list[Piece]:
    """What a node sends to the inputs in ``slots`` when these rows have arrived."""
    p = node.primitive
    assert p is not None
    labels, g = rows
    found = _ways(node, slots)
    if "each" not in found and "unwritten" not in found:
        y, values, params = node._value, node.values, node.params
        return [Rows(labels, _stack(p, g, y, values, params, slot)) for slot in slots]
    pieces: dict[int, Piece] = {}
    ways = dict(zip(slots, found))
    if "unwritten" in ways.values():
        first = g[0][()]
        sent = p.pull(node, first)
        for slot, way in ways.items():
            if way == "unwritten":
                pieces[slot] = _unwritten(sent[slot], first, labels, g)
    for slot, way in ways.items():
        if way == "stack":
            pieces[slot] = Rows(labels, _stack(p, g, node._value, node.values, node.params, slot))
    rest = [slot for slot in slots if slot not in pieces]
    if rest:
        sums = [_each(p, node, row[()], rest) for row in g]
        for slot, stack in zip(rest, zip(*sums)):
            pieces[slot] = Rows(labels, np.array(stack))
    return [pieces[slot] for slot in slots]


def _unwritten(sent: Any, first: Any, labels: Array, g: Array) -> Piece:
    """A contribution that stays unwritten, with all rows in the place of the first."""
    if isinstance(sent, Part):
        index = _direct(sent.index)
        assert index is not None
        return PartRows(labels, g, index, sent.shape)
    if sent.left is first:
        return ProductRows(labels, g, sent.right, True)
    return ProductRows(labels, sent.left, g, False)


def _ways(node: Tensor, slots: Sequence[int]) -> Sequence[Way]:
    """How a stack goes through a node to some of its inputs; tried once for nodes of one kind."""
    p = node.primitive
    if p is None or p.variadic:
        return ["each"] * len(slots)
    kinds = tuple([(x.requires_grad, getattr(x._value, "shape", ())) for x in node.inputs])
    params = tuple([(k, _hashable(v)) for k, v in node.params.items()]) if node.params else ()
    key = p, tuple(slots), kinds, params
    try:
        found = _WAYS.get(key)
    except TypeError:  # something else without a hash among the parameters
        return [_try(node, slot) for slot in slots]
    if found is None:
        if len(_WAYS) >= _REMEMBERED:
            _WAYS.clear()
        found = _WAYS[key] = [_try(node, slot) for slot in slots]
    return found


def _hashable(value: Any) -> Any:
    """A parameter as part of a key: slices have no hash before Python 3.12; of an array the kind counts."""
    if isinstance(value, np.ndarray):
        return "array", value.shape, value.dtype.kind
    if isinstance(value, tuple):
        return tuple([_hashable(part) for part in value])
    if isinstance(value, slice):
        return "slice", value.start, value.stop, value.step
    return value


def _try(node: Tensor, slot: int) -> Way:
    """Find out how a stack of gradients goes through a node to one input."""
    p = node.primitive
    assert p is not None
    rng = np.random.default_rng(0)
    g = rng.normal(size=(3, *node.shape)).astype(node.dtype)
    first = g[0][()]
    if node.inputs[slot].requires_grad and _stays_unwritten(p.pull(node, first)[slot], first):
        return "unwritten"
    low, high = p.samples[0].between if p.samples else (0.5, 1.5)
    values = [
        rng.uniform(low, high, shape_of(v)) if np.asarray(v).dtype.kind == "f" else v
        for v in node.values
    ]
    try:
        y = p.forward(*values, **node.params)
        stacked = _stack(p, g, y, values, node.params, slot)
        single = [_one(p, row[()], y, values, node.params, slot) for row in g]
    except (ValueError, TypeError, IndexError):
        return "each"
    same = stacked.shape == np.shape(single) and np.allclose(stacked, single, 1e-5, 1e-6)
    return "stack" if same else "each"


def _stays_unwritten(sent: Any, g: Any) -> bool:
    """Whether the gradient stands in the contribution as it arrived, so that a stack can take its place."""
    if isinstance(sent, Part):
        return sent.gradient is g and _direct(sent.index) is not None
    return isinstance(sent, Product) and (sent.left is g or sent.right is g)


def _stack(p: Primitive, g: Array, y: Any, values: Any, params: Any, slot: int) -> Array:
    """The rule on a whole stack; what broadcasting stretched is summed within each row."""
    rule: Any = p.vjp[slot]  # type: ignore[index]
    if float in map(type, values):
        values = [np.float64(v) if type(v) is float else v for v in values]
    c = np.asarray(rule(g, y, *values, **params))
    shape = shape_of(values[slot])
    if c.shape[1:] == shape:
        return c
    extra = c.ndim - 1 - len(shape)
    if extra > 0:
        c = c.sum(axis=tuple(range(1, 1 + extra)))
    if c.shape[1:] != shape:
        stretched = tuple(i + 1 for i, n in enumerate(shape) if n == 1)
        c = c.sum(axis=stretched, keepdims=True)
    return c


def _each(p: Primitive, node: Tensor, g: Any, slots: Sequence[int]) -> list[Any]:
    """One gradient to several inputs by the ordinary rules: right for every primitive."""
    if p.variadic:
        sent = p.vjp(g, node._value, *node.values, **node.params)  # type: ignore[operator]
        return [unbroadcast(dense(sent[s]), shape_of(node.values[s])) for s in slots]
    return [_one(p, g, node._value, node.values, node.params, slot) for slot in slots]


def _one(p: Primitive, g: Any, y: Any, values: Sequence[Any], params: Any, slot: int) -> Any:
    rule: Any = p.vjp[slot]  # type: ignore[index]
    return unbroadcast(dense(rule(g, y, *values, **params)), shape_of(values[slot]))


def _direct(index: Any) -> tuple[Any, ...] | None:
    """The index as a tuple, if it means the same behind one more axis in front."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = sum(isinstance(i, np.ndarray) for i in parts)
    if (
        arrays
        and len(parts) > 1
        and not (arrays == 1 and all(isinstance(i, (np.ndarray, slice)) for i in parts))
    ):
        return None
    return (
        parts
        if all(isinstance(i, (int, slice, np.ndarray)) or i in (None, ...) for i in parts)
        else None
    )
