"""The CTC loss with PyTorch's arguments, and the alignment and the best path from its lattice."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.nn.losses.ctc import Lattice, ctc, lattice, occupancy
from micrornn.nn.losses.loss import LossModule
from micrornn.nn.sequence import as_float
from micrornn.ops.followed import fresh
from micrornn.ops.reduce import mean, sum
from micrornn.ops.shape import expand_dims, squeeze
from micrornn.options import check

Array = np.ndarray[Any, Any]


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any = None,
    target_lengths: Any = None,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-ln of the probability of each labeling, summed over all its paths (Graves et al. 2006).

    Args:
        log_probs: (T, N, C) or (T, C), what `log_softmax` returns.
        targets: the labels without blanks: (N, S) padded, or concatenated to (sum,); (S,) with (T, C).
        input_lengths: (N,), the number of frames of each sequence; T by default.
        target_lengths: (N,), the number of labels; S by default. With 0, every frame is blank.
        blank: the symbol that is the blank, one of the C.
        reduction: ``"mean"`` divides each loss by its number of labels and then takes the mean over the
            sequences, as PyTorch does; ``"sum"`` adds; ``"none"`` gives (N,).
        zero_infinity: a labeling that needs more frames than there are (one per label, and one more
            between equal labels) has no path: its loss is inf and its gradient NaN, or both 0 with True.

    Raises:
        TypeError: the targets are not integers.
        ValueError: a shape, a length, a label or an option is wrong.

    >>> import micrornn as mr
    >>> even = mr.log_softmax(mr.tensor([[0.0, 0.0]] * 3))
    >>> loss = mr.nn.functional.ctc_loss(even, [1])  # 6 of the 8 paths read as "1"
    >>> round(float(mr.exp(-loss)), 4)
    0.75
    """
    check("ctc_loss", blank=blank, reduction=reduction, zero_infinity=zero_infinity)
    x = as_float(log_probs)
    single = x.ndim == 2
    labels, counts, sizes = as_labels(x.shape, targets, input_lengths, target_lengths, blank)
    about: dict[str, Any] = {"targets": labels, "input_lengths": counts, "target_lengths": sizes}
    whole = expand_dims(x, 1) if single else x
    loss = ctc(whole, blank=blank, zero_infinity=zero_infinity, **about)
    if reduction == "mean":
        loss = mean(loss / np.maximum(sizes, 1).astype(loss.dtype))
    elif reduction == "sum":
        loss = sum(loss)
    elif single:
        loss = squeeze(loss, 0)
    return loss


class CTCLoss(LossModule, function=ctc_loss, data=4):
    """`functional.ctc_loss`, of log-probabilities (T, N, C).

    >>> import micrornn as mr
    >>> even = mr.log_softmax(mr.tensor([[0.0, 0.0]] * 3))
    >>> round(mr.nn.CTCLoss()(even, [1]).item(), 4)
    0.2877
    """


def ctc_alignment(log_probs: Any, target: Any, blank: int = 0) -> tuple[Array, Array]:
    """The posterior position of each label at each frame, given the labeling.

    Args:
        log_probs: (T, C), of one sequence.
        target: (S,), its labels.
        blank: the symbol that is the blank.

    Returns:
        The positions' symbols (2S + 1,): blank, l_1, blank, ..., blank; and the posterior (T, 2S + 1),
        whose rows add up to 1.

    Raises:
        ValueError: the labeling has no path (too few frames), or a label is wrong.

    >>> import micrornn as mr
    >>> sure = np.log([[0.01, 0.99], [0.98, 0.02], [0.98, 0.02]])
    >>> symbols, share = ctc_alignment(sure, [1])
    >>> symbols, share.round(2)
    (array([0, 1, 0]), array([[0.  , 1.  , 0.  ],
           [0.  , 0.02, 0.98],
           [0.  , 0.  , 1.  ]]))
    """
    found = _one(log_probs, target, blank)
    share: Array = occupancy(found)[:, 0]
    return found.symbols[0], share


def ctc_best_path(log_probs: Any, target: Any, blank: int = 0) -> tuple[Array, float]:
    """The most likely single path of a labeling (Viterbi), and ln of its probability.

    This is the optimal alignment. The loss sums over all paths instead.

    Returns:
        The symbol at every frame, (T,), and the log-probability, at most that of the labeling.

    Raises:
        ValueError: the labeling has no path, or a label is wrong.

    >>> path, log_prob = ctc_best_path(np.log([[0.4, 0.6], [0.7, 0.3], [0.9, 0.1]]), [1])
    >>> path, round(float(np.exp(log_prob)), 3)
    (array([1, 0, 0]), 0.378)
    """
    found = _one(log_probs, target, blank)
    emitted, (symbols, skip) = found.emitted[:, 0], (found.symbols[0], found.skip[0])
    best = np.full(emitted.shape, -np.inf)
    best[0, :2] = emitted[0, :2]
    came = np.zeros(emitted.shape, int)
    place = np.arange(len(symbols))
    for t in range(1, len(emitted)):
        ways = np.full((3, len(symbols)), -np.inf)
        ways[0] = best[t - 1]
        ways[1, 1:] = best[t - 1, :-1]
        ways[2, 2:] = np.where(skip[2:], best[t - 1, :-2], -np.inf)
        came[t] = place - np.argmax(ways, 0)
        best[t] = emitted[t] + ways.max(0)
    at = int(np.argmax(np.where(found.ends[0], best[-1], -np.inf)))
    log_prob, path = float(best[-1, at]), []
    for t in range(len(emitted) - 1, -1, -1):
        path.append(symbols[at])
        at = int(came[t, at])
    return np.array(path[::-1]), log_prob


