"""A sweep as a picture: lines with bands over a setting, a heat map of two, or the losses while training."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.sweep.grid import Settings, in_words, shown
from micrornn.sweep.report import Report, Row, Spread, is_number
from viz.plots import canvas
from viz.plots.view import Cell, View
from viz.style import ABSENT, cividis, ink_on, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_LINES = 6  # more are not told apart


class SweepView(View):
    """One figure of a sweep, by its settings.

    Args:
        report: what came out.
        metric: the figure; by default the first.
        across: the setting on the x axis; by default the number with the most values.
        kind: lines, map or curves; by default a map of two numbers with many values each, otherwise lines.
        maximize: whether larger is better; by default as the goals of the task say.

    >>> from micrornn.sweep.report import Spread
    >>> rows = [
    ...     Row({"cell": "rnn", "steps": t}, {"loss": Spread([t / 10, t / 5])}, 0, "", 0, 1.0, [])
    ...     for t in (5, 10)
    ... ]
    >>> SweepView(Report("recall", ["steps"], {"cell": "rnn"}, ["loss"], rows, {})).finding
    'loss is lowest with steps=5: 0.75 ± 0.354'
    """

    name = "sweep"

    def __init__(
        self,
        report: Report,
        metric: str | None = None,
        across: str | None = None,
        kind: str | None = None,
        maximize: bool = False,
    ) -> None:
        self.report = report
        self.metric = metric or next(iter(report.metrics), "")
        self.maximize = maximize or "accuracy" in self.metric
        numbers = [n for n in report.names if all(map(is_number, report.values(n)))]
        self.across = across or max(numbers, key=lambda n: len(report.values(n)), default="")
        self.across = self.across or next(iter(report.names), "")
        others = [name for name in report.names if name != self.across]
        lines = math.prod(len(report.values(name)) for name in others)
        self.kind = kind or ("map" if len(others) == 1 and lines > _LINES else "lines")
        self.others = others
        self.size = (8.0, 4.5)

    @property
    def finding(self) -> str:
        """The settings with the best mean."""
        best = self.report.best(self.metric, self.maximize)
        if best is None:
            return f"{self.report.source}: no trial has a result yet"
        spread = best.figures[self.metric]
        value = number(spread.mean)
        if len(spread.values) > 1:
            value += f" ± {number(spread.deviation)}"
        if not self.report.names:
            return f"{self.metric}: {value}"
        where = in_words({name: best.settings.get(name) for name in self.report.names})
        others = sum(one.mean == spread.mean for one in self._spreads()) - 1
        if others:
            where += f" and {others} other{'s' * (others > 1)}"
        return f"{self.metric} is {'highest' if self.maximize else 'lowest'} with {where}: {value}"

    # -- the figure --------------------------------------------------------------------------------

    def draw(self, figure: FigureBase) -> None:
        """The kind of figure that was asked for."""
        ax = figure.subplots()
        {"lines": self._lines, "map": self._map, "curves": self._curves}[self.kind](ax)
        words = [self.report.source.rpartition("/")[2]]
        words += [in_words(self.report.constant)] if self.report.constant else []
        seeds = max((len(s.values) for s in self._spreads()), default=0)
        if seeds > 1:
            middle = "median" if self.kind == "curves" else "mean"
            words += [f"{middle} of {seeds} seeds" + ", band: their range" * (self.kind != "map")]
        if self.kind == "curves" and len(self._trained()) > _LINES:
            words += [f"the best {_LINES} of {len(self._trained())} settings"]
        ax.set_title(", ".join(words), loc="left", fontsize=9)

    def _spreads(self) -> list[Spread]:
        return [r.figures[self.metric] for r in self.report.rows if self.metric in r.figures]

    def _groups(self) -> dict[str, list[Row]]:
        """The rows by their other settings: one line each."""
        groups: dict[str, list[Row]] = {}
        for row in self.report.rows:
            if self.metric in row.figures:
                name = in_words({n: row.settings.get(n) for n in self.others})
                groups.setdefault(name if self.others else "", []).append(row)
        return groups

    def _lines(self, ax: Axes) -> None:
        values = self.report.values(self.across) if self.across else []
        numeric = all(map(is_number, values))
        groups = self._groups()
        for (name, rows), (color, marker, dash) in zip(groups.items(), _looks(len(groups))):
            place = {v: v if numeric else i for i, v in enumerate(values)}
            rows = sorted(rows, key=lambda row: place.get(row.settings.get(self.across), 0))
            x = [place.get(row.settings.get(self.across), 0) for row in rows]
            mean = np.array([row.figures[self.metric].mean for row in rows])
            low = np.array([min(row.figures[self.metric].values) for row in rows])
            high = np.array([max(row.figures[self.metric].values) for row in rows])
            line: Any = {"color": color, "marker": marker, "linestyle": dash if numeric else ""}
            ax.plot(x, mean, **line, label=name or "_nolegend_")
            if numeric:
                ax.fill_between(x, low, high, color=color, alpha=0.15, lw=0)
            else:
                ax.errorbar(
                    x, mean, (mean - low, high - mean), color=color, linestyle="", capsize=3
                )
        ax.set_xlabel(self.across)
        ax.set_ylabel(self.metric)
        if not numeric:
            ax.set_xticks(range(len(values)), [shown(v) for v in values])
            ax.set_xlim(-0.5, len(values) - 0.5)
        elif values and min(values) > 0 and max(values) > 50 * min(values):
            ax.set_xscale("log")
        elif values:
            ax.set_xticks(values if len(values) <= 8 else values[:: len(values) // 6 + 1])
        ax.grid(True, axis="y")
        canvas.legend(ax)

    def _map(self, ax: Axes) -> None:
        from matplotlib.colors import LogNorm, Normalize

        if len(self.report.names) < 2:
            self._lines(ax)
            return
        other = self.others[0]
        columns, lines = self.report.values(self.across), self.report.values(other)
        image = np.full((len(lines), len(columns)), np.nan)
        for row in self.report.rows:
            spread = row.figures.get(self.metric)
            if spread is not None and all(
                row.settings.get(n) == self._first(n) for n in self.others[1:]
            ):
                place = (
                    lines.index(row.settings.get(other)),
                    columns.index(row.settings.get(self.across)),
                )
                image[place] = spread.mean
        ax.set_facecolor(ABSENT)
        known = image[np.isfinite(image)]
        wide = bool(known.size) and known.min() > 0 and known.max() > 20 * known.min()
        scale = LogNorm() if wide else Normalize()
        drawn = ax.imshow(image, cmap="cividis", norm=scale, aspect="auto", origin="lower")
        ax.set_xticks(range(len(columns)), [shown(v) for v in columns])
        ax.set_yticks(range(len(lines)), [shown(v) for v in lines])
        ax.set_xlabel(self.across)
        fixed = ", ".join(f"{n}={self._first(n)}" for n in self.others[1:])
        ax.set_ylabel(f"{other} ({fixed})" if fixed else other)
        if image.size <= 80:
            for (y, x), value in np.ndenumerate(image):
                if np.isfinite(value):
                    color = ink_on(cividis(float(np.asarray(drawn.norm(value)))))
                    look: Any = {"ha": "center", "va": "center", "fontsize": 8, "color": color}
                    ax.text(x, y, number(value), **look)
        bar = ax.figure.colorbar(drawn, ax=ax, label=self.metric)
        bar.outline.set_visible(False)
        if wide:
            canvas.log_ticks(bar.ax.yaxis, *np.log10(drawn.get_clim()))

    def _first(self, name: str) -> Any:
        return self.report.values(name)[0]

    def _trained(self) -> list[Row]:
        """The rows with curves, the best first."""
        rows = [row for row in self.report.rows if row.curves and self.metric in row.figures]
        sign = -1 if self.maximize else 1
        return sorted(rows, key=lambda row: sign * row.figures[self.metric].mean)

    def _curves(self, ax: Axes) -> None:
        rows = self._trained()[:_LINES]
        every: list[float] = []
        for row, (color, _, dash) in zip(rows, _looks(len(rows))):
            length = min(map(len, row.curves))
            losses = np.array([[p[1] for p in curve[:length]] for curve in row.curves])
            x = [p[0] for p in row.curves[0][:length]]
            settings: Settings = {n: row.settings.get(n) for n in self.report.names}
            middle = np.median(losses, axis=0)
            ax.plot(x, middle, color=color, linestyle=dash, label=in_words(settings))
            ax.fill_between(x, losses.min(0), losses.max(0), color=color, alpha=0.12, lw=0)
            every += losses.ravel().tolist()
        ax.set_xlabel("iteration")
        known = [value for value in every if 0 < value < math.inf]
        if known and max(known) > 20 * min(known):
            canvas.log_axis(ax, known, "loss")
        else:
            ax.set_ylabel("loss")
        ax.grid(True, axis="y")
        canvas.legend(ax)

    # -- the answer in text and numbers ------------------------------------------------------------

    def body(self) -> list[str]:
        """A table with one row for each combination that the task takes."""
        names, metrics = self.report.names, self.report.metrics
        lines = [[*names, "seeds", *metrics, ""]]
        refused: dict[str, list[str]] = {}
        goals = False
        for row in self.report.rows:
            if row.refused:
                words = in_words({name: row.settings.get(name) for name in names})
                refused.setdefault(row.refused, []).append(words)
                continue
            spreads = [row.figures.get(metric) for metric in metrics]
            seeds = max((len(s.values) for s in spreads if s), default=0)
            states = ((row.failed, "failed"), (row.missing, "missing"))
            lines.append(
                [
                    *(shown(row.settings.get(name, "")) for name in names),
                    str(seeds),
                    *map(_in_words, spreads),
                    ", ".join(f"{count} {what}" for count, what in states if count),
                ]
            )
            goals = goals or any(s is not None and s.reached is not None for s in spreads)
        widths = [max(map(len, column)) for column in zip(*lines)]
        found = ["  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in lines]
        if self.report.constant:
            found = [in_words(self.report.constant), "", *found]
        found += ["", "mean ± standard deviation over the seeds"]
        if goals:
            found[-1] += "; 2/3: two of three seeds reached the goal of the task"
        for why, where in refused.items():
            found += ["", f"Not possible ({len(where)}): {why}.", *(f"  {w}" for w in where[:5])]
        for error, count in self.report.errors.items():
            found += ["", f"{count} trial{'s' * (count > 1)} failed: {error}"]
        return found

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "source": self.report.source,
            "metric": self.metric,
            "constant": self.report.constant,
            "rows": [
                {
                    "settings": row.settings,
                    "figures": {
                        name: {"mean": s.mean, "deviation": s.deviation, "values": s.values}
                        for name, s in row.figures.items()
                    },
                    **{"failed": row.failed, "missing": row.missing, "refused": row.refused},
                    "seconds": row.seconds,
                }
                for row in self.report.rows
            ],
            "errors": self.report.errors,
        }

    def cells(self) -> Iterable[Cell]:
        """Each value."""
        for row in self.report.rows:
            for name, spread in row.figures.items():
                for value in spread.values:
                    yield Cell(self.name, in_words(row.settings), name, None, None, value)


def _looks(count: int) -> list[tuple[str, str, str]]:
    """A look for each line; beyond the palette they repeat."""
    return (canvas.looks(max(count, 1)) * (count // _LINES + 1))[: max(count, 1)]


def _in_words(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    if len(spread.values) == 1:
        return number(spread.mean)
    words = f"{number(spread.mean)} ± {number(spread.deviation)}"
    reached = "" if spread.reached is None else f" {spread.reached}/{len(spread.values)}"
    return words + reached
