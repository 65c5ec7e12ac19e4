"""Pairs of sequences, and the encoder and decoder that learns to make the target of the source.

Shared by the tasks of that kind. Symbols are indices; 0 starts a target and 1 ends it, so that a task's own
symbols count from 2. A batch holds sequences of different lengths, padded to the longest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrornn.core.context import no_grad
from micrornn.core.tensor import Tensor
from micrornn.data.feeds import Batch
from micrornn.messages import nearest
from micrornn.nn.decoder import ATTENTIONS, Decoder
from micrornn.nn.losses import cross_entropy, sequence_loss
from micrornn.nn.seq2seq import Encoder, Seq2Seq
from micrornn.tasks.network import CELLS, FAMILIES
from micrornn.training.objective import Computed, Objective

Array = np.ndarray[Any, Any]
ALL = {**CELLS, **FAMILIES}
START, END = 0, 1
PADDING = -100  # the target of a padded step, which `cross_entropy` ignores


def encoder_decoder(
    source: int, target: int, cell: str, hidden: int, layers: int, attention: str, seed: int
) -> Seq2Seq:
    """Encoder and decoder for so many symbols on each side, START and END included.

    Args:
        attention: ``none`` (Sutskever et al. 2014: one vector holds everything), ``dot``, ``scaled``,
            ``general`` (Luong et al. 2015) or ``additive`` (Bahdanau et al. 2015).

    Raises:
        ValueError: there is no such cell or attention.

    >>> encoder_decoder(9, 8, "gru", 4, 1, "dotted", 0)
    Traceback (most recent call last):
    ValueError: no attention 'dotted'; did you mean 'dot'?
    """
    if cell not in ALL:
        raise ValueError(f"no cell {cell!r}; choose from {', '.join(ALL)}")
    if attention not in ("none", *ATTENTIONS):
        raise ValueError(f"no attention {attention!r}; {nearest(attention, ('none', *ATTENTIONS))}")
    kind, look = ALL[cell].__name__, None if attention == "none" else attention
    sizes = hidden // 2 + 1, hidden, kind, layers
    encoder = Encoder(source, *sizes, rng=seed)
    decoder = Decoder(target, *sizes, attention=look, rng=seed + 1)
    return Seq2Seq(encoder, decoder, START, END, rng=seed)


def padded(sequences: Sequence[Any], filling: int) -> Array:
    """Sequences in parallel, time first and padded to the longest: (T, B).

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


def token_objective(logits: Callable[[Batch], Sequence[Tensor]]) -> Objective:
    """The mean cross-entropy over the targets that are not padding.

    Args:
        logits: from a batch to the logits of each step.
    """

    def objective(batch: Batch, state: Any) -> Computed:
        counts = (batch.targets >= 0).sum(1)
        losses, total = sequence_loss(logits(batch), batch.targets, cross_entropy, weights=counts)
        return Computed(losses, total)

    return objective


def teacher_forced(model: Seq2Seq) -> Objective:
    """The objective of pairs: the decoder reads the true symbols (teacher forcing)."""

    def logits(batch: Batch) -> Any:
        forced = np.where(batch.targets < 0, END, batch.targets)
        return model(batch.inputs, forced, _lengths(batch)).logits

    return token_objective(logits)


def decoded(model: Seq2Seq, batch: Batch, longest: int) -> list[list[int]]:
    """The greedy predictions, each up to its END: the decoder reads its own likeliest symbols.

    Args:
        longest: where a prediction without an END stops.
    """
    unknown = np.full((longest, batch.inputs.shape[1]), END)
    with no_grad():
        result = model(batch.inputs, unknown, _lengths(batch), teacher_forcing=0.0)
    tokens = np.array([logits.numpy().argmax(-1) for logits in result.logits])
    return [
        column[: column.index(END)] if END in column else column for column in tokens.T.tolist()
    ]


def _lengths(batch: Batch) -> Any:
    """None where all are equally long, so that nothing has to be masked."""
    lengths = batch.extra
    return None if lengths is None or (lengths == len(batch)).all() else lengths
