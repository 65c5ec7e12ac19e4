"""Attention as a function: softmax over the keys with masks, and scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.nn.dropout import dropout
from micrornn.nn.sequence import as_float, as_input
from micrornn.ops.elementwise import where
from micrornn.ops.followed import fresh
from micrornn.ops.product import matmul
from micrornn.ops.shape import swapaxes
from micrornn.ops.softmax import softmax
from micrornn.options import check

# The value of a masked score: e^x of it is exactly 0, and unlike -inf it does not show up where a user
# looks for infinities.
NEVER = -1e30


def masked_softmax(scores: Any, mask: Any = None) -> Tensor:
    """softmax along the last axis over the places where the mask holds; exactly 0 elsewhere.

    Args:
        scores: (..., S).
        mask: truth values that broadcast to the scores; true at the keys to attend to.

    Raises:
        ValueError: the mask does not hold truth values, does not fit, or masks a whole row.

    >>> masked_softmax([1.0, 1.0, 9.0], [True, True, False]).data
    array([0.5, 0.5, 0. ])
    """
    scores = as_input(scores, np.float64, "score")
    if mask is not None:
        held = fresh(mask._value if isinstance(mask, Tensor) else mask)
        if held.dtype.kind != "b":
            raise ValueError(
                f"attention: a mask of {held.dtype} was given; give truth values, true at the "
                "keys to attend to"
            )
        try:
            held = np.broadcast_to(held, scores.shape)
        except ValueError:
            raise ValueError(
                f"attention: a mask of shape {held.shape} does not fit scores of shape {scores.shape}, "
                "(..., queries, keys); give a shape that broadcasts to it"
            ) from None
        if not held.any(-1).all():
            row = tuple(int(i) for i in np.argwhere(~held.any(-1))[0])
            raise ValueError(
                f"attention: the mask excludes every key of query {row}; remove empty sequences"
            )
        scores = where(held, scores, NEVER)
    weights = softmax(scores, -1)
    weights.name = "attention"
    return weights


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(Q K^T / sqrt(d)) V (Vaswani et al. 2017, eq. 1), as PyTorch's function of that name.

    Args:
        query: (..., L, d).
        key: (..., S, d).
        value: (..., S, V).
        attn_mask: truth values that broadcast to (..., L, S), true at the keys to attend to; or
            numbers, which are added to the scores.
        dropout_p: the share of the weights to drop: 0 outside of training.
        is_causal: query l attends to the keys up to l only; not together with a mask.
        scale: what the products are multiplied by, 1 / sqrt(d) by default.

    Returns:
        (..., L, V).

    Raises:
        ValueError: an option has an invalid value, or a mask was given together with ``is_causal``, does not
            fit, or excludes every key of a query.

    >>> import micrornn as mr
    >>> x = mr.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> mr.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True).data[0]
    array([1., 0.])
    """
    check("scaled_dot_product_attention", dropout_p=dropout_p, is_causal=is_causal)
    q, k, v = as_float(query), as_float(key), as_float(value)
    if is_causal:
        if attn_mask is not None:
            raise ValueError("attention: give attn_mask or is_causal=True, not both")
        attn_mask = np.tri(q.shape[-2], k.shape[-2], dtype=bool)
    if scale is None:
        scale = 1.0 / math.sqrt(q.shape[-1])
    check("scaled_dot_product_attention", scale=scale)
    scores = matmul(q, swapaxes(k, -1, -2)) * float(scale)
    if attn_mask is not None and not isinstance(attn_mask, Tensor):
        attn_mask = np.asanyarray(attn_mask)
    if attn_mask is not None and attn_mask.dtype.kind != "b":
        if attn_mask.dtype.kind != "f" or np.isnan(getattr(attn_mask, "_value", attn_mask)).any():
            raise ValueError(
                f"scaled_dot_product_attention: attn_mask of {attn_mask.dtype}; give truth values, true "
                "at the keys to attend to, or numbers that are added to the scores"
            )
        scores, attn_mask = scores + attn_mask, None
    return matmul(dropout(masked_softmax(scores, attn_mask), dropout_p), v)
