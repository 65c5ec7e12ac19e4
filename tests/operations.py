"""Every primitive with its samples, for tests that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn.core.primitive import PRIMITIVES, Primitive, Sample, operation_of
from micrornn.core.tensor import Tensor

#: One test case per primitive and sample: (primitive, sample).
CASES = [
    pytest.param(p, sample, id=f"{name}-{i}")
    for name, p in PRIMITIVES.items()
    for i, sample in enumerate(p.samples)
]


def operation(p: Primitive, sample: Sample, dtype: Any = np.float64) -> Callable[..., Any]:
    """The primitive as a function of its inputs alone; arrays among the params take the dtype."""
    call = operation_of(p)
    params = {
        k: v.astype(dtype) if isinstance(v, np.ndarray) and v.dtype.kind == "f" else v
        for k, v in sample.params.items()
    }
    return lambda *inputs: call(*inputs, **params)


def drawn(sample: Sample, seed: int = 0, dtype: Any = np.float64) -> list[Any]:
    """Values for the inputs: arrays, and Python floats where the sample says None."""
    rng = np.random.default_rng(seed)
    values = [rng.uniform(*sample.between, size=shape) for shape in sample.shapes]
    return [
        float(v) if shape is None else np.asarray(v, dtype)
        for v, shape in zip(values, sample.shapes)
    ]


def leaves(sample: Sample, seed: int = 0, dtype: Any = np.float64) -> list[Tensor]:
    """The inputs as leaves that want a gradient."""
    return [mr.tensor(v, requires_grad=True) for v in drawn(sample, seed, dtype)]


def like(x: Any, seed: int) -> Any:
    """Random numbers in the shape of x."""
    return np.random.default_rng(seed).normal(size=np.shape(getattr(x, "data", x)))
