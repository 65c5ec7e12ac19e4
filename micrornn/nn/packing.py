"""Batches of sequences of different lengths: padded, or packed without padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor, lift
from micrornn.nn.lengths import as_lengths, length_mask
from micrornn.nn.sequence import as_input
from micrornn.ops.index import scatter
from micrornn.ops.join import pad, stack
from micrornn.ops.shape import swapaxes
from micrornn.options import check

Array = np.ndarray[Any, Any]


class PackedSequence(NamedTuple):
    """A batch of sequences without padding, step after step, as in PyTorch.

    Attributes:
        data: (sum of lengths, ...): the first elements of all sequences, longest sequence first, then the
            second elements of those that have one, and so on.
        batch_sizes: (T,), how many sequences have a first element, a second, ...
        sorted_indices: (B,), which sequence is the longest, the second longest, ...
        unsorted_indices: (B,), where in that order each sequence is.
    """

    data: Tensor
    batch_sizes: Array
    sorted_indices: Array
    unsorted_indices: Array

    @property
    def lengths(self) -> Array:
        """(B,), the lengths in the order in which the sequences were given."""
        by_size: Array = (self.batch_sizes[:, None] > np.arange(len(self.sorted_indices))).sum(0)
        return by_size[self.unsorted_indices]


def pad_sequence(
    sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0.0
) -> Any:
    """Pad sequences of different lengths to one array.

    Args:
        sequences: B arrays or tensors (L_b, ...), equal but for L_b.
        batch_first: whether the result is (B, T, ...) and not (T, B, ...).
        padding_value: the value of the padding.

    Returns:
        A tensor when there is a tensor among them, through which gradients pass; else an array.

    Raises:
        ValueError: there are no sequences, or they differ in more than their length.

    >>> pad_sequence([np.array([1, 2, 3]), np.array([4])], batch_first=True)
    array([[1, 2, 3],
           [4, 0, 0]])
    """
    check("pad_sequence", batch_first=batch_first, padding_value=padding_value)
    parts = [s if isinstance(s, Tensor) else np.asarray(s) for s in sequences]
    shapes = {part.shape[1:] for part in parts if part.shape}
    if not parts or len(shapes) != 1 or not all(part.shape for part in parts):
        raise ValueError(
            f"pad_sequence: sequences of shape {', '.join(str(p.shape) for p in parts) or 'none'} were "
            "given; give at least one, all equal but for the length of their first axis"
        )
    longest = max(part.shape[0] for part in parts)
    axis = 0 if batch_first else 1
    if not any(isinstance(part, Tensor) for part in parts):
        dtype = np.result_type(*parts)
        whole = np.full((len(parts), longest, *parts[0].shape[1:]), padding_value, dtype)
        for row, part in zip(whole, parts):
            row[: len(part)] = part
        return whole if batch_first else np.swapaxes(whole, 0, 1).copy()
    rows = []
    for part in parts:
        short = longest - part.shape[0]
        if short:
            rest = [(0, 0)] * (part.ndim - 1)
            part = pad(lift(part), [(0, short), *rest])
            if padding_value:
                filling = np.zeros(part.shape, part.dtype)
                filling[-short:] = padding_value
                part = part + filling
        rows.append(part)
    return stack(rows, axis)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """The sequences of a padded batch, each cut to its length: the inverse of `pad_sequence`.

    Raises:
        ValueError: the lengths do not fit the batch.

    >>> unpad_sequence(np.array([[1, 4], [2, 0]]), [2, 1])
    [array([1, 2]), array([4])]
    """
    check("unpad_sequence", batch_first=batch_first)
    whole = padded_sequences
    if not isinstance(whole, Tensor):
        whole = np.asarray(whole)
    if whole.ndim < 2:
        raise ValueError(
            f"unpad_sequence: a padded batch of shape {whole.shape} was given; two axes are time and batch"
        )
    time = 1 if batch_first else 0
    counts = as_lengths(lengths, whole.shape[1 - time], whole.shape[time], "unpad_sequence")
    return [
        whole[(b, slice(int(n))) if batch_first else (slice(int(n)), b)]
        for b, n in enumerate(counts)
    ]


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded batch: remove its padding.

    Args:
        input: (T, B, ...), or (B, T, ...) with ``batch_first``.
        lengths: (B,) integers from 1 to T.
        enforce_sorted: refuse sequences that do not come longest first, as PyTorch does; with False they
            may come in any order, and `pad_packed_sequence` gives that order back.

    Raises:
        TypeError: the lengths are not integers.
        ValueError: a length does not fit, or ``enforce_sorted`` and the lengths are not in descending order.

    >>> packed = pack_padded_sequence(np.array([[1.0, 4.0], [2.0, 0.0]]), [2, 1])
    >>> packed.data.data, packed.batch_sizes
    (array([1., 4., 2.]), array([2, 1]))
    """
    check("pack_padded_sequence", batch_first=batch_first, enforce_sorted=enforce_sorted)
    whole = as_input(input, np.float64, "x")
    if whole.ndim < 2:
        raise ValueError(
            f"pack_padded_sequence: input of shape {whole.shape} was given; two axes are time and batch"
        )
    time = 1 if batch_first else 0
    counts = as_lengths(lengths, whole.shape[1 - time], whole.shape[time], "pack_padded_sequence")
    if enforce_sorted and (np.diff(counts) > 0).any():
        raise ValueError(
            f"pack_padded_sequence: lengths {counts.tolist()} do not fall; sort the batch by length, "
            "longest first, or give enforce_sorted=False"
        )
    order = np.argsort(-counts, kind="stable")
    step, place = np.nonzero(length_mask(counts[order]))
    index = (order[place], step) if batch_first else (step, order[place])
    sizes: Array = np.bincount(step)
    return PackedSequence(whole[index], sizes, order, np.argsort(order, kind="stable"))


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Array]:
    """Unpack a packed batch: the padded batch and its lengths, in the original order.

    Args:
        sequence: what `pack_padded_sequence` or a recurrent layer returned.
        batch_first: whether the result is (B, T, ...) and not (T, B, ...).
        padding_value: the value of the padding.
        total_length: T; the longest length by default.

    Raises:
        ValueError: ``total_length`` is shorter than a sequence.

    >>> packed = pack_sequence([[1.0], [2.0, 3.0]], enforce_sorted=False)
    >>> pad_packed_sequence(packed)
    (tensor([[1., 2.],
     [0., 3.]], scatter), array([1, 2]))
    """
    check("pad_packed_sequence", batch_first=batch_first, padding_value=padding_value)
    check("pad_packed_sequence", total_length=total_length)
    if not isinstance(sequence, PackedSequence):
        raise TypeError(
            f"pad_packed_sequence: {type(sequence).__name__} was given; give a PackedSequence, such as "
            "pack_padded_sequence returns"
        )
    lengths = sequence.lengths
    steps = int(lengths.max()) if total_length is None else total_length
    if steps < lengths.max():
        raise ValueError(
            f"pad_packed_sequence: total_length={total_length} is shorter than the longest sequence, "
            f"{lengths.max()}; give at least that"
        )
    data = sequence.data
    mask = length_mask(lengths, steps)
    step, place = np.nonzero(mask[:, sequence.sorted_indices])
    shape = (steps, len(lengths), *data.shape[1:])
    whole = scatter(data, index=((step, sequence.sorted_indices[place]),), shape=shape)
    if padding_value:
        filling = np.zeros(shape, data.dtype)
        filling[~mask] = padding_value
        whole = whole + filling
    return (swapaxes(whole, 0, 1) if batch_first else whole), lengths


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences of many lengths packed: `pad_sequence`, then `pack_padded_sequence`.

    >>> pack_sequence([[1.0, 2.0], [3.0]]).data.data
    array([1., 3., 2.])
    """
    check("pack_sequence", enforce_sorted=enforce_sorted)
    lengths = [len(s) for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed batch, each by itself, in the order in which they were given.

    >>> [s.data for s in unpack_sequence(pack_sequence([[1.0, 2.0], [3.0]]))]
    [array([1., 2.]), array([3.])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences)
    return unpad_sequence(padded, lengths)
