"""Fixed points as a picture: the states of a run, and the points that a step leaves as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from micrornn.flow.fixed_points import KINDS, FixedPoints, fixed_points
from micrornn.flow.series import plain
from micrornn.recording import Recording
from viz.plots import canvas
from viz.plots.view import Cell, View, heading

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_MARKS = {"stable": "o", "saddle": "X", "unstable": "D", "slow": "s"}
_MOST_ROWS = 30


class FixedPointsView(View):
    """Fixed and slow points of the top layer, for each input held constant."""

    name = "fixed-points"

    def __init__(self, runs: Mapping[str, Recording]) -> None:
        self.found: dict[str, FixedPoints] = {run: fixed_points(rec) for run, rec in runs.items()}
        self.size = (6.4 * max(1, len(self.found)), 5.4)

    @property
    def finding(self) -> str:
        """How many points there are, of which kinds."""
        if len(self.found) == 1:
            return str(*self.found.values())
        return "; ".join(f"{run}: {own}" for run, own in self.found.items())

    def draw(self, figure: FigureBase) -> None:
        """One plane for each run."""
        axes = figure.subplots(1, len(self.found), squeeze=False)[0]
        for ax, (run, own) in zip(axes, self.found.items()):
            _plane(ax, own)
            ax.set_title(run)

    def body(self) -> list[str]:
        """A table for each run."""
        lines: list[str] = []
        for run, own in self.found.items():
            lines += heading(run)
            states = ", ".join(own.states)
            lines += [f"state s = ({states}) of {own.layer or 'the network'}", ""]
            table = own.table().splitlines()
            lines += table[: 1 + _MOST_ROWS]
            if len(table) > 1 + _MOST_ROWS:
                lines.append(f"and {len(table) - 1 - _MOST_ROWS} more; -o FILE.csv has all")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The points for JSON."""
        return {run: plain(own.as_dict()) for run, own in self.found.items()}

    def cells(self) -> Iterable[Cell]:
        """Speed and largest eigenvalue of every point, and its place in the plane."""
        for run, own in self.found.items():
            _, places = own.plane()
            for i, (point, place) in enumerate(zip(own.points, places), 1):
                for what, value in (
                    (f"{point.kind}: speed", point.speed),
                    (f"{point.kind}: largest eigenvalue", point.radius),
                    ("first component", place[0]),
                    ("second component", place[1]),
                ):
                    yield Cell(self.name, run, what, None, i, float(value))


def _plane(ax: Axes, own: FixedPoints) -> None:
    visited, places = own.plane()
    ax.plot(*visited.T, color=canvas.LIGHT.line, linewidth=1.2, marker=".", markersize=4, zorder=1)
    if len(visited):
        ax.plot([], [], color=canvas.LIGHT.line, marker=".", label="states of the run")
        beside: Any = {"textcoords": "offset points", "xytext": (4, 4), "fontsize": 8}
        ax.annotate("begin", visited[0], color=canvas.MUTED, **beside)
    colors = {word: canvas.RUNS[i % len(canvas.RUNS)][0] for i, word in enumerate(own.inputs)}
    for point, place in zip(own.points, places):
        stable = point.kind == "stable"
        color = colors[point.input]
        ax.plot(
            *place,
            marker=_MARKS[point.kind],
            markersize=8,
            markerfacecolor=color if stable else canvas.LIGHT.paper,
            markeredgecolor=color,
            markeredgewidth=1.8,
            linestyle="none",
            zorder=2,
        )
    for word, color in colors.items():
        if any(p.input == word for p in own.points):
            ax.plot([], [], color=color, marker="o", linestyle="none", label=f"input {word}")
    kinds = {point.kind for point in own.points}
    for kind in KINDS:
        if kind in kinds:
            face = canvas.MUTED if kind == "stable" else canvas.LIGHT.paper
            ax.plot(
                *([], []),
                color=canvas.MUTED,
                marker=_MARKS[kind],
                markerfacecolor=face,
                linestyle="none",
                label=kind,
            )
    ax.set_xlabel("first principal component of the states")
    ax.set_ylabel("second" if own.visited.shape[1] > 1 else "(one number)")
    canvas.legend(ax, [], columns=3)
