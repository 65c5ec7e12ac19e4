"""The recurrent weights of a layer: the matrices by which one state enters the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.activation import activation_of, steepest
from micrornn.flow.pieces import Rows
from micrornn.flow.roles import Cell, cells, first_state, gate_rows
from micrornn.flow.stacked import pull_rows
from micrornn.recording import Recording
from micrornn.recording.losses import kind_of

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Recurrent:
    """One recurrent matrix, (H, H), as it acts on h: y = W h.

    Attributes:
        name: the parameter it is, or is a part of.
        gate: the gate it feeds; None in a plain RNN.
        matrix: shape (H, H).
        spectral_radius: the largest |eigenvalue|.
        sigma_max: the largest singular value.
        gamma: the largest derivative of the activation behind it (Pascanu et al. 2013); None without one.
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
    h = first_state(rec, before)
    if h is None:
        return []
    found = []
    rows = gate_rows(cell)
    for user, slot in rec.users.get(h.number, ()):
        if kind_of(user) != "product" or slot > 1 or user.step != cell.step:
            continue
        weight = user.inputs[1 - slot]
        if not weight.requires_grad or weight.ndim != 2:
            continue
        name = weight.name or f"#{weight.number}"
        matrix = _matrix(user, slot)
        gates = rows.get(user.number)
        if gates:
            for gate, (a, b) in gates.items():
                behind = activation_of(cell.gates[gate])
                found.append(_recurrent(name, gate, matrix[a:b], behind))
        else:
            found.append(_recurrent(name, None, matrix, _activation(rec, cell, user)))
    return [r for r in found if r is not None]


def _matrix(product: Tensor, slot: int) -> Array:
    """The Jacobian of a product in one of its factors, for one row of the batch."""
    width = product.shape[-1]
    eye = np.zeros((width, *product.shape))
    eye.reshape(width, -1, width)[:, 0] = np.eye(width)
    piece = pull_rows(product, Rows(np.arange(width), eye), [slot])[0]
    rows = piece.dense()
    matrix: Array = rows.reshape(width, -1, rows.shape[-1])[:, 0]
    return matrix


def _recurrent(
    name: str, gate: str | None, matrix: Array, behind: Tensor | None
) -> Recurrent | None:
    if matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        return None
    return Recurrent(
        name,
        gate,
        matrix,
        float(np.abs(np.linalg.eigvals(matrix)).max()),
        float(np.linalg.norm(matrix, 2)),
        steepest(behind.primitive) if behind is not None and behind.primitive else None,
    )


def _activation(rec: Recording, cell: Cell, node: Tensor) -> Tensor | None:
    """The activation that a product goes into within its step."""
    waiting = [node]
    while waiting:
        for user, _ in rec.users.get(waiting.pop(0).number, ()):
            if user.step != cell.step:
                continue
            if kind_of(user) == "activation":
                return user
            if kind_of(user) == "sum":
                waiting.append(user)
    return None
