"""Losses as modules, and the loss of a sequence: one per step, and all together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.cross_entropy import check_reduction, cross_entropy
from micrornn.nn.functional import mse_loss
from micrornn.nn.module import Module
from micrornn.nn.sequence import leaf
from micrornn.ops.shape import stack

Loss = Callable[[Any, Any], Tensor]


class CrossEntropyLoss(Module):
    """`functional.cross_entropy` with its options kept; the result is named ``loss``.

    >>> import micrornn as mr
    >>> round(mr.nn.CrossEntropyLoss()(mr.tensor([[0.0, 0.0]]), [1]).item(), 4)
    0.6931
    """

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        check_reduction(reduction, "CrossEntropyLoss")
        self.weight = None if weight is None else np.array(weight, dtype=float)
        self.ignore_index = ignore_index
        self.reduction = reduction
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of logits (N, C, ...) against class indices or probabilities."""
        options = (self.weight, self.ignore_index, self.reduction, self.label_smoothing)
        loss = cross_entropy(input, target, *options)
        loss.name = "loss"
        return loss


class MSELoss(Module):
    """`functional.mse_loss` with its reduction kept; the result is named ``loss``.

    >>> import micrornn as mr
    >>> mr.nn.MSELoss()(mr.tensor([1.0, 2.0]), [1.0, 4.0]).item()
    2.0
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(reduction, "MSELoss")
        self.reduction = reduction

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of an input against a target of the same shape."""
        loss = mse_loss(input, target, self.reduction)
        loss.name = "loss"
        return loss


def sequence_loss(
    outputs: Any,
    targets: Any,
    loss: Loss = cross_entropy,
    reduction: str = "mean",
    weights: Any = None,
) -> tuple[list[Tensor], Tensor]:
    """The loss of every step, L_t, and of the sequence: the mean of the L_t, or their sum.

    Both have the same minimum, but the gradient of the sum is T times that of the mean, so that a learning
    rate or a clipping threshold for one does not suit the other.

    Args:
        outputs: T steps, each as ``loss`` takes it: a list, or a tensor whose first axis is time.
        targets: T steps likewise.
        loss: from one step's output and target to one number.
        reduction: ``"mean"`` or ``"sum"`` over the steps.
        weights: (T,), how much each step counts; 1 each by default. The mean divides by their sum: give
            the number of real tokens at each step of a padded batch, and it is the mean over tokens. The
            loss of a step that counts 0 is not computed and stands in the list as 0.

    Returns:
        The list of the L_t, each made in scope ``loss`` at its step, and the total, made in scope ``loss``
        without a step; all are named ``loss``. The step is that of the output where it has one (a decoder
        does not begin at 1), else its place in the list.

    Raises:
        ValueError: the numbers of steps differ, no step counts, or a loss is more than one number.

    >>> import micrornn as mr
    >>> outputs = [mr.tensor([2.0, 0.0]), mr.tensor([0.0, 0.0])]
    >>> losses, total = mr.nn.sequence_loss(outputs, [0, 1])
    >>> [round(step.item(), 3) for step in losses], round(total.item(), 3)
    ([0.127, 0.693], 0.41)
    """
    counts = np.ones(len(outputs)) if weights is None else np.asarray(weights, dtype=float)
    if not len(outputs) == len(targets) == len(counts):
        raise ValueError(
            f"sequence_loss: {len(outputs)} outputs, {len(targets)} targets and {len(counts)} weights; "
            "give as many of each as there are steps"
        )
    if reduction not in ("mean", "sum"):
        raise ValueError(f"sequence_loss: reduction={reduction!r}; give 'mean' or 'sum'")
    if not counts.sum() > 0:
        raise ValueError("sequence_loss: no step counts; give at least one step of positive weight")
    losses = []
    for t, count in enumerate(counts.tolist(), 1):
        with scope("loss", t=getattr(outputs[t - 1], "step", None) or t):
            step = loss(outputs[t - 1], targets[t - 1]) if count else leaf(0.0, "loss")
            if step.size != 1:
                raise ValueError(
                    f"sequence_loss: the loss at step {t} has shape {step.shape}; give a loss that "
                    "returns one number, such as cross_entropy with its default reduction"
                )
            step.name = "loss"
        losses.append(step)
    with scope("loss"):
        every = stack(losses)
        if weights is not None:
            share = counts / counts.sum() if reduction == "mean" else counts
            total = (every * share.astype(every.dtype)).sum()
        else:
            total = every.mean() if reduction == "mean" else every.sum()
    total.name = "loss"
    return losses, total
