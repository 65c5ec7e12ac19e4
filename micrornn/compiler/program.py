"""A program: values over time, as straight lines and loops.

A `Value` is what one call gives. Made in a loop, it is a row for each iteration; seen from outside, it is
all its rows, one array with time as the first axis. So there are four ways to refer to one:

- the `Value`: as it is here; from outside its loop, all rows.
- `Row(value, start, stride)`: at step t of a loop, its row start + stride t; outside of loops, row start.
- `Rows(value, start, stride, count)`: several rows, as one array.
- `Past(value, firsts)`: its rows with those that the loop begins with, which is how a state is carried: at
  step t, h of the step before is row t of `Past(h, [h_0])`. In a loop that runs back, the first ones stand
  behind the last row, and delta of the step after is row t + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrornn.core.context import Place, current

NOWHERE = Place()


class Value:
    """What a call gives; without a call it is a leaf: a parameter, an argument, a constant or a draw."""

    __slots__ = (
        *("args", "back", "call", "dtype", "grad", "kwargs", "leaf", "loop", "name", "number"),
        *("place", "shape", "source", "steady"),
    )

    def __init__(
        self, call: Any, args: Any, kwargs: dict[str, Any], sample: Any, number: int | None = None
    ) -> None:
        self.call = call  # a primitive, or a function of NumPy
        self.args = args  # references and constants, also inside tuples, lists and slices
        self.kwargs = kwargs
        if not isinstance(sample, (np.ndarray, np.generic)):
            sample = np.asarray(sample)
        self.shape: tuple[int, ...] = sample.shape  # of one row
        self.dtype = sample.dtype
        self.number = current().number() if number is None else number
        self.loop: Loop | None = None
        self.steady = False  # whether it left a loop in which it was the same at every step
        self.leaf: Any = None
        self.back = False  # whether it belongs to the backward pass
        self.grad = False  # whether a gradient flows through it
        self.name: str | None = None
        self.place = NOWHERE
        self.source: Any = None  # the value of the network that it was written for

    def __repr__(self) -> str:
        made = type(self.leaf).__name__ if self.call is None else named(self.call)
        return f"<{self.name or ''}#{self.number} {made} {self.shape}>"


def unknown(shape: Any, dtype: Any) -> Any:
    """Numbers for a value that is not known yet: ones, and a square matrix has an inverse."""
    ones = np.ones(shape, dtype)
    if len(shape) == 2 and shape[0] == shape[1]:
        np.fill_diagonal(ones, 2)
    return ones


def blank(shape: tuple[int, ...] | list[int], dtype: Any) -> Any:
    """A sample of this shape and dtype that takes no memory."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def leaf(kind: Any, sample: Any, name: str | None = None) -> Value:
    """A value that is given."""
    value = Value(None, (), {}, sample)
    value.leaf, value.name = kind, name
    return value


@dataclass(frozen=True, eq=False)
class Parameter:
    """A leaf: a tensor that requires a gradient."""

    tensor: Any


@dataclass(frozen=True, eq=False)
class Argument:
    """A leaf: one of the arrays that the compiled function is called with."""

    position: int


@dataclass(frozen=True, eq=False)
class Constant:
    """A leaf: a value that is the same at every call."""

    value: Any


@dataclass(frozen=True, eq=False)
class Draw:
    """A leaf: uniform random numbers, drawn anew at every call."""

    position: int
    generator: Any
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """One row of a value with time as its first axis."""

    of: Any
    start: int
    stride: int = 0


@dataclass(frozen=True)
class Rows:
    """Several rows of a value with time as its first axis."""

    of: Any
    start: int
    stride: int
    count: int


@dataclass(eq=False)
class Past:
    """The rows of a value, and those that its loop begins with."""

    of: Any  # the value; set later where a loop is written before the value is known
    firsts: list[Any]


@dataclass(eq=False)
class Loop:
    """A body that is run for each step t from 0 to count - 1; from the last to the first if it runs back."""

    count: int
    body: list[Value] = field(default_factory=list)
    back: bool = False
    stride: int = 0  # from one iteration to the next, in steps of time; 0 where they are not marked


