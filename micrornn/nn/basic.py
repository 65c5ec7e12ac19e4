"""The small modules: Linear, Identity, Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.equations import product
from micrornn.nn.functional import dropout
from micrornn.nn.init import Seed, as_generator, default_
from micrornn.nn.module import Module, Parameter
from micrornn.nn.sequence import as_input
from micrornn.ops.mark import identity


class Linear(Module):
    """y = x W^T + b, in a scope named after the attribute that holds it (``linear`` without one).

    Args:
        in_features: I, the length of x.
        out_features: O, the length of y.
        bias: whether to add b.
        rng: a seed or a NumPy generator for the initial values.
        dtype: float64 by default.

    Parameters: weight (O, I), bias (O,). Called with x (..., I); returns (..., O).

    Raises:
        ValueError: the last axis of x is not I.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> y = nn.Linear(3, 2)(np.ones((5, 3)))
    >>> y.shape, y.scope
    ((5, 2), 'linear')
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        rng = as_generator(rng)
        dtype = dtype or np.float64
        self.weight = default_(
            Parameter(np.zeros((out_features, in_features), dtype)), in_features, rng
        )
        self.bias = (
            default_(Parameter(np.zeros(out_features, dtype)), in_features, rng) if bias else None
        )

    def forward(self, x: Any) -> Tensor:
        """x (..., in_features) to (..., out_features)."""
        x = as_input(x, self.weight.dtype, "x")
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(
                f"Linear{f' {self._path[:-1]!r}' if self._path else ''}: x of shape {x.shape} was given, "
                f"(..., {self.in_features}) expected, by in_features={self.in_features}"
            )
        with scope(self._path[:-1] or "linear"):
            return product(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Its sizes."""
        has_bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={has_bias}"


class Identity(Module):
    """Passes its input on as a node of its own with a name, so that readers of the graph can find it.

    >>> import micrornn as mr
    >>> probe = mr.nn.Identity("features")
    >>> probe(mr.tensor([1.0])).name
    'features'
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__()
        self.name = name

    def forward(self, x: Any) -> Tensor:
        """x, named."""
        return identity(x, self.name)

    def extra_repr(self) -> str:
        """The name it gives."""
        return "" if self.name is None else repr(self.name)


class Dropout(Module):
    """While training, drops each element with probability p and divides the others by 1 - p.

    Args:
        p: the share to drop.
        rng: a seed or a NumPy generator to draw from.

    Raises:
        ValueError: p is not between 0 and 1.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.Dropout(0.5).eval()(np.ones(2)).data
    array([1., 1.])
    """

    def __init__(self, p: float = 0.5, *, rng: Seed = None) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"Dropout: p={p!r}; give the share to drop, between 0 and 1")
        self.p = p
        self.rng = None if rng is None else as_generator(rng)

    def forward(self, x: Any) -> Tensor:
        """x, thinned while training."""
        return dropout(x, self.p, self.training, self.rng)

    def extra_repr(self) -> str:
        """The share it drops."""
        return f"p={self.p}"
