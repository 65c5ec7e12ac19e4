"""Embeddings: symbols as vectors, the rows of a learned table."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.arrays import as_array
from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.generators import Seed, as_generator
from micrornn.nn.module import Module
from micrornn.nn.registry import Parameter
from micrornn.nn.sequence import as_float
from micrornn.ops.elementwise import where
from micrornn.ops.followed import fresh
from micrornn.ops.index import take
from micrornn.options import check, is_integer


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Tensor:
    """Look up rows of a table: the product of one-hot rows and the table, without forming the one-hot rows.

    Args:
        input: integers of any shape S, each from 0 to V - 1.
        weight: (V, E), the table.
        padding_idx: the padding symbol, whose row gets no gradient here. Negative counts from the end.

    Returns:
        Shape (*S, E).

    Raises:
        TypeError: the indices are not integers.
        ValueError: an index or ``padding_idx`` has no row, or the table is not (V, E).

    >>> import micrornn as mr
    >>> table = mr.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> mr.nn.functional.embedding([1, 1], table).sum().backward()
    >>> table.grad
    array([[0., 0.],
           [2., 2.]])
    """
    index = fresh(input._value if isinstance(input, Tensor) else input)
    table = as_float(weight)
    if table.ndim != 2:
        raise ValueError(
            f"embedding: a table of shape {table.shape} was given; give one row per symbol, (V, E)"
        )
    rows = table.shape[0]
    if index.dtype.kind not in "iu":
        raise TypeError(
            f"embedding: indices of {index.dtype} were given; give integers, for example "
            "indices.astype(int)"
        )
    if index.size and (index.min() < 0 or index.max() >= rows):
        wrong = index[(index < 0) | (index >= rows)].flat[0]
        raise ValueError(
            f"embedding: index {wrong} has no row in a table of {rows}; give indices from 0 to {rows - 1}, "
            "or a larger num_embeddings"
        )
    found = take(table, index)
    if padding_idx is None:
        return found
    padding = _row("embedding", padding_idx, rows)
    return where((index != padding)[..., None], found, np.array(table._value[padding]))


def _row(owner: str, padding_idx: Any, rows: int) -> int:
    """``padding_idx`` counted from the front."""
    if not is_integer(padding_idx) or not -rows <= padding_idx < rows:
        raise ValueError(
            f"{owner}: padding_idx={padding_idx!r} has no row among {rows}; give an integer from {-rows} to "
            f"{rows - 1}, or None"
        )
    return int(padding_idx) % rows


class Embedding(Module):
    """A table of V vectors of length E; called with integers, it returns their rows, named ``embedding``.

    Args:
        num_embeddings: V, the number of symbols.
        embedding_dim: E, the length of each vector.
        padding_idx: the padding symbol, whose row starts at zero and gets no gradient. Negative counts from
            the end.
        rng: a seed or a NumPy generator for the initial values, N(0, 1) as in PyTorch.
        dtype: float64 by default.

    Parameters: weight (V, E). Called with integers of any shape S; returns (*S, E), in a scope named
    after the attribute that holds the module (``embedding`` without one).

    Raises:
        ValueError: a size is below 1, or ``padding_idx`` has no row; when called, an index has none.
        TypeError: when called, the indices are not integers.

    >>> from micrornn import nn
    >>> words = nn.Embedding(10, 3, padding_idx=0, rng=0)
    >>> words([[1, 2], [3, 0]]).shape
    (2, 2, 3)
    >>> words([0]).data
    array([[0., 0., 0.]])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None:
            padding_idx = _row("Embedding", padding_idx, num_embeddings)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        table = as_generator(rng).normal(size=(num_embeddings, embedding_dim))
        if padding_idx is not None:
            table[padding_idx] = 0.0
        self.weight = Parameter(table, dtype=dtype or np.float64)

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """An embedding with a given table, (V, E); with ``freeze`` it requires no gradient.

        >>> from micrornn import nn
        >>> nn.Embedding.from_pretrained([[1.0, 2.0]])([0]).data
        array([[1., 2.]])
        """
        check("Embedding.from_pretrained", freeze=freeze)
        table = as_array(embeddings, "Embedding: the table")
        if table.ndim != 2:
            raise ValueError(
                f"Embedding: a table of shape {table.shape} was given; give one row per symbol, (V, E)"
            )
        module = cls(table.shape[0], table.shape[1], padding_idx, rng=0)
        table = table if table.dtype.kind == "f" else table.astype(float)
        module.weight = Parameter(table, requires_grad=not freeze)
        return module

    def forward(self, input: Any) -> Tensor:
        """The rows at the given integers."""
        with scope(self._path[:-1] or "embedding"):
            found = embedding(input, self.weight, self.padding_idx)
        found.name = "embedding"
        return found

    def extra_repr(self) -> str:
        """Its sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
