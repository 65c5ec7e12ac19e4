"""How the call of a primitive makes a node.

Every operation of a forward pass runs through one of the four functions that `call_of` chooses from, so they
spend their lines on doing little: one context read, one forward, one node. All four do the same; they differ
in how many inputs there are, and whether there are params.

A primitive that is called without any tensor simply computes. That is the convention by which a rule for
backward, written once, works on arrays and on tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.context import current
from micrornn.tensor import NO_PARAMS, Tensor, describe, lift, next_number

if TYPE_CHECKING:
    from micrornn.primitive import Primitive

_NUMPY_COMPLAINTS = (ValueError, TypeError, IndexError)


def call_of(p: Primitive) -> Callable[..., Any]:
    """The function to call for a primitive, cut to its number of inputs."""
    if p.arity == 1:
        return _unary(p) if p.plain else _unary_with_params(p)
    if p.arity == 2 and p.plain:
        return _binary(p)
    return _general(p)


def _unary(p: Primitive) -> Callable[..., Any]:
    forward, scalar, new = p.forward, p.scalar, object.__new__

    def call(x: Any) -> Any:
        if type(x) is not Tensor and not isinstance(x, Tensor):
            return compute(p, x)
        value = x._data
        context = current()
        try:
            data = scalar(value) if scalar and type(value) is float else forward(value)
        except ArithmeticError:
            data = forward(np.float64(value))
        except _NUMPY_COMPLAINTS as error:
            raise complaint(error, p, (x,), {}) from error
        node = new(Tensor)
        node._data = data
        node.primitive = p
        node.params = NO_PARAMS
        node.number = next_number()
        node.place = context.place
        node.grad = node.name = node.source = node._more = node._b = None
        if x.requires_grad and context.recording:
            node._a = x
            node._u = value
            node.requires_grad = True
        else:
            node._a = None
            node.requires_grad = False
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def _binary(p: Primitive) -> Callable[..., Any]:
    forward, new = p.forward, object.__new__

    def call(a: Any, b: Any) -> Any:
        if type(b) is not Tensor and not isinstance(b, Tensor):
            if not isinstance(a, Tensor):
                return compute(p, a, b)
            b = lift(b)
        elif type(a) is not Tensor and not isinstance(a, Tensor):
            a = lift(a)
        u = a._data
        v = b._data
        context = current()
        try:
            data = forward(u, v)
        except ArithmeticError:
            data = forward(np.float64(u), np.float64(v))
        except _NUMPY_COMPLAINTS as error:
            raise complaint(error, p, (a, b), {}) from error
        node = new(Tensor)
        node._data = data
        node.primitive = p
        node.params = NO_PARAMS
        node.number = next_number()
        node.place = context.place
        node.grad = node.name = node.source = node._more = None
        if (a.requires_grad or b.requires_grad) and context.recording:
            node._a = a
            node._b = b
            node._u = u
            node._v = v
            node.requires_grad = True
        else:
            node._a = node._b = None
            node.requires_grad = False
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def _unary_with_params(p: Primitive) -> Callable[..., Any]:
    forward, new = p.forward, object.__new__

    def call(x: Any, **params: Any) -> Any:
        if type(x) is not Tensor and not isinstance(x, Tensor):
            return compute(p, x, **params)
        value = x._data
        context = current()
        try:
            data = forward(value, **params)
        except _NUMPY_COMPLAINTS as error:
            raise complaint(error, p, (x,), params) from error
        node = new(Tensor)
        node._data = data
        node.primitive = p
        node.params = params
        node.number = next_number()
        node.place = context.place
        node.grad = node.name = node.source = node._more = node._b = None
        if x.requires_grad and context.recording:
            node._a = x
            node._u = value
            node.requires_grad = True
        else:
            node._a = None
            node.requires_grad = False
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def _general(p: Primitive) -> Callable[..., Any]:
    forward, new = p.forward, object.__new__

    def call(*inputs: Any, **params: Any) -> Any:
        known = True
        wanted = False
        for x in inputs:
            if type(x) is not Tensor and not isinstance(x, Tensor):
                known = False
            elif x.requires_grad:
                wanted = True
        if not known:
            if not any(isinstance(x, Tensor) for x in inputs):
                return compute(p, *inputs, **params)
            inputs = tuple([lift(x) for x in inputs])
        values = tuple([x._data for x in inputs])
        context = current()
        try:
            data = forward(*values, **params)
        except _NUMPY_COMPLAINTS as error:
            raise complaint(error, p, inputs, params) from error
        node = new(Tensor)
        node._data = data
        node.primitive = p
        node.params = params
        node.number = next_number()
        node.place = context.place
        node.grad = node.name = node.source = None
        node.requires_grad = wanted = wanted and context.recording
        if not wanted:
            node._a = node._b = node._more = None
        elif len(inputs) == 2:
            node._a, node._b = inputs
            node._u, node._v = values
            node._more = None
        else:
            node._a = inputs[0]
            node._b = None
            node._more = inputs + values
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def compute(p: Primitive, *values: Any, **params: Any) -> Any:
    """The value alone, for arguments among which there is no tensor."""
    plain = [v if isinstance(v, _READY) else np.asarray(v) for v in values]
    if p.scalar and type(plain[0]) is float:
        try:
            return p.scalar(plain[0])
        except ArithmeticError:
            return p.forward(np.float64(plain[0]))
    return p.forward(*plain, **params)


_READY = (np.ndarray, np.generic, float, int)


def _tell(node: Tensor, observers: tuple[Any, ...]) -> None:
    for observer in observers:
        observer.on_node(node)


def complaint(
    error: Exception, p: Primitive, inputs: tuple[Tensor, ...], params: dict[str, Any]
) -> Exception:
    """NumPy's complaint, with the operation, the shapes, the scope and the step it came from."""
    shapes = ", ".join(f"{describe(x)} of shape {x.shape}" for x in inputs)
    given = "".join(f", {key}={value!r}" for key, value in params.items())
    kind = next(kind for kind in _NUMPY_COMPLAINTS if isinstance(error, kind))
    return kind(
        f"{p.name} (y = {p.formula}) in {current().place!r}: {error}. Given {shapes}{given}"
    )
