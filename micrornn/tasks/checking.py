"""What a gradient check of a source compares: a function of leaves, and the leaves.

Three ways, the first that applies:

- FILE.py:NAME is a pair (f, inputs), or a function that returns one: f is checked at the inputs.
- NAME is a function that returns a loss, made from leaves that stay the same from call to call: the
  function is called again with each number moved. This finds all that makes a gradient wrong, also a value
  that was taken out of the graph by mistake (``.data``, ``detach``).
- Otherwise, for a tensor, or where the leaves are new at every call: the recorded operations are run again.
  This finds operations whose derivative rule is wrong; what is outside the graph stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.graph import Graph
from micrornn.core.primitive import in_numpy
from micrornn.core.tensor import Tensor
from micrornn.tasks import SOURCES
from micrornn.tasks.source import NO_OPTIONS, as_unrolled, open_file, resolve
from micrornn.tasks.trained import is_checkpoint
from micrornn.tasks.unrolled import Unrolled
from micrornn.tasks.userfile import SourceError, UserFile


class Checkable(NamedTuple):
    """What `gradcheck` takes: a function, and the leaves at which to check it; and how it runs."""

    f: Callable[..., Tensor]
    inputs: list[Tensor]
    way: str

    @property
    def size(self) -> int:
        """How many numbers are moved."""
        return sum(x.size for x in self.inputs)


def checkable(source: str, options: Mapping[str, Any] = NO_OPTIONS) -> Checkable:
    """How the gradient of a source is checked.

    Args:
        source: as for `resolve`; or FILE.py:NAME with NAME a pair (f, inputs), or a function without
            arguments that returns such a pair.
        options: what a built-in source is to be made with.

    Raises:
        SourceError: the source names nothing of the kind.

    >>> import micrornn as mr
    >>> check = checkable("stocks")
    >>> check.size, check.way
    (6, 'by running the recorded operations again')
    >>> mr.gradcheck(check.f, check.inputs) < 1e-8
    True
    """
    if source in SOURCES or is_checkpoint(source):
        return replayed(resolve(source, options).graph)
    file, name = open_file(source, options)
    value = file.get(name)
    if is_pair(value):
        return _pair(file, value)
    if not callable(value):
        return replayed(as_unrolled(value, source, f"{source} is").graph)
    result = file.call(name, value)
    if is_pair(result):
        return _pair(file, result)
    graph = as_unrolled(result, source, f"{source}() returned").graph
    return _recalled(file, name, value, graph)


def is_pair(value: Any) -> bool:
    """Whether it is (f, inputs): a function, and one or several tensors."""
    if not (isinstance(value, tuple) and len(value) == 2 and callable(value[0])):
        return False
    return all(isinstance(x, Tensor) for x in _listed(value[1]))


def _listed(inputs: Any) -> list[Any]:
    return list(inputs) if isinstance(inputs, Sequence) else [inputs]


def _pair(file: UserFile, pair: tuple[Callable[..., Any], Any]) -> Checkable:
    f, inputs = pair

    def guarded(*leaves: Tensor) -> Tensor:
        with file.blamed():
            result = f(*leaves)
        if not isinstance(result, Tensor):
            raise SourceError(
                f"f of {file.path} returned {type(result).__name__}; a function to check returns a tensor"
            )
        return result

    return Checkable(guarded, _listed(inputs), "by calling f again")


def _recalled(file: UserFile, name: str, function: Callable[[], Any], graph: Graph) -> Checkable:
    leaves = graph.parameters
    again = as_unrolled(file.call(name, function), name, f"{file.path}:{name}() returned")
    kept = {leaf.number for leaf in again.graph.parameters}
    if not all(leaf.number in kept for leaf in leaves):
        return replayed(graph)

    def called(*_: Tensor) -> Tensor:
        result = file.call(name, function)
        return result.loss if isinstance(result, Unrolled) else result

    return Checkable(called, leaves, f"by calling {name} again")


def replayed(graph: Graph) -> Checkable:
    """Run the operations behind a result again, from leaves that may have moved.

    Raises:
        SourceError: the graph has several results.
    """
    if len(graph.outs) != 1:
        raise SourceError(f"the graph has {len(graph.outs)} results; a check is of one")
    (result,) = graph.outs
    recorded = [(leaf, leaf._value) for leaf in graph.parameters]

    def again(*_: Tensor) -> Tensor:
        if all(leaf._value is data for leaf, data in recorded):
            return result
        values: dict[int, Any] = {}
        for node in graph:
            given = [values[x.number] for x in node.inputs]
            made_by = node.primitive if node.inputs else None
            values[node.number] = (
                in_numpy(made_by.forward, given, node.params) if made_by else node._value
            )
        return Tensor(np.asarray(values[result.number]))

    return Checkable(again, graph.parameters, "by running the recorded operations again")
