"""Comparing with stored reference values: a module or a function, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from reference.store import Case

import micrornn as mr


def leaves_of(case: Case, group: str = "inputs") -> dict[str, mr.Tensor]:
    """The arrays of a case as leaves that want a gradient."""
    return {key: mr.tensor(value, requires_grad=True) for key, value in case[group].items()}


def differences(
    case: Case,
    outputs: dict[str, mr.Tensor],
    leaves: dict[str, mr.Tensor],
    tolerance: float = 1e-10,
) -> dict[str, Any]:
    """What differs from the case: outputs first, then every gradient, by the case's cotangents."""
    wrong: dict[str, Any] = {}
    for key, expected in case["outputs"].items():
        wrong |= _difference(key, expected, outputs[key].data, tolerance)
    total = sum((outputs[key] * c).sum() for key, c in case["cotangents"].items())
    for leaf in leaves.values():
        leaf.grad = None
    if isinstance(total, mr.Tensor) and total.requires_grad:
        total.backward()
    for key, expected in case["gradients"].items():
        grad = leaves[key].grad
        found = np.zeros(expected.shape) if grad is None else grad
        wrong |= _difference(f"gradient of {key}", expected, found, tolerance)
    return wrong


def module_differences(
    case: Case, module: Any, run: Callable[..., dict[str, mr.Tensor]], tolerance: float = 1e-10
) -> dict[str, Any]:
    """The same for a module: it gets the case's parameters, and ``run(inputs)`` names its outputs."""
    module.load_state_dict(case["parameters"])
    inputs = leaves_of(case)
    return differences(
        case, run(**inputs), {**dict(module.named_parameters()), **inputs}, tolerance
    )


def _difference(key: str, expected: Any, found: Any, tolerance: float) -> dict[str, Any]:
    if np.shape(found) != expected.shape:
        return {key: f"shape {np.shape(found)}, expected {expected.shape}"}
    same = (np.asarray(expected) == found) | (np.isnan(expected) & np.isnan(found))
    worst = float(
        np.max(np.abs(np.where(same, 0.0, expected) - np.where(same, 0.0, found)), initial=0)
    )
    return {} if worst <= tolerance else {key: worst}
