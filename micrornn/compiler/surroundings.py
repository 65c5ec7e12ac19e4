"""Surroundings: what a function refers to besides its arguments, as far as that can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

from micrornn.core.tensor import Tensor
from micrornn.nn.module import Module

DEPTH = 4  # functions that refer to functions, and lists in lists


class Surroundings:
    """The modules and tensors of a function's closure and globals, and of the object it belongs to.

    Attributes:
        modules: each module once, without those inside of it.
    """

    def __init__(self, function: Any) -> None:
        self.modules: list[Module] = []
        self._tensors: dict[int, Tensor] = {}
        for x in _referred(function):
            self._look(x, DEPTH)

    def tensors(self) -> list[Tensor]:
        """The tensors, those of the modules as they are now: parameters and buffers."""
        own = [x for m in self.modules for x in (*m.parameters(), *m.buffers())]
        return [*self._tensors.values(), *own]

    def _look(self, x: Any, depth: int) -> None:
        if isinstance(x, Module):
            if not any(x is module for module in self.modules):
                self.modules.append(x)
        elif isinstance(x, Tensor):
            self._tensors[id(x)] = x
        elif not depth:
            return
        elif isinstance(x, FunctionType):
            for y in _referred(x):
                self._look(y, depth - 1)
        elif isinstance(x, (list, tuple, dict)):
            for y in x.values() if isinstance(x, dict) else x:
                self._look(y, depth - 1)


def _referred(function: Any) -> Iterator[Any]:
    """What a function refers to by itself."""
    yield getattr(function, "__self__", None)
    function = getattr(function, "__func__", function)
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a name that is not bound yet
            continue
    known = getattr(function, "__globals__", {})
    for name in getattr(getattr(function, "__code__", None), "co_names", ()):
        if name in known:
            yield known[name]
