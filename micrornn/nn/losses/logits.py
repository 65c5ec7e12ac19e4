"""Cross-entropy of logits as one primitive, because softmax followed by log loses precision.

Its gradient starts every derivation of BPTT: dL/dlogits = p - y, the predicted probabilities minus the
target's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.primitive import primitive, sample
from micrornn.core.tensor import Data, Tensor
from micrornn.ops.shape import expand_dims
from micrornn.ops.softmax import log_softmax, softmax

# -- against classes: one element of each distribution counts --------------------------------------


def _forward(x: Data, *, index: Any, amount: Any, axis: int, total: bool) -> Data:
    z = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    y = amount * (np.log(np.add.reduce(np.exp(z), axis=axis)) - z[index])
    return np.add.reduce(y, axis=None) if total and y.ndim else y


def one_hot(index: Any, axis: int, shape: tuple[int, ...]) -> Any:
    """True at the targets, in the shape of the logits."""
    target = index[axis] if isinstance(index, tuple) else index
    classes = np.arange(shape[axis]).reshape(-1, *[1] * (len(shape) - 1 - axis))
    return np.equal(np.expand_dims(target, axis), classes)


def _difference(x: Any, index: Any, axis: int) -> Any:
    return softmax(x, axis) - one_hot(index, axis, x.shape)


def _vjp(g: Any, y: Any, x: Any, index: Any, amount: Any, axis: int, total: bool) -> Any:
    scale = g * amount
    if isinstance(amount, np.ndarray) or not total:
        scale = expand_dims(scale, axis)
    if isinstance(x, Tensor):
        return _difference(x, index, axis) * scale
    p = softmax(x, axis)  # the same without the zeros
    p[index] -= 1.0
    p *= scale
    return p


def _jvp(d: Any, y: Any, x: Any, index: Any, amount: Any, axis: int, total: bool) -> Any:
    moved = (_difference(x, index, axis) * d).sum(axis) * amount
    return moved.sum() if total else moved


class_cross_entropy = primitive(
    "cross_entropy",
    "-ln softmax(x)[target]",
    forward=_forward,
    vjp=(_vjp,),
    jvp=(_jvp,),
    samples=(
        sample((4,), index=2, amount=1.0, axis=0, total=True),
        sample((2, 3), index=(np.arange(2), np.array([2, 0])), amount=0.5, axis=1, total=True),
        sample(
            *[(2, 3)],
            index=(np.arange(2), np.array([2, 0])),
            amount=np.ones(2),
            axis=1,
            total=False,
        ),
    ),
    symbol="CE",
    kind="loss",
)


# -- against distributions: every element has its share q ------------------------------------------


def _soft_forward(x: Data, q: Data, *, axis: int, total: bool) -> Data:
    # Where the target has no share, a logit of -inf costs nothing: 0 times -inf is not formed.
    logs = log_softmax(x, axis)
    terms = np.multiply(q, logs, where=q != 0, out=np.zeros_like(logs))
    return -np.add.reduce(terms, axis=None if total else axis)


def _spread(g: Any, axis: int, total: bool) -> Any:
    return g if total else expand_dims(g, axis)


def _soft_difference(x: Any, q: Any, axis: int) -> Any:
    return softmax(x, axis) * q.sum(axis, keepdims=True) - q


soft_cross_entropy = primitive(
    "soft_cross_entropy",
    "-Σ q ln softmax(x)",
    forward=_soft_forward,
    vjp=(
        lambda g, y, x, q, axis, total: _spread(g, axis, total) * _soft_difference(x, q, axis),
        lambda g, y, x, q, axis, total: -(_spread(g, axis, total) * log_softmax(x, axis)),
    ),
    jvp=(
        lambda d, y, x, q, axis, total: (_soft_difference(x, q, axis) * d).sum(
            None if total else axis
        ),
        lambda d, y, x, q, axis, total: -((log_softmax(x, axis) * d).sum(None if total else axis)),
    ),
    samples=(
        sample((4,), (4,), axis=0, total=True),
        sample((2, 3), (2, 3), axis=1, total=True),
        sample((2, 3, 2), (2, 3, 2), axis=1, total=False),
    ),
    symbol="CE",
    kind="loss",
)
