"""Cross-entropy from logits, in one piece: what softmax and log would lose apart is never formed.

Its gradient is what every derivation of BPTT begins with: dL/dlogits = p - y, the predicted probabilities
minus the target's. Give logits, never probabilities: softmax before it would be applied twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.primitive import primitive, sample
from micrornn.core.tensor import Data, Tensor, lift
from micrornn.ops.reduce import log_softmax, softmax
from micrornn.ops.shape import expand_dims

REDUCTIONS = ("mean", "sum", "none")
Array = np.ndarray[Any, Any]


# -- against classes: one element of each distribution counts ------------------------------------------


def _forward(x: Data, *, index: Any, amount: Any, axis: int, total: bool) -> Data:
    z = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    y = amount * (np.log(np.add.reduce(np.exp(z), axis=axis)) - z[index])
    return np.add.reduce(y, axis=None) if total and y.ndim else y


def _difference(x: Any, index: Any, axis: int) -> Any:
    target = np.zeros(x.shape, x.dtype)
    target[index] = 1.0
    return softmax(x, axis) - target


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


_class_cross_entropy = primitive(
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
)


# -- against distributions: every element has its share q ----------------------------------------------


def _soft_forward(x: Data, q: Data, *, axis: int, total: bool) -> Data:
    # Where the target has no share, a logit of -inf costs nothing: 0 times -inf is not formed.
    logs = log_softmax(x, axis)
    terms = np.multiply(q, logs, where=q != 0, out=np.zeros_like(logs))
    return -np.add.reduce(terms, axis=None if total else axis)


def _spread(g: Any, axis: int, total: bool) -> Any:
    return g if total else expand_dims(g, axis)


def _soft_difference(x: Any, q: Any, axis: int) -> Any:
    return softmax(x, axis) * q.sum(axis, keepdims=True) - q


_soft_cross_entropy = primitive(
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
)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-ln of the probability that softmax(input) gives to the target, as PyTorch's ``cross_entropy``.

    Args:
        input: logits, (C,), (N, C) or (N, C, d1, ...): the classes are axis 1, or 0 if it is the only one.
        target: class indices, (), (N,) or (N, d1, ...); or probabilities in the shape of ``input``.
        weight: (C,), how much each class counts: 0 or more.
        ignore_index: targets of this class count nothing, not in the mean either.
        reduction: ``"mean"`` (over the targets, by their weights), ``"sum"``, or ``"none"``: one each.
        label_smoothing: this share of every target is spread evenly over the classes.

    Raises:
        ValueError: a shape, an index or an option is wrong, or a mean has nothing to be taken over.

    >>> import micrornn as mr
    >>> logits = mr.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    >>> loss = mr.nn.functional.cross_entropy(logits, 3)
    >>> loss.backward()
    >>> (logits.grad - logits.softmax().data).round(12)  # minus one at the target
    array([ 0.,  0.,  0., -1.])
    """
    check_reduction(reduction, "cross_entropy")
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"label_smoothing={label_smoothing!r}; give a share between 0 and 1")
    x = lift(input)
    shape = x.shape
    if not shape:
        raise ValueError("cross_entropy wants logits of shape (C,) or (N, C, ...), not one number")
    axis = 0 if len(shape) == 1 else 1
    if weight is not None:
        weight = class_weights("cross_entropy", weight, shape[axis], x.dtype)
    if not isinstance(target, (Tensor, np.ndarray, np.integer)):
        target = np.asarray(target)
    if target.dtype.kind in "iu":
        classes = np.array(target._value if isinstance(target, Tensor) else target)
        index, amount = _targets(classes, shape, axis, weight, ignore_index)
        count = (
            float(np.sum(amount))
            if isinstance(amount, np.ndarray)
            else float(amount) * classes.size
        )
    elif target.shape == shape:
        index, amount, count = None, 1.0, x.size / shape[axis]
    else:
        raise ValueError(
            f"cross_entropy: target of shape {target.shape} and dtype {target.dtype} for logits of shape "
            f"{shape}; give integers of shape {shape[:axis] + shape[axis + 1 :]}, or probabilities of "
            f"shape {shape}"
        )
    total = reduction != "none"
    share = 1.0
    if reduction == "mean" and count != 1.0:
        if not count:
            raise nothing_counts("cross_entropy", ignore_index)
        share = 1.0 / count
    if index is not None and not label_smoothing:
        amount = (
            np.asarray(amount * share, x.dtype)
            if isinstance(amount, np.ndarray)
            else float(amount) * share
        )
        return _class_cross_entropy(x, index=index, amount=amount, axis=axis, total=total)
    q: Any
    if index is None:
        q = target if isinstance(target, Tensor) else np.asarray(target, x.dtype)
        q = _smoothed(q, label_smoothing, shape, axis, weight)
    else:
        q = np.zeros(shape, x.dtype)
        q[index] = 1.0
        counted = np.broadcast_to(classes != ignore_index, classes.shape)
        q = _smoothed(q, label_smoothing, shape, axis, weight) * np.expand_dims(counted, axis)
    return _soft_cross_entropy(x, q * share if share != 1.0 else q, axis=axis, total=total)


