"""Lengths: which steps of a padded batch are real, and a state that stands still where they are not.

Masking the loss alone is not enough. A state that runs on through the padding ends up somewhere else, and
where a sequence is read from its end, the padding comes *first* and would be part of everything that
follows. So the state itself is masked: `held` keeps it, step by step, for the sequences that have ended or
have not yet begun, and no gradient passes through what it would have become.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.nn.sequence import leaf
from micrornn.ops.elementwise import where
from micrornn.options import check
from micrornn.tensor import Tensor

Array = np.ndarray[Any, Any]


def as_lengths(lengths: Any, batch: int | None, steps: int | None, what: str) -> Array:
    """Lengths as an integer array of shape (B,), each from 1 to the number of steps.

    Args:
        lengths: B integers, in any form.
        batch: B, where it is known.
        steps: T, where it is known.
        what: who asks, for errors.

    Raises:
        TypeError: the lengths are not integers.
        ValueError: there are not B of them, or one is below 1 or above T.
    """
    array = np.array(lengths._data if isinstance(lengths, Tensor) else lengths)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(
            f"{what}: lengths of {array.dtype} were given; give integers, one per sequence"
        )
    if array.ndim != 1 or not array.size or (batch is not None and len(array) != batch):
        expected = "at least one" if batch is None else str(batch)
        raise ValueError(
            f"{what}: lengths of shape {array.shape} were given, ({expected},) expected: one length "
            "per sequence of the batch"
        )
    if array.min() < 1:
        at = int(np.argmin(array))
        raise ValueError(
            f"{what}: sequence {at} has length {array[at]}; every sequence needs at least one step, so "
            "leave empty ones out of the batch"
        )
    if steps is not None and array.max() > steps:
        at = int(np.argmax(array))
        raise ValueError(
            f"{what}: sequence {at} has length {array[at]}, but there are only {steps} steps; check "
            "whether time is the first axis or, with batch_first=True, the second"
        )
    return array.astype(np.intp)


def length_mask(lengths: Any, steps: int | None = None) -> Array:
    """Which steps are real: (T, B), true where step t of sequence b is not padding.

    Args:
        lengths: (B,) integers from 1 up.
        steps: T, the longest length by default.

    Raises:
        TypeError: the lengths are not integers.
        ValueError: a length is below 1 or above T.

    >>> length_mask([1, 3]).astype(int)
    array([[1, 1],
           [0, 1],
           [0, 1]])
    """
    check("length_mask", steps=steps)
    array = as_lengths(lengths, None, steps, "length_mask")
    mask: Array = np.arange(array.max() if steps is None else steps)[:, None] < array
    return mask


def held(
    new: tuple[Tensor, ...], old: tuple[Tensor, ...], real: Array | None
) -> tuple[Tensor, ...]:
    """The next state: new where the step is real, else the old one, which passes by untouched.

    Args:
        new, old: the parts of the state, each (B, H).
        real: (B,) truth values, or None where the step is real for all.

    Returns:
        The parts by the names they had; what they would have become is then named ``new h``.
    """
    if real is None:
        return new
    kept = []
    for after, before in zip(new, old):
        name = after.name or before.name
        after.name = f"new {name}"
        state = where(real[:, None], after, before)
        state.name = name
        kept.append(state)
    return tuple(kept)


def silenced(h: Tensor, real: Array | None) -> Tensor:
    """The output at one step: h, and zeros for the sequences for which the step is padding."""
    if real is None:
        return h
    output = where(real[:, None], h, leaf(np.zeros((), h.dtype), "padding"))
    output.name = "output"
    return output
