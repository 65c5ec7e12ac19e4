"""Batch: a call of NumPy made in every iteration, as one call for all of them.

Each rule takes a call, and which of its operands have a row for each iteration, and gives the call on
whole operands, whose first axis is time. A call without a rule stays in its loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from micrornn.compiler.program import Constant, Row, Rows, Value, dtype_of, mapped, shape_at
from micrornn.compiler.traced import astype, getitem

Made = list[Value]  # the calls that replace one; the last is its value


class Operand(NamedTuple):
    """An operand of a call: what refers to all of it, its axes in one iteration, and whether it has rows."""

    reference: Any
    axes: int
    timed: bool


class Batching:
    """One call in a loop of ``count`` iterations, being batched.

    Args:
        of: an operand from an argument.
    """

    def __init__(self, v: Value, count: int, of: Callable[[Any], Operand]) -> None:
        self.v, self.count, self.of = v, count, of
        self.made: Made = []

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Value:
        """Write a call down."""
        with np.errstate(all="ignore"):
            sample = function(*mapped(args, sample_of), **kwargs)
        self.made.append(Value(function, args, kwargs, sample))
        return self.made[-1]

    def result(self, function: Any, *args: Any, **kwargs: Any) -> Made:
        """Write the last call down."""
        value = self.call(function, *args, **kwargs)
        assert value.shape == (self.count, *self.v.shape), (self.v, value)
        return self.made

    def aligned(self, x: Operand, axes: int) -> Any:
        """An operand with as many axes after time as the others have."""
        if not x.timed or x.axes == axes:
            return x.reference
        return self.call(getitem, x.reference, (slice(None), *[None] * (axes - x.axes)))


def sample_of(reference: Any) -> Any:
    """An array like the one that a reference refers to, which takes no memory; seen from outside loops."""
    return np.broadcast_to(np.ones((), dtype_of(reference)), shape_at(reference))


Rule = Callable[[Batching], "Made | None"]


def batched(b: Batching) -> Made | None:
    """The calls on whole operands; None where there is no rule."""
    call = b.v.call
    if isinstance(call, np.ufunc) and call.signature is None and call.nout == 1:
        return _broadcast(b)
    if isinstance(getattr(call, "__self__", None), np.ufunc) and call.__name__ == "reduce":
        return _reduction(b, 0)
    rule = RULES.get(call)
    return rule(b) if rule else None


def _broadcast(b: Batching) -> Made | None:
    if set(b.v.kwargs) - {"dtype"}:
        return None
    operands = [b.of(x) for x in b.v.args]
    axes = max(x.axes for x in operands)
    return b.result(b.v.call, *[b.aligned(x, axes) for x in operands], **b.v.kwargs)


def _along(axis: Any, axes: int) -> Any:
    """An axis, or several, of a row as those of the whole."""
    if axis is None:
        return tuple(range(1, axes + 1))
    if isinstance(axis, tuple):
        return tuple([_along(a, axes) for a in axis])
    return axis if axis < 0 else axis + 1


def _reduction(b: Batching, usual: Any = None) -> Made | None:
    v, x = b.v, b.of(b.v.args[0])
    axis = v.args[1] if len(v.args) > 1 else v.kwargs.get("axis", usual)
    kwargs = {key: y for key, y in v.kwargs.items() if key != "axis"}
    return b.result(v.call, x.reference, axis=_along(axis, x.axes), **kwargs)


def _matmul(b: Batching) -> Made | None:
    left, right = map(b.of, b.v.args)
    x, y = left.reference, right.reference
    if not right.timed:
        if left.axes == right.axes == 2:  # one product of all rows
            rows, inner = b.count * b.v.shape[0], shape_at(y)[0]
            product = b.call(np.matmul, b.call(np.reshape, x, (rows, inner)), y)
            return b.result(np.reshape, product, (b.count, *b.v.shape))
        return b.result(np.matmul, x, y)
    if not left.timed:
        if right.axes == 1:
            return b.result(np.matmul, y, b.call(np.transpose, x) if left.axes == 2 else x)
        return b.result(np.matmul, x, y)
    if left.axes == right.axes == 1:
        return b.result(np.sum, b.call(np.multiply, x, y), axis=1)
    if left.axes == 1:
        wide = b.call(np.matmul, b.call(getitem, x, (slice(None), None)), y)
        return b.result(getitem, wide, (slice(None), 0))
    if right.axes == 1:
        wide = b.call(np.matmul, x, b.call(getitem, y, (Ellipsis, None)))
        return b.result(getitem, wide, (Ellipsis, 0))
    return b.result(np.matmul, x, y)


def _getitem(b: Batching) -> Made | None:
    x, given = b.of(b.v.args[0]), b.v.args[1]
    index = given if isinstance(given, tuple) else (given,)
    bounds = [k for i in index if isinstance(i, slice) for k in (i.start, i.stop, i.step)]
    if any(isinstance(k, (Value, Row, Rows)) for k in bounds):
        return None
    if any(isinstance(i, np.ndarray) and i.dtype == bool for i in index):
        return None
    word = "".join(["a" if _picks(i) else "s" for i in index])
    lead = word.find("a")
    if "s" in word.strip("s"):
        return None  # arrays apart: NumPy would put their axes first
    if any(i is None or i is Ellipsis for i in index[: max(lead, 0)]) and not x.timed:
        return None
    entries = {at: b.of(i) for at, i in enumerate(index) if _picks(i)}
    moving = [o for o in entries.values() if o.timed]
    axes = max([o.axes for o in entries.values()], default=0)
    whole = [b.aligned(entries[at], axes) if at in entries else i for at, i in enumerate(index)]
    if not moving:
        return b.result(getitem, x.reference, (slice(None), *whole))
    if x.timed:
        if lead:
            return None
        time = np.arange(b.count).reshape(-1, *[1] * axes)
        return b.result(getitem, x.reference, (time, *whole))
    if len(entries) == 1 and (run := _run(moving[0].reference, b.count)) is not None:
        whole[lead] = run
    if not lead:
        return b.result(getitem, x.reference, tuple(whole))
    return b.result(np.moveaxis, b.call(getitem, x.reference, tuple(whole)), lead, 0)


def _picks(i: Any) -> bool:
    """Whether an entry of an index picks elements, by their numbers."""
    return not (i is None or i is Ellipsis or isinstance(i, (slice, bool)))


def _run(reference: Any, count: int) -> slice | None:
    """Constant integers that run evenly, as a slice."""
    of = reference.of if isinstance(reference, (Row, Rows)) else reference
    if not (isinstance(of, Value) and isinstance(of.leaf, Constant)):
        return None
    numbers = np.asarray(of.leaf.value)
    if isinstance(reference, Rows):
        numbers = numbers[reference.start + reference.stride * np.arange(count)]
    if numbers.ndim != 1 or len(numbers) < 2 or numbers[0] < 0 or numbers[-1] < 0:
        return None
    step = int(numbers[1] - numbers[0])
    if step == 0 or (np.diff(numbers) != step).any():
        return None
    stop = int(numbers[-1]) + (1 if step > 0 else -1)
    return slice(int(numbers[0]), None if stop < 0 else stop, None if step == 1 else step)


def _transpose(b: Batching) -> Made | None:
    v, x = b.v, b.of(b.v.args[0])
    axes = v.args[1] if len(v.args) > 1 else v.kwargs.get("axes")
    order = range(x.axes)[::-1] if axes is None else [a % x.axes for a in axes]
    return b.result(np.transpose, x.reference, (0, *[a + 1 for a in order]))


def _swapaxes(b: Batching) -> Made | None:
    v, x = b.v, b.of(b.v.args[0])
    first, second = [_along(a, x.axes) for a in (*v.args[1:], *v.kwargs.values())]
    return b.result(np.swapaxes, x.reference, first, second)


def _reshape(b: Batching) -> Made | None:
    return b.result(np.reshape, b.of(b.v.args[0]).reference, (b.count, *b.v.shape))


def _spread(b: Batching) -> Made | None:
    x = b.aligned(b.of(b.v.args[0]), len(b.v.shape))
    return b.result(np.broadcast_to, x, (b.count, *b.v.shape))


def _join(b: Batching) -> Made | None:
    v = b.v
    if not isinstance(v.args[0], (tuple, list)):
        return None
    axis = v.args[1] if len(v.args) > 1 else v.kwargs.get("axis", 0)
    whole = []
    for o in map(b.of, v.args[0]):
        shape = (b.count, *shape_at(o.reference))
        whole.append(o.reference if o.timed else b.call(np.broadcast_to, o.reference, shape))
    return b.result(v.call, tuple(whole), axis=_along(axis, 0))


def _each(b: Batching) -> Made | None:
    v = b.v
    return b.result(v.call, b.of(v.args[0]).reference, *v.args[1:], **v.kwargs)


RULES: dict[Any, Rule] = {
    **dict.fromkeys((np.sum, np.mean, np.max, np.min, np.any, np.all, np.prod), _reduction),
    **dict.fromkeys((np.amax, np.amin, np.var, np.std), _reduction),
    **dict.fromkeys((np.copy, np.zeros_like, np.ones_like, astype), _each),
    **dict.fromkeys((np.concatenate, np.stack), _join),
    np.where: _broadcast,
    np.matmul: _matmul,
    getitem: _getitem,
    np.transpose: _transpose,
    np.swapaxes: _swapaxes,
    np.reshape: _reshape,
    np.squeeze: _reshape,
    np.ravel: _reshape,
    np.expand_dims: _reshape,
    np.broadcast_to: _spread,
}
