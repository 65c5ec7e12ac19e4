"""Gradient checks, for users too: the analytic gradient against central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrornn.core.backward import grad
from micrornn.core.tensor import Tensor, lift
from micrornn.forward import jvp


class GradientMismatch(AssertionError):
    """The analytic gradient differs from the numeric one."""


def gradcheck(
    f: Callable[..., Tensor],
    inputs: Tensor | Sequence[Tensor],
    *,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-4,
) -> float:
    """Check the gradient of f at the inputs against central differences, element by element.

    Forward mode is checked along with it, in one random direction.

    Args:
        f: takes the inputs and returns a tensor; of a non-scalar, a fixed random projection is checked.
        inputs: float64 leaves with requires_grad=True.
        eps: the half width of the difference.
        atol, rtol: what difference is allowed, absolute and relative to the numeric gradient.

    Returns:
        The largest absolute difference found.

    Raises:
        GradientMismatch: says which input, which element, analytic against numeric.
        ValueError: an input is not a float64 leaf that wants a gradient, or f gives another value when
            called again at the same point.
        TypeError: f does not return a tensor.

    >>> import micrornn as mr
    >>> mr.gradcheck(lambda x: mr.tanh(x), mr.tensor([0.1, 0.2], requires_grad=True)) < 1e-8
    True
    """
    leaves = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    for i, x in enumerate(leaves):
        if not (x.is_leaf and x.requires_grad and x.dtype == np.float64):
            raise ValueError(
                f"gradcheck input {i} ({x!r}) must be a float64 leaf with requires_grad=True; "
                "differences of float32 are too coarse to check against"
            )
    out = f(*leaves)
    if not isinstance(out, Tensor):
        raise TypeError(f"gradcheck: f must return a tensor, not {type(out).__name__}")
    rng = np.random.default_rng(0)
    weights: Any = rng.normal(size=out.shape) if out.shape else 1.0

    def value() -> float:
        return float(np.sum(f(*leaves)._value * weights))

    if not np.isclose(value(), float(np.sum(out._value * weights)), rtol=1e-12, equal_nan=True):
        raise ValueError(
            "gradcheck: f gives different values for the same input; fix its random numbers "
            "(dropout, sampling) before checking"
        )
    analytic = grad(out, leaves, weights) if out.requires_grad else [None] * len(leaves)
    worst = 0.0
    slope = 0.0
    directions = [rng.normal(size=x.shape) for x in leaves]
    for i, (x, a, direction) in enumerate(zip(leaves, analytic, directions)):
        gradient = np.zeros(x.shape) if a is None else np.asarray(a)
        numeric = _differences(x, value, eps)
        off = np.abs(gradient - numeric)
        bad = ~(off <= atol + rtol * np.abs(numeric))
        if bad.any():
            at = tuple(
                int(k) for k in np.unravel_index(np.argmax(np.where(bad, off, -1)), off.shape)
            )
            name = f" ({x.name})" if x.name else ""
            raise GradientMismatch(
                f"gradcheck: input {i}{name}, element {list(at)}: analytic {gradient[at]:.10g}, "
                f"numeric {numeric[at]:.10g}, difference {off[at]:.3g} "
                f"(allowed {atol:g} + {rtol:g} relative); {bad.sum()} of {off.size} elements differ"
            )
        worst = max(worst, float(off.max(initial=0.0)))
        slope += float(np.sum(numeric * direction))
    pushed = float(np.sum(jvp(out, leaves, directions) * weights))
    if not abs(pushed - slope) <= atol * sum(x.size for x in leaves) + rtol * abs(slope):
        raise GradientMismatch(
            f"gradcheck: forward mode (jvp) gives {pushed:.10g} along a random direction, "
            f"numeric {slope:.10g}; backward mode is right"
        )
    return worst


def gradgradcheck(
    f: Callable[..., Tensor],
    inputs: Tensor | Sequence[Tensor],
    *,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-4,
) -> float:
    """Check the gradient of the gradient of f likewise: what `grad(..., create_graph=True)` records.

    Args, returns, raises: as `gradcheck`.

    >>> import micrornn as mr
    >>> mr.gradgradcheck(lambda x: mr.tanh(x), mr.tensor([0.1, 0.2], requires_grad=True)) < 1e-8
    True
    """

    def gradient(*leaves: Tensor) -> Tensor:
        rng = np.random.default_rng(1)
        out = f(*leaves)
        weights: Any = rng.normal(size=out.shape) if out.shape else 1.0
        total = lift(0.0)
        if out.requires_grad:
            for x, g in zip(leaves, grad(out, leaves, weights, create_graph=True)):
                if g is not None:
                    share = g * (rng.normal(size=x.shape) if x.shape else 1.0)
                    total = total + (share.sum() if share.shape else share)
        return total

    return gradcheck(gradient, inputs, eps=eps, atol=atol, rtol=rtol)


def _differences(x: Tensor, value: Callable[[], float], eps: float) -> np.ndarray[Any, Any]:
    """(f(x + eps) - f(x - eps)) / 2 eps for each element; x is left as it was."""
    original = x._value
    base = np.array(original)
    numeric = np.zeros(base.shape)
    try:
        for at in np.ndindex(base.shape):
            either = []
            for shift in (eps, -eps):
                moved = base.copy()
                moved[at] += shift
                x._value = moved if base.shape else float(moved)
                either.append(value())
            numeric[at] = (either[0] - either[1]) / (2 * eps)
    finally:
        x._value = original
    return numeric
