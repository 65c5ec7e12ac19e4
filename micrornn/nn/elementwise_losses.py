"""Losses of single numbers and of log-probabilities: binary cross-entropy, Huber, negative log-likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.nn.cross_entropy import check_reduction, class_weights, nothing_counts
from micrornn.nn.sequence import as_float
from micrornn.ops import abs, clip, getitem, log, mean, mul, neg, softplus, sub, sum, where

Array = np.ndarray[Any, Any]


def reduced(each: Tensor, reduction: str) -> Tensor:
    """All losses as their mean, their sum, or as they are."""
    if reduction == "none":
        return each
    return mean(each) if reduction == "mean" else sum(each)


def _pair(function: str, input: Any, target: Any, reduction: str) -> tuple[Tensor, Any]:
    check_reduction(reduction, function)
    x = as_float(input)
    y = target if isinstance(target, Tensor) else np.array(target)
    y = as_float(y) if isinstance(y, Tensor) else y.astype(x.dtype)
    if x.shape != y.shape:
        raise ValueError(
            f"{function}: input of shape {x.shape} and target of shape {y.shape}; reshape one of them so "
            "that they agree"
        )
    return x, y


def _check_shares(function: str, what: str, values: Any) -> None:
    array = values._value if isinstance(values, Tensor) else values
    if not np.all((array >= 0) & (array <= 1)):
        wrong = np.asarray(array)[~((array >= 0) & (array <= 1))].flat[0]
        raise ValueError(f"{function}: {wrong} in the {what}; give shares between 0 and 1")


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """-(y ln p + (1 - y) ln(1 - p)) of probabilities p, each logarithm held above -100, as in PyTorch.

    From a model give logits instead, to `binary_cross_entropy_with_logits`: a sigmoid that has rounded
    to 0 or 1 has lost what the logit knew, and its gradient.

    Args:
        input: probabilities, any shape.
        target: shares between 0 and 1, of the same shape.
        weight: how much each counts; broadcasts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ, a probability or a target is not between 0 and 1, or the reduction
            does not exist.

    >>> import micrornn as mr
    >>> mr.nn.functional.binary_cross_entropy(mr.tensor([0.5]), [1.0]).item()
    0.6931
    """
    p, y = _pair("binary_cross_entropy", input, target, reduction)
    _check_shares("binary_cross_entropy", "input", p)
    _check_shares("binary_cross_entropy", "target", y)
    least = np.exp(-100.0)
    both = y * log(clip(p, least)) + (1.0 - y) * log(clip(1.0 - p, least))
    each = neg(both)
    return reduced(each if weight is None else each * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:
    """-(y ln s + (1 - y) ln(1 - s)) with s = sigmoid(x), exact for logits of any size.

    ln s = -softplus(-x) and ln(1 - s) = -softplus(x): no probability is formed. dL/dx = s - y.

    Args:
        input: logits, any shape.
        target: shares between 0 and 1, of the same shape.
        weight: how much each counts; broadcasts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: how much y counts against 1 - y; broadcasts.

    Raises:
        ValueError: the shapes differ, or the reduction does not exist.

    >>> import micrornn as mr
    >>> mr.nn.functional.binary_cross_entropy_with_logits(mr.tensor([-1000.0]), [1.0]).item()
    1000.0
    """
    x, y = _pair("binary_cross_entropy_with_logits", input, target, reduction)
    if pos_weight is None:
        each = softplus(x) - x * y
    else:
        each = softplus(-x) * (y * pos_weight) + softplus(x) * (1.0 - y)
    return reduced(each if weight is None else each * weight, reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """e^2 / 2 for errors up to delta, delta (|e| - delta/2) beyond: the gradient is never above delta.

    (Huber 1964.) `smooth_l1_loss` with beta = delta is this divided by delta.

    Args:
        input, target: any shape, the same.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the parabola becomes a line.

    Raises:
        ValueError: the shapes differ, delta is not positive, or the reduction does not exist.

    >>> import micrornn as mr
    >>> mr.nn.functional.huber_loss(mr.tensor([1.0, 3.0]), [0.0, 0.0], "none").data
    array([0.5, 2.5])
    """
    x, y = _pair("huber_loss", input, target, reduction)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta={delta!r}; give a positive number")
    error = sub(x, y)
    size = abs(error)
    near = size.data <= delta
    each = where(near, mul(error, error) * 0.5, (size - 0.5 * delta) * delta)
    return reduced(each, reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """e^2 / (2 beta) for errors below beta, |e| - beta/2 beyond: `huber_loss` divided by beta.

    With beta = 0 it is |e|.

    Args:
        input, target: any shape, the same.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the parabola becomes a line.

    Raises:
        ValueError: the shapes differ, beta is negative, or the reduction does not exist.

    >>> import micrornn as mr
    >>> mr.nn.functional.smooth_l1_loss(mr.tensor([1.0, 3.0]), [0.0, 0.0], "none", 2.0).data
    array([0.25, 2.  ])
    """
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta={beta!r}; give 0 or more")
    if beta > 0:
        return huber_loss(input, target, reduction, beta) * (1.0 / beta)
    x, y = _pair("smooth_l1_loss", input, target, reduction)
    return reduced(abs(sub(x, y)), reduction)


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-x[target], where x are log-probabilities: what is left of cross-entropy after `log_softmax`.

    Args:
        input: log-probabilities, (C,), (N, C) or (N, C, d1, ...).
        target: class indices, (), (N,) or (N, d1, ...).
        weight: (C,), how much each class counts: 0 or more.
        ignore_index: targets of this class count nothing, not in the mean either.
        reduction: ``"mean"`` (over the targets, by their weights), ``"sum"`` or ``"none"``.

    Raises:
        TypeError: the targets are not integers.
        ValueError: a shape, a class or an option is wrong, or a mean has nothing to be taken over.

    >>> import micrornn as mr
    >>> mr.nn.functional.nll_loss(mr.log_softmax(mr.tensor([[0.0, 0.0]])), [1]).item()
    0.6931
    """
    check_reduction(reduction, "nll_loss")
    x = as_float(input)
    index = np.array(target._value if isinstance(target, Tensor) else target)
    if index.dtype.kind not in "iu":
        raise TypeError(f"nll_loss: targets of {index.dtype} were given; give class indices")
    axis = 0 if x.ndim == 1 else 1
    expected = x.shape[:axis] + x.shape[axis + 1 :]
    if not x.ndim or index.shape != expected:
        raise ValueError(
            f"nll_loss: targets of shape {index.shape} for log-probabilities of shape {x.shape}; give "
            f"shape {expected}"
        )
    classes = x.shape[axis]
    counted = index != ignore_index
    index = np.where(counted, index, 0)
    if index.size and (index.min() < 0 or index.max() >= classes):
        wrong = index[(index < 0) | (index >= classes)].flat[0]
        raise ValueError(
            f"nll_loss: class {wrong} among the targets, but there are classes 0 to {classes - 1}; to leave "
            f"targets out, give ignore_index={wrong}"
        )
    amount = np.asarray(counted, x.dtype)
    if weight is not None:
        amount = amount * class_weights("nll_loss", weight, classes, x.dtype)[index]
    grid = [np.asarray(i) for i in np.indices(expected, sparse=True)] if expected else []
    picked = getitem(x, index=(*grid[:axis], index, *grid[axis:]))
    each = neg(where(counted, picked, 0.0)) * amount
    if reduction != "mean":
        return each if reduction == "none" else sum(each)
    if not amount.sum():
        raise nothing_counts("nll_loss", ignore_index)
    return sum(each) * (1.0 / float(amount.sum()))
