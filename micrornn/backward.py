"""Backward is a stream of pullbacks.

A pullback is one node's turn: the gradient that arrived at it, and the contribution it sends to each input.
Nodes take their turn in descending order of number, so each is reached only when all that depends on it has
spoken; a heap of the nodes still waiting is all the state there is. `backward` drains the stream, a debugger
takes one pullback at a time, gradient flow folds it. Backpropagation through time is nothing else: the
stream walks an unrolled graph from the last step to the first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from micrornn import collector
from micrornn.context import current
from micrornn.cotangent import Cotangent, Part, Product, Sum, dense
from micrornn.ops.shape import unbroadcast
from micrornn.tensor import RETAINED, Data, Tensor, describe, lift, shape_of

_UNWRITTEN = frozenset((Part, Product, Sum))


class Pullback(NamedTuple):
    """One node's turn in the backward pass.

    Attributes:
        node: the node whose turn it is.
        gradient: d(out)/d(node), all of it, in the node's shape.
        contributions: what it sends to each input, in the order of ``node.inputs``; None where an input
            wants no gradient. Some are kept unwritten (`micrornn.cotangent`); ``contribution(i)`` writes
            one out.
    """

    node: Tensor
    gradient: Any
    contributions: Sequence[Cotangent]

    def contribution(self, i: int) -> Any:
        """The contribution to input i as an array, or None."""
        return dense(self.contributions[i])


class Sweep:
    """The backward pass from one node, as an iterator of plain (node, gradient, contributions).

    When it is exhausted, ``leaves`` holds the leaves that were reached and ``gradients`` their gradients,
    by node number, along with the gradients of the nodes in ``keep``.

    Args:
        out: the node to start from.
        gradient: the cotangent of out; ones for a scalar by default.
        recorded: make the gradients tensors, so that they can be differentiated in turn.
        keep: numbers of interior nodes whose gradient should be kept as well.
    """

    def __init__(
        self, out: Tensor, gradient: Any = None, recorded: bool = False, keep: Iterable[int] = ()
    ) -> None:
        if not out.requires_grad:
            raise ValueError(
                f"nothing to go back through: {describe(out)} does not depend on any tensor with "
                "requires_grad=True. Make the parameters with requires_grad=True, and check for "
                "no_grad() or detach() on the way"
            )
        self.gradients: dict[int, Cotangent] = {}
        self.leaves: dict[int, Tensor] = {}
        self._keep = frozenset(keep)
        self._recorded = recorded
        self._out = out
        self._seed = _seed(out, gradient, recorded)

    def __iter__(self) -> Iterator[tuple[Tensor, Any, Sequence[Cotangent]]]:
        out, recorded, keep, leaves = self._out, self._recorded, self._keep, self.leaves
        observers = current().observers
        arrived: dict[int, Cotangent] = {out.number: self._seed}
        kept: dict[int, Cotangent] = {}
        waiting: dict[int, Tensor] = {}
        heap: list[int] = []
        if out.inputs:
            waiting[out.number] = out
            heap.append(-out.number)
        else:
            leaves[out.number] = out
        while heap:
            number = -heappop(heap)
            node = waiting.pop(number)
            g = arrived.pop(number)
            if type(g) in _UNWRITTEN:
                g = g.dense()
            if number in keep:
                kept[number] = g
            contributions = _pull(node, g, recorded)
            for x, c in zip(node.inputs, contributions, strict=True):
                if c is not None:
                    n = x.number
                    before = arrived.get(n)
                    if before is not None:
                        arrived[n] = before + c
                        continue
                    arrived[n] = c
                    if x.inputs:
                        waiting[n] = x
                        heappush(heap, -n)
                    else:
                        leaves[n] = x
            if observers:
                for observer in observers:
                    observer.on_pullback(Pullback(node, g, contributions))
            yield node, g, contributions
        self.gradients = arrived | kept  # what is left over belongs to leaves


def _pull(node: Tensor, g: Any, recorded: bool) -> list[Cotangent]:
    """What a node sends to each input, given the gradient that arrived."""
    p = node.primitive
    assert p is not None
    if recorded:
        y, values = node, _unchanged_inputs(node)
    else:
        y, values = node._data, node.values
    params, inputs = node.params, node.inputs
    if p.variadic:
        sent = p.vjp(g, y, *values, **params)  # type: ignore[operator]
        pairs = zip(inputs, sent, strict=True)
        return [c if x.requires_grad else None for x, c in pairs]
    contributions: list[Cotangent] = []
    for x, rule in zip(inputs, p.vjp, strict=False):  # type: ignore[arg-type]
        if x.requires_grad:
            c = rule(g, y, *values, **params) if params else rule(g, y, *values)
            if p.broadcasts and type(c) is not float and c.shape != shape_of(x._data):
                c = unbroadcast(c, shape_of(x._data))
            contributions.append(c)
        else:
            contributions.append(None)
    return contributions


def _unchanged_inputs(node: Tensor) -> tuple[Tensor, ...]:
    for x, value in zip(node.inputs, node.values, strict=True):
        if x._data is not value:
            raise ValueError(
                f"{describe(x)} was given a new value after {describe(node)} had used it, so its "
                "gradient can no longer be recorded. Take second derivatives before the update"
            )
    return node.inputs


def _seed(out: Tensor, gradient: Any, recorded: bool) -> Any:
    value = out._data
    if gradient is None:
        if out.size != 1:
            raise ValueError(
                f"backward from {describe(out)} of shape {out.shape}: only a scalar has one gradient. "
                "Sum the tensor first, or give gradient= of the same shape"
            )
        gradient = np.ones_like(value)[()] if isinstance(value, (np.ndarray, np.generic)) else 1.0
    elif shape_of(gradient) != out.shape:
        raise ValueError(
            f"gradient of shape {shape_of(gradient)} for {describe(out)} of shape {out.shape}; "
            "give one number for each of its elements"
        )
    elif not isinstance(gradient, Tensor):
        gradient = float(gradient) if type(value) is float else np.array(gradient, out.dtype)
    if recorded:
        return lift(gradient)
    return gradient._data if isinstance(gradient, Tensor) else gradient


def pullbacks(out: Tensor, gradient: Any = None) -> Iterator[Pullback]:
    """The backward pass from a node, one pullback at a time; nothing is stored in ``.grad``.

    Args:
        out: the node to start from, usually the loss.
        gradient: its cotangent, in its shape; 1 for a scalar by default.

    Raises:
        ValueError: out needs no gradient, or is no scalar and no gradient is given.

    >>> import micrornn as mr
    >>> a = mr.Value(2.0)
    >>> for pullback in mr.pullbacks(mr.tanh(a * 3.0)):
    ...     print(pullback.node.primitive.name, round(pullback.gradient, 6))
    tanh 1.0
    mul 2.5e-05
    """
    return map(Pullback._make, Sweep(out, gradient))


def backward(out: Tensor, gradient: Any = None) -> None:
    """Add d(out)/d(leaf) to ``.grad`` of every leaf that wants one, as PyTorch does.

    A gradient is a float for a scalar leaf and otherwise a plain array in the leaf's shape and dtype. The
    graph stays as it is, so that backward can run again (and adds up again).

    Raises:
        ValueError: out needs no gradient, or is no scalar and no gradient is given.

    >>> import micrornn as mr
    >>> w = mr.tensor([1.0, 2.0], requires_grad=True)
    >>> mr.backward((w * w).sum())
    >>> w.grad
    array([2., 4.])
    """
    retained = dict(RETAINED)
    sweep = Sweep(out, gradient, keep=retained)
    with collector.paused():
        deque(sweep, maxlen=0)
    for number, g in sweep.gradients.items():
        node = retained[number] if number in retained else sweep.leaves[number]
        g = as_gradient(g, node)
        node.grad = g if node.grad is None else node.grad + g


def as_gradient(g: Cotangent, node: Tensor) -> Data:
    """A cotangent as a gradient that the user owns: written out, in the node's dtype, not shared."""
    value = node._data
    if type(value) is float:
        return float(g)
    fresh = type(g) in _UNWRITTEN
    g = g.dense() if fresh else g
    dtype = getattr(value, "dtype", np.dtype(float))
    return g if fresh and g.dtype == dtype else np.array(g, dtype)


def grad(
    out: Tensor,
    inputs: Tensor | Sequence[Tensor],
    gradient: Any = None,
    create_graph: bool = False,
) -> Any:
    """d(out)/d(input) for each input, without touching ``.grad``.

    Args:
        out: the node to start from.
        inputs: one tensor or several, leaves or not.
        gradient: the cotangent of out; 1 for a scalar by default.
        create_graph: return tensors that can be differentiated in turn, instead of arrays.

    Returns:
        One gradient, or a list of them; None where no path leads from the input to out.

    Raises:
        ValueError: as `backward`.

    >>> import micrornn as mr
    >>> x = mr.Value(3.0)
    >>> first = mr.grad(x * x * x, x, create_graph=True)
    >>> first.item(), mr.grad(first, x)
    (27.0, 18.0)
    """
    nodes = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    sweep = Sweep(out, gradient, recorded=create_graph, keep=[x.number for x in nodes])
    with collector.paused():
        deque(sweep, maxlen=0)
    found = []
    for x in nodes:
        g = sweep.gradients.get(x.number)
        if g is not None:
            g = dense(g) if create_graph else as_gradient(g, x)
        found.append(g)
    return found[0] if isinstance(inputs, Tensor) else found
