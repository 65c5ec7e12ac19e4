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

_ONE = (sample((2, 3)), sample(()), sample(None))
_TWO = (
    *(sample((2, 3), (2, 3)), sample((2, 3), (3,)), sample((2, 1), (1, 3))),
    *(sample((2, 3), None), sample(None, (3,)), sample(None, None)),
)
_POSITIVE = tuple(s._replace(between=(0.5, 2.0)) for s in _TWO)


def _elementwise(
    name: str,
    formula: str,
    forward: Callable[..., Data],
    *rules: Rule,
    samples: tuple[Sample, ...] = (),
    **declared: Any,
) -> Operation:
    return primitive(
        name,
        formula,
        forward=forward,
        vjp=rules,
        jvp=rules,
        broadcasts=len(rules) > 1,
        samples=samples or (_ONE if len(rules) == 1 else _TWO),
        **declared,
    )


add = _elementwise(
    "add",
    "a + b",
    operator.add,
    lambda g, y, a, b: g,
    lambda g, y, a, b: g,
    symbol="+",
    doc=">>> import micrornn as mr\n>>> mr.add(1.0, mr.tensor([1.0, 2.0]))\ntensor([2., 3.], add)",
)

sub = _elementwise(
    "sub",
    "a - b",
    operator.sub,
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g,
    symbol="−",
    doc=">>> import micrornn as mr\n>>> mr.sub(mr.tensor(3.0), 1.0)\ntensor(2.0, sub)",
)

mul = _elementwise(
    "mul",
    "a * b",
    operator.mul,
    lambda g, y, a, b: g * b,
    lambda g, y, a, b: g * a,
    symbol="×",
    doc=">>> import micrornn as mr\n>>> mr.mul(mr.tensor(3.0), 2.0)\ntensor(6.0, mul)",
)

div = _elementwise(
    "div",
    "a / b",
    operator.truediv,
    lambda g, y, a, b: g / b,
    lambda g, y, a, b: -g * y / b,
    symbol="÷",
    samples=_POSITIVE,
    doc=">>> import micrornn as mr\n>>> mr.div(mr.tensor(3.0), 2.0)\ntensor(1.5, div)",
)

neg = _elementwise(
    "neg",
    "-x",
    operator.neg,
    lambda g, y, x: -g,
    symbol="−",
    doc=">>> import micrornn as mr\n>>> mr.neg(mr.tensor(3.0))\ntensor(-3.0, neg)",
)


def _power(a: Data, b: Data) -> Data:
    if isinstance(a, float) and isinstance(b, (float, int)):
        try:
            return math.pow(a, b)
        except (ValueError, ArithmeticError):  # where math raises, NumPy says nan or inf
            return np.float64(a) ** b
    return a**b


def _pow_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    # x^0 is flat, also at x = 0, where x^(0-1) is infinite.
    if isinstance(b, (float, int)):
        return g * b * a ** (b - 1) if b != 0 else g * 0.0
    flat = b == 0
    return where(flat, 0.0, g * b * a ** where(flat, 0.0, b - 1))


def _pow_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    # 0^b is flat for b > 0, though log 0 is not finite.
    at_zero = a == 0
    return g * y * log(where(at_zero, 1.0, a))


pow = _elementwise(
    "pow",
    "a ^ b",
    _power,
    _pow_base,
    _pow_exponent,
    symbol="^",
    samples=_POSITIVE,
    doc=">>> import micrornn as mr\n>>> mr.pow(mr.tensor(3.0), 2)\ntensor(9.0, pow)",
)

exp = _elementwise(
    "exp",
    "e^x",
    np.exp,
    lambda g, y, x: g * y,
    scalar=math.exp,
    doc=">>> import micrornn as mr\n>>> mr.exp(mr.tensor(0.0))\ntensor(1.0, exp)",
)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else float(np.log(x))


log = _elementwise(
    "log",
    "ln x",
    np.log,
    lambda g, y, x: g / x,
    scalar=_log,
    samples=tuple(s._replace(between=(0.5, 2.0)) for s in _ONE),
    doc=">>> import micrornn as mr\n>>> mr.log(mr.tensor(1.0))\ntensor(0.0, log)",
)


def _sqrt(x: float) -> float:
    return math.sqrt(x) if x >= 0 else float(np.sqrt(x))


sqrt = _elementwise(
    "sqrt",
    "√x",
    np.sqrt,
    lambda g, y, x: 0.5 * g / y,
    scalar=_sqrt,
    symbol="√",
    samples=tuple(s._replace(between=(0.5, 2.0)) for s in _ONE),
    doc=">>> import micrornn as mr\n>>> mr.sqrt(mr.tensor(9.0))\ntensor(3.0, sqrt)",
)

sign = _elementwise(
    "sign",
    "sign(x)",
    np.sign,
    lambda g, y, x: g * 0.0,
    scalar=lambda x: math.copysign(1.0, x) if x else x,
    doc=">>> import micrornn as mr\n>>> mr.sign(mr.tensor(-3.0))\ntensor(-1.0, sign)",
)