@dataclass(eq=False)
class Program:
    """Values and loops in order, and what is wanted of them."""

    blocks: list[Value | Loop]
    outputs: dict[Any, Any]  # what is wanted, by its key: a reference


def named(call: Any) -> str:
    """The name of a primitive or a function."""
    return str(getattr(call, "name", None) or getattr(call, "__name__", call))


def mapped(tree: Any, function: Callable[[Any], Any]) -> Any:
    """Arguments, with every reference in them replaced."""
    kind = type(tree)
    if kind in REFERENCES:
        return function(tree)
    if kind is tuple or kind is list:
        return kind(
            [
                function(x)
                if type(x) in REFERENCES
                else mapped(x, function)
                if type(x) in NESTED
                else x
                for x in tree
            ]
        )
    if kind is slice:
        return slice(*[mapped(x, function) for x in (tree.start, tree.stop, tree.step)])
    if kind is dict:
        return {key: mapped(x, function) for key, x in tree.items()}
    return tree


def references(tree: Any) -> Iterator[Any]:
    """The references in arguments."""
    found: list[Any] = []
    _collect(tree, found)
    return iter(found)


def _collect(tree: Any, found: list[Any]) -> None:
    kind = type(tree)
    if kind in REFERENCES:
        found.append(tree)
    elif kind is tuple or kind is list:
        for x in tree:
            if type(x) in REFERENCES:
                found.append(x)
            elif type(x) in NESTED:
                _collect(x, found)
    elif kind is slice:
        _collect((tree.start, tree.stop, tree.step), found)
    elif kind is dict:
        _collect(tuple(tree.values()), found)


REFERENCES = {Value, Row, Rows, Past}
NESTED = {tuple, list, slice, dict}  # what references may stand in


def uses(value: Value) -> Iterator[Any]:
    """The references that a value is made from."""
    return references((value.args, value.kwargs))


def read(block: Value | Loop) -> Iterator[tuple[Any, Loop | None]]:
    """Every reference in a block, with the loop that it stands in."""
    loop = block if isinstance(block, Loop) else None
    for v in every([block]):
        for reference in uses(v):
            yield reference, loop


def root(reference: Any) -> list[Value]:
    """The values behind a reference."""
    if isinstance(reference, Value):
        return [reference]
    if isinstance(reference, Past):
        return [v for r in (reference.of, *reference.firsts) for v in root(r)]
    return root(reference.of)


def dtype_of(reference: Any) -> Any:
    """The dtype of what a reference refers to."""
    of = reference if isinstance(reference, Value) else reference.of
    return of.dtype if isinstance(of, Value) else dtype_of(of.firsts[0])


def shape_at(reference: Any, loop: Loop | None = None) -> tuple[int, ...]:
    """The shape of what a reference gives where it is used, in a loop or outside."""
    of = reference if isinstance(reference, Value) else reference.of
    if isinstance(of, Past):
        row = shape_at(of.firsts[0])
        return (reference.count, *row) if isinstance(reference, Rows) else row
    if isinstance(reference, Value) and of.loop is loop:
        return of.shape
    shape = of.shape if of.loop is None else (of.loop.count, *of.shape)
    if isinstance(reference, Value):
        return shape
    return (reference.count, *shape[1:]) if isinstance(reference, Rows) else shape[1:]


def every(blocks: Iterable[Value | Loop]) -> Iterator[Value]:
    """All values, those in loops included, in order."""
    for block in blocks:
        if isinstance(block, Loop):
            yield from block.body
        else:
            yield block


def living(program: Program) -> Program:
    """The program without what nothing wanted depends on."""
    wanted = {v for r in references(program.outputs) for v in root(r)}
    waiting = list(wanted)
    while waiting:
        for reference in uses(waiting.pop()):
            for v in root(reference):
                if v not in wanted:
                    wanted.add(v)
                    waiting.append(v)
    blocks: list[Value | Loop] = []
    for block in program.blocks:
        if isinstance(block, Loop):
            block.body = [v for v in block.body if v in wanted]
            if block.body:
                blocks.append(block)
        elif block in wanted:
            blocks.append(block)
    return Program(blocks, program.outputs)
