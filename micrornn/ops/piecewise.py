"""Operations on each element that go by cases: sign, abs, maximum, minimum, clip, and powers.

At a kink the derivative is what PyTorch takes: 0 for abs at 0, 1 at the ends of clip, one half each at a tie.
The case that does not count gets exactly 0, even from a gradient that is infinite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.operators import offer
from micrornn.core.primitive import Operation, sample
from micrornn.core.tensor import Data, Tensor
from micrornn.ops.elementwise import POSITIVE, elementwise, log, where

sign = elementwise(
    "sign",
    "sign(x)",
    np.sign,
    lambda g, y, x: where(False, g, 0.0),
    methods="",
    numpy=[np.sign],
    doc=">>> import micrornn as mr\n>>> mr.sign(mr.tensor(-3.0))\ntensor(-1.0, sign)",
    kind="piecewise",
)

abs = elementwise(
    "abs",
    "|x|",
    np.abs,
    lambda g, y, x: g * sign(x),
    symbol="|x|",
    methods="abs __abs__",
    numpy=[np.absolute],
    doc=">>> import micrornn as mr\n>>> mr.abs(mr.tensor(-3.0))\ntensor(3.0, abs)",
    kind="piecewise",
)


def _chosen(g: Any, first: Any, second: Any) -> Any:
    # All of g where the first is chosen, half at a tie.
    return where(first == second, 0.5 * g, where(first > second, g, 0.0))


maximum = elementwise(
    "maximum",
    "max(a, b)",
    np.maximum,
    lambda g, y, a, b: _chosen(g, a, b),
    lambda g, y, a, b: _chosen(g, b, a),
    symbol="max",
    methods="",
    numpy=[np.maximum],
    doc=">>> import micrornn as mr\n>>> mr.maximum(mr.tensor([1.0, 5.0]), 3.0)\n"
    "tensor([3., 5.], maximum)",
    kind="piecewise",
)

minimum = elementwise(
    "minimum",
    "min(a, b)",
    np.minimum,
    lambda g, y, a, b: _chosen(g, b, a),
    lambda g, y, a, b: _chosen(g, a, b),
    symbol="min",
    methods="",
    numpy=[np.minimum],
    doc=">>> import micrornn as mr\n>>> mr.minimum(mr.tensor([1.0, 5.0]), 3.0)\n"
    "tensor([1., 3.], minimum)",
    kind="piecewise",
)


def _inside(x: Any, low: float | None, high: float | None) -> Any:
    above = True if low is None else x >= low
    return above if high is None else above & (x <= high)


def _clip_forward(x: Data, *, low: float | None, high: float | None) -> Data:
    return x if low is None and high is None else np.clip(x, low, high)


_clip = elementwise(
    "clip",
    "min(max(x, low), high)",
    _clip_forward,
    lambda g, y, x, low, high: where(_inside(x, low, high), g, 0.0),
    samples=(
        *(sample((2, 3), low=-1.0, high=1.0), sample((2, 3), low=None, high=0.5)),
        *(sample(None, low=-1.0, high=None), sample((), low=None, high=None)),
    ),
    kind="piecewise",
)

_clip_between = elementwise(
    "clip between",
    "min(max(x, a), b)",
    lambda x, a, b: np.clip(x, a, b),
    lambda g, y, x, a, b: where((x >= a) & (x <= b), g, 0.0),
    lambda g, y, x, a, b: where((x < a) & (a < b), g, 0.0),
    lambda g, y, x, a, b: where((x > b) | (a > b), g, 0.0),
    samples=(sample((2, 3), (3,), (2, 3)), sample((2, 3), None, None)),
    kind="piecewise",
)


def clip(x: Any, low: Any = None, high: Any = None) -> Tensor:
    """x limited to the range from low to high; None leaves that side open.

    Bounds that are arrays or tensors broadcast, and receive the gradient of the elements that they replace.

    >>> import micrornn as mr
    >>> mr.clip(mr.tensor([-2.0, 0.5, 2.0]), -1.0, 1.0)
    tensor([-1. ,  0.5,  1. ], clip)
    """
    bounds = [bound for bound in (low, high) if bound is not None]
    if all(np.isscalar(bound) for bound in bounds):
        return _clip(x, low=low, high=high)
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    return _clip_between(x, low, high)


offer(clip, "clip", numpy=[np.clip])


def _pow_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    flat = b == 0  # a^0 is flat, also at a = 0, where a^(0-1) is infinite
    return where(flat, 0.0, g) * b * pow(a, where(flat, 1.0, b - 1))


def _pow_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    zero = a == 0  # 0^b is flat for b >= 0, though ln 0 is not finite; below, y is infinite already
    ln_a = where(zero, -1.0, log(where(zero, 1.0, a)))
    return where(zero & (b >= 0), 0.0, g) * y * ln_a


pow: Operation = elementwise(
    "pow",
    "a ^ b",
    np.power,
    _pow_base,
    _pow_exponent,
    symbol="^",
    samples=POSITIVE,
    methods="__pow__ __rpow__",
    numpy=[np.power],
    doc=">>> import micrornn as mr\n>>> mr.pow(mr.tensor(3.0), 2)\ntensor(9.0, pow)",
)
