"""Attention: a query is compared with all keys, and the result is a weighted mean of their values.

Four score functions, each a module. The weights are nodes named ``attention``, rows that add up to 1, so that
they can be read and drawn.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.generators import Seed, as_generator
from micrornn.nn.init import default_
from micrornn.nn.module import Module
from micrornn.nn.registry import Parameter
from micrornn.nn.scaled_dot_product import masked_softmax
from micrornn.nn.sequence import as_input
from micrornn.ops.elementwise import tanh
from micrornn.ops.product import linear, matmul
from micrornn.ops.shape import expand_dims, squeeze, swapaxes
from micrornn.options import check


class Attention(Module):
    """The base of the four kinds: called with a query, keys and values, returns context and weights.

    Called with
        query: (..., L, Q); or one query (..., Q), with one axis less than the keys.
        keys: (..., S, K).
        values: (..., S, V); the keys themselves by default.
        mask: truth values that broadcast to the weights, true at the keys to attend to; (B, S) is
            what `length_mask(lengths).T` gives. (PyTorch's ``key_padding_mask`` is the opposite.)
        projected: ``project(keys)``, if already computed: it is the same for every query.

    Returns:
        The context (..., L, V), named ``context``, and the weights (..., L, S), named ``attention``; both
        without L for one query. All in a scope named after the attribute that holds the module
        (``attention`` without one).

    Raises:
        ValueError: a size does not fit, or the mask excludes every key of a query.
    """

    query_size: int | None = None
    key_size: int | None = None

    def project(self, keys: Any) -> Tensor:
        """The part of the score that depends on the keys alone."""
        return as_input(keys, np.float64, "keys")

    def score(self, query: Tensor, projected: Tensor) -> Tensor:
        """(..., L, Q) and the projected keys (..., S, ·) to (..., L, S)."""
        raise NotImplementedError(f"{type(self).__name__} has no score; define score(query, keys)")

    def forward(
        self,
        query: Any,
        keys: Any,
        values: Any = None,
        mask: Any = None,
        projected: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The context and the weights; see the class."""
        with scope(self._path[:-1] or "attention"):
            q, k = as_input(query, np.float64, "query"), as_input(keys, np.float64, "keys")
            self._check(q, k)
            projected = self.project(k) if projected is None else projected
            values = k if values is None else values
            if q.ndim == k.ndim:
                if mask is not None and np.ndim(mask) == q.ndim - 1 > 1:
                    mask = np.asanyarray(mask)[
                        ..., None, :
                    ]  # (B, S), the same for all queries of b
                weights = masked_softmax(self.score(q, projected), mask)
                context = matmul(weights, values)
            else:  # one query: an axis of length 1 for the products, and off again
                scores = self.score(expand_dims(q, -2), projected)
                weights = masked_softmax(squeeze(scores, -2), mask)
                context = squeeze(matmul(expand_dims(weights, -2), values), -2)
        weights.name, context.name = "attention", "context"
        return context, weights

    def _check(self, q: Tensor, k: Tensor) -> None:
        name = type(self).__name__
        if k.ndim < 2 or q.ndim not in (k.ndim - 1, k.ndim):
            raise ValueError(
                f"{name}: a query of shape {q.shape} and keys of shape {k.shape} were given; give keys "
                "(..., S, K), and queries (..., L, Q) or one query (..., Q)"
            )
        expected = (self.query_size or q.shape[-1], self.key_size or q.shape[-1])
        if (q.shape[-1], k.shape[-1]) != expected:
            raise ValueError(
                f"{name}: a query of length {q.shape[-1]} and keys of length {k.shape[-1]} were given, "
                f"{expected[0]} and {expected[1]} expected"
                + ("" if self.key_size else "; a dot product needs equal lengths")
            )


class DotAttention(Attention):
    """score = q · k (Luong et al. 2015, eq. 8, dot); see `Attention`. No parameters; Q = K.

    >>> import micrornn as mr
    >>> context, weights = mr.nn.DotAttention()([9.0, 0.0], [[1.0, 0.0], [0.0, 1.0]])
    >>> weights.data.round(3), weights.name
    (array([1., 0.]), 'attention')
    """

    def score(self, query: Tensor, projected: Tensor) -> Tensor:
        """q K^T."""
        return matmul(query, swapaxes(projected, -1, -2))


class ScaledDotAttention(Attention):
    """score = q · k / sqrt(Q) (Vaswani et al. 2017, eq. 1); see `Attention`. No parameters; Q = K.

    A dot product of Q random numbers grows as sqrt(Q), which saturates softmax; the division prevents that.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.ScaledDotAttention()(np.ones((5, 4)), np.ones((3, 4)))[0].shape
    (5, 4)
    """

    def score(self, query: Tensor, projected: Tensor) -> Tensor:
        """q K^T / sqrt(Q)."""
        return matmul(query, swapaxes(projected, -1, -2)) * (1.0 / math.sqrt(query.shape[-1]))


class GeneralAttention(Attention):
    """score = q^T W k (Luong et al. 2015, eq. 8, general); see `Attention`.

    Args:
        query_size: Q.
        key_size: K.
        rng: a seed or a NumPy generator for the initial values.
        dtype: float64 by default.

    Parameters: weight (Q, K).

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.GeneralAttention(2, 4)(np.ones((5, 2)), np.ones((5, 3, 4)))[1].shape
    (5, 3)
    """

    def __init__(
        self, query_size: int, key_size: int, *, rng: Seed = None, dtype: Any = None
    ) -> None:
        super().__init__()
        check("GeneralAttention", query_size=query_size, key_size=key_size)
        self.query_size, self.key_size = query_size, key_size
        table = np.zeros((query_size, key_size), dtype or np.float64)
        self.weight = default_(Parameter(table), key_size, rng)

    def project(self, keys: Any) -> Tensor:
        """W k for every key: (..., S, Q)."""
        return linear(keys, self.weight)

    def score(self, query: Tensor, projected: Tensor) -> Tensor:
        """q (W k)."""
        return matmul(query, swapaxes(projected, -1, -2))

    def extra_repr(self) -> str:
        """Its sizes."""
        return f"{self.query_size}, {self.key_size}"


class AdditiveAttention(Attention):
    """score = v · tanh(W q + U k) (Bahdanau et al. 2015, eq. 6 and appendix A.1.2); see `Attention`.

    Args:
        query_size: Q.
        key_size: K.
        hidden_size: A, the length of v.
        rng: a seed or a NumPy generator for the initial values.
        dtype: float64 by default.

    Parameters: query_weight (A, Q), the paper's W_a; key_weight (A, K), its U_a; v (A,).

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.AdditiveAttention(2, 4, 8)(np.ones((5, 2)), np.ones((5, 3, 4)))[1].shape
    (5, 3)
    """

    def __init__(
        self,
        query_size: int,
        key_size: int,
        hidden_size: int,
        *,
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check(
            "AdditiveAttention", query_size=query_size, key_size=key_size, hidden_size=hidden_size
        )
        rng = None if rng is None else as_generator(rng)
        self.query_size, self.key_size, self.hidden_size = query_size, key_size, hidden_size

        def drawn(*shape: int) -> Parameter:
            return default_(Parameter(np.zeros(shape, dtype or np.float64)), shape[-1], rng)

        self.query_weight = drawn(hidden_size, query_size)
        self.key_weight = drawn(hidden_size, key_size)
        self.v = drawn(hidden_size)

    def project(self, keys: Any) -> Tensor:
        """U k for every key: (..., S, A)."""
        return linear(keys, self.key_weight)

    def score(self, query: Tensor, projected: Tensor) -> Tensor:
        """v · tanh(W q + U k)."""
        asked = expand_dims(linear(query, self.query_weight), -2)
        return matmul(tanh(asked + expand_dims(projected, -3)), self.v)

    def extra_repr(self) -> str:
        """Its sizes."""
        return f"{self.query_size}, {self.key_size}, {self.hidden_size}"
