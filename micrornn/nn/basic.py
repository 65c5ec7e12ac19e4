"""The small modules: Linear, and Identity, which gives a value a name."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.equations import product
from micrornn.nn.generators import Seed, as_generator
from micrornn.nn.init import default_
from micrornn.nn.module import Module
from micrornn.nn.registry import Parameter
from micrornn.nn.sequence import as_input
from micrornn.ops.mark import identity
from micrornn.options import check


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
        ValueError: a size is negative or not an integer; when called, the last axis of x is not I.

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
        check("Linear", in_features=in_features, out_features=out_features, bias=bias)
        self.in_features, self.out_features = in_features, out_features
        rng = as_generator(rng)
        dtype = dtype or np.float64
        self.weight = default_(
            Parameter(np.zeros((out_features, in_features), dtype)), in_features, rng
        )
        self.bias = (
            default_(Parameter(np.zeros(out_features, dtype)), in_features, rng) if bias else None
        )

    def forward(self, input: Any) -> Tensor:
        """input (..., in_features) to (..., out_features)."""
        x = as_input(input, self.weight.dtype, "x")
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
    """Returns its input as a named node, so that it can be found in the graph.

    >>> import micrornn as mr
    >>> probe = mr.nn.Identity("features")
    >>> probe(mr.tensor([1.0])).name
    'features'
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__()
        check("Identity", name=name)
        self.name = name

    def forward(self, input: Any) -> Tensor:
        """The input, named."""
        return identity(input, self.name)

    def extra_repr(self) -> str:
        """The name it gives."""
        return "" if self.name is None else repr(self.name)
