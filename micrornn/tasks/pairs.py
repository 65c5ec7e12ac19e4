"""Pairs of sequences, and the encoder and decoder that learns to make the second of the first.

What the tasks of that kind share. Symbols are numbers; 0 begins a target and 1 ends it, so that those of a
task's own count from 2. A batch holds sequences of different lengths, filled up to the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.context import no_grad
from micrornn.core.tensor import Tensor
from micrornn.data.feeds import Batch
from micrornn.nn.decoder import ATTENTIONS, Decoder
from micrornn.nn.losses import cross_entropy, sequence_loss
from micrornn.nn.seq2seq import Encoder, Seq2Seq
from micrornn.tasks.network import CELLS
from micrornn.tasks.output import nearest
from micrornn.training.objective import Computed, Objective

Array = np.ndarray[Any, Any]
START, END = 0, 1
PADDING = -100  # a target that is not there, as `cross_entropy` leaves it out


def encoder_decoder(
    source: int, target: int, cell: str, hidden: int, layers: int, attention: str, seed: int
) -> Seq2Seq:
    """Encoder and decoder for so many symbols on each side, START and END included.

    Args:
        attention: ``none`` (Sutskever et al. 2014: one vector holds all), ``dot``, ``scaled``, ``general``
            (Luong et al. 2015) or ``additive`` (Bahdanau et al. 2015).

    Raises:
        ValueError: there is no such cell or attention.

    >>> encoder_decoder(9, 8, "gru", 4, 1, "dotted", 0)
    Traceback (most recent call last):
    ValueError: there is no attention 'dotted'; did you mean 'dot'?
    """
    if cell not in CELLS:
        raise ValueError(f"there is no cell {cell!r}; give one of {', '.join(CELLS)}")
    if attention not in ("none", *ATTENTIONS):
        raise ValueError(
            f"there is no attention {attention!r}; {nearest(attention, ('none', *ATTENTIONS))}"
        )
    kind, look = cell.upper(), None if attention == "none" else attention
    sizes = hidden // 2 + 1, hidden, kind, layers
    encoder = Encoder(source, *sizes, rng=seed)
    decoder = Decoder(target, *sizes, attention=look, rng=seed + 1)
    return Seq2Seq(encoder, decoder, START, END, rng=seed)


def padded(sequences: Sequence[Any], filling: int) -> Array:
    """Sequences side by side, time first and filled up to the longest: (T, B).

    >>> padded([[2, 3, 4], [5]], PADDING).tolist()
    [[2, 5], [3, -100], [4, -100]]
    """
    rows = np.full((max(map(len, sequences)), len(sequences)), filling)
    for b, sequence in enumerate(sequences):
        rows[: len(sequence), b] = sequence
    return rows


def batch_of(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Batch:
    """Pairs as a batch: sources (S, B), targets with END (T, B), and the lengths of the sources.

    >>> batch = batch_of([([2, 3], [4]), ([5], [6, 7])])
    >>> batch.targets.tolist(), batch.extra.tolist()
    ([[4, 6], [1, 7], [-100, 1]], [2, 1])
    """
    sources = [source for source, _ in pairs]
    targets = padded([[*target, END] for _, target in pairs], PADDING)
    return Batch(padded(sources, END), targets, extra=np.array(list(map(len, sources))))


def token_loss(outputs: Sequence[Tensor], targets: Array) -> tuple[list[Tensor], Tensor]:
    """The cross-entropy of each step over the targets that are there, and the mean over all of them."""
    counts = (targets >= 0).sum(1)
    return sequence_loss(outputs, targets, cross_entropy, weights=counts)


def forced(model: Seq2Seq) -> Objective:
    """The objective of pairs: the decoder is fed the true symbols (teacher forcing)."""

    def objective(batch: Batch, state: Any) -> Computed:
        fed = np.where(batch.targets < 0, END, batch.targets)
        said = model(batch.inputs, fed, _lengths(batch))
        losses, total = token_loss(said.logits, batch.targets)
        return Computed(losses, total, None)

    return objective


def said_freely(model: Seq2Seq, batch: Batch, longest: int) -> list[list[int]]:
    """What the decoder says when it is fed its own likeliest symbols, each answer up to its END.

    Args:
        longest: where an answer stops whose END does not come.
    """
    unknown = np.full((longest, batch.inputs.shape[1]), END)
    with no_grad():
        said = model(batch.inputs, unknown, _lengths(batch), teacher_forcing=0.0)
    tokens = np.array([logits.numpy().argmax(-1) for logits in said.logits])
    answers = []
    for column in tokens.T.tolist():
        answers.append(column[: column.index(END)] if END in column else column)
    return answers


def _lengths(batch: Batch) -> Any:
    """None where all are equally long, so that nothing has to be masked."""
    lengths = batch.extra
    return None if lengths is None or (lengths == len(batch)).all() else lengths
