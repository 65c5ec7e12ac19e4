"""PyTorch's dispatched operations for layers and losses, written with those of `micrornn.nn`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn import ops
from micrornn.nn import functional as F
from micrornn.torch.operations import rule

_REDUCTIONS = ("none", "mean", "sum")


@rule("embedding")
def _embedding(weight: Any, indices: Any, padding: int = -1, *_: Any) -> Any:
    found = weight[np.asarray(indices)]
    if padding < 0:
        return found
    # The rows of the padding stand in the output and send nothing back.
    real = (np.asarray(indices) != padding)[..., None]
    return ops.where(real, found, ops.detach(found))


@rule("native_layer_norm")
def _layer_norm(x: Any, shape: Sequence[int], weight: Any, bias: Any, eps: float) -> Any:
    return F.layer_norm(x, tuple(shape), weight, bias, eps), None, None


@rule("convolution")
def _convolution(
    x: Any,
    weight: Any,
    bias: Any,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Any:
    if transposed or x.ndim not in (3, 4):
        raise NotImplementedError
    if x.ndim == 3:
        return F.conv1d(x, weight, bias, stride[0], padding[0], dilation[0], groups)
    pairs: list[Any] = [tuple(stride), tuple(padding), tuple(dilation)]
    return F.conv2d(x, weight, bias, pairs[0], pairs[1], pairs[2], groups)


@rule("nll_loss_forward", "nll_loss2d_forward")
def _nll(logp: Any, target: Any, weight: Any, reduction: int, ignore: int) -> Any:
    return F.nll_loss(
        logp,
        np.asarray(target),
        weight=weight,
        ignore_index=ignore,
        reduction=_REDUCTIONS[reduction],
    ), None


@rule("mse_loss")
def _mse(x: Any, y: Any, reduction: int = 1) -> Any:
    return F.mse_loss(x, y, reduction=_REDUCTIONS[reduction])


@rule("binary_cross_entropy")
def _bce(p: Any, y: Any, weight: Any = None, reduction: int = 1) -> Any:
    return F.binary_cross_entropy(p, y, weight=weight, reduction=_REDUCTIONS[reduction])


@rule("binary_cross_entropy_with_logits")
def _bce_logits(
    x: Any, y: Any, weight: Any = None, pos_weight: Any = None, reduction: int = 1
) -> Any:
    if weight is not None or pos_weight is not None:
        raise NotImplementedError
    return F.binary_cross_entropy_with_logits(x, y, reduction=_REDUCTIONS[reduction])


@rule("smooth_l1_loss")
def _smooth_l1(x: Any, y: Any, reduction: int = 1, beta: float = 1.0) -> Any:
    return F.smooth_l1_loss(x, y, reduction=_REDUCTIONS[reduction], beta=beta)


@rule("huber_loss")
def _huber(x: Any, y: Any, reduction: int = 1, delta: float = 1.0) -> Any:
    return F.huber_loss(x, y, reduction=_REDUCTIONS[reduction], delta=delta)


@rule("_scaled_dot_product_flash_attention_for_cpu")
def _attention(
    q: Any,
    k: Any,
    v: Any,
    dropout: float = 0.0,
    causal: bool = False,
    attn_mask: Any = None,
    scale: Any = None,
) -> Any:
    if dropout:
        raise NotImplementedError
    factor = q.shape[-1] ** -0.5 if scale is None else scale
    scores = ops.mul(ops.matmul(q, ops.swapaxes(k, -1, -2)), float(factor))
    if causal:
        hidden = ~np.tri(q.shape[-2], k.shape[-2], dtype=bool)
        scores = ops.where(hidden, -np.inf, scores)
    if attn_mask is not None:
        scores = ops.add(scores, attn_mask)
    weights = ops.softmax(scores, -1)
    weights.name = "attention"
    return ops.matmul(weights, v), None