abs = _elementwise(
    "abs",
    "|x|",
    np.abs,
    lambda g, y, x: g * sign(x),
    scalar=math.fabs,
    symbol="|x|",
    doc=">>> import micrornn as mr\n>>> mr.abs(mr.tensor(-3.0))\ntensor(3.0, abs)",
)

sin = _elementwise(
    "sin",
    "sin(x)",
    np.sin,
    lambda g, y, x: g * cos(x),
    scalar=lambda x: math.sin(x) if math.isfinite(x) else math.nan,
    doc=">>> import micrornn as mr\n>>> mr.sin(mr.tensor(0.0))\ntensor(0.0, sin)",
)

cos = _elementwise(
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


tanh = _elementwise(
    "tanh",
    "tanh(x)",
    np.tanh,
    _tanh_rule,
    scalar=math.tanh,
    doc=">>> import micrornn as mr\n>>> mr.tanh(mr.tensor(0.0))\ntensor(0.0, tanh)",
)


def _sigmoid(x: Data) -> Data:
    # e^m / (e^m + e^(m-x)) with m = min(x, 0): no exponent is positive, so nothing overflows.
    if type(x) is not np.ndarray or not x.ndim or x.dtype.kind != "f":
        m = np.minimum(x, 0.0)
        top = np.exp(m)
        return top / (top + np.exp(m - x))
    m = np.minimum(x, 0.0, out=np.empty_like(x))
    top = np.exp(m)
    np.subtract(m, x, out=m)
    np.exp(m, out=m)
    np.add(m, top, out=m)
    return np.divide(top, m, out=top)


def _sigmoid_scalar(x: float) -> float:
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def _sigmoid_rule(g: Any, y: Any, x: Any) -> Any:
    gy = g * y
    t = gy * y
    return gy - t


sigmoid = _elementwise(
    "sigmoid",
    "1 / (1 + e^-x)",
    _sigmoid,
    _sigmoid_rule,
    scalar=_sigmoid_scalar,
    symbol="σ",
    doc=">>> import micrornn as mr\n>>> mr.sigmoid(mr.tensor(0.0))\ntensor(0.5, sigmoid)",
)

relu = _elementwise(
    "relu",
    "max(x, 0)",
    lambda x: np.maximum(x, 0.0),
    lambda g, y, x: g * (x > 0),
    scalar=lambda x: x if x > 0.0 or x != x else 0.0,
    doc=">>> import micrornn as mr\n>>> mr.relu(mr.tensor([-1.0, 2.0]))\ntensor([0., 2.], relu)",
)

softplus = _elementwise(
    "softplus",
    "ln(1 + e^x)",
    lambda x: np.logaddexp(x, 0.0),
    lambda g, y, x: g * sigmoid(x),
    scalar=lambda x: max(x, 0.0) + math.log1p(math.exp(-math.fabs(x))),
    doc=">>> import micrornn as mr\n>>> mr.softplus(mr.tensor(0.0)).item()\n0.6931471805599453",
)


def _chosen(g: Any, first: Any, second: Any) -> Any:
    # All of g where the first is chosen, half at a tie, as PyTorch does.
    return where(first == second, 0.5 * g, g * (first > second))


maximum = _elementwise(
    "maximum",
    "max(a, b)",
    np.maximum,
    lambda g, y, a, b: _chosen(g, a, b),
    lambda g, y, a, b: _chosen(g, b, a),
    symbol="max",
    doc=">>> import micrornn as mr\n>>> mr.maximum(mr.tensor([1.0, 5.0]), 3.0)\n"
    "tensor([3., 5.], maximum)",
)

minimum = _elementwise(
    "minimum",
    "min(a, b)",
    np.minimum,
    lambda g, y, a, b: _chosen(g, b, a),
    lambda g, y, a, b: _chosen(g, a, b),
    symbol="min",
    doc=">>> import micrornn as mr\n>>> mr.minimum(mr.tensor([1.0, 5.0]), 3.0)\n"
    "tensor([1., 3.], minimum)",
)

_where = _elementwise(
    "where",
    "a where condition holds, else b",
    lambda a, b, *, condition: np.where(condition, a, b),
    lambda g, y, a, b, condition: where(condition, g, 0.0),
    lambda g, y, a, b, condition: where(condition, 0.0, g),
    samples=(
        sample((2, 3), (2, 3), condition=np.array([[True, False, True], [False, False, True]])),
        sample((3,), None, condition=np.array([[True, False, True], [False, False, True]])),
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


_clip = _elementwise(
    "clip",
    "min(max(x, low), high)",
    lambda x, *, low, high: np.clip(x, low, high),
    lambda g, y, x, low, high: g * ((x >= low) & (x <= high)),
    samples=(sample((2, 3), low=-1.0, high=1.0), sample(None, low=-math.inf, high=0.5)),
)


def clip(x: Any, low: float | None = None, high: float | None = None) -> Tensor:
    """x held between low and high; None leaves that side open.

    >>> import micrornn as mr
    >>> mr.clip(mr.tensor([-2.0, 0.5, 2.0]), -1.0, 1.0)
    tensor([-1. ,  0.5,  1. ], clip)
    """
    return _clip(x, low=-math.inf if low is None else low, high=math.inf if high is None else high)
