"""What one operation costs: NumPy's own part, the node that records it, and its turn in backward.

    python benchmarks/costs.py

Nanoseconds, on 8 numbers (a Python float for the last two rows). Forward is the whole call; backward is the
whole turn in the stream, measured on a chain of a thousand nodes.
"""

from __future__ import annotations

import gc
import sys
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

import micrornn as mr
from micrornn.core.backward import gradients, seed_of

LENGTH = 1000
X, Y, W = np.random.default_rng(0).uniform(0.5, 1.0, size=(3, 8))

# name: the step of a chain, NumPy's part of it, and of its backward
OPERATIONS: dict[str, tuple[Callable[[Any], Any], Any, Callable[..., Any], Callable[..., Any]]] = {
    "tanh(x)": (mr.tanh, X, lambda: np.tanh(X), lambda: Y - Y * X * X),
    "x * constant tensor": (lambda x: x * C, X, lambda: X * W, lambda: Y * W),
    "x * weight": (lambda x: x * V, X, lambda: X * W, lambda: (Y * W, Y * X, Y + Y)),
    "x + x": (lambda x: x + x, X, lambda: X + X, lambda: Y + Y),
    "x * 0.9": (lambda x: x * 0.9, X, lambda: X * 0.9, lambda: Y * 0.9),
    "x[:]": (lambda x: x[:], X, lambda: X[:], lambda: np.concatenate([Y])),
    "matrix @ x": (lambda x: M @ x, X, lambda: D.dot(X), lambda: D.T.dot(Y)),
    "tanh of a number": (mr.tanh, 0.5, lambda: None, lambda: None),
    "number * number": (lambda x: x * S, 0.5, lambda: None, lambda: None),
}
C = mr.tensor(W)
V = mr.tensor(W, requires_grad=True)
D = np.eye(8)
M = mr.tensor(D)
S = mr.Value(0.999)


def nanoseconds(f: Callable[[], Any], each: int = 1, number: int = 1) -> float:
    """The best of several runs, per operation."""
    number = number if each > 1 else 20_000
    return min(timeit.repeat(f, number=number, repeat=9)) / number / each * 1e9


def measured(name: str) -> tuple[float, float, float, float]:
    """NumPy's part and the whole, forward and then backward."""
    step, start, forward, backward = OPERATIONS[name]
    leaf = mr.tensor(start, requires_grad=True)

    def chain() -> Any:
        x: Any = leaf
        for _ in range(LENGTH):
            x = step(x)
        return x

    end = chain()
    seed = np.ones(end.shape) if end.shape else None
    return (
        nanoseconds(forward),
        nanoseconds(chain, LENGTH, 3),
        nanoseconds(backward),
        nanoseconds(lambda: gradients(end, seed_of(end, seed)), LENGTH, 3),
    )


def table() -> str:
    """All of them, as a Markdown table."""
    lines = [
        "| operation | forward | of it NumPy | backward | of it NumPy |",
        "|---|---|---|---|---|",
    ]
    gc.disable()
    for name in OPERATIONS:
        n, f, m, b = measured(name)
        lines.append(f"| `{name}` | {f:.0f} ns | {n:.0f} | {b:.0f} ns | {m:.0f} |")
    gc.enable()
    size = sys.getsizeof(mr.Value(1.0) * 2.0)
    lines.append(f"\nA node takes {size} bytes besides its value and the tuple of its inputs.")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
