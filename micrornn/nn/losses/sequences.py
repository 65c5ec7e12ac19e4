"""The loss of a sequence: the loss of each step, and the total."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor, constant
from micrornn.nn.lengths import as_lengths, length_mask
from micrornn.nn.losses.classes import cross_entropy
from micrornn.nn.losses.loss import Array, Loss, amounts
from micrornn.ops.elementwise import where
from micrornn.ops.followed import followed
from micrornn.ops.join import stack
from micrornn.options import check

NORMALIZATIONS = ("per_token", "per_sequence", "per_batch")


def sequence_loss(
    outputs: Any,
    targets: Any,
    loss: Loss = cross_entropy,
    reduction: str = "mean",
    weights: Any = None,
) -> tuple[list[Tensor], Tensor]:
    """The loss of every step, L_t, and of the sequence: the mean of the L_t, or their sum.

    Both have the same minimum, but the gradient of the sum is T times that of the mean, so a learning rate or
    a clipping threshold for one does not suit the other.

    Args:
        outputs: T steps, each as ``loss`` takes it: a list, or a tensor whose first axis is time.
        targets: T steps likewise.
        loss: from one step's output and target to one number.
        reduction: ``"mean"`` or ``"sum"`` over the steps.
        weights: (T,), the weight of each step, 0 or more; 1 by default. The mean divides by their sum: with
            the number of real tokens at each step of a padded batch, it is the mean over tokens. The loss of
            a step with weight 0 is not computed; it is 0 in the list.

    Returns:
        The list of the L_t, each made in scope ``loss`` at its step, and the total, made in scope ``loss``
        without a step; all are named ``loss``. The step is that of the output if it has one (a decoder does
        not start at 1), else the position in the list.

    Raises:
        ValueError: the numbers of steps differ, a weight is negative, all weights are 0, or a loss is more
            than one number.

    >>> import micrornn as mr
    >>> outputs = [mr.tensor([2.0, 0.0]), mr.tensor([0.0, 0.0])]
    >>> losses, total = mr.nn.sequence_loss(outputs, [0, 1])
    >>> [round(step.item(), 3) for step in losses], round(total.item(), 3)
    ([0.127, 0.693], 0.41)
    """
    check("sequence_loss", loss=loss, reduction=reduction)
    steps = len(outputs)
    share = np.ones(steps) if weights is None else amounts("sequence_loss", "weights", weights)
    if len(targets) != steps or share.shape != (steps,):
        raise ValueError(
            f"sequence_loss: {steps} outputs, {len(targets)} targets and weights of shape {share.shape}; "
            "give as many of each as there are steps"
        )
    if not share.any():
        raise ValueError("sequence_loss: no step counts; give at least one positive weight")

    def of_step(t: int, output: Any, target: Any) -> Tensor:
        step = loss(output, target) if share[t] else _no_loss(output)
        if step.size != 1:
            raise ValueError(
                f"sequence_loss: the loss at step {t + 1} has shape {step.shape}; give a loss that "
                "returns one number, such as cross_entropy with its default reduction"
            )
        return step

    losses = _by_step(outputs, targets, of_step)
    with scope("loss"):
        every = stack(losses)
        if weights is not None:
            parts = share / share.sum() if reduction == "mean" else share
            total = (every * parts.astype(every.dtype)).sum()
        else:
            total = every.mean() if reduction == "mean" else every.sum()
    total.name = "loss"
    return losses, total


def masked_sequence_loss(
    outputs: Any,
    targets: Any,
    lengths: Any,
    normalize: str,
    loss: Any = cross_entropy,
) -> tuple[list[Tensor], Tensor]:
    """The loss of every step and of a padded batch, without the padding.

    The three normalizations have different gradients, and what suits one (a learning rate, a threshold for
    clipping) does not suit another, so there is no default. The losses of the steps add up to the total.

    Args:
        outputs: T steps, each (B, ...): a list, or a tensor whose first axis is time.
        targets: T steps likewise; the padding must hold valid targets, which are ignored.
        lengths: (B,), the true length of each sequence.
        normalize: ``"per_token"``, ``"per_sequence"`` or ``"per_batch"``; see `step_weights`.
        loss: takes one step's output and target and ``reduction="none"``, and returns (B,); further axes are
            summed.

    Returns:
        The list of the steps' shares, each made in scope ``loss`` at its step, and the total, made in scope
        ``loss`` without a step; all are named ``loss``.

    Raises:
        TypeError: the lengths are not integers.
        ValueError: the numbers of steps or sequences differ, a length does not fit, or the normalization
            does not exist.

    >>> import micrornn as mr
    >>> logits = mr.tensor([[[2.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [9.0, 0.0]]])
    >>> losses, total = mr.nn.masked_sequence_loss(logits, [[0, 1], [1, 0]], [2, 1], "per_token")
    >>> round(total.item(), 4), round(sum(step.item() for step in losses), 4)
    (0.5044, 0.5044)
    """
    check("masked_sequence_loss", loss=loss)
    if len(outputs) != len(targets) or not len(outputs):
        raise ValueError(
            f"masked_sequence_loss: {len(outputs)} outputs and {len(targets)} targets; give as many of each "
            "as there are steps, at least one"
        )
    share = step_weights(lengths, len(outputs), normalize)

    def of_step(t: int, output: Any, target: Any) -> Tensor:
        row = share[t]
        if not (followed(row) or row.any()):
            return _no_loss(output)
        each = loss(output, target, reduction="none")
        if each.ndim > 1:
            each = each.sum(tuple(range(1, each.ndim)))
        if each.shape != row.shape:
            raise ValueError(
                f"masked_sequence_loss: the loss at step {t + 1} has shape {each.shape} for {len(row)} "
                "lengths; give outputs (T, B, ...), and a loss that takes reduction='none'"
            )
        if followed(row) or not row.all():
            each = where(row > 0, each, 0.0)  # 0 times the inf or nan of a padded place is nan
        step: Tensor = (each * row.astype(each.dtype)).sum()
        return step

    losses = _by_step(outputs, targets, of_step)
    with scope("loss"):
        total = stack(losses).sum()
    total.name = "loss"
    return losses, total


def step_weights(lengths: Any, steps: int, normalize: str) -> Array:
    """The weight of each token, (T, B): 0 for padding.

    ``"per_token"`` gives every real token 1 / (number of real tokens): the mean over all tokens, in which a
    long sequence counts more. ``"per_sequence"`` gives the tokens of sequence b 1 / (B L_b): the mean of the
    sequences' means. ``"per_batch"`` gives 1 / B: the mean of the sequences' sums, which are their
    log-likelihoods.

    >>> step_weights([1, 3], 3, "per_sequence")
    array([[0.5 , 0.16666667],
           [0.  , 0.16666667],
           [0.  , 0.16666667]])
    """
    check("masked_sequence_loss", normalize=normalize)
    sizes = as_lengths(lengths, None, steps, "masked_sequence_loss")
    real = length_mask(sizes, steps) * 1.0
    every = {"per_token": real.sum(), "per_sequence": len(sizes) * sizes, "per_batch": len(sizes)}
    share: Array = real / every[normalize]
    return share


def _no_loss(output: Any) -> Tensor:
    dtype = getattr(output, "dtype", np.dtype(float))
    return constant(np.zeros((), dtype if dtype.kind == "f" else float), "loss")


def _by_step(
    outputs: Any, targets: Any, of_step: Callable[[int, Any, Any], Tensor]
) -> list[Tensor]:
    """The loss of every step, named ``loss`` and made in scope ``loss`` at the step of its output."""
    losses = []
    for t in range(len(outputs)):
        output = outputs[t]
        with scope("loss", t=getattr(output, "step", None) or t + 1):
            step = of_step(t, output, targets[t])
        step.name = "loss"
        losses.append(step)
    return losses