def _targets(
    target: Array, shape: tuple[int, ...], axis: int, weight: Array | None, ignore_index: int
) -> tuple[Any, Any]:
    """Where the targets stand among the logits, and how much each counts: one number if all the same."""
    classes = shape[axis]
    expected = shape[:axis] + shape[axis + 1 :]
    if target.shape != expected:
        raise ValueError(
            f"cross_entropy: class indices of shape {target.shape} for logits of shape {shape}; "
            f"give shape {expected} (classes are axis {axis} of the logits)"
        )
    if not expected and weight is None and 0 <= (k := int(target)) < classes and k != ignore_index:
        return k, 1.0
    amount: Any = 1.0
    outside = bool(target.size) and (target.min() < 0 or target.max() >= classes)
    if outside or 0 <= ignore_index < classes:
        counted = target != ignore_index
        target = np.where(counted, target, 0)
        amount = counted * 1.0
        wrong = target[(target < 0) | (target >= classes)]
        if wrong.size:
            raise ValueError(
                f"cross_entropy: class {wrong[0]} among the targets, but the logits have classes 0 to "
                f"{classes - 1}; to leave targets out, give ignore_index={wrong[0]}"
            )
    if weight is not None:
        amount = amount * weight[target]
    if not expected:
        return int(target), amount
    grid = (
        np.ogrid[tuple([slice(n) for n in expected])]
        if len(expected) > 1
        else [np.arange(*expected)]
    )
    return (*grid[:axis], target, *grid[axis:]), amount


def _smoothed(q: Any, share: float, shape: tuple[int, ...], axis: int, weight: Array | None) -> Any:
    """The target's distribution with a share spread evenly, each class counting by its weight."""
    if share:
        q = q * (1.0 - share) + share / shape[axis]
    if weight is not None:
        q = q * weight.reshape(-1, *[1] * (len(shape) - axis - 1))
    return q


def class_weights(function: str, weight: Any, classes: int, dtype: Any) -> Array:
    """How much each class counts, (C,); numbers that are none of a weight are refused."""
    array = np.asarray(weight._value if isinstance(weight, Tensor) else weight, dtype)
    if array.shape != (classes,):
        raise ValueError(
            f"{function}: weight of shape {array.shape} was given for {classes} classes; give one number "
            "per class"
        )
    if not (usable := (array >= 0) & (array < np.inf)).all():
        raise ValueError(
            f"{function}: {array[~usable][0]} among the weights; give finite numbers, 0 or more"
        )
    return array


def nothing_counts(function: str, ignore_index: int) -> ValueError:
    """The error of a mean over no target."""
    return ValueError(
        f"{function}: no target is left to take the mean over (all are ignore_index={ignore_index} or have "
        "weight 0); leave this batch out, or give reduction='sum'"
    )


def check_reduction(reduction: str, function: str) -> None:
    """Refuse a reduction that does not exist."""
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"{function}: reduction={reduction!r}; give one of {', '.join(map(repr, REDUCTIONS))}"
        )
