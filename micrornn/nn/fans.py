"""The fans of a weight and the gain of an activation, which set the scale of initial values."""

from __future__ import annotations

import math
from typing import Any

from micrornn.core.tensor import Tensor
from micrornn.options import check, is_integer

# The gain that keeps the scale of a signal through an activation, by PyTorch's names (He et al. 2015).
GAINS = {
    **dict.fromkeys(("linear", "sigmoid", "conv1d", "conv2d"), 1.0),
    **{"tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "selu": 0.75},
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on the weights that keeps the scale of a signal through an activation.

    Args:
        nonlinearity: ``"linear"``, ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"`` or ``"selu"``.
        param: the slope of ``"leaky_relu"``, 0.01 by default.

    Raises:
        ValueError: there is no such activation, or the slope is not a finite number.

    >>> calculate_gain("tanh")
    1.6667
    """
    if nonlinearity == "leaky_relu":
        check("calculate_gain", param=param)
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity not in GAINS:
        known = ", ".join(map(repr, [*GAINS, "leaky_relu"]))
        raise ValueError(f"nonlinearity={nonlinearity!r}; give one of {known}")
    return GAINS[nonlinearity]


def kaiming_scale(
    tensor: Tensor, a: float, mode: str, nonlinearity: str, blocks: int, function: str
) -> float:
    """gain / sqrt(fan), the standard deviation of He et al. (2015, eq. 10)."""
    check(function, a=a, mode=mode)
    fan_in, fan_out = fans(tensor, blocks, function)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode == "fan_in" else fan_out)


def fans(tensor: Tensor, blocks: int, function: str) -> tuple[int, int]:
    """The number of inputs of each output of a block, and the number of outputs of each input."""
    rows, columns = block_shape(tensor, blocks, function)
    places = math.prod(tensor.shape[2:])  # of a filter
    if not rows * columns:
        raise ValueError(f"{function}: a tensor of shape {tensor.shape} has no elements")
    return columns, rows * places


def block_shape(
    tensor: Tensor, blocks: int, function: str, axes: int | None = None
) -> tuple[int, int]:
    """Rows and columns of each block; all axes but the first are columns."""
    check_tensor(function, tensor)
    if tensor.ndim < 2 or (axes and tensor.ndim != axes):
        raise ValueError(
            f"{function} fills matrices, and this tensor has shape {tensor.shape}; for biases use "
            "zeros_, constant_ or uniform_"
        )
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    if not is_integer(blocks) or blocks < 1 or rows % blocks:
        raise ValueError(
            f"{function}: blocks={blocks!r} does not divide {rows} rows; give 4 for an LSTM's weights, 3 for "
            "a GRU's, 1 otherwise"
        )
    return rows // blocks, columns


def check_tensor(function: str, tensor: Any) -> None:
    """Raise a TypeError for anything but a tensor."""
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"{function} sets the values of a tensor, and was given {type(tensor).__name__}; give a "
            "parameter, such as module.weight"
        )
