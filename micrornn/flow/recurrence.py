"""The recurrent weights of a layer: the matrices by which one state enters the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.roles import Cell, cells, gate_rows
from micrornn.recording import Recording

Array = np.ndarray[Any, Any]

#: The largest derivative of each activation: the gamma of Pascanu et al. 2013.
STEEPEST = {"tanh": 1.0, "sigmoid": 0.25, "relu": 1.0}


@dataclass(frozen=True)
class Recurrent:
    """One recurrent matrix, (H, H), as it acts on h: y = W h.

    Attributes:
        name: the parameter it is, or is a part of.
        gate: the gate it feeds; None in a plain RNN.
        matrix: shape (H, H).
        spectral_radius: the largest |eigenvalue|.
        sigma_max: the largest singular value.
        gamma: the largest derivative of the activation behind it; None where it cannot be told.
    """

    name: str
    gate: str | None
    matrix: Array
    spectral_radius: float
    sigma_max: float
    gamma: float | None


def recurrent_weights(rec: Recording, layer: str) -> list[Recurrent]:
    """The recurrent matrices of a layer, gate by gate where it has gates; empty where none is found."""
    own = [cell for (scope, _), cell in cells(rec).items() if scope == layer]
    if len(own) < 2:
        return []
    before, cell = sorted(own, key=lambda c: max(n.number for n in c.states.values()))[-2:]
    h = before.states.get("h")
    if h is None:
        return []
    found = []
    rows = gate_rows(cell)
    for user, slot in rec.users.get(h.number, ()):
        made = user.primitive.name if user.primitive else ""
        weight = user.inputs[1 - slot] if made in ("linear", "matmul") and slot < 2 else None
        if weight is None or user.step != cell.step or not weight.requires_grad or weight.ndim != 2:
            continue
        value = np.asarray(user.values[1 - slot], dtype=float)
        matrix = value.T if made == "matmul" and slot == 0 else value
        name = weight.name or f"#{weight.number}"
        gates = rows.get(user.number)
        if gates:
            found += [_recurrent(name, g, matrix[a:b], g) for g, (a, b) in gates.items()]
        else:
            found.append(_recurrent(name, None, matrix, _activation(rec, cell, user)))
    return [r for r in found if r is not None]


def _recurrent(name: str, gate: str | None, matrix: Array, behind: str | None) -> Recurrent | None:
    if matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        return None
    if behind is not None and behind not in STEEPEST:
        behind = "tanh" if behind == "candidate" else "sigmoid"
    return Recurrent(
        name,
        gate,
        matrix,
        float(np.abs(np.linalg.eigvals(matrix)).max()),
        float(np.linalg.norm(matrix, 2)),
        STEEPEST[behind] if behind else None,
    )


def _activation(rec: Recording, cell: Cell, node: Tensor) -> str | None:
    """The activation that a product goes into within its step."""
    waiting = [node]
    while waiting:
        for user, _ in rec.users.get(waiting.pop(0).number, ()):
            made = user.primitive.name if user.primitive else ""
            if user.step != cell.step:
                continue
            if made in STEEPEST:
                return made
            if made == "add":
                waiting.append(user)
    return None
