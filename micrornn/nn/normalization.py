"""Normalization to mean 0 and variance 1 with a learned scale and shift: of a vector, or over a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.module import Module
from micrornn.nn.registry import Parameter
from micrornn.nn.sequence import as_float
from micrornn.ops.elementwise import sqrt
from micrornn.ops.reduce import mean
from micrornn.ops.shape import reshape
from micrornn.options import SIZE, check, is_integer


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
        eps: added to the variance, so that a constant vector causes no division by zero.

    Raises:
        ValueError: the input does not end in ``normalized_shape``, weight or bias has another shape, or eps
            is negative.

    >>> import micrornn as mr
    >>> mr.nn.functional.layer_norm(mr.tensor([1.0, 3.0]), 2, eps=0.0).data
    array([-1.,  1.])
    """
    shape = _shape(normalized_shape)
    check("layer_norm", eps=eps)
    x = as_float(input)
    if x.shape[-len(shape) :] != shape:
        raise ValueError(
            f"layer_norm: input of shape {x.shape} was given, (..., {', '.join(map(str, shape))}) expected, "
            f"by normalized_shape={shape}"
        )
    axes = tuple(range(-len(shape), 0))
    centered = x - mean(x, axes, True)
    y = centered / sqrt(mean(centered * centered, axes, True) + float(eps))
    return _affine("layer_norm", y, weight, bias, shape)


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each feature (Ioffe & Szegedy 2015, alg. 1 and 2).

    Args:
        input: (B, C) or (B, C, ...), C features.
        running_mean, running_var: (C,), or both None. In training they are tensors that are updated: the old
            values times 1 - momentum plus the batch's times momentum, with the variance divided by n - 1.
            Else they take the place of the batch's.
        weight, bias: (C,), or None.
        training: whether mean and variance are the batch's, the variance divided by n.
        momentum: the weight of the batch in the running values.
        eps: added to the variance, so that a constant feature causes no division by zero.

    Raises:
        TypeError: running values to update are not tensors.
        ValueError: a shape or an option does not fit, or a batch in training has one value per feature.

    >>> import micrornn as mr
    >>> mr.nn.functional.batch_norm([[1.0], [3.0]], None, None, training=True, eps=0.0).data
    array([[-1.],
           [ 1.]])
    """
    check("batch_norm", training=training, momentum=momentum, eps=eps)
    x = as_float(input)
    if x.ndim < 2:
        raise ValueError(
            f"batch_norm: input of shape {x.shape} was given; give (B, C) or (B, C, ...)"
        )
    features = (x.shape[1],)
    if (running_mean is None) is not (running_var is None) or not (
        training or running_mean is not None
    ):
        raise ValueError(
            "batch_norm: give running_mean and running_var, or, in training, None for both"
        )
    for name, running in (("running_mean", running_mean), ("running_var", running_var)):
        if running is not None and np.shape(getattr(running, "_value", running)) != features:
            raise ValueError(f"batch_norm: {name} of another shape than {features} was given")
    around = (1, -1, *[1] * (x.ndim - 2))
    if training:
        count = x.size // features[0]
        if count < 2:
            raise ValueError(
                f"batch_norm: input of shape {x.shape} has one value per feature, and no variance; give a "
                "larger batch, or call eval() first"
            )
        axes = (0, *range(2, x.ndim))
        middle = mean(x, axes, True)
        centered = x - middle
        var = mean(centered * centered, axes, True)
        share = 0.0 if momentum is None else float(momentum)
        _run(running_mean, middle._value.ravel(), share)
        _run(running_var, var._value.ravel() * (count / (count - 1)), share)
    else:
        centered = x - reshape(as_float(running_mean), around)
        var = reshape(as_float(running_var), around)
    y = centered / sqrt(var + float(eps))
    return _affine("batch_norm", y, weight, bias, features, around)


def _run(running: Any, batch: Any, share: float) -> None:
    if running is None:
        return
    if not isinstance(running, Tensor):
        raise TypeError(
            f"batch_norm: running values of type {type(running).__name__} cannot be updated; give "
            "tensors, such as the buffers of a module"
        )
    running.data = ((1.0 - share) * running.data + share * batch).astype(running.dtype)


def _affine(
    function: str, y: Tensor, weight: Any, bias: Any, shape: tuple[int, ...], around: Any = None
) -> Tensor:
    """y * weight + bias, each of a shape, or None."""
    for name, given in (("weight", weight), ("bias", bias)):
        if given is None:
            continue
        if np.shape(getattr(given, "_value", given)) != shape:
            found = np.shape(getattr(given, "_value", given))
            raise ValueError(f"{function}: {name} of shape {found} was given, {shape} expected")
        given = given if around is None else reshape(as_float(given), around)
        y = y * given if name == "weight" else y + given
    return y


def _shape(given: int | Sequence[int]) -> tuple[int, ...]:
    shape = (
        (given,) if is_integer(given) else tuple(given) if isinstance(given, (tuple, list)) else ()
    )
    if not shape or not all(SIZE.holds(n) for n in shape):
        raise ValueError(f"LayerNorm: normalized_shape={given!r}; give lengths from 1 up")
    return shape


class LayerNorm(Module):
    """`functional.layer_norm` with learned weights, in a scope named after the attribute (``layer_norm``).

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
        check("LayerNorm", eps=eps, elementwise_affine=elementwise_affine, bias=bias)
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.weight = self.bias = None
        if elementwise_affine:
            self.weight = Parameter(np.ones(self.normalized_shape, dtype or np.float64))
            if bias:
                self.bias = Parameter(np.zeros(self.normalized_shape, dtype or np.float64))

    def forward(self, input: Any) -> Tensor:
        """input (..., *normalized_shape), normalized."""
        with scope(self._path[:-1] or "layer_norm"):
            return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """What it normalizes."""
        return f"{self.normalized_shape}, eps={self.eps}"


