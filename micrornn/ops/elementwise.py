"""Operations that act on each element by itself; all broadcast as NumPy does.

Their jvp is their vjp: the Jacobian is diagonal, so pushing a tangent forward and pulling a cotangent back
are the same multiplication.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.primitive import Operation, Rule, Sample, primitive, sample
from micrornn.tensor import Data, Tensor

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
    operator.add,
    lambda g, y, a, b: g,
    lambda g, y, a, b: g,
    symbol="+",
    doc=">>> import micrornn as mr\n>>> mr.add(1.0, mr.tensor([1.0, 2.0]))\ntensor([2., 3.], add)",
)

sub = elementwise(
    "sub",
    "a - b",
    operator.sub,
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g,
    symbol="−",
    doc=">>> import micrornn as mr\n>>> mr.sub(mr.tensor(3.0), 1.0)\ntensor(2.0, sub)",
)

mul = elementwise(
    "mul",
    "a * b",
    operator.mul,
    lambda g, y, a, b: g * b,
    lambda g, y, a, b: g * a,
    symbol="×",
    doc=">>> import micrornn as mr\n>>> mr.mul(mr.tensor(3.0), 2.0)\ntensor(6.0, mul)",
)

div = elementwise(
    "div",
    "a / b",
    operator.truediv,
    lambda g, y, a, b: g / b,
    lambda g, y, a, b: -g * y / b,
    symbol="÷",
    samples=POSITIVE,
    doc=">>> import micrornn as mr\n>>> mr.div(mr.tensor(3.0), 2.0)\ntensor(1.5, div)",
)

neg = elementwise(
    "neg",
    "-x",
    operator.neg,
    lambda g, y, x: -g,
    symbol="−",
    doc=">>> import micrornn as mr\n>>> mr.neg(mr.tensor(3.0))\ntensor(-3.0, neg)",
)


exp = elementwise(
    "exp",
    "e^x",
    np.exp,
    lambda g, y, x: g * y,
    scalar=math.exp,
    doc=">>> import micrornn as mr\n>>> mr.exp(mr.tensor(0.0))\ntensor(1.0, exp)",
)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else float(np.log(x))


log = elementwise(
    "log",
    "ln x",
    np.log,
    lambda g, y, x: g / x,
    scalar=_log,
    samples=tuple(s._replace(between=(0.5, 2.0)) for s in ONE),
    doc=">>> import micrornn as mr\n>>> mr.log(mr.tensor(1.0))\ntensor(0.0, log)",
)


def _sqrt(x: float) -> float:
    return math.sqrt(x) if x >= 0 else float(np.sqrt(x))


sqrt = elementwise(
    "sqrt",
    "√x",
    np.sqrt,
    lambda g, y, x: 0.5 * g / y,
    scalar=_sqrt,
    symbol="√",
    samples=tuple(s._replace(between=(0.5, 2.0)) for s in ONE),
    doc=">>> import micrornn as mr\n>>> mr.sqrt(mr.tensor(9.0))\ntensor(3.0, sqrt)",
)

sin = elementwise(
    "sin",
    "sin(x)",
    np.sin,
    lambda g, y, x: g * cos(x),
    scalar=lambda x: math.sin(x) if math.isfinite(x) else math.nan,
    doc=">>> import micrornn as mr\n>>> mr.sin(mr.tensor(0.0))\ntensor(0.0, sin)",
)

cos: Operation = elementwise(
    "cos",
    "cos(x)",
    np.cos,
    lambda g, y, x: -g * sin(x),
    scalar=lambda x: math.cos(x) if math.isfinite(x) else math.nan,
    doc=">>> import micrornn as mr\n>>> mr.cos(mr.tensor(0.0))\ntensor(1.0, cos)",
)


def _tanh_rule(g: Any, y: Any, x: Any) -> Any:
    # g (1 - y²), multiplied out: an array operand costs NumPy less than a Python number does.
    t = y * y
    t *= g
    return g - t


tanh = elementwise(
    "tanh",
    "tanh(x)",
    np.tanh,
    _tanh_rule,
    scalar=math.tanh,
    doc=">>> import micrornn as mr\n>>> mr.tanh(mr.tensor(0.0))\ntensor(0.0, tanh)",
)


def as_floats(x: Data) -> Data:
    """Integers as float64: small ones would make float16, and unsigned ones wrap around when negated."""
    return x if getattr(x, "dtype", np.dtype(int)).kind == "f" else np.asarray(x, float)


def _sigmoid(x: Data) -> Data:
    x = as_floats(x)
    with np.errstate(over="ignore"):  # e^-x is inf where the sigmoid is 0
        y = np.exp(-x)
    y += 1.0
    return np.divide(1.0, y, out=y if y.ndim else None)


def _sigmoid_scalar(x: float) -> float:
    try:
        return 1.0 / (1.0 + math.exp(-x))
    except OverflowError:
        return 0.0


def _sigmoid_rule(g: Any, y: Any, x: Any) -> Any:
    gy = g * y
    t = gy * y
    return gy - t


sigmoid = elementwise(
    "sigmoid",
    "1 / (1 + e^-x)",
    _sigmoid,
    _sigmoid_rule,
    scalar=_sigmoid_scalar,
    symbol="σ",
    doc=">>> import micrornn as mr\n>>> mr.sigmoid(mr.tensor(0.0))\ntensor(0.5, sigmoid)",
)


def _relu_rule(g: Any, y: Any, x: Any) -> Any:
    # 0 where x is not positive, whatever g is; a NaN lets g pass, as in PyTorch.
    if type(x) is float:
        return 0.0 if x <= 0.0 else g
    return _where(0.0, g, condition=x <= 0.0)


relu = elementwise(
    "relu",
    "max(x, 0)",
    lambda x: np.maximum(x, 0.0),
    _relu_rule,
    scalar=lambda x: x if x > 0.0 or x != x else 0.0,
    doc=">>> import micrornn as mr\n>>> mr.relu(mr.tensor([-1.0, 2.0]))\ntensor([0., 2.], relu)",
)


def _softplus(x: Data) -> Data:
    x = as_floats(x)
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


softplus = elementwise(
    "softplus",
    "ln(1 + e^x)",
    _softplus,
    lambda g, y, x: g * sigmoid(x),
    scalar=lambda x: max(x, 0.0) + math.log1p(math.exp(-math.fabs(x))),
    doc=">>> import micrornn as mr\n>>> mr.softplus(mr.tensor(0.0)).item()\n0.6931471805599453",
)

_CONDITION = np.array([[True, False, True], [False, False, True]])


def _choose(a: Data, b: Data, *, condition: Any) -> Data:
    if not condition.ndim and type(a) is float and type(b) is float:
        return a if condition else b
    return np.where(condition, a, b)


_where: Operation = elementwise(
    "where",
    "a where condition holds, else b",
    _choose,
    lambda g, y, a, b, condition: where(condition, g, 0.0),
    lambda g, y, a, b, condition: where(condition, 0.0, g),
    samples=(
        sample((2, 3), (2, 3), condition=_CONDITION),
        sample((3,), None, condition=_CONDITION),
        sample((2, 1), (), condition=_CONDITION[0]),
        sample(None, None, condition=np.array(False)),
    ),
)


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """a where the condition holds, else b; all three broadcast.

    The condition is data: no gradient flows through it.

    >>> import micrornn as mr
    >>> mr.where([True, False], mr.tensor([1.0, 2.0]), 0.0)
    tensor([1., 0.], where)
    """
    if isinstance(condition, Tensor):
        condition = condition._data
    return _where(a, b, condition=np.array(condition, dtype=bool))
