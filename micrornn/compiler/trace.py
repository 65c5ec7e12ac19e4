"""Run a function once, and follow where every number came from.

The arrays that the function is given know their origin, and so does what NumPy makes of them; the nodes
of the graph are known anyway. What the function asks of its data (``if target.min() < 0``) is noted as a
guard: at another answer, the function has to be traced again. Computed values may not be asked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.compiler.program import Argument, Constant, Draw, Parameter, Value, leaf, mapped, uses
from micrornn.compiler.results import replaced
from micrornn.compiler.traced import CURRENT, CompileError, Computed, Traced, origins, plain, traced
from micrornn.core.context import current, observed
from micrornn.core.tensor import Tensor


class Trace:
    """One run of a function: what it computed, from what, and what it asked of its data."""

    def __init__(self) -> None:
        self.guards: list[tuple[Value, Any]] = []
        self.first = current().number()  # tensors of lower numbers are older than the run
        self.askers: list[Any] = []  # the code that asked
        self.given: set[Value] = set()  # what is known to depend on the arguments alone
        self.arguments: list[Value] = []
        self.draws: list[Value] = []
        self.drawn: list[Any] = []  # the numbers

    def run(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """The function's result, with its arrays traced."""
        given = self._given((args, kwargs))
        CURRENT.append(self)
        try:
            with observed(self):
                return function(*given[0], **given[1])
        finally:
            CURRENT.pop()

    def _given(self, tree: Any) -> Any:
        def argument(x: Any) -> Any:
            value = leaf(Argument(len(self.arguments)), x)
            self.arguments.append(value)
            return traced(np.array(x), value)

        return replaced(tree, argument)

    def ask(self, origin: Value, answer: Any) -> None:
        """Note that the function went on according to this value of its data."""
        if self._computed(origin) and not _asked_by_library():
            raise CompileError(
                f"the function decides something by a value that it computes, at {line_outside()}; a "
                "program computes the same at every call. Return the loss and read it outside, use "
                "mr.where, or leave this function eager"
            )
        self.guards.append((origin, np.array(answer)))
        self.askers.append(sys._getframe(3).f_code)

    def _computed(self, value: Value) -> bool:
        """Whether a value depends on what the function computes."""
        waiting, seen = [value], {value}
        while waiting:
            v = waiting.pop()
            if isinstance(v.leaf, Computed):
                return True
            behind = [x for x in uses(v) if x not in seen and x not in self.given]
            seen.update(behind)
            waiting.extend(behind)
        self.given |= seen
        return False

    # -- as an observer of the engine --

    def on_node(self, node: Tensor) -> None:
        """A node that was computed from others is known by these, not by NumPy's calls."""
        if node.inputs and isinstance(node._value, (np.ndarray, np.generic)):
            node._value = traced(plain(node._value), leaf(Computed(node), node._value))
        forward = getattr(node.primitive.forward, "__code__", None)
        while self.askers and self.askers[-1] is forward:  # it computes with the value, no more
            self.askers.pop()
            self.guards.pop()

    def on_pullback(self, pullback: Any) -> None:
        """Nothing: tracing is over when backward begins."""

    def on_draw(self, generator: Any, shape: tuple[int, ...]) -> Any:
        """Random numbers that the program has to draw itself."""
        numbers = generator.random(shape)
        value = leaf(Draw(len(self.draws), generator, shape), numbers)
        self.draws.append(value)
        self.drawn.append(numbers)
        return traced(numbers, value)


def line_outside() -> str:
    """The file and line of the innermost caller that is neither micrornn's nor NumPy's."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(("micrornn.", "numpy")):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def values_behind(
    outs: list[Any], known: dict[int, Any] | None = None
) -> tuple[list[Value], list[Any]]:
    """What tensors (or traced arrays) were computed from, in order, and the references to them.

    Args:
        outs: tensors, values or traced arrays.
        known: references for tensors by number, where the search ends.
    """
    refs: dict[int, Any] = dict(known or {})
    order: dict[int, Value] = {}
    waiting: list[Any] = list(outs)
    while waiting:
        x = waiting.pop()
        if isinstance(x, Traced):
            x = x.origin
        if isinstance(x, Value):
            if isinstance(x.leaf, Computed):
                waiting.append(x.leaf.node)
                continue
            if x.number not in order and (x.number not in refs or refs[x.number] is x):
                order[x.number] = refs[x.number] = x
                waiting.extend(uses(x))
            continue
        if not isinstance(x, Tensor) or x.number in refs:
            continue
        if not x.inputs:
            refs[x.number] = _leaf_of(x, waiting)
            continue
        value = Value(x.primitive, x.inputs, x.params, x._value, x.number)
        value.name, value.place, value.grad = x.name, x.place, True
        order[x.number] = refs[x.number] = value
        waiting.extend(x.inputs)
        if x.params:
            _traced_in(x.params, waiting)

    def reference(x: Any) -> Any:
        if isinstance(x, Traced) and x.origin is not None:
            x = x.origin
        if isinstance(x, Value) and isinstance(x.leaf, Computed):
            x = x.leaf.node
        return refs[x.number] if isinstance(x, (Tensor, Value)) and x.number in refs else x

    for value in order.values():
        if value.args and isinstance(value.args[0], Tensor):
            value.args = tuple([refs[x.number] for x in value.args])
            value.kwargs = origins(value.kwargs) if value.kwargs else value.kwargs
        value.args = mapped(value.args, reference)
        if value.kwargs:
            value.kwargs = mapped(value.kwargs, reference)

    ordered = [order[number] for number in sorted(order)]
    return [v for v in ordered if v.call is not None], [reference(x) for x in outs]


def detach(x: Any) -> Any:
    """x, through which no gradient flows."""
    return x


def _asked_by_library() -> bool:
    """Whether micrornn asks, to check what it is given or to compute, and not the function itself."""
    frame: Any = sys._getframe(2)
    while frame.f_globals.get("__name__", "") in _PASSING:
        frame = frame.f_back
    return frame.f_globals.get("__name__", "").startswith("micrornn.")  # type: ignore[no-any-return]


_PASSING = {
    __name__,
    "micrornn.compiler.traced",
    "micrornn.ops.protocols",
    "micrornn.core.tensor",
    "numpy",
}


def _traced_in(tree: Any, found: list[Any]) -> None:
    if isinstance(tree, Traced):
        if tree.origin is not None:
            found.append(tree.origin)
    elif isinstance(tree, (tuple, list)):
        for x in tree:
            _traced_in(x, found)
    elif isinstance(tree, slice):
        _traced_in((tree.start, tree.stop, tree.step), found)
    elif isinstance(tree, dict):
        _traced_in(tuple(tree.values()), found)


def _leaf_of(x: Tensor, waiting: list[Any]) -> Any:
    if x.requires_grad:
        value = leaf(Parameter(x), x._value, x.name)
        value.grad = True
        return value
    if isinstance(x._value, Traced) and x._value.origin is not None:
        if isinstance(x._value.origin.leaf, Computed):  # what was cut from its history
            value = Value(detach, (x._value.origin,), {}, x._value, x.number)
            value.name, value.place = x.name, x.place
            waiting.append(value)
            return value
        waiting.append(x._value.origin)
        if x.name and x._value.origin.name is None:
            x._value.origin.name = x.name
            x._value.origin.place = x.place
        return x._value.origin
    return leaf(Constant(plain(x._value)), x._value, x.name)
