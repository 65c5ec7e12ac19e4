"""Classification losses: cross-entropy of logits, and the negative log-likelihood of log-probabilities.

Give `cross_entropy` logits, not probabilities: it applies softmax.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.nn.losses.logits import class_cross_entropy, one_hot, soft_cross_entropy
from micrornn.nn.losses.loss import LossModule, amounts, nothing_counts, reduced
from micrornn.nn.sequence import as_float
from micrornn.ops.elementwise import neg, where
from micrornn.ops.followed import followed, fresh
from micrornn.ops.index import getitem
from micrornn.ops.reduce import sum
from micrornn.options import check

Array = np.ndarray[Any, Any]


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
        weight: (C,), the weight of each class, 0 or more.
        ignore_index: targets of this class are ignored, in the mean as well.
        reduction: ``"mean"`` (over the targets, by their weights), ``"sum"``, or ``"none"``: one each.
        label_smoothing: the share of every target that is spread evenly over the classes.

    Raises:
        ValueError: a shape, an index or an option is wrong, or no target is left for a mean.

    >>> import micrornn as mr
    >>> logits = mr.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    >>> loss = mr.nn.functional.cross_entropy(logits, 3)
    >>> loss.backward()
    >>> (logits.grad - logits.softmax().data).round(12)  # minus one at the target
    array([ 0.,  0.,  0., -1.])
    """
    if (ignore_index, reduction, label_smoothing) != (-100, "mean", 0.0):  # the defaults are valid
        options = {"reduction": reduction, "label_smoothing": label_smoothing}
        check("cross_entropy", ignore_index=ignore_index, **options)
    x = as_float(input)
    axis = _class_axis("cross_entropy", x)
    shape = x.shape
    if weight is not None:
        weight = _class_weights("cross_entropy", weight, shape[axis], x.dtype)
    if not isinstance(target, (Tensor, np.ndarray, np.integer)):
        target = np.asarray(target)
    index: Any = None
    amount: Any = 1.0
    if target.dtype.kind in "iu":
        index, amount = _targets("cross_entropy", target, shape, axis, weight, ignore_index)
        spread = isinstance(amount, np.ndarray)  # one amount per target, or one for all
        count = float(np.sum(amount)) if spread else float(amount) * prod(shape) / shape[axis]
    else:
        count = prod(shape) / shape[axis]
        _check_probabilities(target, shape, axis)
    share = 1.0
    if reduction == "mean" and count != 1.0:
        if not count:
            raise _nothing_counts("cross_entropy", ignore_index)
        share = 1.0 / count
    total = reduction != "none"
    if index is not None and not label_smoothing:
        amount = amount * share
        if isinstance(amount, np.ndarray):
            amount = amount.astype(x.dtype)
        return class_cross_entropy(x, index=index, amount=amount, axis=axis, total=total)
    if index is None:
        q = target if isinstance(target, Tensor) else target.astype(x.dtype)
    else:
        q = one_hot(index, axis, shape).astype(x.dtype)
    if label_smoothing:
        q = q * (1.0 - label_smoothing) + label_smoothing / shape[axis]
    if weight is not None:  # each class by its weight
        q = q * weight.reshape(-1, *[1] * (len(shape) - axis - 1))
    if index is not None:
        q = q * np.expand_dims(_classes(target) != ignore_index, axis)
    return soft_cross_entropy(x, q * share if share != 1.0 else q, axis=axis, total=total)


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-x[target] of log-probabilities x: cross-entropy is this after `log_softmax`.

    Args:
        input: log-probabilities, (C,), (N, C) or (N, C, d1, ...).
        target: class indices, (), (N,) or (N, d1, ...).
        weight, ignore_index, reduction: as `cross_entropy`.

    Raises:
        TypeError: the targets are not integers.
        ValueError: a shape, a class or an option is wrong, or no target is left for a mean.

    >>> import micrornn as mr
    >>> mr.nn.functional.nll_loss(mr.log_softmax(mr.tensor([[0.0, 0.0]])), [1]).item()
    0.6931
    """
    check("nll_loss", ignore_index=ignore_index, reduction=reduction)
    x = as_float(input)
    axis = _class_axis("nll_loss", x)
    classes = _classes(target)
    if classes.dtype.kind not in "iu":
        raise TypeError(f"nll_loss: targets of {classes.dtype} were given; give class indices")
    if weight is not None:
        weight = _class_weights("nll_loss", weight, x.shape[axis], x.dtype)
    index, amount = _targets("nll_loss", classes, x.shape, axis, weight, ignore_index)
    amount = amount * np.ones(classes.shape, x.dtype)
    each = (
        where(amount > 0, neg(getitem(x, index=index)), 0.0) * amount
    )  # 0 times -inf would be NaN
    if reduction != "mean":
        return reduced(each, reduction)
    if not amount.any():
        raise _nothing_counts("nll_loss", ignore_index)
    return sum(each) * (1.0 / float(amount.sum()))


class CrossEntropyLoss(LossModule, function=cross_entropy, data=2):
    """`functional.cross_entropy`, of logits.

    >>> import micrornn as mr
    >>> round(mr.nn.CrossEntropyLoss()(mr.tensor([[0.0, 0.0]]), [1]).item(), 4)
    0.6931
    """


class NLLLoss(LossModule, function=nll_loss, data=2):
    """`functional.nll_loss`, of log-probabilities.

    >>> import micrornn as mr
    >>> mr.nn.NLLLoss()(mr.tensor([[-1.0, -2.0]]), [1]).item()
    2.0
    """


# -- what is given, checked ------------------------------------------------------------------------


def _classes(target: Any) -> Array:
    return fresh(target._value if isinstance(target, Tensor) else target)


def _class_axis(function: str, x: Tensor) -> int:
    if not x.shape:
        raise ValueError(
            f"{function}: input is one number; give one per class, (C,) or (N, C, ...)"
        )
    return 0 if len(x.shape) == 1 else 1


def _targets(
    function: str,
    target: Any,
    shape: tuple[int, ...],
    axis: int,
    weight: Array | None,
    ignore_index: int,
) -> tuple[Any, Any]:
    """The index of the targets in the input, and their weights: one number if all are equal."""
    classes, target = shape[axis], _classes(target)
    expected = shape[:axis] + shape[axis + 1 :]
    if target.shape != expected:
        raise ValueError(
            f"{function}: class indices of shape {target.shape} for an input of shape {shape}; "
            f"give shape {expected} (classes are axis {axis} of the input)"
        )
    if not expected and not followed(target):
        target = int(target)
        if weight is None and 0 <= target < classes and target != ignore_index:
            return target, 1.0
        target = np.array(target)
    amount: Any = 1.0
    outside = bool(target.size) and (target.min() < 0 or target.max() >= classes)
    if outside or 0 <= ignore_index < classes:
        counted = target != ignore_index
        target = np.where(counted, target, 0)
        amount = counted * 1.0
        wrong = target[(target < 0) | (target >= classes)]
        if wrong.size:
            raise ValueError(
                f"{function}: class {wrong[0]} among the targets, but the input has classes 0 to "
                f"{classes - 1}; to ignore targets, give ignore_index={wrong[0]}"
            )
    if weight is not None:
        amount = amount * weight[target]
    if not expected:
        return target if followed(target) else int(target), amount
    grid = (
        np.ogrid[tuple([slice(n) for n in expected])]
        if len(expected) > 1
        else [np.arange(*expected)]
    )
    return (*grid[:axis], target, *grid[axis:]), amount


def _check_probabilities(target: Any, shape: tuple[int, ...], axis: int) -> None:
    if target.shape != shape:
        raise ValueError(
            f"cross_entropy: target of shape {target.shape} and dtype {target.dtype} for logits of shape "
            f"{shape}; give integers of shape {shape[:axis] + shape[axis + 1 :]}, or probabilities of "
            f"shape {shape}"
        )
    values = np.asanyarray(target._value if isinstance(target, Tensor) else target)
    if not (usable := values >= 0).all():
        raise ValueError(
            f"cross_entropy: {values[~usable].flat[0]} in the target; give class indices as integers, or "
            "probabilities, 0 or more"
        )


def _class_weights(function: str, weight: Any, classes: int, dtype: Any) -> Array:
    """The weight of each class, (C,)."""
    array = amounts(function, "weight", weight).astype(dtype)
    if array.shape != (classes,):
        raise ValueError(
            f"{function}: weight of shape {array.shape} was given for {classes} classes; give one number "
            "per class"
        )
    return array


def _nothing_counts(function: str, ignore_index: int) -> ValueError:
    return nothing_counts(function, f"all are ignore_index={ignore_index} or have weight 0")
