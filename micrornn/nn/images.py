"""Images: Conv2d, which looks for the same thing everywhere, and MaxPool2d, which keeps the strongest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.init import Seed, as_generator, default_
from micrornn.nn.module import Module, Parameter
from micrornn.nn.sequence import as_float, as_input
from micrornn.nn.windows import Pair, cut, out_size, windows
from micrornn.ops.index import getitem
from micrornn.ops.product import linear
from micrornn.ops.shape import expand_dims, reshape, squeeze, transpose


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
) -> Tensor:
    """Each output is the product of a filter with the patch of the image under it (LeCun et al. 1989).

    Cross-correlation, as everywhere: the filter is not turned round.

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (O, C, k1, k2), one filter per output channel.
        bias: (O,) or None.
        stride: how far the filter moves.
        padding: how many zeros stand around the image.
        dilation: how far apart the filter's elements are.

    Returns:
        (N, O, H', W') or (O, H', W') with H' = (H + 2 padding - dilation (k1 - 1) - 1) // stride + 1.

    Raises:
        ValueError: a shape does not fit, or the filter is larger than the image.

    >>> import micrornn as mr
    >>> mr.nn.functional.conv2d(mr.tensor([[[1.0, 2.0, 4.0]]]), [[[[-1.0, 1.0]]]]).data
    array([[[1., 2.]]])
    """
    w = as_float(weight)
    x = as_float(input)
    if w.ndim != 4 or x.ndim not in (3, 4) or x.shape[-3] != w.shape[1]:
        raise ValueError(
            f"conv2d: input of shape {x.shape} and weight of shape {w.shape} were given; give (N, C, H, W) "
            "or (C, H, W), and (O, C, k1, k2)"
        )
    kernel: Pair = (w.shape[2], w.shape[3])
    about = _about("conv2d", x, kernel, stride, padding, dilation)
    single = x.ndim == 3
    seen = windows(expand_dims(x, 0) if single else x, **about)
    if seen.is_leaf:  # of data: what the graph begins with
        seen.name = x.name if x.name not in (None, "x") else "image"
    rows = reshape(w, (w.shape[0], math.prod(w.shape[1:])))
    y = linear(seen, rows) if bias is None else linear(seen, rows, bias)
    y = transpose(y, (0, 3, 1, 2))
    return squeeze(y, 0) if single else y


def max_pool2d(
    input: Any,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
) -> Tensor:
    """The largest element of each window; its gradient goes to that element alone.

    Of equal ones it is the first, row by row, as in PyTorch.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: the window's size.
        stride: how far it moves; by default its own size, so that windows do not overlap.
        padding: how far it may reach beyond the edge, where there is nothing to choose; at most half of it.

    Returns:
        (N, C, H', W') or (C, H', W').

    Raises:
        ValueError: a shape or an option does not fit.

    >>> import micrornn as mr
    >>> mr.nn.functional.max_pool2d(mr.tensor([[[1.0, 5.0, 2.0, 3.0]]]), (1, 2)).data
    array([[[5., 3.]]])
    """
    x = as_float(input)
    if x.ndim not in (3, 4):
        raise ValueError(
            f"max_pool2d: input of shape {x.shape} was given; give (N, C, H, W) or (C, H, W)"
        )
    kernel = _pair("max_pool2d", "kernel_size", kernel_size, 1)
    about = _about("max_pool2d", x, kernel, kernel if stride is None else stride, padding, 1)
    if any(2 * p > k for p, k in zip(about["padding"], kernel)):
        raise ValueError(
            f"max_pool2d: padding={padding!r} is more than half of kernel_size={kernel_size!r}; some "
            "windows would hold nothing"
        )
    shape = x.shape
    values = x._value.reshape(-1, shape[-3], *shape[-2:])
    numbers = np.arange(values[0, 0].size, dtype=float).reshape(1, 1, *shape[-2:])
    del about["size"]
    seen = cut(values, fill=-np.inf, **about)
    which = cut(numbers, fill=-1.0, **about)[:, :, :, 0].reshape(1, *seen.shape[1:3], -1)
    flat = seen.reshape(*seen.shape[:4], -1)
    flat = np.where(which[:, :, :, None] < 0, -np.inf, flat)
    best = np.argmax(flat, -1)  # the first of equal ones; nan counts as largest
    batch, rows, columns, channels = best.shape
    place = which[0, np.arange(rows)[:, None, None], np.arange(columns)[:, None], best]
    index = (
        np.arange(batch)[:, None, None, None],
        np.arange(channels)[:, None, None],
        place.astype(np.intp).transpose(0, 3, 1, 2),
    )
    y = getitem(reshape(x, (batch, channels, -1)), index=index)
    return squeeze(y, 0) if x.ndim == 3 else y


def _about(
    function: str, x: Tensor, kernel: Pair, stride: Any, padding: Any, dilation: Any
) -> dict[str, Any]:
    """The options as pairs, checked against the image."""
    about = {
        "size": (x.shape[-2], x.shape[-1]),
        "kernel": kernel,
        "stride": _pair(function, "stride", stride, 1),
        "padding": _pair(function, "padding", padding, 0),
        "dilation": _pair(function, "dilation", dilation, 1),
    }
    sizes = [
        out_size(n, k, s, p, d)
        for n, k, s, p, d in zip(*about.values())  # along H, along W
    ]
    if min(sizes) < 1:
        raise ValueError(
            f"{function}: a window of {kernel}, dilation {about['dilation']}, does not fit into an image of "
            f"{about['size']} with padding {about['padding']}; give a smaller window or more padding"
        )
    return about


def _pair(function: str, name: str, value: Any, least: int) -> Pair:
    pair = (value, value) if isinstance(value, (int, np.integer)) else tuple(value)
    if len(pair) != 2 or any(
        not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < least for n in pair
    ):
        raise ValueError(
            f"{function}: {name}={value!r}; give an integer from {least} up, or two: down, across"
        )
    return int(pair[0]), int(pair[1])


class Conv2d(Module):
    """`functional.conv2d` with its filters kept; in a scope named after the attribute (``conv2d``).

    Args:
        in_channels: C.
        out_channels: O, the number of filters.
        kernel_size: the filters' height and width, one number for both or two.
        stride, padding, dilation: one number or two; see `functional.conv2d`.
        bias: whether to add one number per filter.
        rng: a seed or a NumPy generator for the initial values, U(-k, k) with k = 1 / sqrt(C k1 k2).
        dtype: float64 by default.

    Parameters: weight (O, C, k1, k2), bias (O,). Called with x (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: a size or an option is wrong; when called, x does not fit.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.Conv2d(1, 4, 3, padding=1)(np.ones((2, 1, 8, 8))).shape
    (2, 4, 8, 8)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: int | Pair = 0,
        dilation: int | Pair = 1,
        bias: bool = True,
        *,
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        for name, size in (("in_channels", in_channels), ("out_channels", out_channels)):
            if size < 1:
                raise ValueError(f"Conv2d: {name}={size!r}; give an integer from 1 up")
        rng = None if rng is None else as_generator(rng)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = _pair("Conv2d", "kernel_size", kernel_size, 1)
        self.stride = _pair("Conv2d", "stride", stride, 1)
        self.padding = _pair("Conv2d", "padding", padding, 0)
        self.dilation = _pair("Conv2d", "dilation", dilation, 1)
        shape = (out_channels, in_channels, *self.kernel_size)
        fan = math.prod(shape[1:])
        self.weight = default_(Parameter(np.zeros(shape, dtype or np.float64)), fan, rng)
        self.bias = (
            default_(Parameter(np.zeros(out_channels, dtype or np.float64)), fan, rng)
            if bias
            else None
        )

    def forward(self, x: Any) -> Tensor:
        """(N, C, H, W) to (N, O, H', W'), or without N."""
        with scope(self._path[:-1] or "conv2d"):
            x = as_input(x, self.weight.dtype, "x")
            return conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation)

    def extra_repr(self) -> str:
        """Its sizes, and what is not the default."""
        usual = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
        changed = [f"{k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v]
        changed += [] if self.bias is not None else ["bias=False"]
        sizes = [str(self.in_channels), str(self.out_channels), f"kernel_size={self.kernel_size}"]
        return ", ".join(sizes + changed)


class MaxPool2d(Module):
    """`functional.max_pool2d` with its options kept; in a scope named after the attribute (``max_pool2d``).

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.MaxPool2d(2)(np.ones((2, 4, 8, 8))).shape
    (2, 4, 4, 4)
    """

    def __init__(
        self,
        kernel_size: int | Pair,
        stride: int | Pair | None = None,
        padding: int | Pair = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = _pair("MaxPool2d", "kernel_size", kernel_size, 1)
        self.stride = _pair(
            "MaxPool2d", "stride", self.kernel_size if stride is None else stride, 1
        )
        self.padding = _pair("MaxPool2d", "padding", padding, 0)

    def forward(self, x: Any) -> Tensor:
        """(N, C, H, W) to (N, C, H', W'), or without N."""
        with scope(self._path[:-1] or "max_pool2d"):
            return max_pool2d(x, self.kernel_size, self.stride, self.padding)

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
