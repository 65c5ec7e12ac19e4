"""Losses, nonlinearities and the like as plain functions, under the names of PyTorch's `functional`."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor, lift, shape_of
from micrornn.nn.attention import scaled_dot_product_attention
from micrornn.nn.cross_entropy import check_reduction, cross_entropy
from micrornn.nn.ctc_loss import ctc_loss
from micrornn.nn.elementwise_losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    huber_loss,
    nll_loss,
    smooth_l1_loss,
)
from micrornn.nn.embedding import embedding
from micrornn.nn.images import conv2d, max_pool2d
from micrornn.nn.init import Seed, as_generator
from micrornn.nn.normalization import layer_norm
from micrornn.nn.sequence import leaf
from micrornn.ops.elementwise import mul, relu, sigmoid, softplus, sub, tanh
from micrornn.ops.product import linear
from micrornn.ops.reduce import log_softmax, mean, softmax, sum

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "embedding",
    "huber_loss",
    "layer_norm",
    "linear",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "relu",
    "scaled_dot_product_attention",
    "sigmoid",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """(input - target)^2: the mean over all elements, their ``"sum"``, or ``"none"``: one each.

    Both have the same shape, any shape; a target that wants a gradient gets one.

    Raises:
        ValueError: the shapes differ (broadcasting here is nearly always a mistake), or the reduction
            does not exist.

    >>> import micrornn as mr
    >>> mr.nn.functional.mse_loss(mr.tensor([1.0, 2.0]), [1.0, 4.0])
    tensor(2.0, mean)
    """
    check_reduction(reduction, "mse_loss")
    if shape_of(input) != np.shape(target if not isinstance(target, Tensor) else target._value):
        raise ValueError(
            f"mse_loss: input of shape {shape_of(input)} and target of shape {np.shape(target)}; "
            "reshape one of them so that they agree"
        )
    error = sub(lift(input), target)
    square = mul(error, error)
    if reduction == "none":
        return square
    return mean(square) if reduction == "mean" else sum(square)


def dropout(input: Any, p: float = 0.5, training: bool = True, generator: Seed = None) -> Tensor:
    """While training, drop each element with probability p and divide the others by 1 - p.

    Raises:
        ValueError: p is not between 0 and 1.

    >>> import micrornn as mr
    >>> mr.nn.functional.dropout(mr.tensor([1.0, 1.0]), training=False).data
    array([1., 1.])
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout: p={p!r}; give the share to drop, between 0 and 1")
    x = lift(input)
    if not training or p == 0.0:
        return x
    mask = as_generator(generator).random(x.shape) >= p
    return x * leaf(np.asarray(mask / (1.0 - p) if p < 1.0 else mask, dtype=x.dtype), "mask")


def one_hot(indices: Any, num_classes: int = -1, dtype: Any = float) -> np.ndarray[Any, Any]:
    """Each index as a row of zeros with a one at its place; data, so a NumPy array.

    Args:
        indices: integers of any shape S.
        num_classes: C; by default, -1, the largest index plus one.

    Returns:
        Shape (*S, C).

    Raises:
        ValueError: an index is negative, or not below ``num_classes``, or no integer, or ``num_classes``
            is neither 1 or more nor -1.

    >>> one_hot([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    array = np.asarray(indices._value if isinstance(indices, Tensor) else indices)
    if array.dtype.kind not in "iu":
        raise ValueError(f"one_hot wants integers, not {array.dtype}; convert: indices.astype(int)")
    if num_classes < 1 and num_classes != -1:
        raise ValueError(
            f"one_hot: num_classes={num_classes!r}; give 1 or more, or -1 for the largest index plus one"
        )
    if num_classes == -1:
        if not array.size:
            raise ValueError(
                "one_hot: of no index one cannot tell how many classes; give num_classes"
            )
        num_classes = int(array.max()) + 1
    if array.size and (array.min() < 0 or array.max() >= num_classes):
        wrong = array[(array < 0) | (array >= num_classes)].flat[0]
        raise ValueError(f"one_hot: index {wrong} has no place among {num_classes} classes")
    rows = np.zeros((array.size, num_classes), dtype)
    rows[np.arange(array.size), array.ravel()] = 1
    return rows.reshape(*array.shape, num_classes)
