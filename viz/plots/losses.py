"""A training as a picture: the loss, the gradient's norm, and the loss of each step, over the iterations.

The map of the steps' losses shows where a network struggles: a step that stays light is not learnt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.flow.series import plain
from viz.plots import canvas
from viz.plots.view import Cell, View, log_bars
from viz.style import ABSENT, INK, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

    from micrornn.training import Report

Array = np.ndarray[Any, Any]
_COLUMNS = 240  # a map has no more columns: of more iterations, each column is the mean of several
_GREATEST = 1e300  # Matplotlib reckons with what it draws: what is greater would overflow
_STANDS_OUT = 1.5  # times the median loss of a step
_LAST = 10  # the end of a training is its last tenth


class LossesView(View):
    """The reports of one training, as `Trainer.run` returns them or `read_log` reads them.

    Args:
        reports: one for each iteration, in order; a list, or whatever gives them one by one.
        title: what was trained.
        clip: the norm to which gradients were clipped, drawn as a line.

    Raises:
        ValueError: there are none.

    >>> from micrornn.training import Report
    >>> view = LossesView([Report(i, 2 / i, [4 / i, 1 / i, 1 / i], 0.5, 0.1) for i in range(1, 21)])
    >>> view.finding
    'loss 2 at first, 0.103 at the end; the hardest step is step 1'
    """

    name = "losses"

    def __init__(
        self, reports: Iterable[Report], title: str = "", clip: float | None = None
    ) -> None:
        reports = list(reports)
        if not reports:
            raise ValueError("no iteration was reported, so there is nothing to draw")
        self.title, self.clip = title, clip
        self.iterations = [report.iteration for report in reports]
        self.losses = np.array([report.loss for report in reports])
        self.norms = np.array([report.norm for report in reports])
        #: The loss on data that are not trained on, by the iterations at which it was asked for.
        self.validation = {r.iteration: r.validation for r in reports if r.validation is not None}
        steps = max(len(report.losses) for report in reports)
        #: The losses by step and iteration, (T, N); NaN where a sequence had no such step.
        self.by_step = np.full((steps, len(reports)), np.nan)
        for i, report in enumerate(reports):
            self.by_step[: len(report.losses), i] = report.losses
        self.size = (8.0, 6.4 if steps > 1 else 4.2)

    @property
    def finding(self) -> str:
        """Where the loss began and ended, and which step is the hardest, where one stands out."""
        words = f"loss {number(self.losses[0])} at first, {number(_end(self.losses))} at the end"
        if self.validation:
            words += f", {number([*self.validation.values()][-1])} on held-out data"
        if len(self.by_step) < 2:
            return words
        ends = self.at_the_end()
        if np.isnan(ends).all():
            return f"{words}; no step has a loss at the end"
        hardest = int(np.nanargmax(ends))
        known = np.sort(ends[~np.isnan(ends)])
        if not ends[hardest] / _STANDS_OUT > known[(len(known) - 1) // 2]:
            return f"{words}; no step is much harder than the others"
        return f"{words}; the hardest step is step {hardest + 1}"

    def at_the_end(self) -> Array:
        """The mean loss of each step over the last tenth of the iterations, (T,)."""
        return _means(self.by_step[:, -_tail(len(self.iterations)) :])

    def draw(self, figure: FigureBase) -> None:
        """Loss, norm and, where there are several steps, their map; one above the other."""
        mapped = len(self.by_step) > 1
        heights = (1.3, 1.0, 1.5) if mapped else (1.3, 1.0)
        axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        if self.title:
            axes[0].set_title(self.title, loc="left")
        kept = [*self.validation.values()]
        if kept:
            look: Any = {"color": canvas.RUNS[2][0], "marker": "o", "markersize": 3}
            axes[0].plot(
                [*self.validation], _drawn(np.array(kept)), **look, label="on held-out data"
            )
            words = "\N{BLACK CIRCLE} on held-out data"
            axes[0].set_title(words, loc="right", fontsize=8, color=look["color"])
        self._line(axes[0], self.losses, "loss", canvas.RUNS[1][0], kept)
        self._line(axes[1], self.norms, "norm of the gradient", canvas.RUNS[0][0])
        if self.clip is not None:
            if self.clip < 1.5 * float(self.norms.max()):
                axes[1].axhline(self.clip, color=INK, linewidth=0.8)
            axes[1].set_title(f"clipped to {number(self.clip)}", loc="right", fontsize=8)
        if mapped:
            bar = figure.colorbar(
                self._map(axes[2]), ax=axes, label="loss of the step", shrink=0.36, anchor=(0, 0)
            )
            bar.outline.set_visible(False)
            if bar.ax.get_yscale() == "log":
                low, high = np.log10(bar.mappable.get_clim())
                canvas.log_ticks(bar.ax.yaxis, low, high)
        axes[-1].set_xlabel("iteration")
        axes[-1].set_xlim(self.iterations[0] - 0.5, self.iterations[-1] + 0.5)
        axes[-1].set_xticks(canvas.ticks(self.iterations[0], self.iterations[-1]))

    def _line(
        self, ax: Axes, values: Array, label: str, color: str, others: Sequence[float] = ()
    ) -> None:
        """Each iteration faintly, and a running mean of them over it."""
        values = _drawn(values)
        width = 2 * (len(values) // 60) + 1  # odd, so that the mean has a middle
        few: Any = {"marker": "o"} if width == 1 else {"linewidth": 0.7, "alpha": 0.4}
        ax.plot(self.iterations, values, color=color, **few)
        if width > 1:
            mean = np.convolve(values, np.full(width, 1 / width), "valid")
            ax.plot(self.iterations[width // 2 : -(width // 2)], mean, color=color)
        every = np.concatenate([values, _drawn(np.array(others))])
        if _wide(every):
            canvas.log_axis(ax, every.tolist(), label)
        else:
            ax.set_ylabel(label)
            ax.set_ylim(bottom=0)
        ax.grid(True, axis="y")

    def _map(self, ax: Axes) -> Any:
        from matplotlib.colors import LogNorm, Normalize

        columns = np.array_split(self.by_step, min(_COLUMNS, len(self.iterations)), axis=1)
        image = _drawn(np.stack([_means(part) for part in columns], axis=1))
        ax.set_facecolor(ABSENT)
        ends = (self.iterations[0] - 0.5, self.iterations[-1] + 0.5, 0.5, len(image) + 0.5)
        look: Any = {"aspect": "auto", "origin": "lower", "interpolation": "nearest"}
        known = image[np.isfinite(image)]
        look["norm"] = (
            LogNorm() if _wide(known) else Normalize(0.0, max(known.max(initial=0.0), 1e-30))
        )
        ax.set_ylabel("time step")
        ax.set_yticks(canvas.ticks(1, len(image), 6))
        return ax.imshow(image, cmap="cividis", extent=ends, **look)

    def body(self) -> list[str]:
        """Ten iterations as a table, and each step's loss at the end as a bar."""
        lines = ["iteration        loss  norm of the gradient"]
        places = np.unique(np.linspace(0, len(self.iterations) - 1, 11).astype(int))
        for i in places:
            one, norm = number(self.losses[i]), number(self.norms[i])
            lines.append(f"{self.iterations[i]:9}  {one:>10}  {norm:>20}")
        if len(self.by_step) > 1:
            ends = self.at_the_end().tolist()
            lines += ["", "step  loss at the end, with a bar of its logarithm"]
            for t, (loss, bar) in enumerate(zip(ends, log_bars(ends)), 1):
                lines.append(f"{t:4}  {number(loss):>9}  {bar}")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """All numbers, for JSON."""
        parts = {"iteration": self.iterations, "loss": self.losses, "norm": self.norms}
        kept = {str(iteration): loss for iteration, loss in self.validation.items()}
        found: dict[str, Any] = plain({**parts, "by_step": self.by_step, "validation": kept})
        return found

    def cells(self) -> Iterable[Cell]:
        """Loss and norm of each iteration, and the loss of each of its steps."""
        for i, iteration in enumerate(self.iterations):
            for what, values in (("loss", self.losses), ("norm", self.norms)):
                yield Cell(self.name, "", what, iteration, None, float(values[i]))
            for t, loss in enumerate(self.by_step[:, i], 1):
                yield Cell(self.name, "", "loss of the step", iteration, t, float(loss))
        for iteration, kept in self.validation.items():
            yield Cell(self.name, "", "validation", iteration, None, float(kept))


def _wide(values: Array) -> bool:
    """Whether values are so far apart that only a logarithmic scale shows all of them."""
    return bool(len(values)) and bool(values.min() > 0) and bool(values.max() / 20 > values.min())


def _tail(iterations: int) -> int:
    return max(1, iterations // _LAST)


def _end(values: Array) -> float:
    last = values[-_tail(len(values)) :]
    with np.errstate(invalid="ignore"):  # as in `_means`, but NaN if any is
        return float((last / len(last)).sum())


def _means(values: Array) -> Array:
    """The mean of each row over what is not NaN, (T, N) to (T,); NaN where all is.

    Divided before it is added: great losses would overflow in their sum.
    """
    known = ~np.isnan(values)
    counts = known.sum(1, keepdims=True)
    with np.errstate(invalid="ignore"):  # of inf and -inf there is no mean
        means = (np.where(known, values, 0.0) / np.maximum(counts, 1)).sum(1)
    return np.where(counts[:, 0] > 0, means, np.nan)


def _drawn(values: Array) -> Array:
    """The values as they are drawn: too great ones as infinite, which leaves a gap."""
    return np.where(np.abs(values) > _GREATEST, np.copysign(np.inf, values), values)
