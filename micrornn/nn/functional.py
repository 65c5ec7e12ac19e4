"""Losses, activations and layers as plain functions, under the names of PyTorch's `functional`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.names import no_such_name
from micrornn.nn.activations import (
    leaky_relu,
    log_softmax,
    logsigmoid,
    relu,
    sigmoid,
    softmax,
    softplus,
    tanh,
)
from micrornn.nn.convolution import conv1d, conv2d
from micrornn.nn.dropout import dropout
from micrornn.nn.embedding import embedding
from micrornn.nn.equations import product
from micrornn.nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    ctc_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from micrornn.nn.normalization import batch_norm, layer_norm
from micrornn.nn.pooling import max_pool2d
from micrornn.nn.scaled_dot_product import scaled_dot_product_attention
from micrornn.nn.sequence import as_float
from micrornn.options import check

__all__ = [
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "embedding",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
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


def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """x W^T + b.

    Args:
        input: (..., I).
        weight: (O, I).
        bias: (O,), or None.

    Returns:
        (..., O).

    Raises:
        ValueError: a shape does not fit.

    >>> linear([1.0, 2.0], [[3.0, 4.0]], [0.5]).data
    array([11.5])
    """
    x, w = as_float(input), as_float(weight)
    b = None if bias is None else as_float(bias)
    if w.ndim != 2 or x.shape[-1:] != w.shape[1:] or (b is not None and b.shape != w.shape[:1]):
        raise ValueError(
            f"linear: input of shape {x.shape}, weight of shape {w.shape} and bias of shape "
            f"{None if b is None else b.shape}; give (..., I), (O, I), and (O,) or None"
        )
    return product(x, w, b)


def one_hot(input: Any, num_classes: int = -1, dtype: Any = float) -> np.ndarray[Any, Any]:
    """One-hot rows of indices, as a NumPy array.

    Args:
        input: integers of any shape S.
        num_classes: C; by default, -1, the largest index plus one.
        dtype: the dtype of the rows.

    Returns:
        Shape (*S, C).

    Raises:
        ValueError: an index is negative, not below ``num_classes`` or not an integer, or ``num_classes``
            is neither 1 or more nor -1.

    >>> one_hot([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    array = np.asanyarray(input._value if isinstance(input, Tensor) else input)
    if array.dtype.kind not in "iu":
        raise ValueError(
            f"one_hot: indices of {array.dtype} were given; convert: indices.astype(int)"
        )
    check("one_hot", num_classes=num_classes)
    if num_classes == -1:
        if not array.size:
            raise ValueError(
                "one_hot: no index to take the number of classes from; give num_classes"
            )
        num_classes = int(array.max()) + 1
    if array.size and (array.min() < 0 or array.max() >= num_classes):
        wrong = array[(array < 0) | (array >= num_classes)].flat[0]
        raise ValueError(f"one_hot: index {wrong} has no place among {num_classes} classes")
    rows: np.ndarray[Any, Any] = np.equal(array[..., None], np.arange(num_classes)).astype(dtype)
    return rows


# PyTorch's names that do not exist here, and what to use instead.
INSTEAD = {
    "log_sigmoid": "nn.functional.logsigmoid",
    "dropout1d": "nn.functional.dropout",
    "silu": "x * mr.sigmoid(x)",
    "elu": "mr.where",
    "pad": "mr.pad",
    "normalize": "x / mr.sqrt((x * x).sum(-1, True))",
    "gelu": "nn.functional.relu",
    "max_pool1d": "nn.functional.max_pool2d on (..., 1, L)",
    "avg_pool2d": "nn.functional.max_pool2d or mr.mean",
    "multi_head_attention_forward": "nn.functional.scaled_dot_product_attention",
    "cosine_similarity": "mr.einsum",
}
if not TYPE_CHECKING:  # so that a type checker reports names that do not exist
    __getattr__ = no_such_name("nn.functional", __all__, INSTEAD)
