"""Checkpoints: a part of the forward pass keeps no graph, and is computed again when backward arrives.

`checkpoint(f, x)` runs f and forgets the history of every node as soon as the node is made. What is left is
one node, the `Segment`: it knows f, and every older node that f used and that needs a gradient. When backward
reaches a forgotten node, all that depends on it has sent its part; there f runs once more, in the same place,
with the same values and the same random draws, and its nodes get the *numbers* that they had. So the graph
that backward walks is the one that was never kept: the same nodes, in the same order, with the same sums to
the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrornn.core.context import Change, Context, Place, current
from micrornn.core.graph import Graph
from micrornn.core.primitive import PRIMITIVES, primitive
from micrornn.core.tensor import NO_PARAMS, Tensor, describe
from micrornn.source import calling_line

Line = tuple[str, int] | None
Waiting = Callable[[int], "Tensor | None"]  # from a number to the node that waits for its pullback


def checkpoint(function: Callable[..., Any], *inputs: Any) -> Any:
    """Run a function without keeping its graph; backward runs it again.

    Gradients are those of ``function(*inputs)``, bit for bit, also for weights that the function only closes
    over, and for second derivatives. Memory is that of the inputs and the outputs. Checkpoints nest. Draws of
    dropout and of everything else that uses micrornn's generators repeat; what the function changes outside,
    such as the running statistics of `nn.BatchNorm1d`, it changes twice.

    Args:
        function: from the inputs to whatever it likes: a tensor, or tensors in any structure.
        inputs: passed on as they are.

    Raises:
        RuntimeError: in backward, where the function computes something else the second time.

    Source: Griewank & Walther 2000, Algorithm 799 (revolve); Chen et al. 2016, arXiv:1604.06174.

    >>> import micrornn as mr
    >>> w = mr.Value(0.5, "w")
    >>> y = mr.checkpoint(lambda x: mr.tanh(w * x) * w, 2.0)
    >>> y.backward()
    >>> round(w.grad, 6)
    1.181568
    """
    if not forgets():
        return function(*inputs)
    outer = current()
    segment = Segment(function, inputs)
    forgetting = _Forgetting(segment)
    numbers = _Numbers(outer.number, segment)
    with _Inside(outer.place, (*outer.observers, forgetting), numbers):
        result = function(*inputs)
    used = forgetting.used.values()
    segment.inputs = tuple([x for x, _ in used])
    segment.values = tuple([value for _, value in used])
    return result


def forgets() -> bool:
    """Whether a checkpoint forgets here: not in `no_grad`, not inside another, not traced by `compile`."""
    context = current()
    return context.recording and not any(
        isinstance(o, _Forgetting) or hasattr(o, "on_draw") for o in context.observers
    )


class Segment(Tensor):
    """The node that stands for what one call of `checkpoint` computed."""

    __slots__ = ("arguments", "draws", "function", "numbers")

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    numbers: list[list[int]]  # of the nodes that it made, as ranges
    draws: dict[
        int, tuple[Any, Any]
    ]  # the random generators that it used, each with its state before

    def __new__(cls, *_: Any) -> Segment:
        return object.__new__(cls)

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        context = current()
        self.function, self.arguments, self.draws = function, arguments, {}
        self.numbers = []
        self._value, self.place, self.source = 0.0, context.place, calling_line()
        for observer in context.observers:
            if isinstance(observer, _Found):
                self.source = observer.line(self.source)
        self.primitive, self.params, self.requires_grad = PRIMITIVES["checkpoint"], NO_PARAMS, True
        self.inputs, self.values, self.grad, self.name = (), (), None, None
        # Between what it uses and what it makes. It takes no number of its own, so that the nodes inside are
        # numbered alike with and without it.
        self.number = 0

    def again(self, waiting: Waiting) -> dict[int, Tensor]:
        """Compute it again: by number, the nodes to continue with in place of those that wait.

        Whoever records the backward pass gets the history for good; otherwise it lives as long as the pass
        needs it.
        """
        observers = tuple([o for o in current().observers if not isinstance(o, _Forgetting)])
        found = _Found(waiting, self.source, calling_line() if observers else None)
        with (
            _as_it_was(self),
            _Inside(self.place, (*observers, found), _Replayed(self)),
        ):
            self.function(*self.arguments)
        for old, new in found.pairs:
            if not _same(old._value, new._value):
                raise RuntimeError(_different(self, f"{describe(new)} has another value"))
            if observers:
                old.primitive, old.params, old.source = new.primitive, new.params, new.source
                old.inputs, old.values = new.inputs, new.values
        for observer in observers:
            if hasattr(observer, "on_recall"):
                observer.on_recall([old for old, _ in found.pairs])
        return {old.number: old if observers else new for old, new in found.pairs}


def recall(node: Tensor, waiting: Waiting) -> dict[int, Tensor]:
    """Compute the history of a forgotten node again; see `Segment.again`.

    Raises:
        RuntimeError: the function of its segment still runs, or computes something else now.
    """
    segment = node.inputs[0]
    if not isinstance(segment, Segment) or not segment.inputs:
        how = (
            "it was read from a file"
            if not isinstance(segment, Segment)
            else "mr.checkpoint still runs the function that makes it; call backward or grad outside of it"
        )
        raise RuntimeError(f"the history of {describe(node)} was not kept, and {how}")
    nodes = segment.again(waiting)
    if node.number not in nodes:
        raise RuntimeError(_different(segment, f"it did not make {describe(node)} again"))
    return nodes


def remembered(out: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """The nodes behind one or several tensors, oldest first, what was forgotten computed again for good.

    For readers that walk the graph from its beginning, such as forward mode.
    """
    while True:
        nodes = Graph(out).nodes
        forgotten = [node for node in nodes if node.inputs and node.primitive.recall]
        if not forgotten:
            return nodes
        by_number = {node.number: node for node in forgotten}
        outer = current()
        with _Inside(outer.place, (*outer.observers, _Keeping()), outer.number):
            for node in reversed(forgotten):
                if node.primitive.recall:
                    recall(node, by_number.get)


def _not_here(*_: Any, **__: Any) -> Any:
    raise RuntimeError(
        "the history of this node was not kept by mr.checkpoint; record the backward pass, "
        "which computes it again"
    )


for _name, _formula, _symbol in (
    ("checkpoint", "all that was computed inside, to be computed again in backward", "↻"),
    ("forgotten", "computed inside a checkpoint", "·"),
):
    primitive(
        _name,
        _formula,
        forward=_not_here,
        vjp=_not_here,
        jvp=_not_here,
        samples=(),  # a name for readers: never called, never pulled
        symbol=_symbol,
        kind="checkpoint",
    )
PRIMITIVES["forgotten"].recall = recall


# -- observers and contexts ---------------------------------------------------------------------------


_NO_VALUE = (0.0,)


class _Inside(Change):
    """Run in a place, recording, with these observers, and numbers from this source."""

    def __init__(self, place: Place, observers: tuple[Any, ...], number: Any) -> None:
        self._given = place, True, observers
        self._number = number

    def inside(self, outer: Context) -> Context:
        return Context(*self._given, outer, self, self._number)


class _Forgetting:
    """Takes the history of each node as it is made, and notes what is older than the segment."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._history = (segment,)
        self._forgotten = PRIMITIVES["forgotten"]
        self.used: dict[int, tuple[Tensor, Any]] = {}

    def on_node(self, node: Tensor) -> None:
        if node.inputs:
            first = self._segment.number
            for x, value in zip(node.inputs, node.values):
                if x.requires_grad and x.number < first:
                    self.used.setdefault(x.number, (x, value))
            node.inputs, node.values = self._history, _NO_VALUE
            node.primitive, node.params = self._forgotten, NO_PARAMS

    def on_generator(self, generator: Any) -> None:
        self._segment.draws.setdefault(id(generator), (generator, generator.bit_generator.state))


