"""The gradient over a training as a picture: the loss, and below it a map of time steps by iterations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.flow.series import plain
from micrornn.flow.trend import Trend
from viz.plots import canvas
from viz.plots.view import Cell, View, log_bars
from viz.style import ABSENT, number

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase


class TrendView(View):
    """What a watch noted: when it broke, and at which time step."""

    name = "trend"
    size = (8.0, 5.4)

    def __init__(self, trend: Trend) -> None:
        self.trend = trend

    @property
    def finding(self) -> str:
        """When it broke, or how far the gradient reaches at the start and at the end."""
        return self.trend.finding

    def draw(self, figure: FigureBase) -> None:
        """The loss, and the norm of the gradient by step and iteration."""
        from matplotlib.colors import LogNorm

        own = self.trend
        top, low = figure.subplots(2, 1, sharex=True, height_ratios=(1.0, 1.7))
        top.plot(own.iterations, own.losses, color=canvas.RUNS[1][0], marker="o", markersize=3)
        top.set_ylabel("loss")
        top.grid(True, axis="y")
        known = own.norms[np.isfinite(own.norms) & (own.norms > 0)]
        low.set_facecolor(ABSENT)
        low.set_ylabel("time step")
        low.set_xlabel("iteration")
        if len(known):
            # Each column is as wide as the stretch up to the next recorded iteration.
            edges = _edges(own.iterations)
            rows = np.arange(len(own.steps) + 1) + own.steps[0] - 0.5
            span = LogNorm(known.min(), max(known.max(), known.min() * 1.01))
            shown = np.ma.masked_invalid(np.where(own.norms > 0, own.norms, np.nan))
            mesh = low.pcolormesh(edges, rows, shown, norm=span, cmap="YlOrRd")
            bar = figure.colorbar(mesh, ax=[top, low], shrink=0.5, anchor=(0, 0))
            bar.set_label(f"gradient at h in {own.layer}")
            bar.outline.set_visible(False)
        low.set_xlim(own.iterations[0], own.iterations[-1])

    def body(self) -> list[str]:
        """Ten iterations as a table, and the gradient of each step at the end as a bar."""
        own = self.trend
        lines = ["iteration        loss   first step    last step"]
        for i in np.unique(np.linspace(0, len(own.iterations) - 1, 11).astype(int)):
            ends = (own.losses[i], own.norms[0, i], own.norms[-1, i])
            lines.append(
                f"{own.iterations[i]:9}" + "".join(f"{number(float(x)):>13}" for x in ends)
            )
        last = own.norms[:, -1].tolist()
        lines += ["", "step  gradient at the end, with a bar of its logarithm"]
        lines += [f"{t:4}  {number(x):>9}  {b}" for t, x, b in zip(own.steps, last, log_bars(last))]
        return lines

    def as_dict(self) -> dict[str, Any]:
        """All numbers, for JSON."""
        found: dict[str, Any] = plain(dict(vars(self.trend)))
        return found

    def cells(self) -> Iterable[Cell]:
        """Loss of each iteration, and the gradient at each of its steps."""
        own = self.trend
        for i, iteration in enumerate(own.iterations):
            yield Cell(self.name, "", "loss", iteration, None, own.losses[i])
            for k, t in enumerate(own.steps):
                yield Cell(self.name, "", "gradient", iteration, t, float(own.norms[k, i]))


def _edges(iterations: list[int]) -> np.ndarray[Any, Any]:
    if len(iterations) == 1:
        return np.array([iterations[0] - 0.5, iterations[0] + 0.5])
    return np.array([*iterations, 2 * iterations[-1] - iterations[-2]], dtype=float)
