"""What a node sends to its inputs when a gradient has arrived.

Like the calls that make nodes, this runs once per node of every backward pass, so each primitive gets a
`pull` cut to its number of inputs. All of them do what `_general` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from micrornn.cotangent import Cotangent
from micrornn.tensor import Tensor, describe, shape_of

if TYPE_CHECKING:
    from micrornn.primitive import Primitive

Pull = Callable[[Tensor, Any], Sequence[Cotangent]]


def pull_of(p: Primitive) -> Pull:
    """The function (node, gradient) -> contributions, one per input, None where none is wanted."""
    if p.plain and not p.variadic:
        if len(p.vjp) == 1:  # type: ignore[arg-type]
            return _unary(p.vjp[0])  # type: ignore[index]
        if len(p.vjp) == 2:  # type: ignore[arg-type]
            return _binary(*p.vjp, p.broadcasts)  # type: ignore[misc]

    def pull(node: Tensor, g: Any) -> Sequence[Cotangent]:
        return _general(node, g, node._data, node.values)

    return pull


def pull_recorded(node: Tensor, g: Tensor) -> Sequence[Cotangent]:
    """The same in operations on tensors, so that the pullback is itself part of a graph."""
    for x, value in zip(node.inputs, node.values, strict=True):
        if x._data is not value:
            raise ValueError(
                f"{describe(x)} was given a new value after {describe(node)} had used it, so its "
                "gradient can no longer be recorded. Take second derivatives before the update"
            )
    return _general(node, g, node, node.inputs)


def _general(node: Tensor, g: Any, y: Any, values: Sequence[Any]) -> Sequence[Cotangent]:
    p: Any = node.primitive
    if p.variadic:
        sent = p.vjp(g, y, *values, **node.params)
        return [c if x.requires_grad else None for x, c in zip(node.inputs, sent, strict=True)]
    contributions: list[Cotangent] = []
    for rule, x, value in zip(p.vjp, node.inputs, values, strict=False):
        c = None
        if x.requires_grad:
            c = rule(g, y, *values, **node.params)
            if p.broadcasts and shape_of(c) != shape_of(value):
                c = _unbroadcast(c, shape_of(value))
        contributions.append(c)
    return contributions


def _unary(rule: Any) -> Pull:
    def pull(node: Tensor, g: Any) -> Sequence[Cotangent]:
        return (rule(g, node._data, node.values[0]),)

    return pull


def _binary(left: Any, right: Any, broadcasts: bool) -> Pull:
    def pull(node: Tensor, g: Any) -> Sequence[Cotangent]:
        y = node._data
        a, b = node.values
        first, second = node.inputs
        c = d = None
        if first.requires_grad:
            c = left(g, y, a, b)
            if (
                broadcasts
                and type(c) is not float
                and c.shape != (() if type(a) is float else a.shape)
            ):
                c = _unbroadcast(c, shape_of(a))
        if second.requires_grad:
            d = right(g, y, a, b)
            if (
                broadcasts
                and type(d) is not float
                and d.shape != (() if type(b) is float else b.shape)
            ):
                d = _unbroadcast(d, shape_of(b))
        return c, d

    return pull


def _unbroadcast(c: Any, shape: tuple[int, ...]) -> Any:
    from micrornn.ops.shape import unbroadcast

    return unbroadcast(c, shape)