def _one(log_probs: Any, target: Any, blank: int) -> Lattice:
    x = np.asarray(log_probs._value if isinstance(log_probs, Tensor) else log_probs, dtype=float)
    if x.ndim != 2:
        raise ValueError(f"ctc: log_probs of shape {x.shape} were given; give one sequence, (T, C)")
    labels, counts, sizes = as_labels(x.shape, target, None, None, blank)
    found = lattice(x[:, None], labels, counts, sizes, blank)
    if np.isneginf(found.total[0]):
        raise ValueError(
            f"ctc: {len(x)} frames have no path for {sizes[0]} labels, which need at least "
            f"{frames_needed(labels[0])}; give more frames or fewer labels"
        )
    return found


def frames_needed(target: Any) -> int:
    """The number of frames a labeling needs: one per label, and a blank between equal neighbors.

    >>> frames_needed([1, 1, 2])
    4
    """
    labels = np.asarray(target)
    return len(labels) + int((labels[1:] == labels[:-1]).sum())


def as_labels(
    shape: tuple[int, ...], targets: Any, input_lengths: Any, target_lengths: Any, blank: int
) -> tuple[Array, Array, Array]:
    """Checked: targets (N, S), frames (N,) and labels (N,) of each sequence."""
    if len(shape) not in (2, 3) or not all(shape):
        raise ValueError(
            f"ctc: log_probs of shape {shape} were given; give (frames, batch, symbols) or (frames, symbols)"
        )
    steps, batch, symbols = shape if len(shape) == 3 else (shape[0], 1, shape[1])
    check("ctc", blank=blank)
    if not 0 <= blank < symbols:
        raise ValueError(f"ctc: blank={blank!r} is not among the {symbols} symbols")
    labels = fresh(targets._value if isinstance(targets, Tensor) else targets)
    if labels.size and labels.dtype.kind not in "iu":
        raise TypeError(f"ctc: targets of {labels.dtype} were given; give integers")
    labels = labels.astype(np.intp)
    if len(shape) == 2 and labels.ndim == 1:
        labels = labels[None]
    counts = _lengths(input_lengths, batch, steps, "input_lengths", 1, steps)
    if labels.ndim == 1:
        if target_lengths is None:
            raise ValueError("ctc: concatenated targets need target_lengths")
        sizes = _lengths(target_lengths, batch, 0, "target_lengths", 0, labels.size)
        if sizes.sum() != labels.size:
            raise ValueError(
                f"ctc: target_lengths add up to {sizes.sum()}, but {labels.size} labels were given"
            )
        parts = np.split(labels, np.cumsum(sizes)[:-1])
        labels = np.full((batch, int(sizes.max())), blank)
        for row, part in zip(labels, parts):
            row[: len(part)] = part
    elif labels.ndim != 2 or len(labels) != batch:
        raise ValueError(
            f"ctc: targets of shape {labels.shape} were given for log_probs of shape {shape}; give "
            f"({batch}, S), or concatenated labels with target_lengths"
        )
    else:
        sizes = _lengths(
            target_lengths, batch, labels.shape[1], "target_lengths", 0, labels.shape[1]
        )
    real = np.arange(labels.shape[1]) < sizes[:, None]
    wrong = labels[real & ((labels < 0) | (labels >= symbols) | (labels == blank))]
    if wrong.size:
        raise ValueError(
            f"ctc: label {wrong[0]} among the targets; give labels from 0 to {symbols - 1} other than the "
            f"blank, {blank}"
        )
    return np.where(real, labels, blank), counts, sizes


def _lengths(given: Any, batch: int, usual: int, name: str, least: int, most: int) -> Array:
    if given is None:
        return np.full(batch, usual)
    array = fresh(given._value if isinstance(given, Tensor) else given)
    if array.dtype.kind not in "iu":
        raise TypeError(f"ctc: {name} of {array.dtype} were given; give integers")
    array = array.reshape(1) if array.ndim == 0 and batch == 1 else array
    if array.shape != (batch,):
        raise ValueError(f"ctc: {name} of shape {array.shape} were given, ({batch},) expected")
    if array.min() < least or array.max() > most:
        wrong = array[(array < least) | (array > most)][0]
        raise ValueError(f"ctc: {wrong} among {name}; give lengths from {least} to {most}")
    return array.astype(np.intp)
