"""Write `operations.npz`: single operations, their gradients, and the gradients of those, by PyTorch.

    pip install torch==2.13.0
    python tests/reference/generate_operations.py

`tests/engine/test_operations_equal_pytorch.py` has the same operations under the same names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from cases import VERSION, add, generator, leaf, normal
from store import Writer
from torch.nn import functional

M, ROW, COLUMN, VECTOR = (2, 3), (3,), (2, 1), (4,)
REPEATED = torch.tensor([2, 0, 2])
MASK = torch.tensor([[True, False, True], [False, False, True]])

#: name -> operation, and the shapes of its inputs, or the inputs themselves
CASES: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "add": (torch.add, [M, ROW]),
    "sub": (torch.sub, [COLUMN, M]),
    "mul": (torch.mul, [COLUMN, ROW]),
    "div": (torch.div, [M, COLUMN]),
    "pow": (lambda a, b: a.abs() ** b, [M, ROW]),
    "cube": (lambda a: a**3, [M]),
    "exp": (torch.exp, [M]),
    "log": (lambda a: torch.log(a.abs()), [M]),
    "sqrt": (lambda a: torch.sqrt(a.abs()), [M]),
    "sin": (torch.sin, [M]),
    "cos": (torch.cos, [M]),
    "tanh": (torch.tanh, [M]),
    "sigmoid": (torch.sigmoid, [M]),
    "relu": (torch.relu, [M]),
    "softplus": (functional.softplus, [M]),
    "maximum": (torch.maximum, [M, ROW]),
    "minimum": (torch.minimum, [M, ROW]),
    "where": (lambda a, b: torch.where(MASK, a, b), [M, ROW]),
    "clip": (lambda a: torch.clamp(a, -0.5, 0.5), [M]),
    "matmul vectors": (torch.matmul, [ROW, ROW]),
    "matmul matrix vector": (torch.matmul, [M, ROW]),
    "matmul vector matrix": (torch.matmul, [ROW, (3, 2)]),
    "matmul matrices": (torch.matmul, [M, (3, 4)]),
    "matmul batch": (torch.matmul, [(5, 2, 3), (5, 3, 4)]),
    "matmul stretched": (torch.matmul, [(5, 1, 2, 3), (4, 3, 2)]),
    "linear": (functional.linear, [(4, 3), (2, 3), (2,)]),
    "linear of a vector": (functional.linear, [(3,), (2, 3)]),
    "sum": (torch.sum, [M]),
    "sum of columns": (lambda a: a.sum(0, keepdim=True), [M]),
    "mean": (lambda a: a.mean((0, 2)), [(2, 3, 4)]),
    "amax": (lambda a: a.amax(1), [M]),
    "amin": (lambda a: a.amin((0, 1)), [M]),
    "var": (lambda a: a.var(1, correction=0), [M]),
    "unbiased var": (lambda a: a.var(correction=1), [M]),
    "logsumexp": (lambda a: a.logsumexp(1), [M]),
    "softmax": (lambda a: a.softmax(-1), [M]),
    "log_softmax": (lambda a: a.log_softmax(0), [M]),
    "cumsum": (lambda a: a.cumsum(1), [M]),
    "reshape": (lambda a: a.reshape(3, 2), [M]),
    "transpose": (lambda a: a.permute(2, 0, 1), [(2, 3, 4)]),
    "swapaxes": (lambda a: a.swapaxes(0, 2), [(2, 3, 4)]),
    "broadcast_to": (lambda a: a.broadcast_to(4, 2, 3), [COLUMN]),
    "squeeze": (lambda a: a.squeeze(), [(2, 1, 3)]),
    "expand_dims": (lambda a: a.unsqueeze(1), [M]),
    "concatenate": (lambda a, b: torch.cat([a, b], 1), [M, COLUMN]),
    "stack": (lambda a, b: torch.stack([a, b], -1), [M, M]),
    "split": (lambda a: a.split([1, 2, 1])[1] * a.split([1, 2, 1])[0], [VECTOR]),
    "row": (lambda a: a[1], [M]),
    "slices": (lambda a: a[..., 1:] * a[:, :2], [M]),
    "repeated rows": (lambda a: a[REPEATED], [(4, 3)]),
    "repeated elements": (lambda a: a[REPEATED, torch.tensor([0, 1, 0])], [(4, 3)]),
    "mask": (lambda a: a[MASK], [M]),
    "embedding": (lambda a: functional.embedding(REPEATED.reshape(3, 1), a), [(4, 3)]),
    "pad": (lambda a: functional.pad(a, (0, 2, 1, 0)), [M]),
    "flip": (lambda a: a.flip(0, 1), [M]),
    "einsum": (lambda a, b: torch.einsum("bij,kj->bki", a, b), [(2, 4, 3), (5, 3)]),
    "einsum with ellipsis": (lambda a, b: torch.einsum("...ij,...j->i", a, b), [(5, 2, 3), (1, 3)]),
    "einsum summed alone": (lambda a, b: torch.einsum("ij,k->k", a, b), [M, VECTOR]),
    "attention": (lambda q, k: (q @ k.mT / 2.0).softmax(-1) @ k, [(2, 3, 4), (2, 5, 4)]),
    "a + a": (lambda a: a + a, [M]),
    "a * a": (lambda a: a * a, [M]),
    "a @ a": (lambda a: a @ a, [(3, 3)]),
    # kinks and ties
    "relu at 0": (torch.relu, [[-1.0, 0.0, -0.0, 2.0]]),
    "abs at 0": (torch.abs, [[-1.0, 0.0, 2.0]]),
    "sign": (torch.sign, [[-1.0, 0.0, 2.0]]),
    "clip at its ends": (lambda a: torch.clamp(a, -1, 1), [[-2.0, -1.0, 0.0, 1.0, 2.0]]),
    "maximum of equals": (torch.maximum, [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]),
    "minimum of equals": (torch.minimum, [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]),
    "amax of equals": (lambda a: a.amax(1), [[[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]]),
    "amin of equals": (lambda a: a.amin((0, 1)), [[[1.0, 3.0, 3.0], [2.0, 1.0, 2.0]]]),
    "0 to the power 0": (lambda a: a**0, [[-2.0, 0.0, 2.0]]),
    "0 squared": (lambda a: a**2, [[-2.0, 0.0, 2.0]]),
    "0 to the power 1.5": (lambda a: a**1.5, [[0.0, 4.0]]),
    "0 to powers": (torch.pow, [[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]]),
    "far out sigmoid": (torch.sigmoid, [[-1e4, -1e3, -40.0, 40.0, 1e3, 1e4]]),
    "far out softplus": (functional.softplus, [[-1e4, -40.0, 40.0, 1e4]]),
    "far out log_softmax": (lambda a: a.log_softmax(-1), [[[-1e4, 0.0, 1e4], [1e4, 1e4, -1e4]]]),
}

NO_SECOND = {"0 to the power 1.5", "0 to powers"}  # infinite, or by another convention


def main() -> None:
    """One case per operation: output, gradients, and the gradients of <gradients, directions>."""
    file = Writer("operations")
    for name, (f, given) in CASES.items():
        rng = generator(name)
        values = [normal(rng, *x) if isinstance(x, tuple) else torch.tensor(x) for x in given]
        inputs = {f"x{i}": leaf(v) for i, v in enumerate(values)}
        y = f(*inputs.values())
        more: dict[str, Any] = {}
        if name not in NO_SECOND:
            again = f(*inputs.values())
            first = torch.autograd.grad(
                (again * again).sum(), list(inputs.values()), create_graph=True
            )
            directions = {k: normal(rng, *v.shape) for k, v in inputs.items()}
            slope = sum((g * v).sum() for g, v in zip(first, directions.values(), strict=True))
            second = [torch.zeros_like(v) for v in inputs.values()]
            if slope.requires_grad:
                found = torch.autograd.grad(slope, list(inputs.values()), allow_unused=True)
                second = [a if b is None else b for a, b in zip(second, found, strict=True)]
            more = {"directions": directions, "second": dict(zip(inputs, second, strict=True))}
        add(file, name, {}, {}, inputs, {"y": y}, **more)
    file.write(torch=VERSION)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    np.seterr(all="raise")
    main()
