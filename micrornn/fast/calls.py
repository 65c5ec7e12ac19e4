"""Calls that make nodes: `primitive.operation_of`, cut to the number of inputs.

Every operation of a forward pass runs through one of these, so they spend their lines on doing little: one
context read, one forward, one node. All four do what the core's does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.core.context import current
from micrornn.core.primitive import Primitive, explained, in_numpy
from micrornn.core.tensor import NO_PARAMS, Tensor, lift
from micrornn.fast.forwards import SCALAR

Scalar = (
    Callable[[float], float] | None
)  # the forward for one Python float, where there is a quicker one
_NUMPY_ERRORS = (ValueError, TypeError, IndexError)
_new = object.__new__


def call_of(p: Primitive, scalars: bool) -> Callable[..., Any]:
    """The function to call for a primitive; with ``scalars``, math's functions serve Python floats."""
    plain = not has_params(p.forward)
    arity = 0 if callable(p.vjp) else len(p.vjp)
    if arity == 1:
        return (
            _unary(p, SCALAR.get(p.name) if scalars else None) if plain else _unary_with_params(p)
        )
    if arity == 2 and plain:
        return _binary(p)
    return _general(p)


def has_params(forward: Callable[..., Any]) -> bool:
    """Whether a forward takes params besides its inputs."""
    code = getattr(forward, "__code__", None)  # a ufunc or an operator has neither code nor params
    return code is not None and (code.co_kwonlyargcount > 0 or bool(code.co_flags & 0x08))


def _unary(p: Primitive, scalar: Scalar) -> Callable[..., Any]:
    forward = p.forward

    def call(x: Any) -> Any:
        if type(x) is not Tensor and not isinstance(x, Tensor):
            return in_numpy(forward, (x,), {})
        value = x._value
        context = current()
        try:
            data = scalar(value) if scalar and type(value) is float else forward(value)
        except ArithmeticError:
            data = in_numpy(forward, (value,), {})
        except _NUMPY_ERRORS as error:
            raise explained(error, p, (x,), {}) from error
        node = _new(Tensor)
        node._value = data
        node.primitive = p
        node.params = NO_PARAMS
        node.number = context.number()
        node.place = context.place
        node.grad = node.name = node.source = None
        if x.requires_grad and context.recording:
            node.inputs = (x,)
            node.values = (value,)
            node.requires_grad = True
        else:
            node.inputs = node.values = ()
            node.requires_grad = False
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def _binary(p: Primitive) -> Callable[..., Any]:
    forward = p.forward

    def call(a: Any, b: Any) -> Any:
        if type(b) is not Tensor and not isinstance(b, Tensor):
            if not isinstance(a, Tensor):
                return in_numpy(forward, (a, b), {})
            b = lift(b)
        elif type(a) is not Tensor and not isinstance(a, Tensor):
            a = lift(a)
        values = u, v = a._value, b._value
        context = current()
        try:
            data = forward(u, v)
        except ArithmeticError:
            data = in_numpy(forward, values, {})
        except _NUMPY_ERRORS as error:
            raise explained(error, p, (a, b), {}) from error
        node = _new(Tensor)
        node._value = data
        node.primitive = p
        node.params = NO_PARAMS
        node.number = context.number()
        node.place = context.place
        node.grad = node.name = node.source = None
        if (a.requires_grad or b.requires_grad) and context.recording:
            node.inputs = (a, b)
            node.values = values
            node.requires_grad = True
        else:
            node.inputs = node.values = ()
            node.requires_grad = False
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def _unary_with_params(p: Primitive) -> Callable[..., Any]:
    forward = p.forward

    def call(x: Any, **params: Any) -> Any:
        if type(x) is not Tensor and not isinstance(x, Tensor):
            return in_numpy(forward, (x,), params)
        value = x._value
        context = current()
        try:
            data = (
                forward(value, **params)
                if type(value) is np.ndarray
                else in_numpy(forward, (value,), params)
            )
        except _NUMPY_ERRORS as error:
            raise explained(error, p, (x,), params) from error
        node = _new(Tensor)
        node._value = data
        node.primitive = p
        node.params = params
        node.number = context.number()
        node.place = context.place
        node.grad = node.name = node.source = None
        if x.requires_grad and context.recording:
            node.inputs = (x,)
            node.values = (value,)
            node.requires_grad = True
        else:
            node.inputs = node.values = ()
            node.requires_grad = False
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def _general(p: Primitive) -> Callable[..., Any]:
    forward = p.forward

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
                return in_numpy(forward, inputs, params)
            inputs = tuple([lift(x) for x in inputs])
        values = tuple([x._value for x in inputs])
        context = current()
        try:
            data = (
                forward(*values, **params)
                if type(values[0]) is np.ndarray
                else in_numpy(forward, values, params)
            )
        except _NUMPY_ERRORS as error:
            raise explained(error, p, inputs, params) from error
        node = _new(Tensor)
        node._value = data
        node.primitive = p
        node.params = params
        node.number = context.number()
        node.place = context.place
        node.grad = node.name = node.source = None
        if wanted and context.recording:
            node.inputs = inputs
            node.values = values
            node.requires_grad = True
        else:
            node.inputs = node.values = ()
            node.requires_grad = False
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def _tell(node: Tensor, observers: tuple[Any, ...]) -> None:
    for observer in observers:
        observer.on_node(node)
