"""CTC decoding: the most likely path, and the most likely labeling by prefix beam search."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.options import check

Array = np.ndarray[Any, Any]


class Labeling(NamedTuple):
    """Labels, and ln of their probability, or of the path's for `ctc_greedy`."""

    labels: list[int]
    log_prob: float


def collapse(path: Any, blank: int = 0) -> list[int]:
    """The labels of a path: repeats merged, then blanks removed (Graves et al. 2006, the map B).

    >>> collapse([0, 1, 1, 0, 1, 2, 2])
    [1, 1, 2]
    """
    labels, before = [], None
    for symbol in path:
        if symbol != before and symbol != blank:
            labels.append(int(symbol))
        before = symbol
    return labels


def ctc_greedy(log_probs: Any, blank: int = 0) -> Labeling:
    """The labels of the most likely path ("best path decoding").

    Fast, but not the most likely labeling: several less likely paths can add up to more. See `ctc_beam`.

    Args:
        log_probs: (T, C), of one sequence.
        blank: which symbol is the blank.

    Raises:
        ValueError: the shape is wrong, or a log-probability is NaN or inf; -inf excludes a symbol.

    >>> ctc_greedy(np.log([[0.6, 0.4], [0.6, 0.4]])).labels  # though p([1]) = 0.64
    []
    """
    x = _frames(log_probs, blank)
    path = x.argmax(1)
    return Labeling(collapse(path, blank), float(x.max(1).sum()))


def ctc_beam(log_probs: Any, width: int = 10, blank: int = 0) -> list[Labeling]:
    """The most likely labelings, by prefix beam search (Graves 2006, sec. 3.2; Hannun et al. 2014).

    For each prefix, the probability of its paths is kept in two parts: those that end in a blank, after
    which the last label can be repeated as a new one, and those that end in the label.

    Args:
        log_probs: (T, C), of one sequence.
        width: the number of prefixes to keep at each frame.
        blank: which symbol is the blank.

    Returns:
        Up to ``width`` labelings, the most likely first. Their probabilities are exact if no prefix was
        dropped, else lower bounds.

    Raises:
        ValueError: the shape or the width is wrong, or a log-probability is NaN or inf.

    >>> found = ctc_beam(np.log([[0.6, 0.4], [0.6, 0.4]]))
    >>> [(labels, round(float(np.exp(p)), 2)) for labels, p in found]
    [([1], 0.64), ([], 0.36)]
    """
    check("ctc_beam", width=width)
    x = _frames(log_probs, blank)
    none = -np.inf
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, none)}
    for frame in x.tolist():
        following: dict[tuple[int, ...], list[float]] = {}

        def add(prefix: tuple[int, ...], part: int, log_prob: float) -> None:
            entry = following.setdefault(prefix, [none, none])  # noqa: B023
            entry[part] = float(np.logaddexp(entry[part], log_prob))

        for prefix, (in_blank, in_label) in beam.items():
            either = float(np.logaddexp(in_blank, in_label))
            for symbol, p in enumerate(frame):
                if p == none:
                    continue
                if symbol == blank:
                    add(prefix, 0, either + p)
                elif prefix and symbol == prefix[-1]:
                    add(prefix, 1, in_label + p)
                    add((*prefix, symbol), 1, in_blank + p)
                else:
                    add((*prefix, symbol), 1, either + p)
        kept = sorted(
            following.items(), key=lambda item: (-np.logaddexp(item[1][0], item[1][1]), item[0])
        )
        beam = {prefix: (parts[0], parts[1]) for prefix, parts in kept[:width]}
    found = [Labeling(list(prefix), float(np.logaddexp(*parts))) for prefix, parts in beam.items()]
    return [labeling for labeling in found if labeling.log_prob > none]


def _frames(log_probs: Any, blank: int) -> Array:
    x = np.asarray(log_probs._value if isinstance(log_probs, Tensor) else log_probs, dtype=float)
    if x.ndim != 2 or not x.size:
        raise ValueError(
            f"ctc: log_probs of shape {x.shape} were given; give one sequence, (frames, symbols)"
        )
    check("ctc", blank=blank)
    if not 0 <= blank < x.shape[1]:
        raise ValueError(f"ctc: blank={blank!r} is not among the {x.shape[1]} symbols")
    if not (usable := x < np.inf).all():  # neither is NaN
        frame, symbol = np.argwhere(~usable)[0]
        raise ValueError(
            f"ctc: {x[frame, symbol]} in frame {frame + 1}; give log-probabilities, finite or -inf (find "
            "where it appears first with mr.trap_nonfinite())"
        )
    return x
