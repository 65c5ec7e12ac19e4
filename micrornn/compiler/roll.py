"""Roll: a straight run of equal steps becomes a loop.

A repeat is found in the sequence of operations by their kind and their parameters, and then proven: in
every iteration k, each operand must be the same value, a value of the same iteration, of the d-th before, or
any given one. Nothing is assumed about steps or scopes, so layers, directions, encoder and decoder, and the
points of a batch roll alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.program import (
    Constant,
    Loop,
    Parameter,
    Past,
    Program,
    Row,
    Value,
    blank,
    dtype_of,
    leaf,
    mapped,
    shape_at,
)
from micrornn.compiler.repeats import repeats
from micrornn.compiler.rows import joined
from micrornn.core.primitive import named as primitive_named


def roll(values: list[Value], outputs: dict[Any, Any]) -> Program:
    """The program of a trace: its values in order, and what is wanted of them."""
    return _Rolling(values).program(outputs)


class _Rolling:
    def __init__(self, values: list[Value]) -> None:
        self.values = values
        self.position = {v: i for i, v in enumerate(values)}
        self.given: list[Any] = []  # leaves and rows of values, by number
        self.of_leaf: dict[Any, int] = {}
        self.place: list[Any] = [None] * len(values)  # a Value, or its Row in a loop
        self.streams: dict[Any, Row] = {}
        self.taken: dict[tuple[Row, int], Value] = {}
        self.blocks: list[Value | Loop] = []
        codes: dict[Any, int] = {}
        self.literals: list[tuple[Any, ...]] = []
        code, ends, flat = [], [0], []
        for v in values:
            key, refs, literals = self._described(v)
            code.append(codes.setdefault(key, len(codes)))
            self.literals.append(literals)
            flat.extend(refs)
            ends.append(len(flat))
        self.code = np.array(code, int)
        self.ends = np.array(ends)
        self.flat = np.array(flat, int)
        steps = [v.place.step if v.place.step is not None else -1 for v in values]
        self.borders = np.flatnonzero(np.diff(np.array([-2, *steps]))) if values else np.array([])

    def _described(self, v: Value) -> tuple[Any, list[int], tuple[Any, ...]]:
        refs: list[int] = []
        literals: list[Any] = []
        args = self._skeleton(v.args, refs, literals)
        kwargs = self._skeleton(v.kwargs, refs, literals) if v.kwargs else ()
        return (v.call, args, kwargs, v.shape, v.dtype, v.grad), refs, tuple(literals)

    def _skeleton(self, x: Any, refs: list[int], literals: list[Any]) -> Any:
        """What stands in arguments, without the references and literals, which are collected."""
        kind = type(x)
        if kind is Value or kind is Row:
            at = self.position.get(x)
            if at is not None:
                refs.append(at)
                return "*"
            at = self.of_leaf.get(x)
            if at is None:
                at = self.of_leaf[x] = len(self.given)
                self.given.append(x)
            refs.append(-1 - at)
            return at if kind is Value and isinstance(x.leaf, Parameter) else "*"
        if kind is tuple or kind is list:
            return (kind.__name__, *[self._skeleton(y, refs, literals) for y in x])
        if kind is slice:
            parts = (x.start, x.stop, x.step)
            inside = parts if _plain(x) else [self._skeleton(y, refs, literals) for y in parts]
            return ("slice", *inside)
        if kind is dict:
            return tuple([(k, self._skeleton(y, refs, literals)) for k, y in x.items()])
        if kind in (int, float) or isinstance(x, (np.ndarray, np.generic)):
            literals.append(x)
            return (kind.__name__, np.shape(x))
        return x if isinstance(x, (str, bool, type(None))) else repr(x)

    # -- where the loops are --

    def program(self, outputs: dict[Any, Any]) -> Program:
        self._segment(0, len(self.values))
        return Program(self.blocks, mapped(outputs, self._moved))

    def _segment(self, low: int, high: int) -> None:
        """Place the values of a range, its longest loop first."""
        borders = self.borders[(self.borders >= low) & (self.borders < high)] - low
        for start, period, count in repeats(self.code[low:high], borders):
            columns = self._proven(low + start, period, count)
            if columns is not None:
                self._segment(low, low + start)
                self._loop(low + start, period, count, columns)
                self._segment(low + start + period * count, high)
                return
        for i in range(low, high):
            self._straight(i)

    def _proven(self, start: int, period: int, count: int) -> list[Any] | None:
        """Where each operand of the body comes from, if that is the same in every iteration."""
        table = self.flat[self.ends[start] : self.ends[start + period * count]].reshape(count, -1)
        columns: list[Any] = []
        own = np.repeat(np.arange(period), np.diff(self.ends[start : start + period + 1]))
        for at, column in zip(own.tolist(), table.T):
            inside = column >= start
            if not inside.any():
                if any(self._base(i) >= start for i in column.tolist()):
                    return None
                if len({self._shape(i) for i in set(column.tolist())}) > 1:
                    return None
                columns.append(("given", at, column))
                continue
            lag = int(np.argmax(inside))
            iteration, source = divmod(int(column[lag]) - start, period)
            expected = start + source + period * (np.arange(lag, count) - lag)
            if iteration != 0 or (lag == 0 and source >= at) or (column[lag:] != expected).any():
                return None
            shape = self.values[start + source].shape
            if any(self._shape(i) != shape for i in column[:lag].tolist()):
                return None
            columns.append(("own", source, column[:lag]))
        return columns

    def _base(self, i: int) -> int:
        """The position of the value that a row is taken from; -1 where it is a leaf."""
        given = self.given[-1 - i] if i < 0 else None
        return self.position.get(given.of, -1) if isinstance(given, Row) else -1

    def _shape(self, i: int) -> tuple[int, ...]:
        return self.values[i].shape if i >= 0 else shape_at(self.given[-1 - i])

    # -- what they become --

    def _located(self, i: int) -> Any:
        return self.place[i] if i >= 0 else self._moved(self.given[-1 - i])

    def _moved(self, reference: Any) -> Any:
        if isinstance(reference, Row):
            of = self._moved(reference.of)
            return (
                self._taken(of, reference.start)
                if isinstance(of, Row)
                else Row(of, reference.start)
            )
        at = self.position.get(reference)
        return reference if at is None else self.place[at]

    def _taken(self, row: Row, i: int) -> Value:
        """Row i of what one iteration of a loop made."""
        if (row, i) not in self.taken:
            sample = blank(shape_at(row)[1:], dtype_of(row))
            value = Value(primitive_named("getitem"), (row,), {"index": i}, sample)
            value.grad = row.of.grad
            self.taken[row, i] = value
            self.blocks.append(value)
        return self.taken[row, i]

    def _straight(self, i: int) -> None:
        v = self.values[i]
        v.args, v.kwargs = mapped(v.args, self._moved), mapped(v.kwargs, self._moved)
        made = joined(v) or [v]
        self.place[i] = made[-1]
        self.blocks.extend(made)

    def _loop(self, start: int, period: int, count: int, columns: list[Any]) -> None:
        body = self.values[start + period : start + 2 * period]  # the first may have its own inputs
        pasts: dict[Any, Past] = {}
        references: list[Any] = []
        copies: list[Value] = []
        for column in columns:
            if column[0] == "given":
                given = [self._located(i) for i in column[2].tolist()]
                references.append(self._stream(given, body[column[1]].dtype))
                continue
            _, source, firsts = column
            if len(firsts) == 0:
                references.append(body[source])
                continue
            before = [self._located(i) for i in firsts.tolist()]
            key = (source, *before)
            if key not in pasts:
                v = body[source]
                if any(past.of is v for past in pasts.values()):  # a state has one beginning
                    v = _copy(v)
                    copies.append(v)
                pasts[key] = Past(v, before)
            references.append(Row(pasts[key], 0, 1))
        following = iter(references)
        loop = Loop(count, body)
        first, second = (self.values[start + k * period].place.step for k in (0, 1))
        if first is not None and second is not None:
            loop.stride = second - first
        for q, v in enumerate(body):
            rows = [self.literals[start + k * period + q] for k in range(count)]
            varying = self._varying(rows)
            arguments = mapped((v.args, v.kwargs), lambda _: next(following))
            if varying:
                arguments = _with_literals(arguments, iter(varying))
            v.args, v.kwargs = arguments
            v.loop = loop
        for v in copies:
            v.loop = loop
        loop.body = [*body, *copies]
        for k in range(count):
            for q, v in enumerate(body):
                self.place[start + k * period + q] = Row(v, k)
        self.blocks.append(loop)

    def _varying(self, rows: list[tuple[Any, ...]]) -> list[Any]:
        """The literals of an operation, those that differ from iteration to iteration as rows."""
        if _simple(rows[0]) and all(row == rows[0] for row in rows):
            return []
        result = []
        for each in zip(*rows):
            array = np.asarray(each)
            if (array == array[:1]).all():
                result.append(each[0])
            else:
                result.append(Row(leaf(Constant(array), array), 0, 1))
        return result

    def _stream(self, given: list[Any], dtype: Any) -> Any:
        """What an operand outside the loop is in each iteration."""
        first = given[0]
        if all(x is first for x in given):
            return first
        if all(isinstance(x, Row) and x.of is getattr(first, "of", None) for x in given):
            starts = np.array([x.start for x in given])
            if (np.diff(starts) == starts[1] - starts[0]).all():
                return Row(first.of, int(starts[0]), int(starts[1] - starts[0]))
        known = (dtype, *given)
        if known in self.streams:
            return self.streams[known]
        if all(isinstance(x, Value) and isinstance(x.leaf, Constant) for x in given):
            array = np.stack([np.asarray(x.leaf.value) for x in given])
            if (array == array[:1]).all():
                return first
            if type(first.leaf.value) is float and dtype.kind == "f":
                array = array.astype(dtype)  # as Python's numbers take the dtype of what they meet
            self.streams[known] = Row(leaf(Constant(array), array, first.name), 0, 1)
            return self.streams[known]
        grad = any(_grad(x) for x in given)
        call: Any = primitive_named("stack") if grad else np.stack
        sample = blank((len(given), *shape_at(first)), dtype_of(first))
        value = Value(call, tuple(given) if grad else (tuple(given),), {"axis": 0}, sample)
        value.grad, value.name = grad, getattr(first, "name", None)
        made = (joined(value) if grad else []) or [value]
        self.blocks.extend(made)
        return Row(made[-1], 0, 1)


def _simple(literals: tuple[Any, ...]) -> bool:
    return all(type(x) in (int, float) for x in literals)


def _plain(x: slice) -> bool:
    return all(isinstance(k, (int, type(None))) for k in (x.start, x.stop, x.step))


def _with_literals(tree: Any, following: Any) -> Any:
    """Arguments with their literals replaced, in order."""
    if isinstance(tree, (tuple, list)):
        return type(tree)([_with_literals(x, following) for x in tree])
    if isinstance(tree, slice):
        if _plain(tree):
            return tree
        return slice(*[_with_literals(x, following) for x in (tree.start, tree.stop, tree.step)])
    if isinstance(tree, dict):
        return {key: _with_literals(x, following) for key, x in tree.items()}
    if type(tree) in (int, float) or isinstance(tree, (np.ndarray, np.generic)):
        return next(following)
    return tree


def _copy(v: Value) -> Value:
    value = Value(primitive_named("identity"), (v,), {}, blank(v.shape, v.dtype))
    value.name, value.place, value.grad = v.name, v.place, v.grad
    return value


def _grad(reference: Any) -> bool:
    return (reference if isinstance(reference, Value) else reference.of).grad
