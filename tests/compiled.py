"""A compiled function beside the function itself: the same loss and the same gradients, call by call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import micrornn as mr


def gradients(parameters: Sequence[Any]) -> list[Any]:
    """The gradients of parameters, which are taken away from them."""
    found = [p.grad for p in parameters]
    for p in parameters:
        p.grad = None
    return found


def alike(
    function: Callable[..., Any],
    data: Callable[[], tuple[Any, ...]],
    parameters: Sequence[Any],
    calls: int = 3,
    tolerance: float = 1e-11,
    backend: str = "numpy",
) -> Any:
    """Compile, call on new data each time, and compare; returns the compiled function."""
    step = mr.compile(function, backend)
    gradients(parameters)
    for _ in range(calls):
        given = data()
        loss = step(*given).item()
        ours = gradients(parameters)
        expected = function(*given)
        expected.backward()
        theirs = gradients(parameters)
        assert abs(loss - expected.item()) <= tolerance * max(1.0, abs(loss))
        largest = max(float(np.max(np.abs(g))) for g in theirs if g is not None)
        for p, g, own in zip(parameters, theirs, ours):
            if g is None:
                assert own is None or not np.any(own), p
            else:
                assert own is not None and np.shape(own) == np.shape(g), p
                assert np.max(np.abs(np.asarray(own) - g)) <= tolerance * largest, p
    return step
