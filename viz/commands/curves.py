"""The losses of a training as a picture: over the iterations, and over the steps of the last one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from micrornn.training import Report

BLUE, ORANGE = "#0072B2", "#D55E00"  # Okabe & Ito


def draw(reports: Sequence[Report], title: str, path: Path) -> None:
    """Write the picture: loss and gradient norm above, the loss of each step at the end below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1)
    iterations = [report.iteration for report in reports]
    above.plot(iterations, [report.loss for report in reports], color=BLUE, label="loss")
    norms = [report.norm for report in reports]
    above.plot(iterations, norms, color=ORANGE, lw=0.8, ls="--", label="norm of the gradient")
    if all(value > 0 and math.isfinite(value) for value in norms):
        above.set_yscale("log")
    above.set(xlabel="iteration", title=title)
    above.legend()
    last = reports[-1].losses if reports else []
    below.bar(range(1, len(last) + 1), last, color=BLUE)
    below.set(xlabel="time step", ylabel="loss", title="The loss of each step, last iteration")
    figure.savefig(path)
