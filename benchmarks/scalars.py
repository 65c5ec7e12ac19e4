"""A network of scalars: the two-moons classifier of micrograd's demo, for any `Value` with its API."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np

SIZES = (2, 16, 16, 1)


def _moons(points: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    angle = rng.uniform(0.0, np.pi, size=points)
    label = np.where(np.arange(points) % 2, 1, -1)
    x = np.where(label > 0, np.cos(angle), 1.0 - np.cos(angle))
    y = np.where(label > 0, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], 1) + rng.normal(scale=0.1, size=(points, 2)), label


def _train(Value: Any) -> Any:
    random.seed(0)
    layers = [
        [([Value(random.uniform(-1, 1)) for _ in range(n)], Value(0)) for _ in range(m)]
        for n, m in pairwise(SIZES)
    ]
    parameters = [p for layer in layers for w, b in layer for p in (*w, b)]
    points, labels = _moons(100)
    losses = []

    def score(x: Any) -> Any:
        for layer in layers:
            x = [sum((wi * xi for wi, xi in zip(w, x)), b) for w, b in layer]
            if layer is not layers[-1]:
                x = [unit.relu() for unit in x]
        return x[0]

    def step() -> None:
        inputs = [list(map(Value, point)) for point in points]
        scores = list(map(score, inputs))
        hinge = [(1 + -y * s).relu() for y, s in zip(labels.tolist(), scores)]
        loss = sum(hinge) * (1.0 / len(hinge)) + 1e-4 * sum(p * p for p in parameters)
        for p in parameters:
            p.grad = 0
        loss.backward()
        for p in parameters:
            p.data -= 0.1 * p.grad
        losses.append(loss.data)

    return step, lambda: {"loss": losses, "parameters": [p.data for p in parameters]}


def micrornn() -> Any:
    """The network of micrornn's scalars."""
    import micrornn as mr

    return _train(mr.Value)


def micrograd() -> Any:
    """The network of micrograd's scalars."""
    from micrograd.engine import Value

    return _train(Value)
