"""Dropout (Srivastava et al. 2014)."""

from __future__ import annotations

from typing import Any

from micrornn.core.context import current
from micrornn.core.tensor import Tensor, constant
from micrornn.nn.generators import Seed, as_generator, uniform
from micrornn.nn.module import Module
from micrornn.nn.sequence import as_float
from micrornn.options import check
from micrornn.source import note


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Seed = None,
) -> Tensor:
    """While training, drop each element with probability p and divide the others by 1 - p.

    Raises:
        ValueError: p is not between 0 and 1, ``training`` is not a truth value, or ``inplace`` is not False.

    >>> import micrornn as mr
    >>> mr.nn.functional.dropout(mr.tensor([1.0, 1.0]), training=False).data
    array([1., 1.])
    """
    check("dropout", p=p, training=training, inplace=inplace)
    x = as_float(input)
    if not training or p == 0.0:
        return x
    if not current().recording:
        note("dropout without gradients")
    mask = uniform(generator, x.shape) >= p
    return x * constant((mask / (1.0 - p) if p < 1.0 else mask).astype(x.dtype), "mask")


class Dropout(Module):
    """While training, drops each element with probability p and divides the others by 1 - p.

    Args:
        p: the share to drop.
        inplace: False, the only value here, because the graph keeps every value.
        rng: a seed or a NumPy generator to draw from.

    Raises:
        ValueError: p is not between 0 and 1, or ``inplace`` is not False.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.Dropout(0.5).eval()(np.ones(2)).data
    array([1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, *, rng: Seed = None) -> None:
        super().__init__()
        check("Dropout", p=p, inplace=inplace)
        self.p = p
        self.rng = None if rng is None else as_generator(rng)

    def forward(self, input: Any) -> Tensor:
        """The input, with dropout while training."""
        return dropout(input, self.p, self.training, generator=self.rng)

    def extra_repr(self) -> str:
        """The share it drops."""
        return f"p={self.p}"
