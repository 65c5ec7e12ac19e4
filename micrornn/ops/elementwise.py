"""Operations that act on each element by itself; all broadcast as NumPy does.

Their jvp is their vjp: the Jacobian is diagonal, so pushing a tangent forward and pulling a cotangent back
are the same multiplication.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.core.operators import offer
from micrornn.core.primitive import Operation, Rule, Sample, primitive, sample
from micrornn.core.tensor import Data, Tensor
from micrornn.ops.followed import fresh

ONE = (sample((2, 3)), sample(()), sample(None))
TWO = (
    *(sample((2, 3), (2, 3)), sample((2, 3), (3,)), sample((2, 1), (1, 3))),
    *(sample((2, 3), None), sample(None, (3,)), sample(None, None)),
)
POSITIVE = tuple(s._replace(between=(0.5, 2.0)) for s in TWO)


def elementwise(
    name: str,
    formula: str,
    forward: Callable[..., Data],
    *rules: Rule,
    samples: tuple[Sample, ...] = (),
    **declared: Any,
) -> Operation:
    """Declare a primitive of one rule per input that serves both modes."""
    return primitive(
        name,
        formula,
        forward=forward,
        vjp=rules,
        jvp=rules,
        broadcasts=len(rules) > 1,
        samples=samples or (ONE if len(rules) == 1 else TWO),
        **declared,
    )


add = elementwise(
    "add",
    "a + b",
    np.add,
    lambda g, y, a, b: g,
    lambda g, y, a, b: g,
    symbol="+",
    methods="__add__ __radd__",
    numpy=[np.add],
    doc=">>> import micrornn as mr\n>>> mr.add(1.0, mr.tensor([1.0, 2.0]))\ntensor([2., 3.], add)",
    kind="sum",
)

sub = elementwise(
    "sub",
    "a - b",
    np.subtract,
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g,
    symbol="−",
    methods="__sub__ __rsub__",
    numpy=[np.subtract],
    doc=">>> import micrornn as mr\n>>> mr.sub(mr.tensor(3.0), 1.0)\ntensor(2.0, sub)",
    kind="sum",
)

mul = elementwise(
    "mul",
    "a * b",
    np.multiply,
    lambda g, y, a, b: g * b,
    lambda g, y, a, b: g * a,
    symbol="×",
    methods="__mul__ __rmul__",
    numpy=[np.multiply],
    doc=">>> import micrornn as mr\n>>> mr.mul(mr.tensor(3.0), 2.0)\ntensor(6.0, mul)",
    kind="scaling",
)

div = elementwise(
    "div",
    "a / b",
    np.true_divide,
    lambda g, y, a, b: g / b,
    lambda g, y, a, b: -g * y / b,
    symbol="÷",
    samples=POSITIVE,
    methods="__truediv__ __rtruediv__",
    numpy=[np.true_divide],
    doc=">>> import micrornn as mr\n>>> mr.div(mr.tensor(3.0), 2.0)\ntensor(1.5, div)",
    kind="quotient",
)

neg = elementwise(
    "neg",
    "-x",
    np.negative,
    lambda g, y, x: -g,
    symbol="−",
    methods="__neg__",
    numpy=[np.negative],
    doc=">>> import micrornn as mr\n>>> mr.neg(mr.tensor(3.0))\ntensor(-3.0, neg)",
    kind="sum",
)

exp = elementwise(
    "exp",
    "e^x",
    np.exp,
    lambda g, y, x: g * y,
    methods="exp",
    numpy=[np.exp],
    doc=">>> import micrornn as mr\n>>> mr.exp(mr.tensor(0.0))\ntensor(1.0, exp)",
)

log = elementwise(
    "log",
    "ln x",
    np.log,
    lambda g, y, x: g / x,
    samples=tuple(s._replace(between=(0.5, 2.0)) for s in ONE),
    methods="log",
    numpy=[np.log],
    doc=">>> import micrornn as mr\n>>> mr.log(mr.tensor(1.0))\ntensor(0.0, log)",
)

sqrt = elementwise(
    "sqrt",
    "√x",
    np.sqrt,
    lambda g, y, x: 0.5 * g / y,
    symbol="√",
    samples=tuple(s._replace(between=(0.5, 2.0)) for s in ONE),
    methods="sqrt",
    numpy=[np.sqrt],
    doc=">>> import micrornn as mr\n>>> mr.sqrt(mr.tensor(9.0))\ntensor(3.0, sqrt)",
)

sin = elementwise(
    "sin",
    "sin(x)",
    np.sin,
    lambda g, y, x: g * cos(x),
    methods="",
    numpy=[np.sin],
    doc=">>> import micrornn as mr\n>>> mr.sin(mr.tensor(0.0))\ntensor(0.0, sin)",
)

cos: Operation = elementwise(
    "cos",
    "cos(x)",
    np.cos,
    lambda g, y, x: -g * sin(x),
    methods="",
    numpy=[np.cos],
    doc=">>> import micrornn as mr\n>>> mr.cos(mr.tensor(0.0))\ntensor(1.0, cos)",
)

tanh = elementwise(
    "tanh",
    "tanh(x)",
    np.tanh,
    lambda g, y, x: g * (1.0 - y * y),
    methods="tanh",
    numpy=[np.tanh],
    doc=">>> import micrornn as mr\n>>> mr.tanh(mr.tensor(0.0))\ntensor(0.0, tanh)",
    kind="activation",
)


def as_floats(x: Data) -> Data:
    """Integers as float64: small ones would make float16, and unsigned ones wrap around when negated."""
    return x if getattr(x, "dtype", np.dtype(int)).kind == "f" else np.asarray(x, float)


def _sigmoid(x: Data) -> Data:
    with np.errstate(over="ignore"):  # e^-x is inf where the sigmoid is 0
        return 1.0 / (1.0 + np.exp(-as_floats(x)))


sigmoid = elementwise(
    "sigmoid",
    "1 / (1 + e^-x)",
    _sigmoid,
    lambda g, y, x: g * y * (1.0 - y),
    symbol="σ",
    methods="sigmoid",
    doc=">>> import micrornn as mr\n>>> mr.sigmoid(mr.tensor(0.0))\ntensor(0.5, sigmoid)",
    kind="activation",
)

relu = elementwise(
    "relu",
    "max(x, 0)",
    lambda x: np.maximum(x, 0.0),
    lambda g, y, x: where(x <= 0.0, 0.0, g),  # at 0 it is 0; a NaN lets g pass, as in PyTorch
    methods="relu",
    doc=">>> import micrornn as mr\n>>> mr.relu(mr.tensor([-1.0, 2.0]))\ntensor([0., 2.], relu)",
    kind="activation",
)


def _softplus(x: Data) -> Data:
    x = as_floats(x)
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


softplus = elementwise(
    "softplus",
    "ln(1 + e^x)",
    _softplus,
    lambda g, y, x: g * sigmoid(x),
    methods="",
    doc=">>> import micrornn as mr\n>>> mr.softplus(mr.tensor(0.0)).item()\n0.6931471805599453",
    kind="activation",
)

_CONDITION = np.array([[True, False, True], [False, False, True]])

_where = elementwise(
    "where",
    "a where condition holds, else b",
    lambda a, b, *, condition: np.where(condition, a, b)[()],  # type: ignore[call-overload]
    lambda g, y, a, b, condition: where(condition, g, 0.0),
    lambda g, y, a, b, condition: where(condition, 0.0, g),
    samples=(
        sample((2, 3), (2, 3), condition=_CONDITION),
        sample((3,), None, condition=_CONDITION),
        sample((2, 1), (), condition=_CONDITION[0]),
        sample(None, None, condition=np.array(False)),
    ),
    kind="choice",
)


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """a where the condition holds, else b; all three broadcast.

    The condition is data: no gradient flows through it.

    >>> import micrornn as mr
    >>> mr.where([True, False], mr.tensor([1.0, 2.0]), 0.0)
    tensor([1., 0.], where)
    """
    if isinstance(condition, Tensor):
        condition = condition._value
    return _where(a, b, condition=fresh(condition, bool))


offer(where, numpy=[np.where])
