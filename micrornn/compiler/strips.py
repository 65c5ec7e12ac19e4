"""Strips: what a loop is given and leaves over time is computed for a few steps at once, not for all.

What left a loop is an array over time: the products of the inputs before it, the deltas that a weight's
gradient is a product of after it. Nothing needs all of their rows together. So the loop is cut into strips
of steps; each strip makes the rows that its steps read, runs them, and adds to the sums over time. The
arrays that only a strip needs are as long as a strip, and mostly still in the cache.

A value may be made strip by strip if rows [a, b) of it need rows [a, b) of its operands and no others, which
`_sliced` says of a call by its shapes; a sum over time may, because it is the sum of the strips' sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from micrornn.compiler.program import (
    Constant,
    Loop,
    Program,
    Row,
    Rows,
    Value,
    leaf,
    references,
    root,
    shape_at,
    uses,
)
from micrornn.compiler.traced import astype, getitem

BYTES = 1 << 18  # of the longest array of a strip: what stays in the cache
SHORTEST = 8  # steps of a strip
MOST = 16  # strips, unless they are of more than BYTES
WORTH = 1 << 18  # bytes that are saved at least

Sliced = dict[
    Any, int
]  # references, and how many of their rows belong to a step; -k: always the first


@dataclass(eq=False)
class Strip:
    """A loop with what is made before and after it, for ``size`` steps after the other."""

    loop: Loop
    size: int
    before: list[Value]
    after: list[Value]
    sliced: dict[Value, Sliced]  # by member: the operands of which it takes the rows of the strip
    sums: set[Value]  # members that are sums over time
    local: set[Value]  # what no one needs outside of the strip

    @property
    def body(self) -> list[Value]:
        """Everything that is computed here, in order."""
        return [*self.before, *self.loop.body, *self.after]

    def pieces(self) -> list[tuple[int, int]]:
        """The first step of each strip, and that after its last, in the order in which they run."""
        n = self.loop.count
        found = [(a, min(a + self.size, n)) for a in range(0, n, self.size)]
        return found[::-1] if self.loop.back else found

    def rows(self, v: Value) -> int:
        """How many rows of a member belong to a step."""
        return 1 if v.loop is self.loop else v.shape[0] // self.loop.count


def stripped(
    program: Program,
    stored: set[Value],
    parts: dict[Value, Value],
    writes: Callable[[Value], bool],
) -> list[Value | Loop | Strip]:
    """The blocks of a program, with strips in the place of the loops that are worth it.

    Args:
        stored: the values of loops of which rows are kept for no other step.
        parts: those of them that lie in the rows of another.
        writes: whether a value is written into an array that is there.
    """
    blocks: list[Value | Loop | Strip] = list(program.blocks)
    # The last first: what the forward and the backward loop could both make is made where it is read.
    for loop in [b for b in program.blocks if isinstance(b, Loop)][::-1]:
        if loop.count >= 2 * SHORTEST:
            blocks = _Cutting(blocks, program.outputs, loop, stored, parts, writes).blocks()
    return blocks


class _Cutting:
    def __init__(
        self,
        blocks: list[Value | Loop | Strip],
        outputs: Any,
        loop: Loop,
        stored: set[Value],
        parts: dict[Value, Value],
        writes: Callable[[Value], bool],
    ) -> None:
        self.given, self.loop, self.n = blocks, loop, loop.count
        self.stored, self.parts, self.writes = stored, parts, writes
        self.wanted = {v for r in references(outputs) for v in root(r)}
        self.at = blocks.index(loop)
        self.behind = {b for b in blocks[self.at + 1 :] if isinstance(b, Value)}
        self.sliced: dict[Value, Sliced] = {}
        self.readers: dict[Value, list[tuple[Any, Any]]] = {}
        for block in blocks:
            for v in block.body if isinstance(block, (Loop, Strip)) else [block]:
                for r in uses(v):
                    for x in root(r):
                        self.readers.setdefault(x, []).append((r, v))

    def blocks(self) -> list[Value | Loop | Strip]:
        """All blocks, with the strip in the place of its loop."""
        after, sums = self._after(set(self._before(set(), beyond=True)))
        before = self._before(set(after))
        members = {*before, *after}
        local = {v for v in members if v not in sums and self._only_in(v, members)}
        local |= {v for v in self.loop.body if v in self.stored and self._only_in(v, members)}
        for v, whole in self.parts.items():
            if not {v, whole} <= local:
                local -= {v, whole}
        sizes = [prod(v.shape) * v.dtype.itemsize for v in local if v.loop is None]
        sizes += [self.n * prod(v.shape) * v.dtype.itemsize for v in local if v.loop is self.loop]
        row = max(sizes, default=0) // self.n
        size = max(SHORTEST, min(-(-BYTES // row), -(-self.n // MOST))) if row else self.n
        if sum(sizes) < WORTH or 2 * size > self.n:
            return self.given
        strip = Strip(self.loop, size, before, after, self.sliced, sums, local)
        for v in members:
            _settle(v, strip.sliced[v])
        first = self._needed(members)
        rest = [b for b in self.given if b not in members and b not in first]
        at = rest.index(self.loop)
        rest[at : at + 1] = [*[b for b in self.given if b in first], strip]
        return rest

    def _needed(self, members: set[Value]) -> set[Any]:
        """What members need that stands after the loop, and could stand before it."""
        found: set[Any] = set()
        waiting = list(members)
        while waiting:
            for r in uses(waiting.pop()):
                new = {x for x in root(r) if x in self.free} - found
                found |= new
                waiting.extend(new)
        return found

    def _only_in(self, v: Value, members: set[Value], beyond: bool = False) -> bool:
        """Whether only the strip reads a value, and only rows of its own steps.

        Args:
            beyond: allow any readers that stand after the loop.
        """
        if v in self.wanted:
            return False
        for r, reader in self.readers.get(v, []):
            if reader.loop is self.loop and v.loop is self.loop and r is v:
                continue
            inner = reader.loop is self.loop and v.loop is None and r == Row(v, 0, 1)
            inner = inner and v.shape[0] == self.n
            inner = inner or (beyond and reader in self.behind)
            if not inner and not (reader in members and r in self.sliced[reader]):
                return False
        return True

    def _before(self, after: set[Value], beyond: bool = False) -> list[Value]:
        found: list[Value] = []
        for v in reversed(self.given[: self.at]):
            if not isinstance(v, Value) or not v.shape or v.shape[0] % self.n:
                continue
            if not v.shape[0] or v.call is None or not self.readers.get(v):
                continue
            sliced = _sliced(v, self.n)
            if sliced and self._only_in(v, {*found, *after}, beyond):
                self.sliced[v] = sliced
                found.append(v)
        return found[::-1]

    def _after(self, ahead: set[Value]) -> tuple[list[Value], set[Value]]:
        """The members after the loop, and which of them are sums.

        Args:
            ahead: what may be made in the strip before the loop.
        """
        banned: set[Value] = set()
        while True:
            found, sums = self._candidates(banned, ahead)
            inside = set(found)
            apart = {
                v
                for v in found
                if v not in sums
                and (v in self.wanted or not (self.writes(v) or self._only_in(v, inside)))
            }
            if not apart:
                return found, sums
            banned |= apart

    def _candidates(self, banned: set[Value], ahead: set[Value]) -> tuple[list[Value], set[Value]]:
        """The later values that are made of rows of the loop, and of nothing that is not there yet."""
        found: list[Value] = []
        sums: set[Value] = set()
        self.free: set[Value] = set()  # what could be known before the loop
        later = set(self.loop.body)  # what is not known before the loop
        turned: set[Value] = set()  # with time as their last axis
        for block in self.given[self.at + 1 :]:
            if not isinstance(block, Value):
                later.update(block.body)
                continue
            v = block
            own = [r for r in uses(v) if any(x in later for x in root(r))]
            (later if own else self.free).add(v)
            if v in banned or not (own or any(r in ahead for r in uses(v))):
                continue
            if not all(self._timed(r, found, sums) for r in own):
                continue
            if any(r in turned for r in own):
                sliced = _product(v, turned, self.n)
                total = sliced is not None
            elif _turns(v):
                sliced, total = {v.args[0]: shape_at(v.args[0])[0] // self.n}, False
                turned.add(v)
            else:
                total = _sums(v)
                sliced = _rows(v.args[0], self.n) if total else _sliced(v, self.n)
            if not sliced or not all(r in sliced for r in own):
                turned.discard(v)
                continue
            self.sliced[v] = sliced
            found.append(v)
            self.free.discard(v)
            later.add(v)
            if total:
                sums.add(v)
        used = {r for v in found for r in self.sliced[v]}
        for v in [v for v in turned if v not in used]:
            found.remove(v)
        return found, sums

    def _timed(self, r: Any, found: list[Value], sums: set[Value]) -> bool:
        """Whether a reference to what is made here has rows of every step."""
        if isinstance(r, Value):
            return r.loop is self.loop or (r in found and r not in sums)
        if not isinstance(r, Rows) or (r.stride, r.count) != (1, self.n):
            return False
        values = root(r.of)
        return values[0].loop is self.loop and r.start in (0, 1) and values[0] not in found


def _rows(r: Any, n: int) -> Sliced | None:
    """A reference of which each step takes rows of its own; None if it has not as many for each."""
    if not isinstance(r, (Value, Rows)):
        return None
    shape = shape_at(r)
    if not shape or not shape[0] or shape[0] % n or (isinstance(r, Rows) and r.stride != 1):
        return None
    return {r: shape[0] // n}


def _sliced(v: Value, n: int) -> Sliced | None:
    """The operands that rows of a value need the same rows of; None if they need others."""
    call = v.call
    if not v.shape or v.shape[0] % n or v.shape[0] < n:
        return None
    elementwise = isinstance(call, np.ufunc) and call.signature is None and call.nout == 1
    if (elementwise and not v.kwargs) or call in (np.where, np.copy, astype):
        taken = [x for x in v.args if _first(x) == v.shape[0] and len(_shape(x)) == len(v.shape)]
    elif call is np.matmul:
        taken = _of_product(v)
    elif isinstance(getattr(call, "__self__", None), np.ufunc) and call.__name__ == "reduce":
        if 0 in _axes(v):
            return None
        taken = [v.args[0]]
    elif call is np.reshape and len(v.args) == 2 and 0 not in v.shape:
        taken = [v.args[0]]
    elif call is np.concatenate or call is np.stack:
        axis = v.args[1] if len(v.args) > 1 else v.kwargs.get("axis", 0)
        if axis % len(v.shape) == 0:
            return None
        taken = list(v.args[0])
    elif call is np.transpose and len(v.args) == 2 and v.args[1] and v.args[1][0] == 0:
        taken = [v.args[0]]
    elif call is getitem:
        return _of_index(v, n)
    else:
        return None
    found: Sliced = {}
    for x in taken:
        rows = _rows(x, n)
        if rows is None:
            return None
        found |= rows
    return found


def _of_product(v: Value) -> list[Any]:
    left, right = v.args
    a, b = len(_shape(left)), len(_shape(right))
    if a >= 2 and b <= 2 and len(v.shape) == a - (b == 1):
        return [left]
    if a <= 2 < b and len(v.shape) == b - (a == 1):
        return [right]
    return [left, right] if a == b and _first(left) == _first(right) else [None]


def _of_index(v: Value, n: int) -> Sliced | None:
    x, index = v.args[0], v.args[1]
    rows = _rows(x, n)
    entries = index if isinstance(index, tuple) else (index,)
    if rows is None:
        return None
    if isinstance(entries[0], np.ndarray):  # an entry of every row
        count = np.arange(shape_at(x)[0]).reshape(-1, *[1] * (entries[0].ndim - 1))
        if not np.array_equal(entries[0], count):
            return None
        for i in entries[1:]:
            other = _rows(i, n)
            if other is None or [*other.values()] != [rows[x]]:
                return None
            rows |= other
        return rows
    if any(not (isinstance(i, (slice, int)) or i is None or i is Ellipsis) for i in entries):
        return None
    if any(isinstance(i, slice) and list(references(i)) for i in entries):
        return None
    kept = entries[0] == slice(None) if isinstance(entries[0], slice) else False
    axes = sum(i is not None and i is not Ellipsis for i in entries)
    ahead = entries[0] is Ellipsis and axes < len(shape_at(x)) and None not in entries
    return rows if kept or ahead else None


def _turns(v: Value) -> bool:
    axes = v.args[1] if len(v.args) > 1 else v.kwargs.get("axes")
    return v.call is np.transpose and len(v.shape) == 2 and axes in (None, (1, 0))


def _sums(v: Value) -> bool:
    total = v.call == np.add.reduce and not set(v.kwargs) - {"axis"} and v.dtype.kind == "f"
    return bool(total and len(v.args) == 1 and 0 in _axes(v))


def _product(v: Value, turned: set[Value], n: int) -> Sliced | None:
    """The operands of a product that sums over time."""
    if v.call is not np.matmul or v.args[0] not in turned or v.args[1] in turned:
        return None
    left, right = v.args
    rows = _rows(right, n)
    if rows is None or len(shape_at(right)) != 2 or shape_at(right)[0] != left.shape[1]:
        return None
    return {left: rows[right], **rows}


def _axes(v: Value) -> set[int]:
    """The axes that a reduction sums over."""
    count = len(shape_at(v.args[0]))
    axis = v.args[1] if len(v.args) > 1 else v.kwargs.get("axis", 0)
    over = range(count) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return {a % count for a in over}


def _settle(v: Value, sliced: Sliced) -> None:
    """Write a call so that it does not say how many steps there are."""
    if v.call is np.reshape:
        v.args = (v.args[0], (-1, *v.shape[1:]))
    if v.call is getitem and isinstance(v.args[1], tuple) and isinstance(v.args[1][0], np.ndarray):
        count = v.args[1][0]
        first = leaf(Constant(count), count)
        v.args = (v.args[0], (first, *v.args[1][1:]))
        sliced[first] = -sliced[v.args[0]]


def _shape(x: Any) -> tuple[int, ...]:
    return shape_at(x) if isinstance(x, (Value, Row, Rows)) else np.shape(x)


def _first(x: Any) -> int:
    return (*_shape(x), 0)[0]
