"""The loss of a padded batch of sequences, in the three ways to take its mean, each by its own name."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.cross_entropy import cross_entropy
from micrornn.nn.lengths import as_lengths, length_mask
from micrornn.nn.sequence import leaf
from micrornn.ops.elementwise import where
from micrornn.ops.shape import stack

NORMALIZATIONS = ("per_token", "per_sequence", "per_batch")


def step_weights(lengths: Any, steps: int, normalize: str) -> np.ndarray[Any, Any]:
    """How much each token counts, (T, B): 0 for padding.

    ``"per_token"`` gives every real token 1 / (number of real tokens): the mean over all tokens, in which a
    long sequence counts more. ``"per_sequence"`` gives the tokens of sequence b 1 / (B L_b): the mean over
    the sequences of each one's mean. ``"per_batch"`` gives 1 / B: the mean over the sequences of each one's
    sum, which is the log-likelihood of a sequence.

    >>> step_weights([1, 3], 3, "per_sequence")
    array([[0.5 , 0.16666667],
           [0.  , 0.16666667],
           [0.  , 0.16666667]])
    """
    if normalize not in NORMALIZATIONS:
        raise ValueError(
            f"masked_sequence_loss: normalize={normalize!r}; give one of "
            f"{', '.join(map(repr, NORMALIZATIONS))}"
        )
    counts = as_lengths(lengths, None, steps, "masked_sequence_loss")
    real = length_mask(counts, steps) * 1.0
    if normalize == "per_token":
        share: np.ndarray[Any, Any] = real / real.sum()
    else:
        share = real / len(counts)
        share = share / counts if normalize == "per_sequence" else share
    return share


def masked_sequence_loss(
    outputs: Any,
    targets: Any,
    lengths: Any,
    normalize: str,
    loss: Any = cross_entropy,
) -> tuple[list[Tensor], Tensor]:
    """The loss of every step and of the batch, padding left out.

    The three normalisations have different gradients, and what suits one (a learning rate, a threshold for
    clipping) does not suit another; so there is no default. The losses of the steps add up to the total.

    Args:
        outputs: T steps, each (B, ...): a list, or a tensor whose first axis is time.
        targets: T steps likewise; what stands in the padding must be valid, and does not matter.
        lengths: (B,), the true length of each sequence.
        normalize: ``"per_token"``, ``"per_sequence"`` or ``"per_batch"``; see `step_weights`.
        loss: takes one step's output and target and ``reduction="none"``, and returns (B,); further axes are
            summed.

    Returns:
        The list of the steps' shares, each made in scope ``loss`` at its step, and the total, made in scope
        ``loss`` without a step; all are named ``loss``.

    Raises:
        TypeError: the lengths are not integers.
        ValueError: the numbers of steps or sequences differ, a length does not fit, or the normalisation
            does not exist.

    >>> import micrornn as mr
    >>> logits = mr.tensor([[[2.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [9.0, 0.0]]])
    >>> losses, total = mr.nn.masked_sequence_loss(logits, [[0, 1], [1, 0]], [2, 1], "per_token")
    >>> round(total.item(), 4), round(sum(step.item() for step in losses), 4)
    (0.5044, 0.5044)
    """
    if len(outputs) != len(targets) or not len(outputs):
        raise ValueError(
            f"masked_sequence_loss: {len(outputs)} outputs and {len(targets)} targets; give as many of each "
            "as there are steps, at least one"
        )
    share = step_weights(lengths, len(outputs), normalize)
    losses = []
    for t, row in enumerate(share, 1):
        output, target = outputs[t - 1], targets[t - 1]
        with scope("loss", t=getattr(output, "step", None) or t):
            if not row.any():
                losses.append(leaf(0.0, "loss"))
                continue
            each = loss(output, target, reduction="none")
            if each.ndim > 1:
                each = each.sum(tuple(range(1, each.ndim)))
            if each.shape != row.shape:
                raise ValueError(
                    f"masked_sequence_loss: the loss at step {t} has shape {each.shape} for {len(row)} "
                    "lengths; give outputs (T, B, ...), and a loss that takes reduction='none'"
                )
            if not row.all():
                each = where(row > 0, each, 0.0)  # 0 times the inf or nan of a padded place is nan
            step = (each * row.astype(each.dtype)).sum()
            step.name = "loss"
        losses.append(step)
    with scope("loss"):
        total = stack(losses).sum()
    total.name = "loss"
    return losses, total