class BatchNorm1d(Module):
    """`functional.batch_norm` with learned weights and running values, in a scope named after the attribute.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: the weight of a batch in the running values; None takes the mean over all batches.
        affine: whether to learn a weight and a bias.
        track_running_stats: whether to keep running values; if not, the batch's are used in `eval` too.
        dtype: float64 by default.

    Parameters: weight (1 at first) and bias (0 at first), (C,). Buffers: running_mean (0 at first) and
    running_var (1 at first), (C,), and num_batches_tracked. Called with (B, C) or (B, C, L).

    Raises:
        ValueError: an option has an invalid value; when called, x does not fit.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> norm = nn.BatchNorm1d(2)
    >>> norm(np.array([[0.0, 1.0], [2.0, 5.0]])).data.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> norm.running_mean.data
    array([0.1, 0.3])
    """

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check("BatchNorm1d", num_features=num_features, eps=eps, momentum=momentum, affine=affine)
        check("BatchNorm1d", track_running_stats=track_running_stats)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        ones = np.ones(num_features, dtype or np.float64)
        self.weight = Parameter(ones) if affine else None
        self.bias = Parameter(0.0 * ones) if affine else None
        kept = (0.0 * ones, ones, np.array(0)) if track_running_stats else (None, None, None)
        for name, value in zip(("running_mean", "running_var", "num_batches_tracked"), kept):
            self.register_buffer(name, value)

    def forward(self, input: Any) -> Tensor:
        """input (B, C) or (B, C, L), normalized by its own batch in training, else by the running values."""
        shape = np.shape(getattr(input, "_value", input))
        if len(shape) not in (2, 3) or shape[1] != self.num_features:
            raise ValueError(
                f"BatchNorm1d: input of shape {shape} was given, (B, {self.num_features}) or "
                f"(B, {self.num_features}, L) expected"
            )
        momentum = self.momentum
        if self.training and self.num_batches_tracked is not None:
            seen = int(self.num_batches_tracked.item()) + 1
            momentum = 1.0 / seen if momentum is None else momentum
        with scope(self._path[:-1] or "batch_norm"):
            own_batch = self.training or self.running_mean is None
            options = (self.weight, self.bias, own_batch, momentum, self.eps)
            y = batch_norm(input, self.running_mean, self.running_var, *options)
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.data = np.array(seen)
        return y

    def extra_repr(self) -> str:
        """What it normalizes."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
