"""The network for a user's own sequences: words or frames, with one label or one per step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.nn.embedding import Embedding
from micrornn.nn.sequence import each_step
from micrornn.tasks.network import Network

Array = np.ndarray[Any, Any]
CHUNK = 100  # sequences that are evaluated in parallel


class Reader(Network):
    """Reads each sequence of a padded batch up to its own length.

    Args:
        cell, hidden, layers, bidirectional, seed: as of `Network`.
        width: the numbers of a frame; of symbols, how many there are.
        outputs: the number of labels.
        symbols: whether a step is the index of a symbol, which becomes a learned vector.
        last_only: one output, from the last state of each sequence.

    >>> reader = Reader("gru", 9, 2, hidden=3, symbols=True, last_only=True)
    >>> (y,) = reader(np.array([[1, 2], [3, 0]]), np.array([2, 1]))
    >>> y.shape
    (2, 2)
    """

    def __init__(
        self, cell: str, width: int, outputs: int, *, hidden: int, symbols: bool, **options: Any
    ) -> None:
        size = min(hidden, 32) if symbols else width
        super().__init__(cell, size, outputs, hidden=hidden, **options)
        if symbols:
            self.embedding = Embedding(width, size, rng=options.get("seed", 0) + 1)
        self.reads_symbols = symbols

    def forward(self, steps: Any, lengths: Any = None) -> Any:
        """The outputs of all steps, or a list of the last one."""
        vectors = [self._vector(step, t) for t, step in enumerate(steps, 1)]
        states, last = self.recurrent(vectors, lengths=lengths)
        if self.last_only:
            h = last[0] if isinstance(last, tuple) else last
            with scope(t=len(steps)):
                outputs = [self.readout(h[-1])]
        else:
            outputs = each_step(self.readout, states)
        for y in outputs:
            y.name = "y"
        return outputs

    def _vector(self, step: Any, t: int) -> Any:
        if not self.reads_symbols:
            return step
        with scope(t=t):
            return self.embedding(step)


def stacked(sequences: Sequence[Array]) -> tuple[Array, Array]:
    """Sequences in parallel, time first and filled up with zeros, and their lengths.

    >>> steps, lengths = stacked([np.array([3, 4]), np.array([5])])
    >>> steps.tolist(), lengths.tolist()
    ([[3, 5], [4, 0]], [2, 1])
    """
    lengths = np.array(list(map(len, sequences)))
    first = sequences[0]
    steps = np.zeros((lengths.max(), len(sequences), *first.shape[1:]), first.dtype)
    for b, sequence in enumerate(sequences):
        steps[: len(sequence), b] = sequence
    return steps, lengths


def chunks(items: Sequence[Any]) -> list[Sequence[Any]]:
    """The items in pieces that fit into memory."""
    return [items[a : a + CHUNK] for a in range(0, len(items), CHUNK)]
