"""A primitive is an operation declared once, in one block: forward, vjp, jvp, a formula, and samples.

The rules are written in operations that work on arrays *and* on tensors: an operation that is called
without any tensor simply computes. So one rule is the backward pass, and the recorded one that can be drawn
and differentiated.

    cube = primitive(
        "cube",
        "x³",
        forward=lambda x: x * x * x,
        vjp=(lambda g, y, x: g * 3.0 * x * x,),  # from dL/dy to dL/dx
        jvp=(lambda d, y, x: d * 3.0 * x * x,),  # from dx to dy
        samples=(sample((2, 3)), sample(None)),
    )
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from micrornn.core.context import current
from micrornn.core.operators import offer
from micrornn.core.tensor import Data, Tensor, describe, lift, shape_of

Rule = Callable[..., Any]

# Every primitive by name: what the tests walk through and what a saved graph refers to.
PRIMITIVES: dict[str, Primitive] = {}


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


@dataclass(eq=False)
class Primitive:
    """An operation that the engine can differentiate.

    Attributes:
        vjp: one rule per input, ``rule(g, y, *inputs, **params)``, from the cotangent g of the result
            to the contribution to that input; or, for any number of inputs, one function that returns
            all contributions.
        jvp: likewise ``rule(d, y, *inputs, **params)``, from the tangent of one input to its share of the
            result's tangent; or one function of all tangents (None where an input has none).
    """

    name: str
    formula: str  # one line, with y the result and x, a, b the inputs
    symbol: str  # what a picture writes in its node
    forward: Callable[..., Data]  # from values (and params) to the value
    vjp: tuple[Rule, ...] | Rule
    jvp: tuple[Rule, ...] | Rule
    samples: tuple[Sample, ...]  # arguments for its checks
    broadcasts: bool = False  # whether NumPy may stretch an input: then backward sums to its shape
    kind: str = ""  # what readers tell apart, such as "activation"
    recall: Any = None  # for a node whose history was forgotten: computes it again, see `sweep`

    @property
    def variadic(self) -> bool:
        """Whether it takes any number of inputs."""
        return callable(self.vjp)

    def pull(self, node: Tensor, g: Any) -> Sequence[Any]:
        """What its node sends to each input when the cotangent g arrives; None where none is needed.

        If g is a tensor, the pullback is itself recorded: the rules run on the nodes instead of their values.
        """
        if isinstance(g, Tensor):
            _check_unchanged(node)
            arguments: Sequence[Any] = (g, node, *node.inputs)
        else:
            arguments = (g, node._value, *node.values)
        if callable(self.vjp):
            sent = self.vjp(*arguments, **node.params)
            return [c if x.requires_grad else None for x, c in zip(node.inputs, sent)]
        contributions: list[Any] = []
        for rule, x, value in zip(self.vjp, node.inputs, node.values):
            c = in_numpy(rule, arguments, node.params) if x.requires_grad else None
            if self.broadcasts and c is not None:
                c = unbroadcast(c, shape_of(value))
            contributions.append(c)
        return contributions

    def __repr__(self) -> str:
        return f"<primitive {self.name}: y = {self.formula}>"

    def __reduce__(self) -> Any:
        return named, (self.name,)


def named(name: str) -> Primitive:
    """The primitive of that name; what a copy or a pickle of it refers to."""
    return PRIMITIVES[name]


class Operation(Protocol):
    """What declaring a primitive gives: the function to call."""

    primitive: Primitive

    def __call__(self, *inputs: Any, **params: Any) -> Tensor: ...


def primitive(
    name: str,
    formula: str,
    *,
    forward: Callable[..., Data],
    vjp: tuple[Rule, ...] | Rule,
    jvp: tuple[Rule, ...] | Rule,
    samples: tuple[Sample, ...],
    symbol: str | None = None,
    broadcasts: bool = False,
    kind: str = "",
    doc: str = "",
    methods: str | None = None,
    numpy: Sequence[Callable[..., Any]] = (),
) -> Operation:
    """Declare a primitive; returns the function to call, with the primitive as its ``.primitive``.

    With ``methods`` (which may be empty) it is offered as `micrornn.<name>` too; see `offer`.
    """
    p = Primitive(name, formula, symbol or name, forward, vjp, jvp, samples, broadcasts, kind)
    PRIMITIVES[name] = p
    operation = operation_of(p)
    operation.__name__ = operation.__qualname__ = name
    operation.__doc__ = f"y = {formula}\n\n{doc}".rstrip()
    operation.primitive = p
    if methods is not None:
        offer(operation, methods, numpy)
    return operation  # type: ignore[no-any-return]


def operation_of(p: Primitive) -> Any:
    """The function to call: on tensors it makes a node, on anything else it only computes."""

    def operation(*inputs: Any, **params: Any) -> Any:
        if not any(isinstance(x, Tensor) for x in inputs):
            return in_numpy(p.forward, inputs, params)
        inputs = tuple([lift(x) for x in inputs])
        values = tuple([x._value for x in inputs])
        context = current()
        node = Tensor.__new__(Tensor)
        try:
            node._value = in_numpy(p.forward, values, params)
        except (ValueError, TypeError, IndexError) as error:
            raise explained(error, p, inputs, params) from error
        node.primitive = p
        node.params = params
        if context.recording and any(x.requires_grad for x in inputs):
            node.inputs = inputs
            node.values = values
            node.requires_grad = True
        for observer in context.observers:
            observer.on_node(node)
        return node

    return operation


def in_numpy(function: Callable[..., Any], values: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call a function as NumPy computes: Python numbers give a Python float, and never an exception."""
    if all(type(v) in (float, int, bool) for v in values):
        y = function(*map(np.float64, values), **params)  # 1.0 / 0.0 is inf, with a warning
        return float(y) if isinstance(y, np.float64) else y
    return function(*[v if isinstance(v, _READY) else np.asarray(v) for v in values], **params)


_READY = (np.ndarray, np.generic, float, int, Tensor)


def explained(error: Exception, p: Primitive, inputs: Any, params: dict[str, Any]) -> Exception:
    """NumPy's error, with the operation, the shapes, the scope and the step it came from."""
    given = [f"{describe(x)} of shape {x.shape}" for x in inputs]
    given += [f"{key}={value!r}" for key, value in params.items()]
    kind = next(kind for kind in (ValueError, TypeError, IndexError) if isinstance(error, kind))
    where = f"{p.name} (y = {p.formula}) in {current().place!r}"
    return kind(f"{where}: {error}. Given {', '.join(given)}")


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting in reverse: sum a cotangent over the axes that were stretched.

    >>> unbroadcast(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    if shape_of(g) == shape:
        return g
    extra = len(shape_of(g)) - len(shape)
    if extra > 0:
        g = np.sum(g, axis=tuple(range(extra)))
    axes = tuple([i for i, (n, m) in enumerate(zip(shape, shape_of(g))) if n == 1 != m])
    if axes and extra >= 0:
        g = np.sum(g, axis=axes, keepdims=True)
    # What is left is a cotangent that is itself the same all along an axis.
    return g if shape_of(g) == shape else np.broadcast_to(g, shape)


def _check_unchanged(node: Tensor) -> None:
    for x, value in zip(node.inputs, node.values):
        if x._value is not value:
            raise ValueError(
                f"{describe(x)} was given a new value after {describe(node)} had used it, so its "
                "gradient can no longer be recorded; take second derivatives before the update"
            )