class _Found:
    """Pairs the nodes that wait with the same nodes, made again."""

    def __init__(self, waiting: Waiting, source: Line, backward: Line) -> None:
        self.pairs: list[tuple[Tensor, Tensor]] = []
        self._waiting, self._source, self._backward = waiting, source, backward

    def line(self, line: Line) -> Line:
        """A line of the function; instead of the one that called backward, the one that called it."""
        return self._source if line == self._backward else line

    def on_node(self, node: Tensor) -> None:
        node.source = self.line(node.source)
        old = self._waiting(node.number)
        if old is not None:
            self.pairs.append((old, node))


class _Keeping:
    """Looks on, so that what is recalled is kept."""

    def on_node(self, node: Tensor) -> None:
        pass


class _Numbers:
    """Passes numbers on and notes them, as ranges: other threads may take some in between."""

    def __init__(self, source: Callable[[], int], segment: Segment) -> None:
        self._source = source
        self._segment = segment

    def __call__(self) -> int:
        number = self._source()
        ranges = self._segment.numbers
        if ranges and ranges[-1][1] == number:
            ranges[-1][1] = number + 1
        else:
            if not ranges:
                self._segment.number = number - 0.5  # type: ignore[assignment]
            ranges.append([number, number + 1])
        return number


class _Replayed:
    """The same numbers once more."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._numbers: Iterator[int] = (
            n for start, end in segment.numbers for n in range(start, end)
        )

    def __call__(self) -> int:
        for number in self._numbers:
            return number
        raise RuntimeError(_different(self._segment, "it makes more nodes"))


@contextmanager
def _as_it_was(segment: Segment) -> Iterator[None]:
    """Inside, parameters and random generators are as they were when the segment ran first."""
    changed = [
        (x, x._value, was) for x, was in zip(segment.inputs, segment.values) if x._value is not was
    ]
    drawn = [
        (generator, generator.bit_generator.state, was) for generator, was in segment.draws.values()
    ]
    try:
        for x, _, was in changed:
            x._value = was
        for generator, _, was in drawn:
            generator.bit_generator.state = was
        yield
    except Exception as error:
        if hasattr(error, "add_note"):  # from Python 3.11 on
            error.add_note(f"while backward computed {describe(segment)} again")
        raise
    finally:
        for x, now, _ in changed:
            x._value = now
        for generator, now, _ in drawn:
            generator.bit_generator.state = now


def _same(a: Any, b: Any) -> bool:
    """Whether two values agree, but for what a library may round differently."""
    if a is b or (np.shape(a) == np.shape(b) and bool(np.all(a == b))):
        return True
    if np.shape(a) != np.shape(b):
        return False
    near = np.finfo(np.asarray(a).dtype).eps ** 0.5 if np.asarray(a).dtype.kind == "f" else 0.0
    return bool(np.allclose(a, b, rtol=near, atol=near, equal_nan=True))


def _different(segment: Segment, how: str) -> str:
    return (
        f"the function given to mr.checkpoint ({describe(segment)}) computes something else the second "
        f"time: {how}. Draw random numbers through micrornn (dropout, or nn.init with a generator), and let "
        "it depend on nothing that changes between forward and backward"
    )
