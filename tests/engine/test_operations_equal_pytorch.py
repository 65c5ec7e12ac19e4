"""Single operations, their gradients and second gradients: PyTorch's figures in float64.

The figures are in `tests/reference/operations.npz`; `generate_operations.py` beside it made them, with
PyTorch's operations of these names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reference.store import Case, load

import micrornn as mr

REPEATED = np.array([2, 0, 2])
MASK = np.array([[True, False, True], [False, False, True]])


def _split(a: Any) -> Any:
    first, second, _ = mr.split(a, [1, 3])
    return second * first


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": mr.add,
    "sub": mr.sub,
    "mul": mr.mul,
    "div": mr.div,
    "pow": lambda a, b: mr.abs(a) ** b,
    "cube": lambda a: a**3,
    "exp": mr.exp,
    "log": lambda a: mr.log(mr.abs(a)),
    "sqrt": lambda a: mr.sqrt(mr.abs(a)),
    "sin": mr.sin,
    "cos": mr.cos,
    "tanh": mr.tanh,
    "sigmoid": mr.sigmoid,
    "relu": mr.relu,
    "softplus": mr.softplus,
    "maximum": mr.maximum,
    "minimum": mr.minimum,
    "where": lambda a, b: mr.where(MASK, a, b),
    "clip": lambda a: mr.clip(a, -0.5, 0.5),
    **dict.fromkeys(
        ("matmul vectors", "matmul matrix vector", "matmul vector matrix", "matmul matrices"),
        mr.matmul,
    ),
    **dict.fromkeys(("matmul batch", "matmul stretched"), mr.matmul),
    "linear": mr.linear,
    "linear of a vector": mr.linear,
    "sum": mr.sum,
    "sum of columns": lambda a: mr.sum(a, 0, keepdims=True),
    "mean": lambda a: mr.mean(a, (0, 2)),
    "amax": lambda a: mr.max(a, 1),
    "amin": lambda a: mr.min(a, (0, 1)),
    "var": lambda a: mr.var(a, 1),
    "unbiased var": lambda a: mr.var(a, ddof=1),
    "logsumexp": lambda a: mr.logsumexp(a, 1),
    "softmax": mr.softmax,
    "log_softmax": lambda a: mr.log_softmax(a, 0),
    "cumsum": lambda a: mr.cumsum(a, 1),
    "reshape": lambda a: a.reshape(3, 2),
    "transpose": lambda a: a.transpose(2, 0, 1),
    "swapaxes": lambda a: a.swapaxes(0, 2),
    "broadcast_to": lambda a: mr.broadcast_to(a, (4, 2, 3)),
    "squeeze": mr.squeeze,
    "expand_dims": lambda a: mr.expand_dims(a, 1),
    "concatenate": lambda a, b: mr.concatenate([a, b], 1),
    "stack": lambda a, b: mr.stack([a, b], -1),
    "split": _split,
    "row": lambda a: a[1],
    "slices": lambda a: a[..., 1:] * a[:, :2],
    "repeated rows": lambda a: a[REPEATED],
    "repeated elements": lambda a: a[REPEATED, [0, 1, 0]],
    "mask": lambda a: a[MASK],
    "embedding": lambda a: mr.take(a, REPEATED.reshape(3, 1)),
    "pad": lambda a: mr.pad(a, ((1, 0), (0, 2))),
    "flip": mr.flip,
    "einsum": lambda a, b: mr.einsum("bij,kj->bki", a, b),
    "einsum with ellipsis": lambda a, b: mr.einsum("...ij,...j->i", a, b),
    "einsum summed alone": lambda a, b: mr.einsum("ij,k->k", a, b),
    "attention": lambda q, k: mr.softmax(q @ k.swapaxes(-1, -2) / 2.0) @ k,
    "a + a": lambda a: a + a,
    "a * a": lambda a: a * a,
    "a @ a": lambda a: a @ a,
    "relu at 0": mr.relu,
    "abs at 0": mr.abs,
    "sign": mr.sign,
    "clip at its ends": lambda a: mr.clip(a, -1, 1),
    "maximum of equals": mr.maximum,
    "minimum of equals": mr.minimum,
    "amax of equals": lambda a: mr.max(a, 1),
    "amin of equals": mr.min,
    "0 to the power 0": lambda a: a**0,
    "0 squared": lambda a: a**2,
    "0 to the power 1.5": lambda a: a**1.5,
    "0 to powers": mr.pow,
    "far out sigmoid": mr.sigmoid,
    "far out softplus": mr.softplus,
    "far out log_softmax": mr.log_softmax,
}

CASES = {case.name: case for case in load("operations")}


def close(found: Any, expected: Any) -> None:
    assert np.shape(found) == expected.shape
    # PyTorch's softplus is x itself above 20
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def leaves_of(case: Case) -> list[mr.Tensor]:
    return [mr.tensor(x, requires_grad=True) for x in case["inputs"].values()]


def test_every_operation_has_figures() -> None:
    assert set(OPERATIONS) == set(CASES)


@pytest.mark.parametrize("name", OPERATIONS)
def test_first(name: str) -> None:
    case = CASES[name]
    inputs = leaves_of(case)
    y = OPERATIONS[name](*inputs)
    close(y.data, case["outputs"]["y"])
    for recorded in (False, True):
        gradients = mr.grad(y, inputs, case["cotangents"]["y"], create_graph=recorded)
        for g, expected in zip(gradients, case["gradients"].values()):
            close(g.data if recorded else g, expected)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "second" in case.arrays])
def test_second(name: str) -> None:
    case = CASES[name]
    inputs = leaves_of(case)
    y = OPERATIONS[name](*inputs)
    found = mr.hvp((y * y).sum(), inputs, list(case["directions"].values()))
    for h, expected in zip(found, case["second"].values()):
        np.testing.assert_allclose(h, expected, rtol=1e-10, atol=1e-12)
