"""The credit map as a picture: how much the loss of step t still says to the state of step k."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.flow import CreditMap
from micrornn.flow import credit as credit_of
from micrornn.flow.credit import NO_PATH, NOT_APPLICABLE, NOT_FINITE, VALUE, ZERO
from micrornn.flow.series import plain
from micrornn.recording import Recording
from viz.plots import canvas
from viz.plots.coarse import coarse
from viz.plots.runs import over_time
from viz.plots.view import Cell, View, heading, log_bars, log_span
from viz.style import ABSENT, ALARM, PAPER, fade, ink_on, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LogNorm
    from matplotlib.figure import FigureBase

_VECTOR = 24  # up to so many steps the cells of a map are drawn one by one, beyond it as an image
_WRITTEN = 7  # up to so many steps the numbers stand in the cells
_MARKS = {ZERO: "0", NO_PATH: "-", NOT_FINITE: "!", NOT_APPLICABLE: ""}


class CreditView(View):
    """|dL_t/dv_k| for one named value v, of one run or of several.

    Args:
        runs: the recordings by name.
        of: ``h``, ``c``, ``x`` or any name.
    """

    name = "credit"

    def __init__(self, runs: Mapping[str, Recording], of: str = "h") -> None:
        self.of = of
        self.maps: dict[str, CreditMap] = {}
        for run, rec in runs.items():
            own = credit_of(rec, over_time(rec, of))
            self.maps[run] = dataclasses.replace(own, name=of)
        n = len(self.maps)
        #: Whether there is a map to draw, or with one loss each, lines alone.
        self.flat = all(len(own.rows) == 1 for own in self.maps.values())
        if self.flat:
            self.size = (8.0, 3.8)
        else:
            self.size = (6.2, 5.4) if n == 1 else (max(8.0, 3.3 * n), 6.6)

    @property
    def finding(self) -> str:
        """What of the last loss is left at the first step."""
        own = next(iter(self.maps.values()))
        if len(self.maps) == 1:
            near = next((k for k in reversed(range(1, len(own.columns))) if _known(own, k)), None)
            words = f"gradient of {own.rows[-1]} reaching {own.columns[0]}: {self._far(own)}"
            if near is not None:
                words += f"; {own.columns[near]}: {number(float(own.norms[-1, near]))}"
            return words
        parts = [f"{run} {self._far(one)}" for run, one in self.maps.items()]
        return f"gradient of {own.rows[-1]} reaching {own.columns[0]}: {', '.join(parts)}"

    def _far(self, own: CreditMap) -> str:
        words = {NO_PATH: "no path", NOT_APPLICABLE: "not applicable", NOT_FINITE: "not finite"}
        return words.get(int(own.states[-1, 0])) or number(float(own.norms[-1, 0]))

    def draw(self, figure: FigureBase) -> None:
        """The maps side by side on one scale of colours; of several runs, their last rows as lines above.

        A map of one loss is one row: then the lines are all.
        """
        from matplotlib.colors import LogNorm

        if self.flat:
            self.lines(figure.subplots())
            return
        known = [v for own in self.maps.values() for v in own.norms[own.states == VALUE]]
        low, high = (min(known), max(known)) if known else (0.1, 1.0)
        if high / low < 10.0:
            middle = np.sqrt(low) * np.sqrt(high)
            low, high = middle / np.sqrt(10.0), middle * np.sqrt(10.0)
        norm = LogNorm(low, high)
        if len(self.maps) == 1:
            ax = figure.subplots()
            axes = [ax]
        else:
            grid = figure.add_gridspec(2, len(self.maps), height_ratios=(1, 1.15))
            lines = figure.add_subplot(grid[0, :])
            self.lines(lines)
            axes = [figure.add_subplot(grid[1, i]) for i in range(len(self.maps))]
        states: set[int] = set()
        for ax, (run, own) in zip(axes, self.maps.items()):
            image = _heat(ax, own, norm)
            states |= {int(s) for s in np.unique(own.states)}
            ax.set_title(run)
            _map_axes(ax, own, self.of, first=ax is axes[0])
        label = rf"$\Vert\partial L_t / \partial {canvas.math_name(self.of)}_k\Vert$"
        bar = figure.colorbar(image, ax=axes, label=label, shrink=0.9, pad=0.02)
        canvas.log_ticks(bar.ax.yaxis, np.log10(low), np.log10(high))
        bar.outline.set_visible(False)
        keys = _keys(states)
        if keys:
            figure.legend(handles=keys, loc="outside lower left", ncols=4, handleheight=1.2)

    def lines(self, ax: Axes) -> None:
        """|dL_T/dv_k| over k, the last row of each map, into one pair of axes."""
        values: list[float | None] = []
        steps: list[int | None] = []
        for (run, own), look in zip(self.maps.items(), canvas.looks(len(self.maps))):
            shown = [k for k, s in enumerate(own.states[-1]) if s != NOT_APPLICABLE]
            row = [None if own.states[-1, k] == NO_PATH else float(own.norms[-1, k]) for k in shown]
            times = [own.column_steps[k] for k in shown]
            canvas.curve(ax, times, row, run, look)
            values += row
            steps += times
        last, of = canvas.math_name(_last(self.maps)), canvas.math_name(self.of)
        canvas.log_axis(ax, values, rf"$\Vert\partial {last} / \partial {of}_k\Vert$")
        canvas.steps_axis(ax, steps, "step k")
        keys = canvas.key(values)
        canvas.legend(ax, keys, loc="lower right", bbox_to_anchor=(1.0, 1.0), columns=6)

    def body(self) -> list[str]:
        """The last row as a list with bars; the whole map where 80 columns hold it."""
        lines: list[str] = []
        rows = {
            run: [i for i in range(len(own.columns)) if own.states[-1, i] != NOT_APPLICABLE]
            for run, own in self.maps.items()
        }
        sizes = {run: [float(self.maps[run].norms[-1, i]) for i in rows[run]] for run in rows}
        span = log_span(v for own in sizes.values() for v in own)
        for run, own in self.maps.items():
            lines += heading(run)
            same = ", one scale for all" if len(self.maps) > 1 else ""
            lines += [
                f"{'k':>6}  |d {own.rows[-1]} / d {self.of}_k|, with a bar of its logarithm{same}"
            ]
            for i, bar in zip(rows[run], log_bars(sizes[run], 40, span)):
                size = number(float(own.norms[-1, i])) if own.states[-1, i] == VALUE else ""
                lines.append(f"{own.column_steps[i]!s:>6}  {size:>9}  {bar}")
            if len(own.rows) > 1:
                lines += ["", *self._whole(own)]
        return lines

    def _whole(self, own: CreditMap) -> list[str]:
        width = 1 + max(map(len, own.rows)) + 9 * len(own.columns)
        if width > 80:
            norms = (v for one in self.maps.values() for v in one.norms[one.states == VALUE])
            return coarse(own, self.of, log_span(map(float, norms)))
        head = f"{'':>{max(map(len, own.rows))}}" + "".join(
            f"{f'{self.of}_{k}':>9}" for k in own.column_steps
        )
        lines = ["all losses (empty: not applicable, the step is later than the loss)", head]
        for row, sizes, states in zip(own.rows, own.norms.tolist(), own.states):
            words = [_MARKS.get(int(s), number(x)) for x, s in zip(sizes, states)]
            lines.append(f"{row:>{max(map(len, own.rows))}}" + "".join(f"{w:>9}" for w in words))
        found = set(np.unique(own.states).tolist())
        if NO_PATH in found:
            lines.append("-: no path")
        if NOT_FINITE in found:
            lines.append("!: not finite")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The maps for JSON."""
        return {run: plain(own.as_dict()) for run, own in self.maps.items()}

    def cells(self) -> Iterable[Cell]:
        """Every entry that is applicable; NaN where there is no path."""
        for run, own in self.maps.items():
            for i, t in enumerate(own.row_steps):
                for j, k in enumerate(own.column_steps):
                    if own.states[i, j] != NOT_APPLICABLE:
                        yield Cell(self.name, run, f"dL/d{self.of}", t, k, float(own.norms[i, j]))


