"""In strips: the text of a loop that runs a few steps at once, with what is made before and after them.

What differs from strip to strip (the rows of arrays, and lists of rows) is looked up once; the loop over
strips goes through lists of it.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from micrornn.compiler.buffers import Pool, elementwise, last_uses
from micrornn.compiler.expressions import Expressions
from micrornn.compiler.program import Loop, Value
from micrornn.compiler.strips import Strip


class InStrips(Expressions):
    """The lines of a program, and of its strips."""

    stored: set[Value]  # the values of loops of which rows are kept
    carried: set[Value]  # those that need one row
    parts: dict[Value, Value]  # those that lie in the rows of another
    dying: list[Value]  # what is used for the last time

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.indent = "    "
        self.pool = Pool(self)
        self.views: dict[str, list[Any]] = {}  # the rows of arrays
        self.sums: dict[Any, str] = {}  # what strips add to sums, by shape
        self.strip: Strip | None = None
        self.each: dict[str, str] = {}  # in a strip: what differs from one to the next
        self.part: dict[Any, str] = {}  # in a strip: the names of its rows of arrays

    def _run(self, loop: Loop, kept: dict[Value, str]) -> None:
        """Write a loop, whose values are kept in these arrays."""
        raise NotImplementedError

    def _line(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def _head(self, at: int, variables: dict[str, str], n: int) -> None:
        """Put the head of a loop before its lines."""
        if len(variables) == 1:
            ((name, iterated),) = variables.items()
            head = f"for {name} in {iterated}:"
        elif variables:
            head = f"for {', '.join(variables)} in zip({', '.join(variables.values())}):"
        else:
            head = f"for _ in range({n}):"
        self.lines.insert(at, self.indent + head)

    def _kept(self, loop: Loop, local: Any = ()) -> dict[Value, str]:
        """The arrays of the values of a loop that are kept, except those that only a strip needs."""
        found: dict[Value, str] = {}
        for v in loop.body:
            if v in local or v not in self.stored:
                continue
            if v in self.carried:
                name = self.pool.taken(v, v.shape)
                self._line(f"{name}[...] = {self._reference(self.lags[v].firsts[0])}")
            elif v in self.parts:
                name = self._part_of(v)
            else:
                past = self.lags.get(v)
                lag = len(past.firsts) if past else 0
                name = self.pool.taken(v, (loop.count + lag, *v.shape))
                for i in range(lag):
                    assert past is not None
                    at = loop.count + i if loop.back else i
                    self._line(f"{name}[{at}] = {self._reference(past.firsts[i])}")
            found[v] = name
        return found

    def _part_of(self, v: Value) -> str:
        """The array of a value that lies in the rows of another."""
        index = v.args[1] if isinstance(v.args[1], tuple) else (v.args[1],)
        name = self._name(v)
        self.bound[name] = self.bound[self.names[self.parts[v]]][(slice(None), *index)]
        return name

    def _strip(self, strip: Strip) -> None:
        kept = self._kept(strip.loop, strip.local)
        for v in (*strip.before, *strip.after):  # before any array serves another in the strip
            if v in strip.sums:
                zero = f"np.zeros({v.shape}, np.{v.dtype.name})" if v.shape else "0.0"
                self._line(f"{self._name(v)} = {zero}")
            elif v not in strip.local and self._writes(v):
                self.pool.taken(v, v.shape)
        self.strip, self.each, self.part = strip, {}, {}
        before = len(self.lines)
        outer, self.indent = self.indent, self.indent + "    "
        items: list[Value | Loop] = [*strip.before, strip.loop, *strip.after]
        last = last_uses(items, {}, self.stored - {*self.parts})
        for at, item in enumerate(items):
            self.dying = [v for v in last.get(at, []) if v in strip.local]
            if isinstance(item, Loop):
                for v in item.body:
                    if v in strip.local and v in self.parts:
                        kept[v] = self._part_of(v)
                        self.part[v] = self._in_strip(v, kept[v])
                    elif v in strip.local:
                        kept[v] = self.pool.taken(v, (strip.size, *v.shape))
                        self.part[v] = self._in_strip(v, kept[v])
                self._run(item, {v: kept[v] for v in item.body if v in kept})
            else:
                self._member(strip, item)
            self.pool.release(self.dying)
        self.indent = outer
        self._head(before, self.each, len(strip.pieces()))
        self.strip = None

    def _member(self, strip: Strip, v: Value) -> None:
        """A value of a strip that is made outside its loop."""
        self.sliced = {r: self._sliced(strip, r, k) for r, k in strip.sliced[v].items()}
        if v in strip.sums:
            self._add(strip, v)
        elif not self._writes(v):
            self.part[v] = self._name(v)
            self._line(f"{self.part[v]} = {self._expression(v)}")
        else:
            call = self._call(v, "{}")
            if v in strip.local:
                if elementwise(v.call):
                    self.pool.release(self.dying)
                self.pool.taken(v, (strip.size * strip.rows(v), *v.shape[1:]))
            self.part[v] = self._in_strip(v, self._name(v))
            self._line(call.replace("{}", self.part[v]))
        self.sliced = {}

    def _add(self, strip: Strip, v: Value) -> None:
        """Add what a strip gives to a sum over time."""
        name = self._name(v)

        def ones(n: int, dtype: Any) -> str:
            each = n // strip.loop.count
            parts = [np.ones((b - a) * each, dtype) for a, b in strip.pieces()]
            return self._each("ones", parts)

        self.strip_ones = ones
        if v.shape:
            key = v.shape, v.dtype
            if key not in self.sums:
                self.sums[key] = self._bind("part", np.empty(*key))
            self._line(self._call(v, self.sums[key]))
            self._line(f"{name} += {self.sums[key]}")
        else:
            self._line(f"{name} = {name} + {self._expression(v)}")
        self.strip_ones = None

    def _in_strip(self, v: Value, name: str) -> str:
        """The name of the rows of an array that belong to the steps of a strip."""
        assert self.strip is not None
        k, array, pieces = self.strip.rows(v), self.bound[name], self.strip.pieces()
        if v in self.strip.local:
            even = all(b - a == self.strip.size for a, b in pieces)
            return name if even else self._each(name, [array[: (b - a) * k] for a, b in pieces])
        return self._each(name, [array[a * k : b * k] for a, b in pieces])

    def _sliced(self, strip: Strip, r: Any, k: int) -> str:
        """The name of the rows of an operand that belong to the steps of a strip."""
        if r not in self.part:
            text, pieces = self._reference(r), strip.pieces()
            bounds = [slice(a * k, b * k) if k > 0 else slice((a - b) * k) for a, b in pieces]
            if re.split(r"\W", text)[0] in self.bound:
                array = eval(text, {"slice": slice, **self.bound})
                self.part[r] = self._each(text, [array[i] for i in bounds])
            else:
                self.part[r] = f"{text}[{self._each('rows', bounds)}]"
        return self.part[r]

    def _each(self, base: str, parts: list[Any]) -> str:
        """The name of something that differs from strip to strip."""
        base = re.sub(r"\W+", "_", base).strip("_")
        name = self._unique(f"{base}_here")
        self.each[name] = self._bind(f"{base}_of_strips", parts)
        return name

    def _rows_of_strips(self, name: str, index: slice) -> str:
        assert self.strip is not None
        whole = len(self.views[name]) > self.strip.size
        rows = self.views[name][index] if whole else self.views[name]
        order = -1 if self.strip.loop.back else 1
        pieces = [(a, b) if whole else (0, b - a) for a, b in self.strip.pieces()]
        return self._each(f"{name}_rows", [rows[a:b][::order] for a, b in pieces])
