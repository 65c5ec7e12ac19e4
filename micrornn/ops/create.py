"""Leaves made from nothing: zeros, ones, a range, random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.core.operators import offer
from micrornn.core.tensor import Tensor


def _filled(name: str, make: Callable[[tuple[int, ...]], Any], what: str) -> Callable[..., Tensor]:
    """A function that makes a leaf of a shape, given as numbers or as one tuple."""

    def create(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
        lengths = tuple(shape[0]) if len(shape) == 1 and np.ndim(shape[0]) else shape
        return Tensor(make(lengths), requires_grad, dtype=dtype or np.float64)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = (
        f"A leaf of {what}, of a shape given as ``2, 3`` or ``(2, 3)``.\n\n"
        f">>> import micrornn as mr\n>>> mr.{name}(2, 3).shape\n(2, 3)"
    )
    return create


zeros = _filled("zeros", np.zeros, "zeros")
ones = _filled("ones", np.ones, "ones")
offer(zeros)
offer(ones)


def arange(*limits: float, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A leaf of evenly spaced numbers: up to a limit, or from, to and by a step, as NumPy's.

    >>> import micrornn as mr
    >>> mr.arange(3.0)
    tensor([0., 1., 2.])
    """
    return Tensor(np.arange(*limits), requires_grad, dtype=dtype)


offer(arange)


def randn(*shape: Any, rng: Any = None, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A leaf of numbers from the standard normal distribution.

    Args:
        shape: ``2, 3`` or ``(2, 3)``.
        rng: a seed or a NumPy generator.

    >>> import micrornn as mr
    >>> mr.randn(2, 3, rng=0).shape
    (2, 3)
    """
    lengths = tuple(shape[0]) if len(shape) == 1 and np.ndim(shape[0]) else shape
    values = np.random.default_rng(rng).normal(size=lengths)
    return Tensor(values, requires_grad, dtype=dtype)


offer(randn)
