"""Write: a program as the text of a Python function that calls NumPy.

Every array whose shape is known is kept from call to call and written into, and the rows of those that a
loop reads or writes are looked up once.
"""

from __future__ import annotations

import keyword
import re
from typing import Any

import numpy as np

from micrornn.compiler.buffers import WRITES, Pool, elementwise, last_uses, rows_of
from micrornn.compiler.program import (
    Argument,
    Constant,
    Draw,
    Loop,
    Parameter,
    Past,
    Program,
    Row,
    Rows,
    Value,
    dtype_of,
    named,
    read,
    references,
    shape_at,
    uses,
)
from micrornn.compiler.traced import astype, getitem

INFIX: dict[Any, str] = {
    **{np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/", np.matmul: "@"},
    **{np.power: "**", np.less: "<", np.less_equal: "<=", np.greater: ">", np.equal: "=="},
    **{np.greater_equal: ">=", np.not_equal: "!=", np.bitwise_and: "&", np.bitwise_or: "|"},
}


class Written:
    """The text of a program, and the names that stand in it for arrays and functions."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names: dict[Value, str] = {}
        self.taken: set[str] = {"np", "given", "parameters", "drawn"}
        self.counts: dict[str, int] = {}
        self.bound: dict[str, Any] = {}  # what stands under a name: constants, buffers, functions
        self.head: list[str] = []  # the lines that look up parameters
        self.lines: list[str] = []
        self.indent = "    "
        self.parameters: list[Any] = []  # the tensors that the function expects
        self.lags: dict[Value, Past] = {}
        self.stored = self._stored()
        self.fresh = {v for r in references(program.outputs) for v in [_value(r)] if v is not None}
        self.rows: dict[Any, str] = {}
        self.local: dict[Value, str] = {}  # in a loop: the names of values of this iteration
        self.row: Any = None  # in a loop: the name of a row that it reads
        self.pool = Pool(self)
        self._program()

    @property
    def text(self) -> str:
        """The function, ``program(given, parameters, drawn)``."""
        defaults = "".join([f", {name}={name}" for name in self.bound])
        return "\n".join(
            [f"def program(given, parameters, drawn{defaults}):", *self.head, *self.lines, ""]
        )

    def function(self) -> Any:
        """The function itself."""
        namespace: dict[str, Any] = {"np": np, **self.bound}
        exec(compile(self.text, "<compiled by micrornn>", "exec"), namespace)
        return namespace["program"]

    # -- what is kept --

    def _stored(self) -> set[Value]:
        """The values of loops of which all rows are kept."""
        found: set[Value] = set()

        def look(reference: Any, loop: Loop | None) -> None:
            if isinstance(reference, Value):
                if reference.loop is not None and reference.loop is not loop:
                    found.add(reference)
            elif isinstance(reference, Past):
                if self.lags.setdefault(reference.of, reference) is not reference:
                    raise NotImplementedError("a state with two beginnings")
                found.add(reference.of)
            elif isinstance(reference.of, Past):
                look(reference.of, loop)
            elif reference.of.loop is not None:
                found.add(reference.of)

        for block in self.program.blocks:
            for reference, loop in read(block):
                look(reference, loop)
        for r in references(self.program.outputs):
            look(r, None)
        return found

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

    # -- lines --

    def _line(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def _program(self) -> None:
        last = last_uses(self.program.blocks, self.program.outputs, self.stored)
        for at, block in enumerate(self.program.blocks):
            self.dying = last.get(at, [])
            if isinstance(block, Loop):
                self._loop(block)
            else:
                self._straight(block)
            self.pool.release(self.dying)
        results = [self._reference(reference) for reference in self.program.outputs.values()]
        self._line(f"return {', '.join(results)},")

    def _straight(self, v: Value) -> None:
        if self._writes(v) and v not in self.fresh and v.shape:
            call = self._call(v, "{}")
            if elementwise(v.call):
                self.pool.release(self.dying)  # it may write where it reads
            self._line(call.replace("{}", self.pool.taken(v, v.shape)))
        else:
            self._line(f"{self._name(v)} = {self._expression(v)}")

    def _loop(self, loop: Loop) -> None:
        n = loop.count
        variables: dict[str, str] = {}  # the name of a row: what is iterated
        rows: dict[Any, str] = {}

        def row(reference: Row) -> str:
            of = reference.of
            base = _value(of)
            assert base is not None
            key = (of if isinstance(of, Past) else base, reference.start, reference.stride)
            if key not in rows:
                rows[key] = self._unique(self._name(base) + "_t")
                variables[rows[key]] = self._iterated(reference, loop)
            return rows[key]

        writing: dict[Value, str] = {}
        for v in loop.body:
            if v in self.stored:
                past = self.lags.get(v)
                lag = len(past.firsts) if past else 0
                name = self.pool.taken(v, (n + lag, *v.shape))
                for i in range(lag):
                    assert past is not None
                    at = n + i if loop.back else i
                    self._line(f"{name}[{at}] = {self._reference(past.firsts[i])}")
                writing[v] = self._unique(name + "_now")
                variables[writing[v]] = self._rows(name, slice(*self._own_rows(v)), loop)
        self.local = {**writing}
        self.row = row
        before = len(self.lines)
        outer, self.indent = self.indent, self.indent + "    "
        last = last_uses(loop.body, {}, self.stored)
        for at, v in enumerate(loop.body):
            self._step(v, writing.get(v), [x for x in last.get(at, []) if x not in writing])
        self.pool.release([v for v in loop.body if v not in writing])
        body, self.lines = self.lines[before:], self.lines[:before]
        self.indent = outer
        if len(variables) == 1:
            ((name, iterated),) = variables.items()
            self._line(f"for {name} in {iterated}:")
        elif variables:
            self._line(f"for {', '.join(variables)} in zip({', '.join(variables.values())}):")
        else:
            self._line(f"for _ in range({n}):")
        self.lines += body
        self.local, self.row = {}, None

    def _step(self, v: Value, target: str | None, dying: list[Value]) -> None:
        dying = [x for x in dying if x.loop is v.loop]
        if target is None and self._writes(v):
            call = self._call(v, "{}")
            if elementwise(v.call):
                self.pool.release(dying)
            self.local[v] = self.pool.taken(v, v.shape)
            self._line(call.replace("{}", self.local[v]))
        elif target is None:
            self._line(f"{self._name(v)} = {self._expression(v)}")
            self.local[v] = self._name(v)
        elif self._writes(v):
            self._line(self._call(v, target))
        else:
            self._line(f"{target}[...] = {self._expression(v)}")
        self.pool.release(dying)

    def _own_rows(self, v: Value) -> tuple[int, int]:
        """Where the rows of a value stand among those that are kept."""
        assert v.loop is not None
        lag = len(self.lags[v].firsts) if v in self.lags and not v.loop.back else 0
        return lag, lag + v.loop.count

    def _rows(self, name: str, index: slice, loop: Loop) -> str:
        """The name of a list of rows that is made once, in the order in which a loop takes them."""
        key = (name, index.start, index.stop, index.step or 1, loop.back)
        if key not in self.rows:
            rows = rows_of(self.bound[name][index])
            self.rows[key] = self._bind(f"{name}_rows", rows[::-1] if loop.back else rows)
        return self.rows[key]

    def _iterated(self, reference: Row, loop: Loop) -> str:
        """What a loop iterates over to read row start + stride t."""
        n = loop.count
        of, start, stride = reference.of, reference.start, reference.stride
        base = _value(of)
        assert base is not None
        name = self._name(base) if base.leaf is None else self._reference(base)
        if not isinstance(of, Past) and base.loop is not None:
            start += self._own_rows(base)[0]
        end = start + stride * n
        index = slice(start, end if end >= 0 else None, stride)
        if isinstance(self.bound.get(name), np.ndarray):
            return self._rows(name, index, loop)
        if loop.back:
            index = slice(end - stride, start - stride if start >= stride else None, -stride)
        elif stride == 1 and start == 0 and shape_at(base)[0] == n:
            return name
        return f"{name}[{_slice(index)}]"

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
        function = self._function(v.call)
        if v.call is np.matmul and all(1 <= _axes(x, v) <= 2 for x in v.args):
            function = "np.dot"
        args = [self._argument(x) for x in v.args]
        args += [f"{key}={self._argument(x)}" for key, x in v.kwargs.items()]
        return f"{function}({', '.join(args)}, out={out})"

    def _expression(self, v: Value) -> str:
        args = [self._argument(x) for x in v.args]
        if v.call is np.matmul and all(1 <= _axes(x, v) <= 2 for x in v.args):
            return f"np.dot({args[0]}, {args[1]})"
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
                return f"{name}[{_slice(slice(*self._own_rows(reference)))}]"
            return name
        of = reference.of
        if isinstance(reference, Row) and reference.stride and self.row is not None:
            return self.row(reference)  # type: ignore[no-any-return]
        base = _value(of)
        assert base is not None
        name = self._name(base) if base.leaf is None else self._reference(base)
        start = reference.start
        if not isinstance(of, Past) and base.loop is not None:
            start += self._own_rows(base)[0]
        if isinstance(reference, Row):
            return f"{name}[{start}]"
        end = start + reference.stride * reference.count
        return f"{name}[{_slice(slice(start, end if end >= 0 else None, reference.stride))}]"

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


def _value(reference: Any) -> Value | None:
    while not isinstance(reference, Value):
        reference = reference.of
    return reference


def _axes(x: Any, v: Value) -> int:
    return len(shape_at(x, v.loop)) if isinstance(x, (Value, Row, Rows)) else np.ndim(x)


def _slice(index: slice) -> str:
    start = "" if not index.start and (index.step or 1) > 0 else str(index.start)
    stop = "" if index.stop is None else str(index.stop)
    return f"{start}:{stop}" + ("" if index.step in (None, 1) else f":{index.step}")
