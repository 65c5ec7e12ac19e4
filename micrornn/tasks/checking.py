"""What the gradient check of a source compares, and how the result is computed again.

Calling a function again finds every mistake. Running the recorded operations again finds those in their
rules, but not a value that was cut out of the graph: that value stays as it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.graph import Graph
from micrornn.core.primitive import in_numpy
from micrornn.core.tensor import Tensor
from micrornn.tasks.source import NO_OPTIONS, as_unrolled, is_python, open_file, resolve
from micrornn.tasks.unrolled import Unrolled
from micrornn.tasks.userfile import SourceError, UserFile


class Checkable(NamedTuple):
    """The arguments of `gradcheck`: a function and the leaves to check it at; and how it is computed."""

    f: Callable[..., Tensor]
    inputs: list[Tensor]
    how: str

    @property
    def size(self) -> int:
        """How many numbers are perturbed."""
        return sum(x.size for x in self.inputs)


def checkable(source: str, options: Mapping[str, Any] = NO_OPTIONS) -> Checkable:
    """How the gradient of a source is checked.

    Args:
        source: as for `resolve`; or FILE.py:NAME, where NAME is a pair (f, inputs), or a function without
            arguments that returns such a pair.
        options: those of a built-in task.

    Raises:
        SourceError: the source names nothing of the kind.

    >>> import micrornn as mr
    >>> check = checkable("stocks")
    >>> check.size, check.how
    (6, 'rerunning the recorded operations')
    >>> mr.gradcheck(check.f, check.inputs) < 1e-8
    True
    """
    if not is_python(source):
        return rerun(resolve(source, options).graph)
    file, name = open_file(source, options)
    value = file.get(name)
    if is_pair(value):
        return _pair(file, value)
    if not callable(value):
        return rerun(as_unrolled(value, source, f"{source} is").graph)
    result = file.call(name, value)
    if is_pair(result):
        return _pair(file, result)
    graph = as_unrolled(result, source, f"{source}() returned").graph
    return _called_again(file, name, value, graph)


def is_pair(value: Any) -> bool:
    """Whether a value is (f, inputs): a function, and one or several tensors."""
    if not (isinstance(value, tuple) and len(value) == 2 and callable(value[0])):
        return False
    return all(isinstance(x, Tensor) for x in _listed(value[1]))


def _listed(inputs: Any) -> list[Any]:
    return list(inputs) if isinstance(inputs, Sequence) else [inputs]


def _pair(file: UserFile, pair: tuple[Callable[..., Any], Any]) -> Checkable:
    f, inputs = pair

    def guarded(*leaves: Tensor) -> Tensor:
        with file.running():
            result = f(*leaves)
        if not isinstance(result, Tensor):
            kind = type(result).__name__
            raise SourceError(
                f"f of {file.path} returned {kind}; a function to check returns a tensor"
            )
        return result

    return Checkable(guarded, _listed(inputs), "calling f")


def _called_again(
    file: UserFile, name: str, function: Callable[[], Any], graph: Graph
) -> Checkable:
    leaves = graph.parameters
    again = as_unrolled(file.call(name, function), name, f"{file.path}:{name}() returned")
    kept = {leaf.number for leaf in again.graph.parameters}
    if not all(leaf.number in kept for leaf in leaves):
        return rerun(graph)

    def called(*_: Tensor) -> Tensor:
        result = file.call(name, function)
        return result.loss if isinstance(result, Unrolled) else result

    return Checkable(called, leaves, f"calling {name}")


def rerun(graph: Graph) -> Checkable:
    """Run the operations behind a result again, from leaves that may have changed.

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

    return Checkable(again, graph.parameters, "rerunning the recorded operations")
