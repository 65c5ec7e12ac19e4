"""What the panels below the graph show of all steps: weights, losses, gates, Jacobians."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow import credit, gates, ledger, why
from micrornn.flow.jacobian import jacobian_strip
from micrornn.flow.series import layers
from micrornn.messages import printable
from micrornn.recording import Recording, RecordingError

_MAPPED = 250  # steps up to which there is a credit map
_WEIGHTS = 12  # in the ledger, those with the largest gradients
_MEASURED = 6_000  # nodes up to which the Jacobian of each step is


def number(x: float | None) -> Any:
    """A number to six digits; NaN and infinities, which JSON lacks, in a form that the page knows."""
    if x is None:
        return None
    return float(f"{x:.6g}") if math.isfinite(x) else {"$": str(x).replace("inf", "Infinity")}


def weights(rec: Recording, explained: bool) -> list[dict[str, Any]]:
    """The ledger of each weight with a gradient, the largest first: norms and shares by step."""
    if not rec.passes:
        return []
    found = []
    for parameter in rec.parameters:
        try:
            own = ledger(rec, parameter)
        except RecordingError:  # nothing arrived
            continue
        steps = [(t, n, s) for t, n, s in zip(own.steps, own.norms, own.shares) if t is not None]
        if steps:
            found.append((own.norm if own.norm == own.norm else math.inf, parameter, steps))
    found.sort(key=lambda entry: -entry[0])
    return [
        _weight(rec, parameter, norm, steps, explained)
        for norm, parameter, steps in found[:_WEIGHTS]
    ]


def _weight(
    rec: Recording,
    parameter: Tensor,
    norm: float,
    steps: list[tuple[int, Any, Any]],
    explained: bool,
) -> dict[str, Any]:
    return {
        "name": printable(parameter.name or f"#{parameter.number}"),
        "shape": "×".join(map(str, parameter.shape)),
        "norm": number(norm),
        "steps": [t for t, _, _ in steps],
        "norms": [number(float(n)) for _, n, _ in steps],
        "shares": [number(float(s)) for _, _, s in steps],
        "why": why(rec, parameter).verdict if explained else "",
    }


def credits(rec: Recording, steps: list[int]) -> dict[str, Any] | None:
    """The credit map; None where there are few losses or too many steps."""
    losses = [x for x in rec.losses if x.size == 1 and x.step is not None]
    if not rec.passes or not 2 <= len(losses) <= _MAPPED or len(steps) > _MAPPED:
        return None
    try:
        found = credit(rec)
    except RecordingError:
        return None
    return {
        "name": found.name,
        "scope": printable(found.scope),
        "losses": [t or 0 for t in found.row_steps],
        "states": [t or 0 for t in found.column_steps],
        "rows": [
            [number(float(n)) if np.isfinite(n) else None for n in row] for row in found.norms
        ],
    }


def gate_means(rec: Recording) -> list[dict[str, Any]]:
    """The mean of each gate of each layer by step."""
    found = []
    for layer in layers(rec):
        try:
            traces = gates(rec, layer)
        except RecordingError:
            continue
        for role, trace in traces.items():
            if role != "state" and len(trace.steps) > 1:
                mean = [number(float(m)) for m in trace.mean]
                found.append(
                    {"layer": printable(layer), "role": role, "steps": trace.steps, "mean": mean}
                )
    return found


def strips(rec: Recording) -> list[dict[str, Any]]:
    """Of each layer, what a step does to the norm of a gradient at most, and what all from there on do."""
    found = []
    for layer in layers(rec) if len(rec.nodes) <= _MEASURED else ():
        try:
            own = jacobian_strip(rec, layer)
        except RecordingError:
            continue
        if own.steps:
            found.append(
                {
                    "layer": printable(layer),
                    "states": list(own.states),
                    "steps": own.steps,
                    "sigma": [number(float(x)) for x in own.sigma],
                    "running": [number(float(x)) for x in own.running],
                    "verdict": "" if own.bound is None else own.verdict,
                }
            )
    return found
