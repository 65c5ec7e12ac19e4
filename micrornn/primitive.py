"""What a primitive is: an operation declared once, in one block.

The block holds its forward, its vjp and jvp, a one-line formula, and samples for its checks. The rules are
written in operations that work on arrays *and* on tensors, so that one rule is both the fast backward and the
recorded, drawable, differentiable one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from micrornn.calls import call_of
from micrornn.calls import compute as compute
from micrornn.cotangent import Cotangent
from micrornn.pull import send_of
from micrornn.tensor import Data, Tensor

Rule = Callable[..., Any]

# Every primitive by name: what the tests walk through and what a saved graph refers to.
PRIMITIVES: dict[str, Primitive] = {}


class Operation(Protocol):
    """What declaring a primitive gives: the function to call, which knows its primitive."""

    __name__: str
    primitive: Primitive

    def __call__(self, *inputs: Any, **params: Any) -> Tensor: ...


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
        scalar: forward for one Python float, where there is a quicker one.
        vjp: one rule per input, ``rule(g, y, *inputs, **params)``, from the cotangent g of the result
            to the contribution to that input; or, for any number of inputs, one function that returns
            all contributions.
        jvp: likewise one rule per input, ``rule(d, y, *inputs, **params)``, from the tangent of that
            input to its share of the result's tangent; or one function ``rule(ds, y, ...)`` that takes
            all tangents (None where an input has none).
        plain: whether forward takes no params, as its signature says.
        variadic: whether it takes any number of inputs, as vjp says by being one function.
        arity: the number of inputs; 0 if variadic.
        send: (node, gradient) -> (inputs, contributions), made of vjp.
        broadcasts: whether NumPy broadcasting may have stretched an input; then backward sums the
            contribution to the input's shape.
    """

    __slots__ = (
        *("arity", "broadcasts", "doc", "forward", "formula", "jvp", "name", "plain"),
        *("samples", "scalar", "send", "symbol", "variadic", "vjp"),
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
        self.arity = 0 if callable(vjp) else len(vjp)
        self.plain = not _has_params(forward)
        self.samples = samples
        self.doc = doc
        self.send = send_of(self)
        PRIMITIVES[name] = self

    def pull(self, node: Tensor, g: Any) -> Sequence[Cotangent]:
        """What a node sends to each of its inputs when the gradient g arrives; None where none is wanted."""
        return self.send(node, g)[1]

    def __repr__(self) -> str:
        return f"<primitive {self.name}: y = {self.formula}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return _named, (self.name,)


def _named(name: str) -> Primitive:
    return PRIMITIVES[name]


def primitive(name: str, formula: str, **declared: Any) -> Operation:
    """Declare a primitive; returns the function to call, with the primitive as its `.primitive`."""
    p = Primitive(name, formula, **declared)
    call: Any = call_of(p)
    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"y = {formula}\n\n{p.doc}".rstrip()
    call.primitive = p
    operation: Operation = call
    return operation


def _has_params(forward: Callable[..., Data]) -> bool:
    code = getattr(forward, "__code__", None)  # a ufunc or an operator has neither code nor params
    return code is not None and code.co_kwonlyargcount > 0
