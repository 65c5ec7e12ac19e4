"""Activations and reshaping as modules, to stand in a Sequential."""

from __future__ import annotations

import math
from typing import Any

from micrornn.core.tensor import Tensor
from micrornn.nn.module import Module
from micrornn.nn.sequence import as_float
from micrornn.ops.elementwise import relu, sigmoid, softplus, tanh
from micrornn.ops.reduce import log_softmax, softmax
from micrornn.ops.shape import reshape


class Tanh(Module):
    """tanh of each element, between -1 and 1; see `functional.tanh`.

    >>> import micrornn as mr
    >>> mr.nn.Tanh()(mr.tensor([0.0])).data
    array([0.])
    """

    def forward(self, x: Any) -> Tensor:
        """tanh(x)."""
        return tanh(as_float(x))


class Sigmoid(Module):
    """1 / (1 + e^-x) of each element, between 0 and 1.

    >>> import micrornn as mr
    >>> mr.nn.Sigmoid()(mr.tensor([0.0])).data
    array([0.5])
    """

    def forward(self, x: Any) -> Tensor:
        """sigmoid(x)."""
        return sigmoid(as_float(x))


class ReLU(Module):
    """max(x, 0) of each element.

    >>> import micrornn as mr
    >>> mr.nn.ReLU()(mr.tensor([-1.0, 2.0])).data
    array([0., 2.])
    """

    def forward(self, x: Any) -> Tensor:
        """relu(x)."""
        return relu(as_float(x))


class Softplus(Module):
    """ln(1 + e^x) of each element: a smooth ReLU.

    >>> import micrornn as mr
    >>> mr.nn.Softplus()(mr.tensor([0.0])).data.round(4)
    array([0.6931])
    """

    def forward(self, x: Any) -> Tensor:
        """softplus(x)."""
        return softplus(as_float(x))


class Softmax(Module):
    """Exponentials that add up to 1 along an axis: probabilities, to be looked at.

    Not before `CrossEntropyLoss`, which takes logits: softmax would be applied twice.

    >>> import micrornn as mr
    >>> mr.nn.Softmax()(mr.tensor([0.0, 0.0])).data
    array([0.5, 0.5])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        """softmax(x)."""
        return softmax(as_float(x), self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """ln of softmax, without its underflow: what `NLLLoss` and `CTCLoss` take.

    >>> import micrornn as mr
    >>> mr.nn.LogSoftmax()(mr.tensor([0.0, 0.0])).data.round(4)
    array([-0.6931, -0.6931])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        """log_softmax(x)."""
        return log_softmax(as_float(x), self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class Flatten(Module):
    """Axes start_dim to end_dim made one, by default all but the first, the batch.

    Raises:
        ValueError: there are no such axes.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.Flatten()(np.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Tensor:
        """x with fewer axes."""
        x = as_float(x)
        first, last = (d + x.ndim if d < 0 else d for d in (self.start_dim, self.end_dim))
        if not 0 <= first <= last < x.ndim:
            raise ValueError(
                f"Flatten: x of shape {x.shape} has no axes {self.start_dim} to {self.end_dim}"
            )
        middle = math.prod(x.shape[first : last + 1])
        return reshape(x, (*x.shape[:first], middle, *x.shape[last + 1 :]))

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
