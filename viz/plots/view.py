"""A view: one question put to one or several runs, and its answer as figure, text, table and JSON."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from viz.plots import canvas
from viz.text.plain import WIDTH, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure, FigureBase


class Cell(NamedTuple):
    """One number of a view, for a table with one row for each: the t it is of, and the k, where there is."""

    view: str
    run: str
    quantity: str
    t: int | None
    k: int | None
    value: float


class View(ABC):
    """One question and its answer; what it says is worked out when it is made."""

    name: ClassVar[str]
    size: tuple[float, float] = (8.0, 5.0)

    @property
    @abstractmethod
    def finding(self) -> str:
        """The answer in a sentence: the title of the figure and the first line of the text."""

    @abstractmethod
    def draw(self, figure: FigureBase) -> None:
        """Draw it into a figure, or into a part of one."""

    @abstractmethod
    def body(self) -> list[str]:
        """The answer in lines of plain text, below the finding."""

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """The answer for JSON, by run."""

    @abstractmethod
    def cells(self) -> Iterable[Cell]:
        """The answer number by number."""

    def figure(self) -> Figure:
        """The figure, with the finding above it."""
        with canvas.settings():
            figure = canvas.new_figure(*self.size)
            canvas.headline(figure, self.finding, self.size[0])
            self.draw(figure)
            return figure

    def file(self, format: str) -> bytes:
        """The figure as a file, of one of `canvas.FORMATS`; the same runs give the same bytes."""
        return canvas.content(self.figure(), format, self.finding, self.text())

    def text(self) -> str:
        """The answer for a terminal or a screen reader: plain, at most 80 columns.

        A line that is wider (a name of a user's own may be) is broken, never cut.
        """
        found: list[str] = []
        for line in [*wrapped(self.finding), "", *self.body()]:
            parts = wrapped(line) if len(line) > WIDTH else [line.rstrip()]
            found += parts if any(parts) or (found and found[-1]) else []
        return "\n".join(found) + "\n"


def log_span(values: Iterable[float]) -> tuple[float, float]:
    """The logarithms of the smallest and the largest of these, for bars that are compared."""
    known = [math.log10(v) for v in values if 0 < v < math.inf]
    return (min(known), max(known)) if known else (0.0, 0.0)


def log_bars(
    values: Sequence[float], width: int = 24, span: tuple[float, float] | None = None
) -> list[str]:
    """A bar for each value by its logarithm, the smallest one mark long; words for what has none.

    Args:
        values: what the bars are of.
        width: of the longest bar.
        span: the ends of the scale, if it is shared with other bars; see `log_span`.

    >>> log_bars([1.0, 1e-3, 1e-6, 0.0, float("nan"), float("inf")], 7)
    ['#######', '####', '#', '0', 'no path', 'infinite']
    """
    logs = [math.log10(v) if 0 < v < math.inf else None for v in values]
    low, high = span or log_span(values)
    # At least a decade from end to end, so that nearly equal values look nearly equal.
    decades = max(high - low, 1.0)
    bars = []
    for value, x in zip(values, logs):
        if x is not None:
            bars.append("#" * (1 + round((width - 1) * (1 - (high - x) / decades))))
        else:
            bars.append("0" if value == 0 else "no path" if value != value else "infinite")
    return bars


def heading(run: str) -> list[str]:
    """The name of a run above its part; none where there is only one."""
    return ["", f"{run}:"] if run else []
