"""Operations on each element that go by cases: sign, abs, maximum, minimum, clip, and powers.

At a kink the derivative is what PyTorch takes: 0 for abs at 0, 1 at the ends of clip, one half each at a tie.
The case that does not count gets exactly 0, even from a gradient that is infinite.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.ops.elementwise import POSITIVE, elementwise, log, where
from micrornn.primitive import Operation, sample
from micrornn.tensor import Data, Tensor

_NUMBERS = {(float, float), (float, int), (int, float)}  # the types of two Python numbers


def _nothing(g: Any) -> Any:
    """Exactly 0, in the shape of g."""
    return 0.0 if type(g) is float else where(False, g, 0.0)


def _sign(x: float) -> float:
    return x if x != x else float((x > 0.0) - (x < 0.0))


sign = elementwise(
    "sign",
    "sign(x)",
    np.sign,
    lambda g, y, x: _nothing(g),
    scalar=_sign,
    doc=">>> import micrornn as mr\n>>> mr.sign(mr.tensor(-3.0))\ntensor(-1.0, sign)",
)

abs = elementwise(
    "abs",
    "|x|",
    np.abs,
    lambda g, y, x: g * sign(x),
    scalar=math.fabs,
    symbol="|x|",
    doc=">>> import micrornn as mr\n>>> mr.abs(mr.tensor(-3.0))\ntensor(3.0, abs)",
)


def _chosen(g: Any, first: Any, second: Any) -> Any:
    # All of g where the first is chosen, half at a tie.
    return where(first == second, 0.5 * g, where(first > second, g, 0.0))


def _larger(a: Data, b: Data) -> Data:
    if (type(a), type(b)) in _NUMBERS:
        return float(a if a >= b or a != a else b)
    return np.maximum(a, b)


def _smaller(a: Data, b: Data) -> Data:
    if (type(a), type(b)) in _NUMBERS:
        return float(a if a <= b or a != a else b)
    return np.minimum(a, b)


maximum = elementwise(
    "maximum",
    "max(a, b)",
    _larger,
    lambda g, y, a, b: _chosen(g, a, b),
    lambda g, y, a, b: _chosen(g, b, a),
    symbol="max",
    doc=">>> import micrornn as mr\n>>> mr.maximum(mr.tensor([1.0, 5.0]), 3.0)\n"
    "tensor([3., 5.], maximum)",
)

minimum = elementwise(
    "minimum",
    "min(a, b)",
    _smaller,
    lambda g, y, a, b: _chosen(g, b, a),
    lambda g, y, a, b: _chosen(g, a, b),
    symbol="min",
    doc=">>> import micrornn as mr\n>>> mr.minimum(mr.tensor([1.0, 5.0]), 3.0)\n"
    "tensor([1., 3.], minimum)",
)


def _clip_rule(g: Any, y: Any, x: Any, low: float | None, high: float | None) -> Any:
    inside = True
    if low is not None:
        inside = x >= low
    if high is not None:
        inside = inside & (x <= high)
    return where(inside, g, 0.0)


def _held(x: Data, *, low: float | None, high: float | None) -> Data:
    if low is None and high is None:
        return x
    y = np.clip(x, low, high)
    return float(y) if type(x) is float else y


_clip = elementwise(
    "clip",
    "min(max(x, low), high)",
    _held,
    _clip_rule,
    samples=(
        *(sample((2, 3), low=-1.0, high=1.0), sample((2, 3), low=None, high=0.5)),
        *(sample(None, low=-1.0, high=None), sample((), low=None, high=None)),
    ),
)


def _is_number(bound: Any) -> bool:
    return bound is None or (not isinstance(bound, Tensor) and np.ndim(bound) == 0)


def clip(x: Any, low: float | None = None, high: float | None = None) -> Tensor:
    """x held between low and high; None leaves that side open.

    Raises:
        TypeError: a bound is no number.

    >>> import micrornn as mr
    >>> mr.clip(mr.tensor([-2.0, 0.5, 2.0]), -1.0, 1.0)
    tensor([-1. ,  0.5,  1. ], clip)
    """
    for bound in (low, high):
        if not _is_number(bound):
            raise TypeError(
                "clip wants numbers for its bounds; for bounds that are tensors or arrays use "
                "mr.minimum(mr.maximum(x, low), high)"
            )
    return _clip(x, low=low, high=high)


def _power(a: Data, b: Data) -> Data:
    if (type(a), type(b)) in _NUMBERS:
        try:
            return math.pow(a, b)
        except (ValueError, ArithmeticError):  # where math raises, NumPy says nan or inf
            return np.float64(a) ** b
    return a**b


def _pow_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    # x^0 is flat, also at x = 0, where x^(0-1) is infinite.
    if not getattr(b, "shape", ()):
        return g * (b * pow(a, b - 1)) if b != 0 else _nothing(g)
    flat = b == 0
    return where(flat, 0.0, g * (b * pow(a, where(flat, 1.0, b - 1))))


def _pow_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    # 0^b is flat for b >= 0, though ln 0 is not finite; below, both y and -ln 0 are infinite.
    if not getattr(a, "shape", ()):
        return g * y * log(a) if a != 0 else where(b >= 0, 0.0, -(g * y))
    flat = (a == 0) & (b >= 0)
    return where(flat, 0.0, g * y * log(where(flat, 1.0, a)))


pow: Operation = elementwise(
    "pow",
    "a ^ b",
    _power,
    _pow_base,
    _pow_exponent,
    symbol="^",
    samples=POSITIVE,
    doc=">>> import micrornn as mr\n>>> mr.pow(mr.tensor(3.0), 2)\ntensor(9.0, pow)",
)
