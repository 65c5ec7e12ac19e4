"""Lengths: which steps of a padded batch are real, and how the state is kept at the others.

Masking the loss alone is not enough: the state would continue to change in the padding, and where a sequence
is read backward, the padding comes *first* and would influence every step. So the state itself is masked:
`held` keeps it at every padded step, and no gradient flows through the value it would have taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor, constant
from micrornn.ops.elementwise import where
from micrornn.ops.followed import fresh
from micrornn.options import check

Array = np.ndarray[Any, Any]


def as_lengths(lengths: Any, batch: int | None, steps: int | None, what: str) -> Array:
    """Lengths as an integer array of shape (B,), each from 1 to the number of steps.

    Args:
        lengths: B integers, in any form.
        batch: B, where it is known.
        steps: T, where it is known.
        what: the caller, for error messages.

    Raises:
        TypeError: the lengths are not integers.
        ValueError: there are not B of them, or one is below 1 or above T.
    """
    array = fresh(lengths._value if isinstance(lengths, Tensor) else lengths)
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
            f"{what}: sequence {at} has length {array[at]}; remove empty sequences from the batch"
        )
    if steps is not None and array.max() > steps:
        at = int(np.argmax(array))
        raise ValueError(
            f"{what}: sequence {at} has length {array[at]}, but there are only {steps} steps; check "
            "whether time is the first axis or, with batch_first=True, the second"
        )
    return array.astype(np.intp)


def length_mask(lengths: Any, steps: int | None = None) -> Array:
    """The mask (T, B) of a padded batch: true where step t of sequence b is real.

    Args:
        lengths: (B,) integers, 1 or more.
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
    """The next state: the new one where the step is real, else the old one unchanged.

    Args:
        new, old: the parts of the state, each (B, ...).
        real: (B,) truth values, or None where the step is real for all.

    Returns:
        The parts under their names; the values before masking are renamed to ``new h``, ``new c``.
    """
    if real is None:
        return new
    kept = []
    for after, before in zip(new, old):
        name = after.name or before.name
        after.name = f"new {name}"
        state = where(real.reshape(-1, *[1] * (after.ndim - 1)), after, before)
        state.name = name
        kept.append(state)
    return tuple(kept)


def silenced(h: Tensor, real: Array | None) -> Tensor:
    """The output at one step: h, and zeros for sequences where the step is padding."""
    if real is None:
        return h
    output = where(real[:, None], h, constant(np.zeros((), h.dtype), "padding"))
    output.name = "output"
    return output
