"""Write: a program as the text of a Python function that calls NumPy.

Every array whose shape is known is kept from call to call and written into, and the rows of those that a
loop reads or writes are looked up once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.buffers import carried, elementwise, last_uses, parts, rows_of
from micrornn.compiler.expressions import slice_text, value_of
from micrornn.compiler.in_strips import InStrips
from micrornn.compiler.machine import Unsupported, compiled, machine_code
from micrornn.compiler.program import (
    Loop,
    Past,
    Program,
    Row,
    Value,
    read,
    references,
    shape_at,
)
from micrornn.compiler.strips import Strip, stripped


class Written(InStrips):
    """The text of a program, and the names that stand in it for arrays and functions."""

    strips = True  # whether a long loop is run strip by strip

    def __init__(self, program: Program, machine: bool = False) -> None:
        super().__init__()
        self.program = program
        self.machine = machine  # whether loops over small arrays are compiled by Numba
        self.loops: list[str] = []  # their texts
        self.stored = self._stored()
        self.carried = set() if machine else carried(program, self.stored)
        self.fresh = {
            v for r in references(program.outputs) for v in [value_of(r)] if v is not None
        }
        self.rows: dict[Any, str] = {}
        self.parts = {} if machine else parts(self.stored, {*self.lags})
        self.blocks: list[Value | Loop | Strip] = list(program.blocks)
        if self.strips and not machine:
            kept = self.stored - {*self.lags}
            self.blocks = stripped(program, kept, self.parts, self._writes)
        self._program()

    @property
    def text(self) -> str:
        """The function, ``program(given, parameters, drawn)``."""
        defaults = "".join([f", {name}={name}" for name in self.bound])
        head = f"def program(given, parameters, drawn{defaults}):"
        return "\n".join([*self.loops, head, *self.head, *self.lines, ""])

    def function(self) -> Any:
        """The function itself."""
        namespace: dict[str, Any] = {"np": np, **self.bound}
        text = self.text[self.text.index("def program(") :]
        exec(compile(text, "<compiled by micrornn>", "exec"), namespace)
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

    # -- lines --

    def _program(self) -> None:
        last = last_uses(self.blocks, self.program.outputs, self.stored - {*self.parts})
        for at, block in enumerate(self.blocks):
            self.dying = last.get(at, [])
            if isinstance(block, Strip):
                self._strip(block)
            elif isinstance(block, Loop):
                self._loop(block)
            else:
                self._straight(block)
            self.pool.release(last.get(at, []))
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
        self._run(loop, self._kept(loop))

    def _run(self, loop: Loop, kept: dict[Value, str]) -> None:
        n = loop.count
        variables: dict[str, str] = {}  # the name of a row: what is iterated
        rows: dict[Any, str] = {}

        def row(reference: Row) -> str:
            of = reference.of
            base = value_of(of)
            assert base is not None
            if base in self.carried:
                return self._name(base)
            key = (of if isinstance(of, Past) else base, reference.start, reference.stride)
            if key not in rows:
                rows[key] = self._unique(self._name(base) + "_t")
                variables[rows[key]] = self._iterated(reference, loop)
            return rows[key]

        writing: dict[Value, str] = {}
        for v, name in kept.items():
            if v in self.carried:
                writing[v] = name
            else:
                writing[v] = self._unique(name + "_now")
                variables[writing[v]] = self._rows(name, slice(*self._own_rows(v)), loop)
        if self.machine and self._machine_loop(loop):
            return
        self.local = {**writing}
        self.row = row
        before = len(self.lines)
        outer, self.indent = self.indent, self.indent + "    "
        last = last_uses(loop.body, {}, self.stored)
        for at, v in enumerate(loop.body):
            if v not in self.parts:
                self._step(v, writing.get(v), [x for x in last.get(at, []) if x not in writing])
        self.pool.release([v for v in loop.body if v not in writing])
        self.indent = outer
        self._head(before, variables, n)
        self.local, self.row = {}, None

    def _machine_loop(self, loop: Loop) -> bool:
        """Call a loop that is compiled to machine code; False if it is better off as calls of NumPy."""
        try:
            text, arguments = machine_code(loop, self)
        except Unsupported:
            return False
        name = self._bind("loop", compiled(text))
        self.loops.append("@njit\n" + text.replace("def loop(", f"def {name}("))
        self._line(f"{name}({', '.join(arguments)})")
        return True

    # -- what machine code asks for --

    def constant(self, x: Any) -> str:
        """An array that is the same at every call."""
        return self._bind("constant", x)

    def whole(self, v: Value) -> str:
        """All of a value that is made outside the loop."""
        return self._reference(v)

    def row_at(self, reference: Row) -> tuple[str, int]:
        """The array that a row is taken from, and which it is at t = 0."""
        base = value_of(reference.of)
        assert base is not None
        name = self._name(base) if base.leaf is None else self._reference(base)
        own = base.loop is not None and not isinstance(reference.of, Past)
        return name, reference.start + (self._own_rows(base)[0] if own else 0)

    def stored_at(self, v: Value) -> tuple[str, int] | None:
        """The array that a value of the loop is kept in, and its row at t = 0; None if it is not."""
        return (self._name(v), self._own_rows(v)[0]) if v in self.stored else None

    def temporary(self, v: Value) -> str:
        """An array for a value of one step."""
        return self._bind(self._name(v), np.empty(v.shape, v.dtype))

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

    def _rows(self, name: str, index: slice, loop: Loop) -> str:
        """The name of a list of rows that is made once, in the order in which a loop takes them."""
        if name not in self.views:
            self.views[name] = rows_of(self.bound[name])
        if self.strip is not None:
            return self._rows_of_strips(name, index)
        key = (name, index.start, index.stop, index.step or 1, loop.back)
        if key not in self.rows:
            rows = self.views[name][index]
            self.rows[key] = self._bind(f"{name}_rows", rows[::-1] if loop.back else rows)
        return self.rows[key]

    def _iterated(self, reference: Row, loop: Loop) -> str:
        """What a loop iterates over to read row start + stride t."""
        n = loop.count
        of, start, stride = reference.of, reference.start, reference.stride
        base = value_of(of)
        assert base is not None
        if self.strip is not None and base in self.part and base in self.strip.before:
            if self._writes(base):
                return self._rows(self._name(base), slice(None), loop)
            return f"{self.part[base]}[::-1]" if loop.back else self.part[base]
        name = self._name(base) if base.leaf is None else self._reference(base)
        if not isinstance(of, Past) and base.loop is not None:
            start += self._own_rows(base)[0]
        end = start + stride * n
        index = slice(start, end if end >= 0 else None, stride)
        if isinstance(self.bound.get(name), np.ndarray):
            return self._rows(name, index, loop)
        if self.strip is not None:
            steps = [(start + stride * a, start + stride * b) for a, b in self.strip.pieces()]
            if loop.back:
                steps = [(last - stride, first - stride) for first, last in steps]
                stride = -stride
            bounds = [slice(a, b if b >= 0 else None, stride) for a, b in steps]
            return f"{name}[{self._each('rows', bounds)}]"
        if loop.back:
            index = slice(end - stride, start - stride if start >= stride else None, -stride)
        elif stride == 1 and start == 0 and shape_at(base)[0] == n:
            return name
        return f"{name}[{slice_text(index)}]"
