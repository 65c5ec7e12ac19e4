"""Connectivity as a picture: inputs to the right, outputs downward, darker where one rests on the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.flow.connectivity import Connectivity, connectivity
from micrornn.flow.series import plain
from micrornn.recording import Recording
from viz.plots import canvas
from viz.plots.view import Cell, View, heading

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_LEVELS = " ▁▂▃▄▅▆▇█"
_NAMED = 60  # inputs that have room for their names
_MOST = 40  # outputs in text


class ConnectivityView(View):
    """On which earlier inputs the prediction of each step rests."""

    name = "connectivity"

    def __init__(self, runs: Mapping[str, Recording]) -> None:
        self.found: dict[str, Connectivity] = {run: connectivity(rec) for run, rec in runs.items()}
        self.size = (6.0 * max(1, len(self.found)), 5.6)

    @property
    def finding(self) -> str:
        """How far back the last output looks, and where most."""
        if len(self.found) == 1:
            return str(*self.found.values())
        parts = [f"{run} {own.reach:.2g}" for run, own in self.found.items()]
        return f"steps back on which the last output rests, on average: {', '.join(parts)}"

    def draw(self, figure: FigureBase) -> None:
        """One map for each run."""
        axes = figure.subplots(1, len(self.found), squeeze=False)[0]
        for ax, (run, own) in zip(axes, self.found.items()):
            _map(ax, own)
            ax.set_title(run or "share of each input in the prediction")

    def body(self) -> list[str]:
        """Each output with the inputs before it, in eight heights; and the last one in numbers."""
        lines: list[str] = []
        for run, own in self.found.items():
            lines += heading(run)
            letters = "".join(_letter(word) for word in own.inputs)
            wide = max(len(str(t)) for t in own.outputs)
            first = max(0, len(own.outputs) - _MOST)
            columns = slice(max(0, len(letters) - 64), None)
            lines.append(f"{'':>{wide}} {letters[columns]}")
            for t, row in list(zip(own.outputs, own.shares))[first:]:
                top = row.max() or 1.0
                marks = "".join(_LEVELS[int(np.ceil(8 * share / top))] for share in row)
                lines.append(f"{t:>{wide}} {marks[columns]}")
            lines += ["each row has a scale of its own", "", *own.table().splitlines()]
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The maps for JSON."""
        return {run: plain(own.as_dict()) for run, own in self.found.items()}

    def cells(self) -> Iterable[Cell]:
        """Every derivative's norm."""
        for run, own in self.found.items():
            for t, row in zip(own.outputs, own.sizes):
                for k, value in zip(own.steps, row):
                    yield Cell(self.name, run, "connectivity", t, k, float(value))


def _letter(word: str) -> str:
    """One character for an input: the character itself, or a dot."""
    inside = word.strip("'\"")
    return {" ": "␣"}.get(inside, inside) if len(inside) == 1 else "·"


def _map(ax: Axes, own: Connectivity) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colors = LinearSegmentedColormap.from_list("flow", [canvas.LIGHT.paper, *canvas.LIGHT.scale])
    image = np.where(np.isnan(own.sizes), np.nan, own.shares)
    drawn = ax.imshow(image, cmap=colors, vmin=0.0, aspect="auto", interpolation="nearest")
    ax.figure.colorbar(drawn, ax=ax, shrink=0.8)
    if len(own.inputs) <= _NAMED and any(own.inputs):
        ax.set_xticks(range(len(own.inputs)), [_letter(word) for word in own.inputs])
        ax.set_xlabel("input")
    else:
        ax.set_xlabel("step k of the input")
    shown = canvas.ticks(0, len(own.outputs) - 1)
    ax.set_yticks(shown, [str(own.outputs[i]) for i in shown])
    ax.set_ylabel("step t of the output")
