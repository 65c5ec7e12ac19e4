"""Backward is a stream of pullbacks.

A pullback takes the gradient that arrived at a node and sends a contribution to each of the node's inputs.
Nodes are pulled in descending order of number, so each is reached only after everything that depends on it
has sent its contribution; the only state is a heap of the waiting nodes. `backward` drains the stream, a
debugger takes one pullback at a time, gradient flow folds it. Backpropagation through time is this
stream on an unrolled graph, from the last step to the first.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.context import current, long_loop
from micrornn.core.operators import Operators
from micrornn.core.tensor import RETAINED, Data, Tensor, describe, lift, shape_of


class Pullback(NamedTuple):
    """The backward step of one node; contributions may be in a compact form, ``contribution(i)`` is not."""

    node: Tensor
    gradient: Any  # d(out)/d(node), all of it, in the node's shape
    contributions: Sequence[Any]  # to each of node.inputs; None where an input needs no gradient

    def contribution(self, i: int) -> Any:
        """The contribution to input i as an array, or None."""
        return dense(self.contributions[i])


def dense(contribution: Any) -> Any:
    """A contribution as an array or a float; some stay in a compact form until they are summed."""
    return contribution.dense() if hasattr(type(contribution), "dense") else contribution


def sweep(
    seeds: Iterable[tuple[Tensor, Any]],
    pull: Callable[[Tensor, Any], Sequence[Any]] = lambda node, g: node.primitive.pull(node, g),
) -> Iterator[Pullback]:
    """Carry cotangents back from the nodes where they begin, newest node first.

    Args:
        seeds: nodes, each with the cotangent that it begins with.
        pull: (node, cotangent) -> a contribution or None for each input; its primitive's by default.

    Yields:
        One pullback for each node that is reached; that of a leaf has no contributions.
    """
    arrived: dict[int, Any] = {}  # by number: the sum of what has arrived at a node so far
    waiting: dict[int, Tensor] = {}
    newest_first: list[int] = []  # a heap

    def send(node: Tensor, contribution: Any) -> None:
        number = node.number
        if number in arrived:
            arrived[number] = arrived[number] + contribution
        else:
            arrived[number] = contribution
            waiting[number] = node
            heappush(newest_first, -number)

    for node, g in seeds:
        send(node, g)
    while newest_first:
        number = -heappop(newest_first)
        while (
            node := waiting[number]
        ).inputs and node.primitive.recall:  # its history was not kept
            waiting.update(node.primitive.recall(node, waiting.get))
        node, g = waiting.pop(number), dense(arrived.pop(number))
        try:
            contributions = pull(node, g) if node.inputs else ()
        except Exception as error:
            noted(error, node)
            raise
        yield Pullback(node, g, contributions)
        for x, c in zip(node.inputs, contributions):
            if c is not None:
                send(x, c)


def noted(error: Exception, node: Tensor) -> None:
    """Add to an error where in the backward pass it occurred."""
    if hasattr(error, "add_note"):  # from Python 3.11 on
        error.add_note(f"in the pullback of {describe(node)} of shape {node.shape}")


def run(out: Tensor, seed: Any) -> Iterator[Pullback]:
    """The backward pass from a node; observers are told of every pullback."""
    observers = current().observers
    for pullback in sweep([(out, seed)]):
        if pullback.node.inputs:
            for observer in observers:
                observer.on_pullback(pullback)
        yield pullback


def gradients(out: Tensor, seed: Any, wanted: Container[int] = ()) -> list[tuple[Tensor, Any]]:
    """Run backward; the leaves that were reached, and the nodes numbered in ``wanted``, with gradients."""
    with long_loop():
        return [
            (node, g) for node, g, _ in run(out, seed) if not node.inputs or node.number in wanted
        ]


def pullbacks(out: Tensor, gradient: Any = None) -> Iterator[Pullback]:
    """The backward pass of `backward`, one pullback at a time; nothing is stored in ``.grad``.

    >>> import micrornn as mr
    >>> a = mr.Value(2.0)
    >>> for pullback in mr.pullbacks(mr.tanh(a * 3.0)):
    ...     print(pullback.node.primitive.name, round(pullback.gradient, 6))
    tanh 1.0
    mul 2.5e-05
    """
    return (pullback for pullback in run(out, seed_of(out, gradient)) if pullback.node.inputs)


_ADDING = Lock()  # threads may run backward to the same parameter


def backward(out: Tensor, gradient: Any = None) -> None:
    """Add d(out)/d(leaf) to ``.grad`` of every leaf that requires a gradient, as PyTorch does.

    A gradient is a float for a scalar leaf and otherwise a plain array in the leaf's shape and dtype. The
    graph stays as it is, so that backward can run again (and adds up again).

    Args:
        out: the node to start from, usually the loss.
        gradient: its cotangent, in its shape; 1 for a scalar by default.

    Raises:
        ValueError: out needs no gradient, or is not a scalar and no gradient is given.

    >>> import micrornn as mr
    >>> w = mr.tensor([1.0, 2.0], requires_grad=True)
    >>> mr.backward((w * w).sum())
    >>> w.grad
    array([2., 4.])
    """
    reached = gradients(out, seed_of(out, gradient), set(RETAINED))
    owned = [(RETAINED.get(node.number, node), as_gradient(g, node)) for node, g in reached]
    with _ADDING:
        for node, g in owned:
            node.grad = g if node.grad is None else node.grad + g


setattr(Operators, "backward", backward)  # noqa: B010 - tensors have it as a method


def grad(
    out: Tensor,
    inputs: Tensor | Sequence[Tensor],
    gradient: Any = None,
    create_graph: bool = False,
) -> Any:
    """d(out)/d(input) for each input, without touching ``.grad``.

    Args:
        inputs: one tensor or several, leaves or not; one gradient or a list is returned, with None where no
            path leads from an input to out.
        create_graph: return tensors that can be differentiated in turn, instead of arrays.

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
    reached = gradients(out, seed_of(out, gradient, create_graph), {x.number for x in nodes})
    found = {node.number: g for node, g in reached}
    results: list[Any] = []
    for x in nodes:
        g = found.get(x.number)
        results.append(g if g is None or create_graph else as_gradient(g, x))
    return results[0] if isinstance(inputs, Tensor) else results


