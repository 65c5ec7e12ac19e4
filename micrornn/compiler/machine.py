"""Machine: a loop over small arrays as machine code, by Numba.

A call of NumPy costs a fifth of a microsecond before it computes anything. Where a step works on a few
hundred numbers that is most of its time, so its loop is written number by number, and compiled by LLVM.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Protocol

import numpy as np

from micrornn.compiler.program import Loop, Row, Value, shape_at, uses
from micrornn.compiler.traced import getitem

MOST_NUMBERS = 512  # of one array in a step: from there on NumPy's vectorized calls are quicker
MOST_PRODUCTS = 16_384  # in one matrix product of a step: likewise BLAS

INFIX: dict[Any, str] = {
    **{np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/", np.power: "**"},
    **{np.less: "<", np.less_equal: "<=", np.greater: ">", np.greater_equal: ">="},
    **{np.equal: "==", np.not_equal: "!=", np.logical_and: "and", np.logical_or: "or"},
}
CALLS = {
    *(np.exp, np.log, np.tanh, np.sqrt, np.absolute, np.maximum, np.minimum, np.sign, np.square),
    *(np.sin, np.cos, np.log1p, np.expm1, np.isfinite, np.isnan, np.logical_not),
}
STARTS = {np.add: "0", np.multiply: "1", np.maximum: "-np.inf", np.minimum: "np.inf"}
MOVES = {
    getitem,
    np.transpose,
    np.swapaxes,
    np.expand_dims,
    np.squeeze,
    np.broadcast_to,
    np.reshape,
}


class Unsupported(Exception):
    """A loop that stays as calls of NumPy."""


class Arrays(Protocol):
    """Where the values of a program are: expressions for arrays, and rows in them."""

    def constant(self, x: Any) -> str:
        """An array that is the same at every call."""

    def whole(self, v: Value) -> str:
        """All of a value that is made outside the loop."""

    def row_at(self, reference: Row) -> tuple[str, int]:
        """The array that a row is taken from, and which it is at t = 0."""

    def stored_at(self, v: Value) -> tuple[str, int] | None:
        """The array that a value of the loop is kept in, and its row at t = 0; None if it is not."""

    def temporary(self, v: Value) -> str:
        """An array for a value of one step."""


def machine_code(loop: Loop, arrays: Arrays) -> tuple[str, list[str]]:
    """The text of a function for a loop, and the arguments to call it with.

    Raises:
        Unsupported: a call that is not known here, or arrays that are too large to gain by it.
    """
    written = _Machine(loop, arrays)
    body = [line for v in loop.body for line in written.lines_of(v)]
    times = f"{loop.count - 1}, -1, -1" if loop.back else f"{loop.count}"
    names = ", ".join(written.given.values())
    text = [f"def loop({names}):", f"    for t in range({times}):", *[f"        {x}" for x in body]]
    return "\n".join([*text, ""]), list(written.given)


def compiled(text: str) -> Any:
    """The function of such a text, which is compiled when it is first called.

    Sums may be added up in another order, so that several numbers are added at once.
    """
    from numba import njit  # loaded when it is used

    namespace: dict[str, Any] = {"np": np}
    exec(compile(text, "<compiled by micrornn>", "exec"), namespace)
    return njit(error_model="numpy", fastmath={"reassoc", "contract", "nsz"})(namespace["loop"])


class _Machine:
    def __init__(self, loop: Loop, arrays: Arrays) -> None:
        self.loop = loop
        self.arrays = arrays
        self.given: dict[
            str, str
        ] = {}  # the caller's expression for an argument, and its name here
        self.own: dict[Value, str] = {}  # the values of this step

    # -- where numbers are --

    def argument(self, expression: str) -> str:
        return self.given.setdefault(expression, f"a{len(self.given)}")

    def at(self, x: Any, index: Sequence[str]) -> str:
        """The text for one number of an operand."""
        if not isinstance(x, (Value, Row)):
            if isinstance(x, (bool, int, float)):
                return repr(x) if np.isfinite(x) else f"np.{x}"
            if np.ndim(x) == 0 or not isinstance(x, np.ndarray):
                raise Unsupported(f"{x!r}")
            return _at(self.argument(self.arrays.constant(x)), index)
        if isinstance(x, Row):
            if not x.stride:
                raise Unsupported("a row of its own")
            name, row = self.arrays.row_at(x)
            t = f"{x.stride} * t" if x.stride != 1 else "t"
            return _at(self.argument(name), [f"{t} + {row}" if row else t, *index])
        if x.loop is self.loop:
            return _at(self.own[x], index)
        expression = self.arrays.whole(x)
        if not x.shape and x.loop is None:
            kind = {"f": "float", "i": "int", "u": "int", "b": "bool"}[x.dtype.kind]
            return self.argument(f"{kind}({expression})")
        if x.call is np.transpose and x.loop is None and len(x.shape) == 2 and len(x.args) == 1:
            return self.at(x.args[0], index[::-1])  # read where it lies
        return _at(self.argument(expression), index)

    def target(self, v: Value) -> str:
        """The name of what a value is written to."""
        if v not in self.own:
            place = self.arrays.stored_at(v)
            if place is None and not v.shape:
                self.own[v] = f"s{len(self.own)}"
            elif place is None:
                self.own[v] = self.argument(self.arrays.temporary(v))
            else:
                name, row = place
                self.own[v] = (
                    f"{self.argument(name)}[t + {row}]" if row else f"{self.argument(name)}[t]"
                )
        return self.own[v]

    # -- what is computed --

    def lines_of(self, v: Value) -> list[str]:
        if prod(v.shape) > MOST_NUMBERS or v.dtype.kind not in "fiub":
            raise Unsupported("large arrays")
        target = self.target(v)
        call = v.call
        ufunc = getattr(call, "__self__", None)
        if call is np.matmul:
            return self.product(v, target)
        if call in MOVES:
            return self.moved(v, target)
        if call is np.concatenate:
            return self.joined(v, target)
        if call is np.zeros:
            return _over(v.shape, lambda i: f"{_at(target, i)} = 0")
        if isinstance(ufunc, np.ufunc) and ufunc in STARTS and call.__name__ == "reduce":
            return self.reduced(v, target, ufunc)
        if v.kwargs:
            raise Unsupported(str(call))
        return _over(v.shape, lambda i: f"{_at(target, i)} = {self.number(v, i)}")

    def number(self, v: Value, index: list[str]) -> str:
        """The text for one number of an element-wise call."""
        args = [self.at(x, _broadcast(self.shape(x), index)) for x in v.args]
        if v.call in INFIX and len(args) == 2:
            return f"{args[0]} {INFIX[v.call]} {args[1]}"
        if v.call is np.negative:
            return f"-{args[0]}"
        if v.call is np.positive:
            return args[0]
        if v.call is np.where and len(args) == 3:
            return f"{args[1]} if {args[0]} else {args[2]}"
        if v.call in CALLS:
            return f"np.{v.call.__name__}({', '.join(args)})"
        raise Unsupported(str(v.call))

    def shape(self, x: Any) -> tuple[int, ...]:
        return shape_at(x, self.loop) if isinstance(x, (Value, Row)) else np.shape(x)

    def product(self, v: Value, target: str) -> list[str]:
        left, right = v.args
        a, b = self.shape(left), self.shape(right)
        if not (1 <= len(a) <= 2 and 1 <= len(b) <= 2) or prod(a) * b[-1] > MOST_PRODUCTS:
            raise Unsupported("a large product")
        rows, columns = ["i"][: len(a) - 1], ["j"][: len(b) - 1]
        term = f"{self.at(left, [*rows, 'k'])} * {self.at(right, ['k', *columns])}"
        out = _at(target, [*rows, *columns])
        sizes = [f"for {x} in range({n}):" for x, n in zip([*rows, *columns], v.shape)]
        inner = f"for k in range({a[-1]}):"
        turned = isinstance(right, Value) and right.loop is None and right.call is np.transpose
        if not columns or turned:  # the numbers of one sum lie beside each other
            return _nested(sizes, ["total = 0.0", inner, f"    total += {term}", f"{out} = total"])
        start = _over(v.shape, lambda i: f"{_at(target, i)} = 0")
        return [*start, *_nested([*sizes[:-1], inner, sizes[-1]], [f"{out} += {term}"])]

    def reduced(self, v: Value, target: str, ufunc: Any) -> list[str]:
        x = v.args[0]
        shape = self.shape(x)
        axis = v.args[1] if len(v.args) > 1 else v.kwargs.get("axis", 0)
        axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        gone = {i % len(shape) for i in axes}
        start = _over(v.shape, lambda i: f"{_at(target, i)} = {STARTS[ufunc]}")

        def gather(index: list[str]) -> str:
            keep = v.kwargs.get("keepdims")
            kept = [("0" if keep else "") if k in gone else i for k, i in enumerate(index)]
            out, term = _at(target, [i for i in kept if i]), self.at(x, index)
            if ufunc in INFIX:
                return f"{out} {INFIX[ufunc]}= {term}"
            return f"{out} = np.{ufunc.__name__}({out}, {term})"

        return [*start, *_over(shape, gather)]

    def moved(self, v: Value, target: str) -> list[str]:
        """A view in NumPy: here its numbers are copied, by the places that they have in a sample."""
        x = v.args[0]
        shape = self.shape(x)
        if prod(shape) > MOST_NUMBERS:
            raise Unsupported("part of a large array")
        if any(isinstance(r, (Value, Row)) for r in list(uses(v))[1:]):
            raise Unsupported("an index that is computed")
        places = v.call(np.arange(prod(shape)).reshape(shape), *v.args[1:], **v.kwargs)
        lines = _affine(places, shape)
        if lines is None:
            raise Unsupported("an uneven view")
        return _over(v.shape, lambda i: f"{_at(target, i)} = {self.at(x, lines(i))}")

    def joined(self, v: Value, target: str) -> list[str]:
        parts = v.args[0]
        axis = (v.args[1] if len(v.args) > 1 else v.kwargs.get("axis", 0)) % len(v.shape)
        lines, at = [], 0
        for x in parts:
            shape = self.shape(x)

            def put(index: list[str], x: Any = x, at: int = at) -> str:
                moved = [f"{i} + {at}" if k == axis and at else i for k, i in enumerate(index)]
                return f"{_at(target, moved)} = {self.at(x, index)}"

            lines += _over(shape, put)
            at += shape[axis]
        return lines


def _at(name: str, index: Sequence[str]) -> str:
    """One number of an array; a row of a row is one index."""
    if not index:
        return name
    if name.endswith("]"):
        return f"{name[:-1]}, {', '.join(index)}]"
    return f"{name}[{', '.join(index)}]"


def _broadcast(shape: tuple[int, ...], index: list[str]) -> list[str]:
    own = index[len(index) - len(shape) :]
    return ["0" if n == 1 else i for n, i in zip(shape, own)]


def _over(shape: tuple[int, ...], line: Any) -> list[str]:
    """A line for each number of an array."""
    names = [f"i{k}" for k in range(len(shape))]
    return _nested([f"for {i} in range({n}):" for i, n in zip(names, shape)], [line(names)])


def _nested(heads: list[str], body: list[str]) -> list[str]:
    lines = [f"{'    ' * depth}{head}" for depth, head in enumerate(heads)]
    return [*lines, *[f"{'    ' * len(heads)}{line}" for line in body]]


def _affine(places: Any, shape: tuple[int, ...]) -> Callable[[list[str]], list[str]] | None:
    """How the place of a number in a view gives that in its array: for each axis a sum of multiples."""
    if not places.size:
        return None
    found = np.array(np.unravel_index(places, shape or (1,)))  # (axes of the array, *view)
    start = found.reshape(len(found), -1)[:, 0]
    steps = []
    for axis, count in enumerate(places.shape):
        along = np.moveaxis(found, axis + 1, 1).reshape(len(found), count, -1)[:, :, 0]
        steps.append(along[:, min(1, count - 1)] - start)
    linear = np.zeros(found.shape, int)
    for s, grid in zip([start, *steps], [np.ones(places.shape, int), *np.indices(places.shape)]):
        linear += np.multiply.outer(s, grid)
    if (linear != found).any():
        return None

    def index(names: list[str]) -> list[str]:
        terms = []
        for k in range(len(shape)):
            own = [f"{s[k]} * {i}" if s[k] != 1 else i for s, i in zip(steps, names) if s[k]]
            terms.append(" + ".join([*own, *([str(start[k])] if start[k] or not own else [])]))
        return terms

    return index
