"""Convolutions: the same filters at every position of a sequence (1d) or an image (2d)."""

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
from micrornn.nn.sequence import as_float, as_input
from micrornn.nn.windows import Pair, as_pair, fitted, windows
from micrornn.ops.join import pad
from micrornn.ops.product import einsum, linear
from micrornn.ops.shape import expand_dims, reshape, squeeze, transpose
from micrornn.options import check


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Pair = 1,
    padding: int | Pair | str = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Each output is the product of a filter with the patch of the image under it (LeCun et al. 1989).

    As in other libraries it is a cross-correlation: the filter is not flipped.

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (O, C / groups, k1, k2), one filter per output channel.
        bias: (O,) or None.
        stride: the step between positions of the filter.
        padding: the number of zeros on each side; ``"valid"`` for none, ``"same"`` for an output of the
            input's size, with stride 1.
        dilation: the distance between the filter's elements.
        groups: the number of groups of channels; each group of outputs reads one group of inputs.

    Returns:
        (N, O, H', W') or (O, H', W') with H' = (H + 2 padding - dilation (k1 - 1) - 1) // stride + 1.

    Raises:
        ValueError: a shape or an option does not fit, or the filter is larger than the image.

    >>> import micrornn as mr
    >>> mr.nn.functional.conv2d(mr.tensor([[[1.0, 2.0, 4.0]]]), [[[[-1.0, 1.0]]]]).data
    array([[[1., 2.]]])
    """
    return _convolved("conv2d", input, weight, bias, stride, padding, dilation, groups)


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int] = 1,
    padding: int | tuple[int] | str = 0,
    dilation: int | tuple[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Each output is the product of a filter with the stretch of the sequence under it.

    Args:
        input: (N, C, L) or (C, L): time is the last axis.
        weight: (O, C / groups, k), one filter per output channel.
        bias, stride, padding, dilation, groups: as `conv2d`.

    Returns:
        (N, O, L') or (O, L') with L' = (L + 2 padding - dilation (k - 1) - 1) // stride + 1.

    Raises:
        ValueError: a shape or an option does not fit, or the filter is longer than the sequence.

    >>> import micrornn as mr
    >>> mr.nn.functional.conv1d(mr.tensor([[1.0, 2.0, 4.0]]), [[[-1.0, 1.0]]]).data
    array([[1., 2.]])
    """
    x, w = as_float(input), as_float(weight)
    if x.ndim not in (2, 3) or w.ndim != 3:
        raise ValueError(
            f"conv1d: input of shape {x.shape} and weight of shape {w.shape} were given; give (N, C, L) or "
            "(C, L), and (O, C / groups, k)"
        )
    x, w = expand_dims(x, -2), expand_dims(w, -2)  # an image one row high
    steps = (1, *as_pair("conv1d", "stride", stride, 1, axes=1))
    gaps = (1, *as_pair("conv1d", "dilation", dilation, 1, axes=1))
    sides: Any = padding
    if not isinstance(padding, str):
        sides = (0, *as_pair("conv1d", "padding", padding, 0, axes=1))
    return squeeze(_convolved("conv1d", x, w, bias, steps, sides, gaps, groups), -2)


