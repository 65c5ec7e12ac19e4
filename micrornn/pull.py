"""What a node sends to its inputs when a gradient has arrived.

Like the calls that make nodes, this runs once per node of every backward pass, so each primitive gets a
`send` cut to its number of inputs. All of them do what `_general` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.cotangent import Cotangent
from micrornn.tensor import Tensor, describe, shape_of

if TYPE_CHECKING:
    from micrornn.primitive import Primitive

# (node, gradient) -> the node's inputs, and a contribution to each: None where none is wanted
Sent = tuple[Sequence[Tensor], Sequence[Cotangent]]
Send = Callable[[Any, Any], Sent]


def send_of(p: Primitive) -> Send:
    """The function (node, gradient) -> (inputs, contributions), cut to the primitive."""
    rules: Any = p.vjp
    if p.arity == 1:
        return _unary(rules[0]) if p.plain else _unary_with_params(rules[0])
    if p.arity == 2 and p.plain:
        return _binary(rules[0], rules[1], p.broadcasts)
    if p.arity and p.plain and not p.broadcasts:
        return _several(rules)
    return lambda node, g: _general(node, g, node._data, node.inputs, node.values)


def _unary(rule: Any) -> Send:
    def send(node: Any, g: Any) -> Sent:
        try:
            return (node._a,), (rule(g, node._data, node._u),)
        except ArithmeticError:  # as NumPy divides: by zero gives inf, with a warning
            return (node._a,), (rule(*map(np.float64, (g, node._data, node._u))),)

    return send


def _unary_with_params(rule: Any) -> Send:
    return lambda node, g: ((node._a,), (rule(g, node._data, node._u, **node.params),))


def _binary(left: Any, right: Any, broadcasts: bool) -> Send:
    def send(node: Any, g: Any) -> Sent:
        y = node._data
        a = node._a
        b = node._b
        u = node._u
        v = node._v
        c = left(g, y, u, v) if a.requires_grad else None
        d = right(g, y, u, v) if b.requires_grad else None
        kind = type(u)
        if broadcasts and not (kind is type(v) and (kind is float or u.shape == v.shape)):
            if c is not None:
                c = unbroadcast(c, getattr(u, "shape", ()))
            if d is not None:
                d = unbroadcast(d, getattr(v, "shape", ()))
        return (a, b), (c, d)

    return send


def _several(rules: tuple[Any, ...]) -> Send:
    def send(node: Any, g: Any) -> Sent:
        inputs = node.inputs
        values = node.values
        y = node._data
        sent: list[Cotangent] = [None] * len(inputs)
        for i in range(len(inputs)):
            if inputs[i].requires_grad:
                sent[i] = rules[i](g, y, *values)
        return inputs, sent

    return send


def _general(node: Tensor, g: Any, y: Any, inputs: Sequence[Tensor], values: Sequence[Any]) -> Sent:
    p: Any = node.primitive
    if p.variadic:
        sent = p.vjp(g, y, *values, **node.params)
        return inputs, [c if x.requires_grad else None for x, c in zip(inputs, sent)]
    contributions: list[Cotangent] = []
    for rule, x, value in zip(p.vjp, inputs, values):
        c = None
        if x.requires_grad:
            c = rule(g, y, *values, **node.params)
            if p.broadcasts:
                c = unbroadcast(c, shape_of(value))
        contributions.append(c)
    return inputs, contributions


def send_recorded(node: Tensor, g: Tensor) -> Sent:
    """The same in operations on tensors, so that the pullback is itself part of a graph."""
    inputs = node.inputs
    for x, value in zip(inputs, node.values):
        if x._data is not value:
            raise ValueError(
                f"{describe(x)} was given a new value after {describe(node)} had used it, so its "
                "gradient can no longer be recorded. Take second derivatives before the update"
            )
    return _general(node, g, node, inputs, inputs)


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting in reverse: sum a cotangent over the axes that were stretched.

    >>> unbroadcast(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    if shape_of(g) == shape:
        return g
    total: Any = np.add.reduce
    stretch: Any = np.broadcast_to
    if isinstance(g, Tensor):  # recorded: the same in operations that make nodes
        from micrornn.ops import reduce
        from micrornn.ops import shape as shapes

        total, stretch = reduce.sum, shapes.broadcast_to
    extra = len(shape_of(g)) - len(shape)
    if extra > 0:
        g = total(g, axis=tuple(range(extra)) if extra > 1 else 0)
    if extra >= 0:
        axes = [i for i, (n, m) in enumerate(zip(shape, shape_of(g))) if n == 1 != m]
        if axes:
            g = total(g, axis=tuple(axes), keepdims=True)
    # What is left is a cotangent that is itself the same all along an axis.
    return g if shape_of(g) == shape else stretch(g, shape)
