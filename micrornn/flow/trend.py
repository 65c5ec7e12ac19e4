"""The gradient over a training: what a `Watch` recorded, as one table of iterations by time steps."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from micrornn.messages import percent
from micrornn.recording import RecordingError

Array = np.ndarray[Any, Any]

FILE = "watch.jsonl"
_LITTLE = 1e-3  # of the last step's gradient, at the first


@dataclass(frozen=True)
class Trend:
    """One layer over a training.

    Attributes:
        layer: the scope.
        iterations: that were recorded.
        losses: their losses.
        steps: the time steps.
        norms: shape (steps, iterations), the norm of the gradient at h; NaN where there was no such step.
        updates: by weight, the size of an update relative to the weight, for each iteration.
        saturated: by gate, the fraction of values that are shut or open, for each iteration.
    """

    layer: str
    iterations: list[int]
    losses: list[float]
    steps: list[int]
    norms: Array
    updates: dict[str, list[float]]
    saturated: dict[str, list[float]]

    @property
    def finding(self) -> str:
        """When it broke, or how far the gradient reaches at the start and at the end."""
        for iteration, loss in zip(self.iterations, self.losses):
            if not math.isfinite(loss):
                return (
                    f"The loss is {loss} in iteration {iteration:,}; before it, {self._reach(-2)}"
                )
        first, last = self._reach(0).capitalize(), self._reach(-1)
        return f"{first} in iteration {self.iterations[0]:,}; at the end, {last}"

    def _reach(self, column: int) -> str:
        known = (
            self.norms[:, column] if self.norms.shape[1] > abs(column) - 1 else self.norms[:, -1]
        )
        inside = known[np.isfinite(known) & (known > 0)]
        if len(inside) < 2:
            return "no gradient reaches two steps"
        ratio = inside[0] / inside[-1]
        word = f"{ratio:.2g} times" if ratio > 1 or ratio < _LITTLE else f"{percent(ratio)} of"
        return f"the first step gets {word} the last one's gradient"


def read_trend(folder: str | Path, layer: str | None = None) -> Trend:
    """What a `Watch` left in a folder.

    Args:
        layer: the scope; the top one by default.

    Raises:
        RecordingError: there is no watch in the folder, or it has no such layer; says what there is.
    """
    path = Path(folder) / FILE if Path(folder).is_dir() else Path(folder)
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except (OSError, ValueError) as error:
        raise RecordingError(
            f"{folder} holds no watch of a training ({FILE}): {error}. Use `with watch:` around "
            f"each training "
            "step, with watch = micrornn.training.Watch(folder)"
        ) from error
    known = list(dict.fromkeys(name for line in lines for name in line["layers"]))
    if not lines or not known:
        raise RecordingError(f"{path} has no recorded iteration with states over time")
    if layer is not None and layer not in known:
        raise RecordingError(f"no layer {layer!r} in {path}; there are {', '.join(known)}")
    layer = layer or known[-1]
    own = [line["layers"].get(layer, {"steps": [], "norms": []}) for line in lines]
    steps = sorted({t for entry in own for t in entry["steps"]})
    norms = np.full((len(steps), len(lines)), np.nan)
    for i, entry in enumerate(own):
        for t, size in zip(entry["steps"], entry["norms"]):
            norms[steps.index(t), i] = size
    weights = list(dict.fromkeys(name for line in lines for name in line["weights"]))
    roles = list(dict.fromkeys(r for line in lines for r in line["gates"].get(layer, {})))
    return Trend(
        layer,
        [line["iteration"] for line in lines],
        [line["loss"] for line in lines],
        steps,
        norms,
        {
            n: [line["weights"].get(n, {}).get("update", math.nan) for line in lines]
            for n in weights
        },
        {r: [_stuck(line["gates"].get(layer, {}).get(r)) for line in lines] for r in roles},
    )


def _stuck(entry: dict[str, float] | None) -> float:
    return math.nan if entry is None else entry["shut"] + entry["open"]
