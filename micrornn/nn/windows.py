"""Windows of an image: every patch under a filter as a row (im2col), and the transpose (col2im).

Two linear primitives, each the other's transpose, so each is the other's backward. With them a convolution is
a matrix product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.primitive import Operation, primitive, sample
from micrornn.core.tensor import Data, Tensor
from micrornn.options import is_integer

Pair = tuple[int, int]
Array = np.ndarray[Any, Any]


def out_size(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """The number of positions of a window along an axis.

    >>> out_size(28, 3, 2, 1)
    14
    """
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def as_pair(owner: str, name: str, value: Any, least: int, axes: int = 2) -> Any:
    """An option with one number per axis, from one number for all of them, or one for each.

    Raises:
        ValueError: it is neither, or a number is not an integer or too small.

    >>> as_pair("conv2d", "stride", 2, 1)
    (2, 2)
    """
    values = (value,) * axes if is_integer(value) else value
    fits = isinstance(values, (tuple, list)) and len(values) == axes
    if not fits or any(not is_integer(n) or n < least for n in values):
        many = ", or two: down, across" if axes == 2 else ""
        raise ValueError(f"{owner}: {name}={value!r}; give an integer from {least} up{many}")
    return tuple(int(n) for n in values)


def fitted(
    function: str, x: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any
) -> dict[str, Pair]:
    """The options of `windows` for an image (..., H, W): size, kernel, stride, padding, dilation.

    Raises:
        ValueError: an option has an invalid value, or the window does not fit into the image.
    """
    kernel = as_pair(function, "kernel_size", kernel_size, 1)
    about: dict[str, Pair] = {"size": (x.shape[-2], x.shape[-1]), "kernel": kernel}
    about["stride"] = as_pair(function, "stride", stride, 1)
    about["padding"] = as_pair(function, "padding", padding, 0)
    about["dilation"] = as_pair(function, "dilation", dilation, 1)
    if min(out_size(n, k, s, p, d) for n, k, s, p, d in zip(*about.values())) < 1:
        raise ValueError(
            f"{function}: a window of {kernel}, dilation {about['dilation']}, does not fit into an image of "
            f"{about['size']} with padding {about['padding']}; give a smaller window or more padding"
        )
    return about


def _places(
    shape: tuple[int, ...], kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> tuple[Pair, list[tuple[int, int, slice, slice]]]:
    """The numbers of positions, and the slice of the padded image for each element of the window."""
    rows, columns = (
        out_size(n, k, s, p, d)
        for n, k, s, p, d in zip(shape[-2:], kernel, stride, padding, dilation)
    )
    return (rows, columns), [
        (
            i,
            j,
            slice(i * dilation[0], i * dilation[0] + stride[0] * rows, stride[0]),
            slice(j * dilation[1], j * dilation[1] + stride[1] * columns, stride[1]),
        )
        for i in range(kernel[0])
        for j in range(kernel[1])
    ]


def cut(
    x: Data, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair = (1, 1), fill: float = 0.0
) -> Array:
    """(N, C, H, W) to (N, H', W', C, k1, k2): the window at every position, ``fill`` outside of the image."""
    (rows, columns), places = _places(x.shape, kernel, stride, padding, dilation)
    (top, left), (batch, channels) = padding, x.shape[:2]
    if top or left:
        x = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)), constant_values=fill)
    parts = [x[:, :, down, across].transpose(0, 2, 3, 1) for _, _, down, across in places]
    out: Array = np.stack(parts, -1).reshape(batch, rows, columns, channels, *kernel)
    return out


def _windows_forward(
    x: Data, *, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> Data:
    seen = cut(x, kernel, stride, padding, dilation)
    return seen.reshape(*seen.shape[:3], -1)


def _fold_forward(
    y: Data, *, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> Data:
    top, left = padding
    parts = y.reshape(*y.shape[:3], -1, *kernel)
    shape = (len(y), parts.shape[3], size[0] + 2 * top, size[1] + 2 * left)
    whole = np.zeros(shape, y.dtype)
    for i, j, down, across in _places(size, kernel, stride, padding, dilation)[1]:
        whole[:, :, down, across] += parts[..., i, j].transpose(0, 3, 1, 2)
    return np.ascontiguousarray(whole[:, :, top : top + size[0], left : left + size[1]])


_ABOUT: dict[str, Any] = {"size": (5, 4), "kernel": (3, 2), "stride": (2, 1)}
_ABOUT |= {"padding": (1, 0), "dilation": (1, 2)}

windows: Operation = primitive(
    "windows",
    "every patch of x as a row",
    forward=_windows_forward,
    vjp=(lambda g, y, x, **about: fold(g, **about),),
    jvp=(lambda d, y, x, **about: windows(d, **about),),
    samples=(sample((2, 3, 5, 4), **_ABOUT),),
    doc="x (N, C, H, W), y (N, H', W', C k1 k2); params: size (H, W), kernel, stride, padding, dilation.",
)

fold: Operation = primitive(
    "fold",
    "patches added up where they came from",
    forward=_fold_forward,
    vjp=(lambda g, y, x, **about: windows(g, **about),),
    jvp=(lambda d, y, x, **about: fold(d, **about),),
    samples=(sample((2, 3, 2, 18), **_ABOUT),),
    doc="The transpose of `windows`: (N, H', W', C k1 k2) to (N, C, H, W).",
)