def _convolved(
    function: str,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    check(function, groups=groups)
    x, w = as_float(input), as_float(weight)
    if w.ndim != 4 or x.ndim not in (3, 4):
        raise ValueError(
            f"{function}: input of shape {x.shape} and weight of shape {w.shape} were given; give "
            "(N, C, H, W) or (C, H, W), and (O, C / groups, k1, k2)"
        )
    channels, (out, per_group), kernel = x.shape[-3], w.shape[:2], (w.shape[2], w.shape[3])
    if channels != per_group * groups or out % groups:
        raise ValueError(
            f"{function}: input of shape {x.shape} and weight of shape {w.shape} with groups={groups}; give "
            "(N, C, ...) and (O, C / groups, ...), C and O multiples of groups"
        )
    b = None if bias is None else as_float(bias)
    if b is not None and b.shape != (out,):
        raise ValueError(f"{function}: bias of shape {b.shape} was given, ({out},) expected")
    stride, dilation = (
        as_pair(function, "stride", stride, 1),
        as_pair(function, "dilation", dilation, 1),
    )
    x, padding = _padded(function, x, kernel, stride, padding, dilation)
    about = fitted(function, x, kernel, stride, padding, dilation)
    single = x.ndim == 3
    seen = windows(expand_dims(x, 0) if single else x, **about)
    if seen.is_leaf:  # of data: what the graph begins with
        seen.name = (
            x.name if x.name not in (None, "x") else "image" if function == "conv2d" else "x"
        )
    if groups == 1:
        rows = reshape(w, (out, math.prod(w.shape[1:])))
        y = linear(seen, rows) if b is None else linear(seen, rows, b)
    else:  # g: group, i: place in the window, o: output channel of the group
        parts = reshape(seen, (*seen.shape[:3], groups, math.prod(w.shape[1:])))
        rows = reshape(w, (groups, out // groups, math.prod(w.shape[1:])))
        y = reshape(einsum("nhwgi,goi->nhwgo", parts, rows), (*seen.shape[:3], out))
        y = y if b is None else y + b
    y = transpose(y, (0, 3, 1, 2))
    return squeeze(y, 0) if single else y


def _padded(
    function: str, x: Tensor, kernel: Pair, stride: Pair, padding: Any, dilation: Pair
) -> tuple[Tensor, Pair]:
    """The image and its padding; where the two sides differ, the image is padded here."""
    if not isinstance(padding, str):
        return x, as_pair(function, "padding", padding, 0)
    check(function, padding=padding)
    if padding == "valid":
        return x, (0, 0)
    if stride != (1, 1):
        raise ValueError(f"{function}: padding='same' needs stride 1, not {stride}; give a number")
    whole = [d * (k - 1) for k, d in zip(kernel, dilation)]
    sides = [(n // 2, n - n // 2) for n in whole]  # an odd one at the end, as in PyTorch
    if all(before == after for before, after in sides):
        return x, (sides[0][0], sides[1][0])
    return pad(x, [(0, 0)] * (x.ndim - 2) + sides), (0, 0)


class _Convolution(Module):
    """The filters and options of `Conv1d` and `Conv2d`."""

    axes: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        check(kind, in_channels=in_channels, out_channels=out_channels, groups=groups)
        check(kind, bias=bias, padding_mode=padding_mode)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{kind}: groups={groups} does not divide {in_channels} and {out_channels} channels; give a "
                "divisor of both"
            )
        rng = None if rng is None else as_generator(rng)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.padding_mode = padding_mode
        self.kernel_size = self._per_axis("kernel_size", kernel_size, 1)
        self.stride = self._per_axis("stride", stride, 1)
        self.dilation = self._per_axis("dilation", dilation, 1)
        if isinstance(padding, str):
            check(kind, padding=padding)
            self.padding: Any = padding
        else:
            self.padding = self._per_axis("padding", padding, 0)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        fan = math.prod(shape[1:])
        dtype = dtype or np.float64
        self.weight = default_(Parameter(np.zeros(shape, dtype)), fan, rng)
        self.bias = default_(Parameter(np.zeros(out_channels, dtype)), fan, rng) if bias else None

    def _per_axis(self, name: str, value: Any, least: int) -> tuple[int, ...]:
        numbers: tuple[int, ...] = as_pair(type(self).__name__, name, value, least, self.axes)
        return numbers

    def forward(self, input: Any) -> Tensor:
        """The input, convolved; see the class."""
        function: Any = conv1d if self.axes == 1 else conv2d
        with scope(self._path[:-1] or type(self).__name__.lower()):
            x = as_input(input, self.weight.dtype, "x")
            options = (self.stride, self.padding, self.dilation, self.groups)
            y: Tensor = function(x, self.weight, self.bias, *options)
        return y

    def extra_repr(self) -> str:
        """Its sizes, and what is not the default."""
        ones, zeros = (1,) * self.axes, (0,) * self.axes
        usual = {"stride": ones, "padding": zeros, "dilation": ones, "groups": 1}
        changed = [f"{k}={getattr(self, k)!r}" for k, v in usual.items() if getattr(self, k) != v]
        changed += [] if self.bias is not None else ["bias=False"]
        sizes = [str(self.in_channels), str(self.out_channels), f"kernel_size={self.kernel_size}"]
        return ", ".join(sizes + changed)


class Conv2d(_Convolution):
    """`functional.conv2d` with learned filters, in a scope named after the attribute (``conv2d``).

    Args:
        in_channels: C.
        out_channels: O, the number of filters.
        kernel_size: the filters' height and width, one number for both or two.
        stride, padding, dilation, groups: see `functional.conv2d`.
        bias: whether to add one number per filter.
        padding_mode: ``"zeros"``, the only one here.
        rng: a seed or a NumPy generator for the initial values, U(-k, k) with k = 1 / sqrt(C k1 k2 / groups).
        dtype: float64 by default.

    Parameters: weight (O, C / groups, k1, k2), bias (O,). Called with x (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: a size or an option is wrong; when called, x does not fit.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.Conv2d(1, 4, 3, padding=1)(np.ones((2, 1, 8, 8))).shape
    (2, 4, 8, 8)
    """

    axes = 2


class Conv1d(_Convolution):
    """`functional.conv1d` with learned filters, in a scope named after the attribute (``conv1d``).

    Args: as `Conv2d`, with one number for each of kernel_size, stride, padding and dilation.

    Parameters: weight (O, C / groups, k), bias (O,). Called with x (N, C, L) or (C, L): a batch-first
    sequence (N, L, C) is ``swapaxes(1, 2)`` away.

    Raises:
        ValueError: a size or an option is wrong; when called, x does not fit.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.Conv1d(3, 4, 5, padding="same")(np.ones((2, 3, 9))).shape
    (2, 4, 9)
    """

    axes = 1
