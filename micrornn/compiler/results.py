"""What goes into a compiled function and comes out of it, taken apart and put together again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from micrornn.compiler.traced import CompileError, Traced, plain
from micrornn.core.tensor import Tensor, constant


@dataclass
class Place:
    """Where in a program's outputs a result stands."""

    output: int
    row: int | None
    name: str | None


_PLAIN = {int, float, str, bool, type(None)}


def replaced(tree: Any, function: Callable[[Any], Any]) -> Any:
    """Arguments, with every array and every tensor that needs no gradient replaced.

    A tensor stays a tensor, of the new array.
    """
    if type(tree) in _PLAIN:
        return tree
    if isinstance(tree, Tensor):
        if tree.requires_grad:
            return tree
        node = Tensor.__new__(Tensor)
        node._value, node.name = function(tree._value), tree.name
        return node
    if isinstance(tree, np.ndarray):
        return function(tree) if tree.dtype.kind in "fiub" else tree
    if isinstance(tree, np.generic) and tree.dtype.kind in "fiub":
        return function(tree)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[replaced(x, function) for x in tree])
    if isinstance(tree, (tuple, list)):
        return type(tree)([replaced(x, function) for x in tree])
    if isinstance(tree, dict):
        return {key: replaced(x, function) for key, x in tree.items()}
    if hasattr(tree, "__dataclass_fields__") and not isinstance(tree, type):
        changed = {
            f.name: replaced(getattr(tree, f.name), function) for f in dataclasses.fields(tree)
        }
        return dataclasses.replace(tree, **changed)
    return tree


def structure(tree: Any, given: list[Any], held: list[Any]) -> Any:
    """What a program depends on besides its arrays, as something to look it up by.

    Args:
        given: collects the arrays.
        held: collects what is known by its identity, so that nothing else can take its place.
    """
    kind = type(tree)
    if kind in _PLAIN:
        return kind, tree  # True is no 1, and 1 no 1.0
    if isinstance(tree, Tensor) and not tree.requires_grad:
        tree = np.asarray(tree._value)
    if isinstance(tree, (np.ndarray, np.generic)) and tree.dtype.kind in "fiub":
        tree = np.asarray(tree)
        given.append(tree)
        return tree.shape, tree.dtype
    if isinstance(tree, (tuple, list)):
        return kind, *[structure(x, given, held) for x in tree]
    if isinstance(tree, dict):
        return kind, *[(key, structure(x, given, held)) for key, x in tree.items()]
    if hasattr(tree, "__dataclass_fields__") and kind is not type:
        fields = tree.__dataclass_fields__
        return kind, *[structure(getattr(tree, name), given, held) for name in fields]
    if not isinstance(tree, Tensor):
        with suppress(TypeError):
            hash(tree)
            return tree
    held.append(tree)
    return id(tree)


def content(given: list[Any]) -> bytes:
    """A digest of the numbers of arrays: whether a call has other data than the one that was traced."""
    found = blake2b()
    for x in given:
        found.update(np.ascontiguousarray(x).tobytes())
    return found.digest()


def numbered(tree: Any, tensors: list[Tensor]) -> Any:
    """A result with the place of each tensor, which are collected.

    Raises:
        CompileError: an array among them, whose numbers would be those of the first call.
    """
    if isinstance(tree, Traced):
        raise CompileError(
            "a compiled function returns tensors, not arrays made of them: return the tensor, and take its "
            "data outside"
        )
    if isinstance(tree, Tensor):
        tensors.append(tree)
        return Place(len(tensors) - 1, None, tree.name)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[numbered(x, tensors) for x in tree])
    if isinstance(tree, (tuple, list)):
        return type(tree)([numbered(x, tensors) for x in tree])
    if isinstance(tree, dict):
        return {key: numbered(x, tensors) for key, x in tree.items()}
    return tree


def placed(tree: Any, places: Any) -> Any:
    """The same, with the places in a program's outputs."""

    def place(x: Any) -> Any:
        if not isinstance(x, Place):
            return x
        output, row = places[x.output]
        return Place(output, row, x.name)

    return _mapped(tree, place)


def _mapped(tree: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[_mapped(x, function) for x in tree])
    if isinstance(tree, (tuple, list)):
        return type(tree)([_mapped(x, function) for x in tree])
    if isinstance(tree, dict):
        return {key: _mapped(x, function) for key, x in tree.items()}
    return function(tree)


def places(tree: Any) -> list[Place]:
    """All places in a result."""
    found: list[Place] = []
    _mapped(tree, lambda x: found.append(x) if isinstance(x, Place) else None)
    return found


def filled(tree: Any, outputs: Any) -> Any:
    """The results of a call, as constants."""

    def fill(x: Any) -> Any:
        if not isinstance(x, Place):
            return x
        value = outputs[x.output]
        value = value if x.row is None else value[x.row]
        value = np.array(value)
        return constant(value if value.ndim else value[()], x.name)

    return _mapped(tree, fill)


def detached(result: Any) -> Any:
    """A result, as constants."""

    return _mapped(
        result, lambda x: constant(plain(x._value), x.name) if isinstance(x, Tensor) else x
    )
