"""At kinks and ties the gradient is PyTorch's: its figures, as literals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrornn as mr

# What is computed, from which numbers, and the gradient that torch 2.13 gives, in float64.
KINKS: list[tuple[str, Callable[..., Any], list[Any], list[Any]]] = [
    ("relu", mr.relu, [[-1.0, 0.0, -0.0, 2.0]], [[0.0, 0.0, 0.0, 1.0]]),
    ("abs", mr.abs, [[-1.0, 0.0, 2.0]], [[-1.0, 0.0, 1.0]]),
    ("sign", mr.sign, [[-1.0, 0.0, 2.0]], [[0.0, 0.0, 0.0]]),
    (
        "clamp",
        lambda x: mr.clip(x, -1, 1),
        [[-2.0, -1.0, 0.0, 1.0, 2.0]],
        [[0.0, 1.0, 1.0, 1.0, 0.0]],
    ),
    ("clamp from below", lambda x: mr.clip(x, low=0), [[-1.0, 0.0, 1.0]], [[0.0, 1.0, 1.0]]),
    ("clamp from above", lambda x: mr.clip(x, high=0), [[-1.0, 0.0, 1.0]], [[1.0, 1.0, 0.0]]),
    (
        *("maximum", mr.maximum, [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]),
        [[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]],
    ),
    (
        *("minimum", mr.minimum, [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]),
        [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]],
    ),
    ("amax, all tied", mr.max, [[2.0, 2.0, 2.0, 2.0]], [[0.25, 0.25, 0.25, 0.25]]),
    ("amax", mr.max, [[1.0, 3.0, 3.0, 2.0]], [[0.0, 0.5, 0.5, 0.0]]),
    ("amin", mr.min, [[1.0, 3.0, 1.0, 2.0]], [[0.5, 0.0, 0.5, 0.0]]),
    (
        *("amax of rows", lambda x: mr.max(x, axis=1), [[[1.0, 1.0], [0.0, 5.0]]]),
        [[[0.5, 0.5], [0.0, 1.0]]],
    ),
    (
        *(
            "amax over two axes",
            lambda x: mr.max(x, axis=(0, 1), keepdims=True),
            [[[4.0, 1.0], [4.0, 4.0]]],
        ),
        [[[1 / 3, 0.0], [1 / 3, 1 / 3]]],
    ),
    ("pow 0", lambda x: x**0, [[-2.0, 0.0, 2.0]], [[0.0, 0.0, 0.0]]),
    ("pow 1", lambda x: x**1, [[-2.0, 0.0, 2.0]], [[1.0, 1.0, 1.0]]),
    ("pow 2", lambda x: x**2, [[-2.0, 0.0, 2.0]], [[-4.0, 0.0, 4.0]]),
    ("pow 3", lambda x: x**3, [[-2.0, 0.0, 2.0]], [[12.0, 0.0, 12.0]]),
    ("pow 1.5", lambda x: x**1.5, [[0.0, 4.0]], [[0.0, 3.0]]),
    ("0 to powers", mr.pow, [[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]], [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]),
    ("0 to a power", lambda b: 0.0**b, [[0.0, 1.0, 2.0]], [[0.0, 0.0, 0.0]]),
    ("softplus", mr.softplus, [[0.0]], [[0.5]]),
    (
        "where",
        lambda a, b: mr.where([True, False], a, b),
        [[1.0, 2.0], [3.0, 4.0]],
        [[1.0, 0.0], [0.0, 1.0]],
    ),
]


@pytest.mark.parametrize(
    ("f", "values", "expected"), [k[1:] for k in KINKS], ids=[k[0] for k in KINKS]
)
def test_arrays(f: Callable[..., Any], values: list[Any], expected: list[Any]) -> None:
    leaves = [mr.tensor(v, requires_grad=True) for v in values]
    y = f(*leaves)
    for g, e in zip(mr.grad(y, leaves, np.ones(y.shape)), expected):
        np.testing.assert_array_equal(g, e)
    for g, e in zip(mr.grad(y, leaves, np.ones(y.shape), create_graph=True), expected):
        np.testing.assert_array_equal(g.data, e)


ELEMENTWISE = [k for k in KINKS if "am" not in k[0][:2] and k[0] != "where"]


@pytest.mark.parametrize(
    ("f", "values", "expected"), [k[1:] for k in ELEMENTWISE], ids=[k[0] for k in ELEMENTWISE]
)
def test_numbers(f: Callable[..., Any], values: list[Any], expected: list[Any]) -> None:
    for numbers, slopes in zip(zip(*values), zip(*expected)):
        leaves = [mr.Value(v) for v in numbers]
        assert mr.grad(f(*leaves), leaves) == list(slopes)
