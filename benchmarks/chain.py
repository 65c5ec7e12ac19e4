"""A chain of tanh and mul on a few numbers: what one operation costs and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

CHAIN = (1000, 8)  # operations, numbers


def _start(numbers: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=numbers), rng.uniform(0.9, 1.1, size=numbers)


def micrornn(operations: int, numbers: int) -> Any:
    """The chain in micrornn."""
    import micrornn as mr

    x, w = (mr.tensor(a, requires_grad=True) for a in _start(numbers))
    optimizer = mr.optim.SGD([x, w], lr=0.1)

    def step() -> None:
        optimizer.zero_grad()
        y = x
        for _ in range(operations // 2):
            y = mr.tanh(y * w)
        y.sum().backward()
        optimizer.step()

    return step, lambda: {"x": x.data, "w": w.data}


def pytorch(operations: int, numbers: int) -> Any:
    """The chain in PyTorch."""
    import torch

    x, w = (torch.tensor(a, requires_grad=True) for a in _start(numbers))
    optimizer = torch.optim.SGD([x, w], lr=0.1)

    def step() -> None:
        optimizer.zero_grad()
        y = x
        for _ in range(operations // 2):
            y = torch.tanh(y * w)
        y.sum().backward()
        optimizer.step()

    return step, lambda: {"x": x.detach().numpy(), "w": w.detach().numpy()}
