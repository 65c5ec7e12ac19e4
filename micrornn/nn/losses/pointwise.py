"""Elementwise losses, of an input and a target of the same shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor, as_data
from micrornn.nn.losses.loss import LossModule, counts, nothing_counts, reduced
from micrornn.nn.sequence import as_float
from micrornn.ops import (
    abs,
    broadcast_to,
    clip,
    div,
    exp,
    log,
    mul,
    neg,
    softplus,
    sub,
    sum,
    where,
)
from micrornn.options import check


def _pair(function: str, input: Any, target: Any) -> tuple[Tensor, Any]:
    """Input and target, checked for equal shapes; data as target gets the dtype of the input."""
    x = as_float(input)
    y = target if isinstance(target, Tensor) and target.requires_grad else as_data(target)
    if isinstance(y, np.ndarray):
        y = y.astype(x.dtype)
    if x.shape != np.shape(getattr(y, "_value", y)):
        raise ValueError(
            f"{function}: input of shape {x.shape} and target of shape {np.shape(getattr(y, '_value', y))}; "
            "reshape one of them so that they agree"
        )
    return x, y


def _reduced(
    function: str, each: Tensor, weight: Any, reduction: str, by_weight: bool = False
) -> Tensor:
    """The weighted losses, reduced. As in PyTorch, some means divide by the sum of the weights."""
    if weight is None:
        return reduced(each, reduction)
    amount = counts(function, "weight", weight, each.shape, each.dtype)
    weighed: Tensor = mul(each, amount)
    if reduction != "mean" or not by_weight:
        return reduced(weighed, reduction)
    if not np.any(getattr(amount, "_value", amount)):
        raise nothing_counts(function, "all weights are 0")
    return div(sum(weighed), sum(broadcast_to(amount, each.shape)))


def mse_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Tensor:
    """(input - target)^2: the mean over all elements, their ``"sum"``, or ``"none"``: one each.

    Args:
        input, target: any shape, the same.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: the weight of each element, 0 or more; broadcasts. The mean divides by their sum.

    Raises:
        ValueError: the shapes differ (broadcasting here is nearly always a mistake), a weight is negative,
            or the reduction does not exist.

    >>> import micrornn as mr
    >>> mr.nn.functional.mse_loss(mr.tensor([1.0, 2.0]), [1.0, 4.0])
    tensor(2.0, mean)
    """
    check("mse_loss", reduction=reduction)
    error = sub(*_pair("mse_loss", input, target))
    return _reduced("mse_loss", mul(error, error), weight, reduction, by_weight=True)


def l1_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Tensor:
    """\\|input - target|; arguments and errors as `mse_loss`.

    >>> import micrornn as mr
    >>> mr.nn.functional.l1_loss(mr.tensor([1.0, 2.0]), [1.0, 4.0])
    tensor(1.0, mean)
    """
    check("l1_loss", reduction=reduction)
    error = abs(sub(*_pair("l1_loss", input, target)))
    return _reduced("l1_loss", error, weight, reduction, by_weight=True)


def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Tensor:
    """e^2 / 2 for errors up to delta, delta (|e| - delta/2) beyond, so the gradient is at most delta.

    (Huber 1964.) `smooth_l1_loss` with beta = delta is this divided by delta.

    Args:
        input, target: any shape, the same.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: the error at which the parabola becomes a line.
        weight: the weight of each element, 0 or more; broadcasts. The mean divides by the number of elements.

    Raises:
        ValueError: the shapes differ, a weight is negative, or an option has an invalid value.

    >>> import micrornn as mr
    >>> mr.nn.functional.huber_loss(mr.tensor([1.0, 3.0]), [0.0, 0.0], "none").data
    array([0.5, 2.5])
    """
    check("huber_loss", reduction=reduction, delta=delta)
    error = sub(*_pair("huber_loss", input, target))
    size = abs(error)
    each = where(size.data <= delta, mul(error, error) * 0.5, (size - 0.5 * delta) * delta)
    return _reduced("huber_loss", each, weight, reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """e^2 / (2 beta) for errors below beta, |e| - beta/2 beyond: `huber_loss` divided by beta.

    With beta = 0 it is |e|. Arguments and errors as `huber_loss`.

    >>> import micrornn as mr
    >>> mr.nn.functional.smooth_l1_loss(mr.tensor([1.0, 3.0]), [0.0, 0.0], "none", 2.0).data
    array([0.25, 2.  ])
    """
    check("smooth_l1_loss", reduction=reduction, beta=beta)
    if not beta:
        return l1_loss(input, target, reduction)
    return huber_loss(input, target, reduction, beta) * (1.0 / beta)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """-(y ln p + (1 - y) ln(1 - p)) of probabilities p, each logarithm held above -100, as in PyTorch.

    For the output of a model use `binary_cross_entropy_with_logits`: where a sigmoid rounds to 0 or 1, its
    gradient is lost.

    Args:
        input: probabilities, any shape.
        target: probabilities of the same shape.
        weight: the weight of each element, 0 or more; broadcasts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ, an input or a target is not between 0 and 1, a weight is negative, or
            the reduction does not exist.

    >>> import micrornn as mr
    >>> mr.nn.functional.binary_cross_entropy(mr.tensor([0.5]), [1.0]).item()
    0.6931
    """
    check("binary_cross_entropy", reduction=reduction)
    p, y = _pair("binary_cross_entropy", input, target)
    for name, given in (("input", p), ("target", y)):
        values = np.asanyarray(given._value if isinstance(given, Tensor) else given)
        if not (usable := (values >= 0) & (values <= 1)).all():
            raise ValueError(
                f"binary_cross_entropy: {values[~usable].flat[0]} in the {name}; give probabilities, from "
                "0 to 1; for logits use binary_cross_entropy_with_logits"
            )
    least = float(np.exp(-100.0))
    each = neg(y * log(clip(p, least)) + (1.0 - y) * log(clip(1.0 - p, least)))
    return _reduced("binary_cross_entropy", each, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:
    """-(y ln s + (1 - y) ln(1 - s)) with s = sigmoid(x), exact for logits of any size.

    ln s = -softplus(-x) and ln(1 - s) = -softplus(x), without computing s. dL/dx = s - y.

    Args:
        input: logits, any shape.
        target: probabilities of the same shape.
        weight: the weight of each element, 0 or more; broadcasts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: the weight of y relative to 1 - y, 0 or more; broadcasts.

    Raises:
        ValueError: the shapes differ, a weight is negative, or the reduction does not exist.

    >>> import micrornn as mr
    >>> mr.nn.functional.binary_cross_entropy_with_logits(mr.tensor([-1000.0]), [1.0]).item()
    1000.0
    """
    function = "binary_cross_entropy_with_logits"
    check(function, reduction=reduction)
    x, y = _pair(function, input, target)
    if pos_weight is None:
        each = softplus(x) - x * y
    else:
        more = counts(function, "pos_weight", pos_weight, x.shape, x.dtype)
        each = softplus(-x) * (y * more) + softplus(x) * (1.0 - y)
    return _reduced(function, each, weight, reduction)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """target (ln target - input), with log-probabilities as input (Kullback & Leibler 1951).

    Args:
        input: ln q, any shape.
        target: p of the same shape, or ln p with ``log_target``.
        reduction: ``"batchmean"``, the divergence: the sum divided by the length of the first axis;
            ``"sum"``, ``"none"``, or ``"mean"`` over all elements, PyTorch's default.
        log_target: whether the target is ln p.

    Raises:
        ValueError: the shapes differ, a probability is negative, or an option has an invalid value.

    >>> import micrornn as mr
    >>> even, sure = mr.log(mr.tensor([[0.5, 0.5]])), [[1.0, 0.0]]
    >>> mr.nn.functional.kl_div(even, sure, "batchmean").item()
    0.6931
    """
    check("kl_div", reduction=reduction, log_target=log_target)
    x, y = _pair("kl_div", input, target)
    if log_target:
        each = exp(y) * sub(y, x)
    else:
        values = np.asanyarray(y._value if isinstance(y, Tensor) else y)
        if not (values >= 0).all():
            raise ValueError(
                f"kl_div: {values[~(values >= 0)].flat[0]} in the target; give probabilities, or "
                "logarithms with log_target=True"
            )
        some = values > 0  # p ln p is 0 where p is 0
        each = where(some, y * log(where(some, y, 1.0)), 0.0) - y * x
    if reduction == "batchmean":
        return sum(each) * (1.0 / (x.shape[0] if x.shape else 1))
    return reduced(each, reduction)


class MSELoss(LossModule, function=mse_loss, data=2):
    """The mean squared error, `functional.mse_loss`.

    >>> import micrornn as mr
    >>> mr.nn.MSELoss()(mr.tensor([1.0, 2.0]), [1.0, 4.0]).item()
    2.0
    """


class L1Loss(LossModule, function=l1_loss, data=2):
    """The mean absolute error, `functional.l1_loss`.

    >>> import micrornn as mr
    >>> mr.nn.L1Loss(reduction="sum")(mr.tensor([1.0, 2.0]), [1.0, 4.0]).item()
    2.0
    """


class HuberLoss(LossModule, function=huber_loss, data=2):
    """`functional.huber_loss`: a parabola up to delta, a line beyond.

    >>> import micrornn as mr
    >>> mr.nn.HuberLoss()(mr.tensor([3.0]), [0.0]).item()
    2.5
    """


class SmoothL1Loss(LossModule, function=smooth_l1_loss, data=2):
    """`functional.smooth_l1_loss`: `HuberLoss` divided by beta.

    >>> import micrornn as mr
    >>> mr.nn.SmoothL1Loss(beta=2.0)(mr.tensor([3.0]), [0.0]).item()
    2.0
    """


class BCELoss(LossModule, function=binary_cross_entropy, data=2):
    """`functional.binary_cross_entropy`, of probabilities.

    >>> import micrornn as mr
    >>> mr.nn.BCELoss()(mr.tensor([0.5]), [1.0]).item()
    0.6931
    """


class BCEWithLogitsLoss(LossModule, function=binary_cross_entropy_with_logits, data=2):
    """`functional.binary_cross_entropy_with_logits`, of logits of any size.

    >>> import micrornn as mr
    >>> mr.nn.BCEWithLogitsLoss()(mr.tensor([0.0]), [1.0]).item()
    0.6931
    """


class KLDivLoss(LossModule, function=kl_div, data=2):
    """The Kullback-Leibler divergence, `functional.kl_div`.

    >>> import micrornn as mr
    >>> mr.nn.KLDivLoss("batchmean")(mr.log(mr.tensor([[0.5, 0.5]])), [[1.0, 0.0]]).item()
    0.6931
    """
