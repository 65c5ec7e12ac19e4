"""LayerNorm: each vector shifted and scaled to mean 0 and variance 1, then to what is learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.module import Module, Parameter
from micrornn.nn.sequence import as_float
from micrornn.ops.elementwise import sqrt
from micrornn.ops.reduce import mean


def layer_norm(
    input: Any,
    normalized_shape: int | Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes (Ba, Kiros & Hinton 2016, eq. 4).

    The variance is divided by n, not by n - 1.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the lengths of the last axes, over which mean and variance are taken.
        weight, bias: of that shape, or None.
        eps: keeps a constant vector from a division by zero.

    Raises:
        ValueError: the input does not end in ``normalized_shape``.

    >>> import micrornn as mr
    >>> mr.nn.functional.layer_norm(mr.tensor([1.0, 3.0]), 2, eps=0.0).data
    array([-1.,  1.])
    """
    shape = _shape(normalized_shape)
    x = as_float(input)
    if x.shape[-len(shape) :] != shape:
        raise ValueError(
            f"layer_norm: input of shape {x.shape} was given, (..., {', '.join(map(str, shape))}) expected, "
            f"by normalized_shape={shape}"
        )
    axes = tuple(range(-len(shape), 0))
    centred = x - mean(x, axes, True)
    y = centred / sqrt(mean(centred * centred, axes, True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _shape(given: int | Sequence[int]) -> tuple[int, ...]:
    shape = (given,) if isinstance(given, int) else tuple(given)
    if not shape or any(n < 1 for n in shape):
        raise ValueError(f"LayerNorm: normalized_shape={given!r}; give lengths from 1 up")
    return shape


class LayerNorm(Module):
    """`functional.layer_norm` with what it has learnt; in a scope named after the attribute (``layer_norm``).

    Args:
        normalized_shape: the lengths of the last axes.
        eps: added to the variance.
        elementwise_affine: whether to learn a weight and a bias.
        bias: whether to learn the bias.
        dtype: float64 by default.

    Parameters: weight (1 at first) and bias (0 at first), both of ``normalized_shape``.

    Raises:
        ValueError: a length is below 1; when called, x does not fit.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> abs(nn.LayerNorm(4)(np.arange(8.0).reshape(2, 4)).data.mean(-1)).max() < 1e-12
    np.True_
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.weight = self.bias = None
        if elementwise_affine:
            self.weight = Parameter(np.ones(self.normalized_shape, dtype or np.float64))
            if bias:
                self.bias = Parameter(np.zeros(self.normalized_shape, dtype or np.float64))

    def forward(self, x: Any) -> Tensor:
        """x (..., *normalized_shape), normalised."""
        with scope(self._path[:-1] or "layer_norm"):
            return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """What it normalises."""
        return f"{self.normalized_shape}, eps={self.eps}"
