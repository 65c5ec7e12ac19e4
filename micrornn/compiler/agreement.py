"""Agreement: a program's loss and gradients are those of the engine, or it is not used."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.traced import CompileError
from micrornn.core.tensor import Tensor, describe

TOLERANCE = {"d": 1e-12, "f": 1e-5}  # relative, by the dtype of a gradient


def compare(
    loss: Tensor, gradients: list[tuple[Tensor, Any]], value: Any, own: dict[Tensor, Any]
) -> None:
    """Compare a program with the engine.

    Args:
        loss, gradients: the engine's loss, and each parameter with its gradient.
        value, own: the program's loss, and its gradients by parameter.

    Raises:
        CompileError: they differ.
    """
    close(value, loss._value, f"the loss {describe(loss)}", largest([loss._value]))
    most = largest([g for _, g in gradients])
    for node, g in gradients:
        ours = own.get(node, np.zeros(node.shape))
        close(ours, g, f"the gradient of {describe(node)}", most)


def close(ours: Any, theirs: Any, what: str, scale: float) -> None:
    """Refuse numbers that differ by more than the tolerance, of the scale; equal infinities and NaN agree.

    Raises:
        CompileError: they differ.
    """
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    with np.errstate(invalid="ignore"):
        off = np.where((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)), 0.0, ours - theirs)
    worst = float(np.max(np.abs(off), initial=0.0))
    if not worst <= TOLERANCE.get(theirs.dtype.char, 1e-12) * scale:
        raise CompileError(
            f"the program differs from the function in {what}: by {worst:.3g}, of {scale:.3g}. Something "
            "that changes from call to call did not come in as an argument; give it as one, or leave the "
            "function eager"
        )


def largest(arrays: list[Any]) -> float:
    """The largest finite number in arrays."""
    sizes = [np.abs(a)[np.isfinite(a)] for a in map(np.asarray, arrays)]
    return max([float(np.max(size, initial=0.0)) for size in sizes], default=0.0)
