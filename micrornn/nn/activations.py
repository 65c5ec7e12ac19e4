"""Activations and Flatten, each a function and a module."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn import ops
from micrornn.core.tensor import Tensor
from micrornn.nn.applied import Applied
from micrornn.nn.sequence import as_float
from micrornn.options import check


def tanh(input: Any) -> Tensor:
    """tanh of each element, between -1 and 1."""
    return ops.tanh(as_float(input))


def sigmoid(input: Any) -> Tensor:
    """1 / (1 + e^-x) of each element, between 0 and 1."""
    return ops.sigmoid(as_float(input))


def relu(input: Any, inplace: bool = False) -> Tensor:
    """max(x, 0) of each element; its derivative at 0 is 0.

    Raises:
        ValueError: ``inplace`` is not False: the graph keeps every value.
    """
    check("relu", inplace=inplace)
    return ops.relu(as_float(input))


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where it is positive, else ``negative_slope`` times x (Maas et al. 2013).

    Raises:
        ValueError: the slope is not a finite number, or ``inplace`` is not False.
    """
    check("leaky_relu", negative_slope=negative_slope, inplace=inplace)
    x = as_float(input)
    return ops.where(x > 0, x, x * float(negative_slope))


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^(beta x)) / beta of each element, a smooth ReLU; x itself where beta x is above the threshold.

    Raises:
        ValueError: ``beta`` is not positive, or the threshold is not a number, 0 or more.
    """
    check("softplus", beta=beta, threshold=threshold)
    x = as_float(input)
    y = ops.softplus(x) if beta == 1 else ops.softplus(x * float(beta)) * (1.0 / beta)
    far = np.asarray(x._value) * beta > threshold
    return ops.where(far, x, y) if far.any() else y


def logsigmoid(input: Any) -> Tensor:
    """ln of sigmoid, without its underflow: -softplus(-x)."""
    return -ops.softplus(-as_float(input))


def softmax(input: Any, dim: int = -1, *, axis: int | None = None) -> Tensor:
    """Exponentials that add up to 1 along an axis, given as ``dim`` or, as in NumPy, as ``axis``.

    Raises:
        ValueError: the axis is not an integer, or does not exist.

    >>> softmax([[0.0, 0.0]], dim=1).data
    array([[0.5, 0.5]])
    """
    return ops.softmax(as_float(input), _along("softmax", input, dim, axis))


def log_softmax(input: Any, dim: int = -1, *, axis: int | None = None) -> Tensor:
    """ln of softmax, without its underflow; arguments and errors as `softmax`."""
    return ops.log_softmax(as_float(input), _along("log_softmax", input, dim, axis))


def flatten(input: Any, start_dim: int = 1, end_dim: int = -1) -> Tensor:
    """Flatten axes start_dim to end_dim into one, by default all but the first, the batch.

    Raises:
        ValueError: there are no such axes.
    """
    check("flatten", start_dim=start_dim, end_dim=end_dim)
    x = as_float(input)
    first, last = (d + x.ndim if d < 0 else d for d in (start_dim, end_dim))
    if not 0 <= first <= last < x.ndim:
        raise ValueError(f"flatten: input of shape {x.shape} has no axes {start_dim} to {end_dim}")
    middle = math.prod(x.shape[first : last + 1])
    return ops.reshape(x, (*x.shape[:first], middle, *x.shape[last + 1 :]))


def _along(function: str, input: Any, dim: Any, axis: Any) -> int:
    check(function, axis=axis)
    if axis is not None:
        if dim not in (-1, axis):
            raise ValueError(f"{function}: dim={dim!r} and axis={axis!r} are the same; give one")
        dim = axis
    check(function, dim=dim)
    ndim = np.ndim(getattr(input, "_value", input))
    if not -ndim <= dim < max(ndim, 1):
        raise ValueError(f"{function}: input of {ndim} axes has no axis {dim}")
    return int(dim)


class Tanh(Applied, function=tanh):
    """tanh of each element, between -1 and 1.

    >>> import micrornn as mr
    >>> mr.nn.Tanh()(mr.tensor([0.0])).data
    array([0.])
    """


class Sigmoid(Applied, function=sigmoid):
    """1 / (1 + e^-x) of each element, between 0 and 1.

    >>> import micrornn as mr
    >>> mr.nn.Sigmoid()(mr.tensor([0.0])).data
    array([0.5])
    """


class ReLU(Applied, function=relu):
    """max(x, 0) of each element.

    >>> import micrornn as mr
    >>> mr.nn.ReLU()(mr.tensor([-1.0, 2.0])).data
    array([0., 2.])
    """


class LeakyReLU(Applied, function=leaky_relu):
    """`functional.leaky_relu`: x where it is positive, else a small share of it.

    >>> import micrornn as mr
    >>> mr.nn.LeakyReLU(0.1)(mr.tensor([-1.0, 2.0])).data
    array([-0.1,  2. ])
    """


class Softplus(Applied, function=softplus):
    """`functional.softplus`, ln(1 + e^x) of each element: a smooth ReLU.

    >>> import micrornn as mr
    >>> mr.nn.Softplus()(mr.tensor([0.0])).data.round(4)
    array([0.6931])
    """


class LogSigmoid(Applied, function=logsigmoid):
    """ln of sigmoid, without its underflow.

    >>> import micrornn as mr
    >>> mr.nn.LogSigmoid()(mr.tensor([-1000.0])).data
    array([-1000.])
    """


class Softmax(Applied, function=softmax):
    """Exponentials that add up to 1 along an axis: probabilities.

    Do not use it before `CrossEntropyLoss`, which applies softmax itself.

    >>> import micrornn as mr
    >>> mr.nn.Softmax()(mr.tensor([0.0, 0.0])).data
    array([0.5, 0.5])
    """


class LogSoftmax(Applied, function=log_softmax):
    """ln of softmax, without its underflow: the input of `NLLLoss` and `CTCLoss`.

    >>> import micrornn as mr
    >>> mr.nn.LogSoftmax()(mr.tensor([0.0, 0.0])).data.round(4)
    array([-0.6931, -0.6931])
    """


class Flatten(Applied, function=flatten):
    """Flatten axes start_dim to end_dim into one, by default all but the first, the batch.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.Flatten()(np.ones((2, 3, 4))).shape
    (2, 12)
    """
