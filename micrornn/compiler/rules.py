"""Rules: what one operation sends back, as values of the backward pass.

Its own rule is run once, on stand-ins, and what it computes is written down.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.follow import followable
from micrornn.compiler.program import (
    Constant,
    Loop,
    Past,
    Row,
    Rows,
    Value,
    blank,
    dtype_of,
    leaf,
    mapped,
    shape_at,
    unknown,
)
from micrornn.compiler.trace import values_behind
from micrornn.compiler.traced import CompileError, traced
from micrornn.core.primitive import Primitive, in_numpy, unbroadcast
from micrornn.core.tensor import Tensor, constant

Sent = list[tuple[Any, Any]]  # (what is sent to, in the forward program; the contribution)


def sent(
    v: Value, y: Any, args: Any, kwargs: Any, g: Any, loop: Loop | None
) -> tuple[list[Value], Sent]:
    """What an operation sends to its inputs: the calls that work it out, and the contributions.

    Args:
        v: the operation, in the forward program.
        y, args, kwargs: its value and arguments, as the backward pass refers to them.
        g: the cotangent of its value.
        loop: the loop of the backward pass in which this stands.
    """
    known: dict[int, Any] = {}

    def standing(reference: Any) -> Any:
        ones = unknown(shape_at(reference, loop), dtype_of(reference))
        hole = leaf(None, ones)
        known[hole.number] = reference
        return traced(ones, hole)

    def standin(reference: Any) -> Tensor:
        number = getattr(getattr(reference, "leaf", None), "value", None)
        if type(number) in (int, float):
            return constant(number)
        node = Tensor.__new__(Tensor)
        node._value, node.requires_grad = standing(reference), True
        known[node.number] = reference
        return node

    cotangent = standin(g)
    cotangent._value = unknown(v.shape, v.dtype)
    try:
        if not followable(v):
            raise CompileError("its forward cannot be followed, so its rule is called as a whole")
        with np.errstate(all="ignore"):
            contributions = _contributions(
                v, cotangent, standin(y), [standin(x) for x in args], mapped(kwargs, standing)
            )
    except (CompileError, ValueError):
        return _called(v, (g, y, *args), kwargs, loop)
    chosen = [(r, c) for r, c in zip(v.args, contributions) if c is not None and flows(r)]
    values, found = values_behind([c for _, c in chosen], known)
    return values, [(r, _as_reference(c)) for (r, _), c in zip(chosen, found)]


def _called(v: Value, args: Any, kwargs: Any, loop: Loop | None) -> tuple[list[Value], Sent]:
    """The same, with the rule called as a whole."""
    pulls: Sent = []
    for i, reference in enumerate(v.args):
        if flows(reference):
            sample = blank(shape_at(args[i + 2], loop), dtype_of(reference))
            pulls.append((reference, Value(Pull(v.call, i), args, kwargs, sample)))
    return [c for _, c in pulls], pulls


class Pull:
    """An operation's rule for one input, on arrays."""

    def __init__(self, p: Primitive, i: int) -> None:
        self.p, self.i = p, i
        self.__name__ = f"pull_{p.name}"

    def __call__(self, g: Any, y: Any, *inputs: Any, **params: Any) -> Any:
        """The contribution to input i, from the cotangent of the result."""
        p, i = self.p, self.i
        if callable(p.vjp):
            return p.vjp(g, y, *inputs, **params)[i]
        c = in_numpy(p.vjp[i], (g, y, *inputs), params)
        return unbroadcast(c, np.shape(inputs[i])) if p.broadcasts else c


def _contributions(v: Value, g: Any, y: Any, inputs: Any, params: Any) -> list[Any]:
    p = v.call
    if callable(p.vjp):
        return list(p.vjp(g, y, *inputs, **params))
    found = []
    for rule, x, reference in zip(p.vjp, inputs, v.args):
        c = in_numpy(rule, (g, y, *inputs), params) if flows(reference) else None
        found.append(unbroadcast(c, x.shape) if p.broadcasts and c is not None else c)
    return found


def _as_reference(c: Any) -> Any:
    if isinstance(c, (Value, Row, Rows)):
        return c
    return leaf(Constant(c), c)


def flows(reference: Any) -> bool:
    """Whether a gradient is needed there."""
    if isinstance(reference, Value):
        return reference.grad
    if isinstance(reference, (Row, Rows)):
        return flows(reference.of)
    if isinstance(reference, Past):
        return flows(reference.of) or any(map(flows, reference.firsts))
    return False
