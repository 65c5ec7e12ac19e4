"""Gates over time as a picture: how open they are, and what gradient arrives at them and gets through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.flow.gates import OPEN, SHUT, GateTrace
from micrornn.flow.gates import gates as gates_of
from micrornn.flow.series import plain
from micrornn.messages import percent
from micrornn.recording import Recording
from viz.plots import canvas
from viz.plots.view import Cell, View, heading
from viz.style import category, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_KEEPS = ("forget gate", "update gate")  # the gates that the highway goes through
_COLUMNS = ("mean", "low", "high", "shut", "open", "multiplies", "arrived", "sent")


class GatesView(View):
    """The gates of the top layer of each run."""

    name = "gates"

    def __init__(self, runs: Mapping[str, Recording]) -> None:
        self.gates: dict[str, dict[str, GateTrace]] = {
            run: gates_of(rec) for run, rec in runs.items()
        }
        rows = sum(map(len, self.gates.values()))
        self.size = (9.0, 1.0 + 1.75 * rows)

    @property
    def finding(self) -> str:
        """What the gate that keeps the state does; without one, what the most saturated does."""
        parts = []
        for run, own in self.gates.items():
            told = next((own[role] for role in _KEEPS if role in own), None)
            told = told or max(own.values(), key=lambda g: g.saturated)
            parts.append(f"{run}: {told}" if run else str(told))
        return "; ".join(parts)

    def draw(self, figure: FigureBase) -> None:
        """A row for each gate: its values to the left, its gradient to the right."""
        rows = [(run, own) for run, gates in self.gates.items() for own in gates.values()]
        axes = figure.subplots(len(rows), 2, squeeze=False)
        grads = [v for _, own in rows for v in (*own.arrived.tolist(), *own.sent.tolist())]
        for (left, right), (run, own) in zip(axes, rows):
            color = category(own.role)[0]
            name = f"{run}, {own.role}" if run else own.role
            _values(left, own, color)
            left.set_title(name, loc="left")
            for values, label, dash, mark in (
                (own.arrived, "arrived at the gate", "-", "o"),
                (own.sent, "sent on through its activation", ":", "s"),
            ):
                canvas.curve(right, own.steps, values.tolist(), label, (color, mark, dash))
            canvas.log_axis(right, grads, "gradient norm")
            canvas.steps_axis(right, own.steps, "")
        hollow = "; hollow: exactly zero" if 0.0 in grads else ""
        axes[0][1].set_title(f"gradient of the gate{hollow}", loc="left")
        for ax in axes[-1]:
            ax.set_xlabel("step t")
            canvas.legend(ax, columns=3, bbox_to_anchor=(0.5, -0.42))

    def body(self) -> list[str]:
        """A table for each gate."""
        lines = [
            f"shut: below {SHUT} (a tanh: below -{OPEN}), open: above {OPEN}; multiplies by: the factor",
            "on the gradient that passes the gate backward",
        ]
        for run, gates in self.gates.items():
            lines += heading(run)
            for own in gates.values():
                lines += ["", str(own), *own.table().splitlines()]
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The gates for JSON."""
        return {
            run: {role: plain(own.as_dict()) for role, own in gates.items()}
            for run, gates in self.gates.items()
        }

    def cells(self) -> Iterable[Cell]:
        """Every number of every gate."""
        for run, gates in self.gates.items():
            for role, own in gates.items():
                for what in _COLUMNS:
                    for t, value in zip(own.steps, getattr(own, what)):
                        yield Cell(self.name, run, f"{what} of {role}", t, None, float(value))


def _values(ax: Axes, own: GateTrace, color: str) -> None:
    """The mean as a line, the range from the smallest to the largest as a band, saturation in words."""
    times = np.array(own.steps)
    mark = "o" if len(times) <= canvas.FEW_POINTS else ""
    look: Any = {"color": color, "alpha": 0.18, "linewidth": 0.0}
    ax.fill_between(times, own.low, own.high, label="all units", **look)
    ax.plot(times, own.mean, color=color, marker=mark, label="mean")
    low, high = float(np.min(own.low)), float(np.max(own.high))
    bounds = (-1.05, 1.05) if -1.0 <= low < 0.0 and high <= 1.0 else (-0.05, 1.05)
    if low < bounds[0] or high > bounds[1]:
        margin = 0.05 * (high - low)
        bounds = (low - margin, high + margin)
    ax.set_ylim(*bounds)
    for level, words in (
        (SHUT if bounds[0] > -0.5 else -OPEN, "shut below, open above"),
        (OPEN, ""),
    ):
        dash: Any = {"linewidth": 0.6, "linestyle": (0, (4, 4)), "label": words or "_nolegend_"}
        ax.axhline(level, color=canvas.MUTED, **dash)
    stuck = f"{percent(float(np.mean(own.shut)))} shut, {percent(float(np.mean(own.open)))} open"
    ax.set_title(f"mean {number(float(np.mean(own.mean)))}; {stuck}", loc="right", fontsize=8.5)
    ax.set_ylabel("value")
    canvas.steps_axis(ax, own.steps, "")
