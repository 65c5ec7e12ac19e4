"""Max pooling: of each window of an image, the largest element."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.nn.module import Module
from micrornn.nn.sequence import as_float
from micrornn.nn.windows import Pair, as_pair, cut, fitted
from micrornn.ops.index import getitem
from micrornn.ops.shape import reshape, squeeze
from micrornn.options import check


def max_pool2d(
    input: Any,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window; its gradient goes to that element alone.

    Of equal ones it is the first, row by row, as in PyTorch.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: the window's size.
        stride: the step between windows; by default their size, so that they do not overlap.
        padding: how far windows reach beyond the edge, where no element is chosen; at most half their size.
        dilation: the distance between a window's elements.
        ceil_mode: whether to keep a last window that reaches beyond the end.
        return_indices: whether to return the index of each element in its image, counted row by row.

    Returns:
        (N, C, H', W') or (C, H', W'); with ``return_indices``, that and integers of the same shape.

    Raises:
        ValueError: a shape or an option does not fit.

    >>> import micrornn as mr
    >>> mr.nn.functional.max_pool2d(mr.tensor([[[1.0, 5.0, 2.0, 3.0]]]), (1, 2)).data
    array([[[5., 3.]]])
    """
    check("max_pool2d", ceil_mode=ceil_mode, return_indices=return_indices)
    x = as_float(input)
    if x.ndim not in (3, 4):
        raise ValueError(
            f"max_pool2d: input of shape {x.shape} was given; give (N, C, H, W) or (C, H, W)"
        )
    stride = kernel_size if stride is None else stride
    about = fitted("max_pool2d", x, kernel_size, stride, padding, dilation)
    if any(2 * p > k for p, k in zip(about["padding"], about["kernel"])):
        raise ValueError(
            f"max_pool2d: padding={padding!r} is more than half of kernel_size={kernel_size!r}; some "
            "windows would be empty"
        )
    shape, size = x.shape, about["size"]
    values = x._value.reshape(-1, shape[-3], *size)
    numbers = np.arange(size[0] * size[1], dtype=float).reshape(1, 1, *size)
    if ceil_mode:
        more = [_beyond(*along) for along in zip(*about.values())]
        beyond = [(0, 0), (0, 0), *[(0, n) for n in more]]
        values = np.pad(values, beyond, constant_values=-np.inf)
        numbers = np.pad(numbers, beyond, constant_values=-1.0)
    del about["size"]
    seen = cut(values, fill=-np.inf, **about)
    which = cut(numbers, fill=-1.0, **about)[:, :, :, 0].reshape(1, *seen.shape[1:3], -1)
    flat = seen.reshape(*seen.shape[:4], -1)
    outside = which[:, :, :, None] < 0
    flat = np.where(outside, -np.inf, flat)
    best = np.argmax(flat, -1)  # the first of equal ones; nan counts as largest
    if outside.any():  # where all that can be chosen is -inf, so is what cannot
        first = np.argmax(~np.broadcast_to(outside, flat.shape), -1)
        best = np.where(np.isneginf(flat.max(-1)), first, best)
    batch, rows, columns, channels = best.shape
    place = which[0, np.arange(rows)[:, None, None], np.arange(columns)[:, None], best]
    place = place.astype(np.intp).transpose(0, 3, 1, 2)
    index = (np.arange(batch)[:, None, None, None], np.arange(channels)[:, None, None], place)
    y = getitem(reshape(x, (batch, channels, -1)), index=index)
    if x.ndim == 3:
        y, place = squeeze(y, 0), place[0]
    return (y, place) if return_indices else y


def _beyond(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How far the last window reaches beyond the end, if it begins before it."""
    length = dilation * (kernel - 1) + 1
    last = -(-(size + 2 * padding - length) // stride) * stride  # where a last window would begin
    if last >= size + padding:
        last -= stride
    return max(0, last + length - (size + 2 * padding))


class MaxPool2d(Module):
    """`functional.max_pool2d` as a module, in a scope named after the attribute (``max_pool2d``).

    Args: as `functional.max_pool2d`.

    Raises:
        ValueError: an option has an invalid value; when called, x does not fit.

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
        dilation: int | Pair = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        check("MaxPool2d", return_indices=return_indices, ceil_mode=ceil_mode)
        self.kernel_size = as_pair("MaxPool2d", "kernel_size", kernel_size, 1)
        stride = self.kernel_size if stride is None else stride
        self.stride = as_pair("MaxPool2d", "stride", stride, 1)
        self.padding = as_pair("MaxPool2d", "padding", padding, 0)
        self.dilation = as_pair("MaxPool2d", "dilation", dilation, 1)
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) to (N, C, H', W'), or without N."""
        window = (self.kernel_size, self.stride, self.padding, self.dilation)
        with scope(self._path[:-1] or "max_pool2d"):
            return max_pool2d(input, *window, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        """The window."""
        dilation = f", dilation={self.dilation}" if self.dilation != (1, 1) else ""
        ceil_mode = ", ceil_mode=True" if self.ceil_mode else ""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
            f"{dilation}{ceil_mode}"
        )
