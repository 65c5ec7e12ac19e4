"""One pullback against finite differences of the operation that it is the pullback of."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.primitive import in_numpy
from micrornn.debug.places import Places
from micrornn.debug.registry import Outcome
from micrornn.debug.report import made, plain
from micrornn.debug.timeline import Timeline

Array = np.ndarray[Any, Any]

MOST = 2000  # numbers moved of one input; of more, evenly chosen ones
INPUTS = 10  # checked of one node; of more, evenly chosen ones
RTOL = 1e-4


def check_turn(line: Timeline, places: Places, turn: int) -> Outcome:
    """Move every input's numbers a little, and compare <g, dy> with what the pullback sent."""
    node, g = line.nodes[turn], np.asarray(line.amounts[turn], dtype=float)
    assert node.primitive is not None
    rows: list[dict[str, Any]] = []
    lines, good = [f"{made(node, places)}: y = {node.primitive.formula}"], True
    wanted = [slot for slot, sent in enumerate(line.sent[turn]) if sent is not None]
    if len(wanted) > INPUTS:
        lines.append(f"  {INPUTS} of its {len(wanted)} inputs, evenly chosen:")
        wanted = [wanted[i] for i in np.linspace(0, len(wanted) - 1, INPUTS).astype(int)]
    for slot in wanted:
        x, sent = node.inputs[slot], line.sent[turn][slot]
        analytic = np.asarray(dense(sent), dtype=float).ravel()
        chosen = np.unique(np.linspace(0, analytic.size - 1, min(analytic.size, MOST)).astype(int))
        numeric = np.array([_difference(node, slot, int(i), g) for i in chosen])
        if not (np.isfinite(analytic).all() and np.isfinite(numeric).all()):
            words = (
                "what is sent is not finite"
                if not np.isfinite(analytic).all()
                else "the slope is not"
            )
            lines.append(f"  to {places.label(x)}: {words}, so differences say nothing here")
            rows.append({"to": places.label(x), "right": None})
            good = False
            continue
        off = np.abs(analytic[chosen] - numeric)
        scale = float(np.max(np.abs(numeric), initial=0.0))
        worst = float(np.max(off, initial=0.0))
        right = worst <= 1e-7 * max(1.0, float(np.abs(g).max(initial=0.0))) + RTOL * scale
        good = good and right
        of = (
            f"{len(chosen)} of {analytic.size}"
            if len(chosen) < analytic.size
            else str(analytic.size)
        )
        lines.append(
            f"  to {places.label(x)}: {'right' if right else 'WRONG'}, {of} numbers, "
            f"largest difference {worst:.2g} where the largest is {scale:.3g}"
        )
        rows.append(
            {"to": places.label(x), "right": right, "worst": plain(worst), "checked": len(chosen)}
        )
    return Outcome(lines=lines, data={"right": good, "inputs": rows})


def _difference(node: Any, slot: int, i: int, g: Array) -> float:
    """<g, dy/dx_i> by a central difference, in double precision."""
    values = [
        np.asarray(v, dtype=float) if np.asarray(v).dtype.kind == "f" else v for v in node.values
    ]
    x = np.asarray(values[slot], dtype=float)
    eps = 1e-6 * max(1.0, abs(float(x.flat[i])))
    ends = []
    with np.errstate(all="ignore"):
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved.flat[i] += sign * eps
            inputs = [moved if k == slot else v for k, v in enumerate(values)]
            ends.append(
                np.asarray(in_numpy(node.primitive.forward, inputs, node.params), dtype=float)
            )
        return float(np.sum(g * (ends[0] - ends[1])) / (2 * eps))
