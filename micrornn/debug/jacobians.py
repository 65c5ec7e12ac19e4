"""What one time step does to a gradient: the Jacobian between a state and itself one step before."""

from __future__ import annotations

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import Outcome
from micrornn.debug.report import number, plain
from micrornn.flow.pieces import Rows
from micrornn.flow.rows import sweep
from micrornn.flow.series import series
from micrornn.messages import percent

LARGEST = 512  # units


def step_jacobian(cursor: Cursor, text: str) -> Outcome:
    """The Jacobian dh_t/dh_{t-1} by its singular values; h by default, of the present step."""
    node = cursor.places.node(text) if text else _present_state(cursor)
    if node.step is None or not node.name:
        raise DebuggerError(
            f"{cursor.places.label(node)} has no step or no name; write for example jacobian h[2]"
        )
    if not 1 <= node.size <= LARGEST:
        raise DebuggerError(
            f"{cursor.places.label(node)} has {node.size} numbers; at most {LARGEST}"
        )
    own = {n.step: n for n in series(cursor.rec, node.name, node.scope)}
    before = own.get(node.step - 1)
    if before is None:
        raise DebuggerError(
            f"there is no {node.name}[{node.step - 1}] before {cursor.places.label(node)}"
        )
    seeds = {node.number: Rows(np.arange(node.size), np.eye(node.size).reshape(-1, *node.shape))}
    found = sweep(cursor.rec.nodes, seeds, [before.number], stop=True).get(before.number)
    matrix = np.zeros((node.size, before.size))
    if found is not None:
        matrix[found.labels] = np.asarray(found.values).reshape(len(found.labels), -1)
    there, here = cursor.places.label(before), cursor.places.label(node)
    values = np.linalg.svd(matrix, compute_uv=False) if np.isfinite(matrix).all() else None
    if values is None:
        return Outcome(lines=[f"d{here}/d{there} is not finite"], data={"finite": False})
    shown = ", ".join(number(v) for v in values[:8]) + (", ..." if len(values) > 8 else "")
    lines = [
        f"d{here}/d{there}: shape {matrix.shape}, largest singular value {number(values[0])}",
        f"  singular values: {shown}",
        f"  one step back makes a gradient {_does(float(values[0]), float(values[-1]))}",
    ]
    data = {"of": here, "by": there, "singular_values": plain(values)}
    return Outcome(lines=lines, data=data)


def _present_state(cursor: Cursor) -> Tensor:
    step = cursor.moment.node.step
    if step is None:
        raise DebuggerError("the present node has no step; name a state: jacobian h[2]")
    return cursor.places.node(f"h[{step}]")


def _does(most: float, least: float) -> str:
    if most < 1:
        return f"shorter, whatever its direction: at least by {percent(1 - most)}"
    if least > 1:
        return f"longer, whatever its direction: at least by a factor of {least:.3g}"
    return f"shorter or longer by its direction: by a factor from {least:.3g} to {most:.3g}"
