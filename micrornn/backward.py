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
from micrornn.cotangent import Cotangent, Unwritten, dense, plus
from micrornn.pull import send_recorded
from micrornn.tensor import RETAINED, Data, Tensor, describe, lift, shape_of


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

    When it is exhausted, ``gradients`` holds, by number, each leaf that was reached with its gradient,
    and likewise the nodes in ``keep``.

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
        self.gradients: dict[int, tuple[Tensor, Cotangent]] = {}
        self._keep = frozenset(keep)
        self._recorded = recorded
        self._out = out
        self._seed = _seed(out, gradient, recorded)

    def __iter__(self) -> Iterator[tuple[Tensor, Any, Sequence[Cotangent]]]:
        keep, recorded = self._keep, self._recorded
        observers = current().observers
        # By number, the nodes that something has arrived at, with the sum of it; in the heap, those of them
        # that will take a turn. The next in turn is kept out of both: along a chain, which is what an
        # unrolled network is, nothing else is waiting.
        pending: dict[int, list[Any]] = {}
        heap: list[int] = []
        kept = {}
        node, g = self._out, self._seed
        number = node.number
        if node._a is None:
            pending[number] = [node, g]
            number = 0
        while number:
            if type(g) is not np.ndarray and isinstance(g, Unwritten):
                g = g.dense()
            if keep and number in keep:
                kept[number] = node, g
            try:
                inputs, sent = (send_recorded if recorded else node.primitive.send)(node, g)  # type: ignore[union-attr]
            except Exception as error:
                _note(error, node)
                raise
            if observers:
                for observer in observers:
                    observer.on_pullback(Pullback(node, g, sent))
            yield node, g, sent
            if heap:
                number = -heappop(heap)
                node, g = pending.pop(number)
            else:
                number = 0
            i = 0  # counted by hand, which zip and enumerate are slower at
            for x in inputs:
                c = sent[i]
                i += 1
                if c is None:
                    continue
                n = x.number
                if n == number:
                    g = plus(g, c) if recorded else g + c
                elif n in pending:
                    entry = pending[n]
                    entry[1] = plus(entry[1], c) if recorded else entry[1] + c
                elif x._a is None:
                    pending[n] = [x, c]
                elif n > number:
                    if number:
                        pending[number] = [node, g]
                        heappush(heap, -number)
                    number, node, g = n, x, c
                else:
                    pending[n] = [x, c]
                    heappush(heap, -n)
        # What is left over has arrived at leaves.
        self.gradients = kept | {n: (x, g) for n, (x, g) in pending.items()}


def _note(error: Exception, node: Tensor) -> None:
    """Where in the backward pass it was, as a note to an error (where Python has them)."""
    if hasattr(error, "add_note"):
        error.add_note(f"in the pullback of {describe(node)} of shape {node.shape}")


def _seed(out: Tensor, gradient: Any, recorded: bool) -> Any:
    value = out._data
    if gradient is None:
        if out.size != 1:
            raise ValueError(
                f"backward from {describe(out)} of shape {out.shape}: only a scalar has one gradient. "
                "Sum the tensor first, or give gradient= of the same shape"
            )
        gradient = 1.0 if type(value) is float else np.ones_like(value)[()]
    elif shape_of(gradient) != out.shape:
        raise ValueError(
            f"gradient of shape {shape_of(gradient)} for {describe(out)} of shape {out.shape}; "
            "give one number for each of its elements"
        )
    elif not (recorded and isinstance(gradient, Tensor)):
        given = gradient._data if isinstance(gradient, Tensor) else gradient
        gradient = float(given) if type(value) is float else np.array(given, out.dtype)[()]
    return lift(gradient) if recorded else gradient


def check_wanted(inputs: Sequence[Tensor], what: str) -> None:
    """Refuse to differentiate with respect to a tensor whose uses were not recorded."""
    for x in inputs:
        if not x.requires_grad:
            raise ValueError(
                f"{what} with respect to {describe(x)}, which does not require a gradient, so what was "
                "computed from it was not recorded. Make it with requires_grad=True before it is used"
            )


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
    sweep = Sweep(out, gradient, keep=RETAINED)
    with collector.paused():
        deque(sweep, maxlen=0)
    found = [(node, as_gradient(g, node)) for node, g in sweep.gradients.values()]
    for node, g in found:
        node.grad = g if node.grad is None else node.grad + g


def as_gradient(g: Cotangent, node: Tensor) -> Data:
    """A cotangent as a gradient that the user owns: written out, in the node's dtype, not shared."""
    value = node._data
    if type(value) is float:
        return float(g)
    fresh = isinstance(g, Unwritten)
    g = g.dense() if fresh else g
    if shape_of(g) != node.shape:
        raise ValueError(
            f"a gradient of shape {shape_of(g)} arrived at {describe(node)} of shape {node.shape}: "
            "the vjp of one of the operations that use it is wrong"
        )
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
        ValueError: as `backward`; or an input does not require a gradient.

    >>> import micrornn as mr
    >>> x = mr.Value(3.0)
    >>> first = mr.grad(x * x * x, x, create_graph=True)
    >>> first.item(), mr.grad(first, x)
    (27.0, 18.0)
    """
    nodes = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    check_wanted(nodes, "gradient")
    sweep = Sweep(out, gradient, recorded=create_graph, keep=[x.number for x in nodes])
    with collector.paused():
        deque(sweep, maxlen=0)
    found: list[Any] = []
    for x in nodes:
        if x.number not in sweep.gradients:
            found.append(None)
            continue
        _, g = sweep.gradients[x.number]
        found.append(dense(g) if create_graph else as_gradient(g, x))
    return found[0] if isinstance(inputs, Tensor) else found