def _known(own: CreditMap, k: int) -> bool:
    return int(own.states[-1, k]) in (VALUE, ZERO)


def _last(maps: Mapping[str, CreditMap]) -> str:
    last = {own.rows[-1] for own in maps.values()}
    return last.pop() if len(last) == 1 else "L_T"


def _heat(ax: Axes, own: CreditMap, norm: LogNorm) -> Any:
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Rectangle

    shown = np.ma.masked_where(own.states != VALUE, own.norms)
    colors = ListedColormap([fade(i / 255) for i in range(256)], name="fade")
    rows, columns = own.norms.shape
    edges = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5
    small = max(rows, columns) <= _VECTOR
    image = ax.pcolormesh(
        *(*edges, shown),
        norm=norm, cmap=colors, rasterized=not small, edgecolors=PAPER if small else "none",
        linewidth=0.4 if small else 0.0,
    )  # fmt: skip
    looks: dict[int, Any] = {
        ZERO: {"facecolor": PAPER, "edgecolor": canvas.INK, "linewidth": 0.9},
        NO_PATH: {"facecolor": PAPER, "edgecolor": ABSENT, "hatch": "////", "linewidth": 0.0},
        NOT_FINITE: {"facecolor": PAPER, "edgecolor": ALARM, "hatch": "xxx", "linewidth": 0.9},
    }
    for state, look in looks.items():
        for i, j, width in _stretches(own.states == state):
            inset = 0.08 if state == ZERO else 0.0
            corner = j - 0.5 + inset, i - 0.5 + inset
            size = width - 2 * inset, 1.0 - 2 * inset
            ax.add_patch(Rectangle(corner, *size, **look))
    if max(rows, columns) <= _WRITTEN:
        for i, j in zip(*np.nonzero(own.states <= ZERO)):
            value = float(own.norms[i, j])
            back = colors(float(norm(value))) if value else (1.0, 1.0, 1.0, 1.0)
            ink = ink_on("#" + "".join(f"{round(255 * part):02x}" for part in back[:3]))
            ax.text(j, i, number(value), ha="center", va="center", fontsize=7.5, color=ink)
    return image


