"""Pulling a gradient back through one node: `Primitive.pull`, cut to the number of inputs.

One of these runs for every node of every backward pass. A gradient that is a tensor, because the pass is
itself recorded, goes the way of the core: through the rules as they were declared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

from micrornn.core.primitive import Primitive, in_numpy, unbroadcast
from micrornn.core.tensor import Tensor
from micrornn.fast.calls import has_params

Pull = Callable[[Any, Any], Sequence[Any]]


def pull_of(p: Primitive, vjp: Any) -> Pull:
    """(node, gradient) -> a contribution to each input, by the rules ``vjp`` on values."""
    core = MethodType(Primitive.pull, p)
    plain = not has_params(p.forward)
    arity = 0 if callable(vjp) else len(vjp)
    if arity == 1:
        return _unary(core, vjp[0]) if plain else _unary_with_params(core, vjp[0])
    if arity == 2 and plain:
        return _binary(core, vjp[0], vjp[1], p.broadcasts)
    if arity and plain and not p.broadcasts:
        return _several(core, vjp)
    return core


def _unary(core: Pull, rule: Any) -> Pull:
    def pull(node: Any, g: Any) -> Sequence[Any]:
        if type(g) is Tensor:
            return core(node, g)
        x = node.values[0]
        try:
            return (rule(g, node._value, x),)
        except ArithmeticError:
            return (in_numpy(rule, (g, node._value, x), {}),)

    return pull


def _unary_with_params(core: Pull, rule: Any) -> Pull:
    def pull(node: Any, g: Any) -> Sequence[Any]:
        if type(g) is Tensor:
            return core(node, g)
        return (rule(g, node._value, node.values[0], **node.params),)

    return pull


def _binary(core: Pull, left: Any, right: Any, broadcasts: bool) -> Pull:
    def pull(node: Any, g: Any) -> Sequence[Any]:
        if type(g) is Tensor:
            return core(node, g)
        y = node._value
        a, b = node.inputs
        u, v = node.values
        try:
            c = left(g, y, u, v) if a.requires_grad else None
            d = right(g, y, u, v) if b.requires_grad else None
        except ArithmeticError:
            return core(node, g)
        kind = type(u)
        if broadcasts and not (kind is type(v) and (kind is float or u.shape == v.shape)):
            if c is not None:
                c = unbroadcast(c, getattr(u, "shape", ()))
            if d is not None:
                d = unbroadcast(d, getattr(v, "shape", ()))
        return c, d

    return pull


def _several(core: Pull, rules: tuple[Any, ...]) -> Pull:
    def pull(node: Any, g: Any) -> Sequence[Any]:
        if type(g) is Tensor:
            return core(node, g)
        y = node._value
        values = node.values
        return [
            rule(g, y, *values) if x.requires_grad else None for rule, x in zip(rules, node.inputs)
        ]

    return pull
