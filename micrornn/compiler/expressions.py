"""Expressions: what a value, a row or a call is called in the text of a program."""

from __future__ import annotations

import keyword
import re
from typing import Any

import numpy as np

from micrornn.compiler.buffers import WRITES
from micrornn.compiler.program import (
    Argument,
    Constant,
    Draw,
    Parameter,
    Past,
    Row,
    Rows,
    Value,
    dtype_of,
    named,
    shape_at,
    uses,
)
from micrornn.compiler.traced import astype, getitem

INFIX: dict[Any, str] = {
    **{np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/", np.matmul: "@"},
    **{np.power: "**", np.less: "<", np.less_equal: "<=", np.greater: ">", np.equal: "=="},
    **{np.greater_equal: ">=", np.not_equal: "!=", np.bitwise_and: "&", np.bitwise_or: "|"},
}


class Expressions:
    """The names that stand in a program's text for arrays and functions, and the text of calls."""

    def __init__(self) -> None:
        self.names: dict[Value, str] = {}
        self.taken: set[str] = {"np", "given", "parameters", "drawn"}
        self.counts: dict[str, int] = {}
        self.ones: dict[Any, str] = {}  # the names of vectors of ones, by length and dtype
        self.bound: dict[str, Any] = {}  # what stands under a name: constants, buffers, functions
        self.head: list[str] = []  # the lines that look up parameters
        self.parameters: list[Any] = []  # the tensors that the function expects
        self.lags: dict[Value, Past] = {}  # the states, with what they begin with
        self.local: dict[Value, str] = {}  # in a loop: the names of values of this iteration
        self.row: Any = None  # in a loop: the name of a row that it reads
        self.sliced: dict[Any, str] = {}  # in a strip: the names of operands of which it takes rows
        self.strip_ones: Any = None  # in a strip: the name of so many ones as its sum has rows

    # -- names --

    def _name(self, v: Value) -> str:
        if v not in self.names:
            source = v.source if v.source is not None and v.name is None else v
            base = source.name or (named(v.call) if v.leaf is None else "x")
            base = re.sub(r"\W+", "_", str(base)).strip("_") or "x"
            if base[0].isdigit() or keyword.iskeyword(base):
                base = "x_" + base
            self.names[v] = self._unique(base)
        return self.names[v]

    def _unique(self, base: str) -> str:
        name, i = base, self.counts.get(base, 1)
        while name in self.taken:
            i += 1
            name = f"{base}_{i}"
        self.counts[base] = i
        self.taken.add(name)
        return name

    def _bind(self, base: str, what: Any) -> str:
        name = self._unique(base)
        self.bound[name] = what
        return name

    def _own_rows(self, v: Value) -> tuple[int, int]:
        """Where the rows of a value stand among those that are kept."""
        assert v.loop is not None
        lag = len(self.lags[v].firsts) if v in self.lags and not v.loop.back else 0
        return lag, lag + v.loop.count

    # -- expressions --

    def _writes(self, v: Value) -> bool:
        """Whether a call can write into an array that is there."""
        call = v.call
        if any(np.dtype(object) == dtype_of(r) for r in uses(v)) or "out" in v.kwargs:
            return False
        if isinstance(call, np.ufunc):
            return call.nout == 1
        return call in WRITES or isinstance(getattr(call, "__self__", None), np.ufunc)

    def _call(self, v: Value, out: str) -> str:
        if factors := self._factors(v):
            return f"np.dot({', '.join(factors)}, out={out})"
        function = self._function(v.call)
        args = [self._argument(x) for x in v.args]
        args += [f"{key}={self._argument(x)}" for key, x in v.kwargs.items()]
        return f"{function}({', '.join(args)}, out={out})"

    def _expression(self, v: Value) -> str:
        if factors := self._factors(v):
            return f"np.dot({', '.join(factors)})"
        args = [self._argument(x) for x in v.args]
        if v.call in INFIX and not v.kwargs:
            return f"{args[0]} {INFIX[v.call]} {args[1]}"
        if v.call is getitem:
            return f"{args[0]}[{args[1]}]"
        if v.call is np.transpose and len(args) == 1 and v.kwargs.get("axes") is None:
            return f"{args[0]}.T"
        if v.call is np.negative:
            return f"-{args[0]}"
        if v.call is astype:
            return f"{args[0]}.astype({args[1]})"
        args += [f"{key}={self._argument(x)}" for key, x in v.kwargs.items()]
        return f"{self._function(v.call)}({', '.join(args)})"

    def _factors(self, v: Value) -> list[str]:
        """What a product of vectors and matrices is made of; a sum over rows or columns is one, with ones."""
        if v.call is np.matmul and all(1 <= _axes(x, v) <= 2 for x in v.args):
            return [self._argument(x) for x in v.args]
        if v.call != np.add.reduce or set(v.kwargs) != {"axis"}:
            return []
        x, axis = v.args[0], v.kwargs["axis"]
        axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
        if not isinstance(axis, int) or v.dtype.kind != "f" or dtype_of(x) != v.dtype:
            return []
        shape = shape_at(x, v.loop)
        axis %= len(shape)
        if axis == len(shape) - 1:  # a half to a sixth of what `add.reduce` takes
            return [self._argument(x), self._ones(shape[axis], v.dtype)]
        if len(shape) == 2:
            return [self._ones(shape[axis], v.dtype), self._argument(x)]
        return []

    def _ones(self, n: int, dtype: Any) -> str:
        if self.strip_ones is not None:
            return self.strip_ones(n, dtype)  # type: ignore[no-any-return]
        if (n, dtype) not in self.ones:
            self.ones[n, dtype] = self._bind("ones", np.ones(n, dtype))
        return self.ones[n, dtype]

    def _function(self, call: Any) -> str:
        if isinstance(call, np.ufunc):
            return f"np.{call.__name__}"
        owner = getattr(call, "__self__", None)
        name = str(getattr(call, "__name__", "call"))
        if isinstance(owner, np.ufunc):
            return f"np.{owner.__name__}.{name}"
        if getattr(np, name, None) is call:
            return f"np.{name}"
        for bound, held in self.bound.items():
            if held is call:
                return bound
        base = re.sub(r"\W+", "_", name).strip("_")
        return self._bind("call" if keyword.iskeyword(base) else base or "call", call)

    def _argument(self, x: Any) -> str:
        if isinstance(x, (Value, Row, Rows, Past)):
            return self._reference(x)
        if isinstance(x, tuple):
            inside = ", ".join([self._argument(y) for y in x])
            return f"({inside},)" if len(x) == 1 else f"({inside})"
        if isinstance(x, list):
            return f"[{', '.join([self._argument(y) for y in x])}]"
        if isinstance(x, slice):
            parts = [self._argument(y) for y in (x.start, x.stop, x.step)]
            return f"slice({', '.join(parts)})"
        if isinstance(x, (np.ndarray, np.generic)):
            return self._bind("constant", x)
        if isinstance(x, np.dtype):
            return f"np.dtype({x.name!r})"
        if x is Ellipsis:
            return "..."
        if isinstance(x, float) and not np.isfinite(x):
            return {"inf": "np.inf", "-inf": "-np.inf"}.get(str(x), "np.nan")
        if isinstance(x, (int, float, str, bool, type(None))):
            return repr(x)
        if isinstance(x, type) and issubclass(x, np.generic):
            return f"np.{x.__name__}"
        return self._bind("constant", x)

    def _reference(self, reference: Any) -> str:
        if reference in self.sliced:
            return self.sliced[reference]
        if isinstance(reference, Value):
            if reference in self.local:
                return self.local[reference]
            kind = reference.leaf
            if isinstance(kind, Argument):
                return f"given[{kind.position}]"
            if isinstance(kind, Parameter):
                return self._parameter(reference)
            if isinstance(kind, Constant):
                return self._constant(reference)
            if isinstance(kind, Draw):
                return f"drawn[{kind.position}]"
            name = self._name(reference)
            if reference in self.lags and reference.loop is not None:
                return f"{name}[{slice_text(slice(*self._own_rows(reference)))}]"
            return name
        of = reference.of
        if isinstance(reference, Row) and reference.stride and self.row is not None:
            return self.row(reference)  # type: ignore[no-any-return]
        base = value_of(of)
        assert base is not None
        name = self._name(base) if base.leaf is None else self._reference(base)
        start = reference.start
        if not isinstance(of, Past) and base.loop is not None:
            start += self._own_rows(base)[0]
        if isinstance(reference, Row):
            return f"{name}[{start}]"
        end = start + reference.stride * reference.count
        return f"{name}[{slice_text(slice(start, end if end >= 0 else None, reference.stride))}]"

    def _parameter(self, v: Value) -> str:
        if all(p is not v.leaf.tensor for p in self.parameters):
            name = self._name(v)
            self.head.append(f"    {name} = parameters[{len(self.parameters)}]._value")
            self.parameters.append(v.leaf.tensor)
        return self.names[v]

    def _constant(self, v: Value) -> str:
        held = v.leaf.value
        if type(held) in (int, float):
            return self._argument(held)
        name = self._name(v)
        if name not in self.bound:
            self.bound[name] = np.asarray(held)
        return name


def value_of(reference: Any) -> Value | None:
    """The value behind a reference, where it has one."""
    while not isinstance(reference, Value):
        reference = reference.of
    return reference


def _axes(x: Any, v: Value) -> int:
    return len(shape_at(x, v.loop)) if isinstance(x, (Value, Row, Rows)) else np.ndim(x)


def slice_text(index: slice) -> str:
    """A slice as it stands between brackets."""
    start = "" if not index.start and (index.step or 1) > 0 else str(index.start)
    stop = "" if index.stop is None else str(index.stop)
    return f"{start}:{stop}" + ("" if index.step in (None, 1) else f":{index.step}")