def _stretches(where: np.ndarray[Any, Any]) -> Iterable[tuple[int, int, int]]:
    """Row, first column and length of every unbroken stretch of True along the rows."""
    for i, row in enumerate(where):
        begin = None
        for j, here in enumerate([*row, False]):
            if here and begin is None:
                begin = j
            elif not here and begin is not None:
                yield i, begin, j - begin
                begin = None


def _map_axes(ax: Axes, own: CreditMap, of: str, first: bool) -> None:
    rows, columns = own.norms.shape
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(rows - 0.5, -0.5)
    ax.set_xlabel(f"step k of {of}")
    ax.set_ylabel("step t of the loss L" if first else "")
    for axis, steps in ((ax.xaxis, own.column_steps), (ax.yaxis, own.row_steps)):
        known = [t for t in steps if t is not None]
        wanted = canvas.ticks(min(known), max(known)) if known else []
        places = [i for i, t in enumerate(steps) if t in wanted]
        axis.set_ticks(places, [str(steps[i]) for i in places])
        axis.set_tick_params(length=0)
    ax.spines[["left", "bottom"]].set_visible(False)


def _keys(states: set[int]) -> list[Any]:
    from matplotlib.patches import Patch

    keys = []
    if NOT_APPLICABLE in states:
        blank: Any = {"facecolor": PAPER, "edgecolor": canvas.LIGHT.line, "linewidth": 0.6}
        keys.append(Patch(label="blank: not applicable (k > t)", **blank))
    if ZERO in states:
        keys.append(Patch(facecolor=PAPER, edgecolor=canvas.INK, label="exactly zero"))
    if NO_PATH in states:
        keys.append(Patch(facecolor=PAPER, edgecolor=ABSENT, hatch="////", label="no path"))
    if NOT_FINITE in states:
        keys.append(Patch(facecolor=PAPER, edgecolor=ALARM, hatch="xxx", label="NaN or infinite"))
    return keys
