"""The Lyapunov spectrum as a picture: the exponents in order, and how far they have settled over the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.flow.lyapunov import Spectrum, lyapunov
from micrornn.flow.series import plain
from micrornn.recording import Recording
from viz.plots import canvas
from viz.plots.view import Cell, View, heading
from viz.style import number

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase

_MARKED = 40  # exponents, each with a mark
_FOLLOWED = 4  # exponents whose way to their value is drawn


class LyapunovView(View):
    """By which factor per step changes of the top layer's state grow or shrink, in each direction."""

    name = "lyapunov"
    size = (9.0, 4.2)

    def __init__(self, runs: Mapping[str, Recording]) -> None:
        self.spectra: dict[str, Spectrum] = {run: lyapunov(rec) for run, rec in runs.items()}

    @property
    def finding(self) -> str:
        """The largest exponent, and how many are positive."""
        if len(self.spectra) == 1:
            return str(*self.spectra.values())
        parts = [f"{run} {number(float(s.exponents[0]))}" for run, s in self.spectra.items()]
        return f"largest Lyapunov exponent per step: {', '.join(parts)}"

    def draw(self, figure: FigureBase) -> None:
        """All exponents to the left; to the right the largest ones over the steps."""
        left, right = figure.subplots(1, 2)
        for (run, own), look in zip(self.spectra.items(), canvas.looks(len(self.spectra))):
            color, marker, dash = look
            line: Any = {"color": color, "linestyle": dash}
            order = range(1, len(own.exponents) + 1)
            mark = marker if len(own.exponents) <= _MARKED else ""
            finite = np.where(np.isfinite(own.exponents), own.exponents, np.nan)
            left.plot(order, finite, marker=mark, label=run, **line)
            for i in range(1 if run else min(_FOLLOWED, len(own.exponents))):
                words = run or f"exponent {i + 1}"
                line["alpha"] = 1.0 - 0.7 * i / _FOLLOWED
                right.plot(own.steps, own.running[:, i], label=words, **line)
        for ax, title in ((left, "all exponents"), (right, "mean over the steps so far")):
            ax.axhline(0.0, color=canvas.INK, linewidth=0.8, label="no change")
            ax.set_ylabel("exponent per step")
            ax.locator_params(axis="y", nbins=6)
            ax.set_title(title)
            canvas.legend(ax, [], columns=2)
        canvas.steps_axis(
            left, [*range(1, 1 + max(len(s.exponents) for s in self.spectra.values()))], "i"
        )
        canvas.steps_axis(right, [t for s in self.spectra.values() for t in s.steps])

    def body(self) -> list[str]:
        """A table for each run."""
        lines: list[str] = []
        for run, own in self.spectra.items():
            lines += heading(run)
            lines += [
                f"state s = ({', '.join(own.states)}) of {own.layer or 'the network'}",
                f"over {len(own.steps)} steps",
                f"dimension of the attractor (Kaplan and Yorke): {number(own.dimension)}",
                "",
                *own.table().splitlines(),
            ]
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The spectra for JSON."""
        return {run: plain(own.as_dict()) for run, own in self.spectra.items()}

    def cells(self) -> Iterable[Cell]:
        """Every exponent, and its mean over the steps so far."""
        for run, own in self.spectra.items():
            for i, value in enumerate(own.exponents, 1):
                yield Cell(self.name, run, "exponent", None, i, float(value))
            for t, row in zip(own.steps, own.running):
                for i, value in enumerate(row, 1):
                    yield Cell(self.name, run, "running", t, i, float(value))