def check_wanted(inputs: Sequence[Tensor], what: str) -> None:
    """Raise an error for a tensor whose uses were not recorded."""
    for x in inputs:
        if not x.requires_grad:
            raise ValueError(
                f"{what} with respect to {describe(x)}, which does not require a gradient, so its uses "
                "were not recorded; make it with requires_grad=True before it is used"
            )


def seed_of(out: Tensor, gradient: Any = None, recorded: bool = False) -> Any:
    """The cotangent that a backward pass from a node begins with; as a tensor, if it is to be recorded."""
    if not out.requires_grad:
        raise ValueError(
            f"nothing to go back through: {describe(out)} depends on no tensor with requires_grad=True; "
            "make the parameters so, and check for no_grad() or detach() on the way"
        )
    value = out._value
    if gradient is None:
        if out.size != 1:
            raise ValueError(
                f"backward from {describe(out)} of shape {out.shape}: only a scalar has one gradient; "
                "sum the tensor first, or give gradient= of its shape"
            )
        gradient = 1.0 if type(value) is float else np.ones_like(value)[()]
    elif shape_of(gradient) != out.shape:
        raise ValueError(
            f"gradient of shape {shape_of(gradient)} for {describe(out)} of shape {out.shape}"
        )
    elif not (recorded and isinstance(gradient, Tensor)):
        given = gradient._value if isinstance(gradient, Tensor) else gradient
        gradient = float(given) if type(value) is float else np.array(given, out.dtype)[()]
    return lift(gradient) if recorded else gradient


def as_gradient(g: Any, node: Tensor) -> Data:
    """A cotangent as a gradient that the user owns: in the node's dtype, not shared."""
    if type(node._value) is float:
        return float(g)
    if shape_of(g) != node.shape:
        raise ValueError(
            f"a gradient of shape {shape_of(g)} arrived at {describe(node)} of shape {node.shape}: "
            "the vjp of one of the operations that use it is wrong"
        )
    return np.array(g, node.dtype)
