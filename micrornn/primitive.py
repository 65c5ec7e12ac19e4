"""What a primitive is, and how a call of one makes a node.

A primitive is declared once, in one block: its forward, its vjp and jvp, a one-line formula, and samples
for its checks. The rules are written in operations that work on arrays *and* on tensors, so that one rule
is both the fast backward and the recorded, drawable, differentiable one. The bridge is this convention: a
primitive called without any tensor simply computes.

Every operation of a forward pass runs through one of the three `call` functions below, so they spend their
lines on doing little: one context read, one forward, one node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from micrornn.context import current
from micrornn.pull import pull_of
from micrornn.tensor import NO_PARAMS, Data, Tensor, describe, lift, next_number

Rule = Callable[..., Any]
Operation = Callable[..., Tensor]

# Every primitive by name: what the tests walk through and what a saved graph refers to.
PRIMITIVES: dict[str, Primitive] = {}

_NUMPY_COMPLAINTS = (ValueError, TypeError, IndexError)


class Sample(NamedTuple):
    """One set of arguments for a primitive's checks: shapes (None for a Python float), range, params."""

    shapes: tuple[tuple[int, ...] | None, ...]
    between: tuple[float, float]
    params: dict[str, Any]


def sample(
    *shapes: tuple[int, ...] | None, between: tuple[float, float] = (-2.0, 2.0), **params: Any
) -> Sample:
    """Arguments for a check: inputs of these shapes, drawn uniformly from a range, and the params."""
    return Sample(shapes, between, params)


class Primitive:
    """An operation that the engine can differentiate.

    Attributes:
        name: what it is called.
        formula: one line, with y the result and x, a, b the inputs.
        symbol: what a picture writes in its node.
        forward: from values (and params) to the value.
        vjp: one rule per input, ``rule(g, y, *inputs, **params)``, from the cotangent g of the result
            to the contribution to that input; or, for any number of inputs, one function that returns
            all contributions.
        jvp: likewise one rule per input, ``rule(d, y, *inputs, **params)``, from the tangent of that
            input to its share of the result's tangent; or one function ``rule(ds, y, ...)`` that takes
            all tangents (None where an input has none).
        plain: whether forward takes no params, as its signature says.
        variadic: whether it takes any number of inputs, as vjp says by being one function.
        pull: (node, gradient) -> contributions, made of vjp.
        broadcasts: whether NumPy broadcasting may have stretched an input; then backward sums the
            contribution to the input's shape.
    """

    __slots__ = (
        *("broadcasts", "doc", "forward", "formula", "jvp", "name", "plain", "pull"),
        *("samples", "scalar", "symbol", "variadic", "vjp"),
    )

    def __init__(
        self,
        name: str,
        formula: str,
        *,
        forward: Callable[..., Data],
        vjp: tuple[Rule, ...] | Rule,
        jvp: tuple[Rule, ...] | Rule,
        samples: tuple[Sample, ...],
        scalar: Callable[[float], float] | None = None,
        symbol: str | None = None,
        broadcasts: bool = False,
        doc: str = "",
    ) -> None:
        self.name = name
        self.formula = formula
        self.symbol = symbol or name
        self.forward = forward
        self.scalar = scalar
        self.vjp = vjp
        self.jvp = jvp
        self.broadcasts = broadcasts
        self.variadic = callable(vjp)
        self.plain = not _has_params(forward)
        self.samples = samples
        self.doc = doc
        self.pull = pull_of(self)
        PRIMITIVES[name] = self

    def __repr__(self) -> str:
        return f"<primitive {self.name}: y = {self.formula}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return PRIMITIVES.__getitem__, (self.name,)


def primitive(name: str, formula: str, **declared: Any) -> Operation:
    """Declare a primitive; returns the function to call, with the primitive as its `.primitive`."""
    p = Primitive(name, formula, **declared)
    make = _general
    if p.plain and not p.variadic:
        make = {1: _unary, 2: _binary}.get(len(p.vjp), _general)  # type: ignore[arg-type]
    call = make(p)
    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"y = {formula}\n\n{p.doc}".rstrip()
    call.primitive = p  # type: ignore[attr-defined]
    return call


def _has_params(forward: Callable[..., Data]) -> bool:
    code = getattr(forward, "__code__", None)  # a ufunc or an operator has neither code nor params
    return code is not None and code.co_kwonlyargcount > 0


def _unary(p: Primitive) -> Operation:
    forward, scalar, new = p.forward, p.scalar, Tensor.__new__

    def call(x: Any) -> Tensor:
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
        if x.requires_grad and context.recording:
            node.inputs = (x,)
            node.values = (value,)
            node.requires_grad = True
        else:
            _forget(node)
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def _binary(p: Primitive) -> Operation:
    forward, new = p.forward, Tensor.__new__

    def call(a: Any, b: Any) -> Tensor:
        if type(b) is not Tensor and not isinstance(b, Tensor):
            if not isinstance(a, Tensor):
                return compute(p, a, b)
            b = lift(b)
        elif type(a) is not Tensor and not isinstance(a, Tensor):
            a = lift(a)
        x = a._data
        y = b._data
        context = current()
        try:
            data = forward(x, y)
        except ArithmeticError:
            data = forward(np.float64(x), np.float64(y))
        except _NUMPY_COMPLAINTS as error:
            raise complaint(error, p, (a, b), {}) from error
        node = new(Tensor)
        node._data = data
        node.primitive = p
        node.params = NO_PARAMS
        node.number = next_number()
        node.place = context.place
        if (a.requires_grad or b.requires_grad) and context.recording:
            node.inputs = (a, b)
            node.values = (x, y)
            node.requires_grad = True
        else:
            _forget(node)
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def _general(p: Primitive) -> Operation:
    forward, new = p.forward, Tensor.__new__

    def call(*inputs: Any, **params: Any) -> Tensor:
        wanted = False
        known = True
        for x in inputs:
            if isinstance(x, Tensor):
                wanted = wanted or x.requires_grad
            else:
                known = False
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
        if wanted and context.recording:
            node.inputs = inputs
            node.values = values
            node.requires_grad = True
        else:
            _forget(node)
        if context.observers:
            _tell(node, context.observers)
        return node

    return call


def compute(p: Primitive, *values: Any, **params: Any) -> Any:
    """The value alone, for arguments among which there is no tensor."""
    plain = [v if isinstance(v, (np.ndarray, np.generic, float)) else np.asarray(v) for v in values]
    if p.scalar and type(plain[0]) is float:
        try:
            return p.scalar(plain[0])
        except ArithmeticError:
            return p.forward(np.float64(plain[0]))
    return p.forward(*plain, **params)


def _forget(node: Tensor) -> None:
    # Nothing here wants a gradient: keep the value, let the history go.
    node.inputs = node.values = ()
    node.requires_grad = False


def _tell(node: Tensor, observers: tuple[Any, ...]) -> None:
    for observer in observers:
        observer.on_node(node)


def complaint(
    error: Exception, p: Primitive, inputs: tuple[Tensor, ...], params: dict[str, Any]
) -> Exception:
    """NumPy's complaint, with the operation, the shapes, the scope and the step it came from."""
    shapes = ", ".join(f"{describe(x)} of shape {x.shape}" for x in inputs)
    given = "".join(f", {key}={value!r}" for key, value in params.items())
    place = current().place
    kind = type(error) if type(error) in _NUMPY_COMPLAINTS else ValueError
    return kind(f"{p.name} (y = {p.formula}) in {place!r}: {error}. Given {shapes}{given}")
