"""The overview: the other views of the same runs on one sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from micrornn.recording import Recording, RecordingError
from viz.plots import canvas
from viz.plots.credit_map import CreditView
from viz.plots.gate_traces import GatesView
from viz.plots.path_classes import PathsView
from viz.plots.shares import LedgerView
from viz.plots.strips import JacobianView
from viz.plots.view import Cell, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure, FigureBase

_READ: dict[str, Callable[[Mapping[str, Recording]], View]] = {
    "credit": CreditView,
    "ledger": LedgerView,
    "jacobian": JacobianView,
    "paths": PathsView,
    "gates": GatesView,
}


class Overview(View):
    """Everything about the runs that there is to see; what cannot be seen is said, with the reason."""

    name = "all"

    def __init__(self, runs: Mapping[str, Recording]) -> None:
        self.views: list[View] = []
        self.missing: dict[str, str] = {}
        for name, read in _READ.items():
            try:
                self.views.append(read(runs))
            except RecordingError as error:
                self.missing[name] = str(error)
        if not self.views:
            name, reason = next(iter(self.missing.items()))
            raise RecordingError(f"there is nothing to show: {reason}")
        self.pairs = [v for v in self.views if not isinstance(v, GatesView)]
        self.gates = [v for v in self.views if isinstance(v, GatesView)]
        rows = (len(self.pairs) + 1) // 2
        self.heights = [5.6] * rows + [view.size[1] for view in self.gates]
        self.size = (15.0 if len(self.pairs) > 1 else 9.0, sum(self.heights))

    @property
    def finding(self) -> str:
        """The finding of the first view."""
        return self.views[0].finding

    def draw(self, figure: FigureBase) -> None:
        """Two views side by side, each under its finding; the gates, a row for each, below."""
        look: Any = {"squeeze": False, "wspace": 0.03, "hspace": 0.03}
        bands = figure.subfigures(len(self.heights), 1, height_ratios=self.heights, **look).ravel()
        columns = min(2, len(self.pairs))
        for i, view in enumerate(self.pairs):
            if i % columns == 0:
                parts = bands[i // columns].subfigures(1, columns, **look).ravel()
            canvas.headline(parts[i % columns], view.finding, self.size[0] / columns, size=10.5)
            view.draw(parts[i % columns])
        for view in self.gates:
            canvas.headline(bands[-1], view.finding, self.size[0], size=10.5)
            view.draw(bands[-1])

    def figure(self) -> Figure:
        """The figure; each view has a title of its own."""
        with canvas.settings():
            figure = canvas.new_figure(*self.size)
            self.draw(figure)
            return figure

    def body(self) -> list[str]:
        """The texts of all views, one after the other, and what there is none of."""
        lines: list[str] = []
        for view in self.views:
            lines += ["", f"-- {view.name} ".ljust(80, "-"), *view.text().splitlines()]
        for name, reason in self.missing.items():
            lines += ["", f"no {name}: {reason}"]
        return lines[1:]

    def as_dict(self) -> dict[str, Any]:
        """The views by name, for JSON, and why there are no others."""
        found = {view.name: view.as_dict() for view in self.views}
        return {**found, "missing": self.missing} if self.missing else found

    def cells(self) -> Iterable[Cell]:
        """All numbers of all views."""
        for view in self.views:
            yield from view.cells()
