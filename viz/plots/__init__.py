"""Gradient flow, and training, as figures, text and tables: heat maps and lines, by matplotlib.

Every function but `losses` takes one recording, or several by name, which are then compared in one figure:
``viz.credit({"rnn": one, "lstm": other})``. It returns an ordinary matplotlib figure, of which pyplot knows
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.roles import main_state
from viz.plots.canvas import FORMATS
from viz.plots.credit_map import CreditView
from viz.plots.gate_traces import GatesView
from viz.plots.losses import LossesView
from viz.plots.path_classes import PathsView
from viz.plots.points import FixedPointsView
from viz.plots.rests import ConnectivityView
from viz.plots.runs import Runs, as_runs
from viz.plots.shares import LedgerView, Over
from viz.plots.spectrum import LyapunovView
from viz.plots.strips import JacobianView
from viz.plots.summary import Overview
from viz.plots.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from micrornn.training import Report

VIEWS = ("ledger", "credit", "jacobian", "gates", "paths", "all")
DYNAMICS = ("lyapunov", "fixed-points", "connectivity")  # of a run as a system that moves

__all__ = [
    "DYNAMICS",
    "FORMATS",
    "VIEWS",
    "credit",
    "gates",
    "jacobian",
    "ledger",
    "losses",
    "overview",
    "paths",
    "read",
]


def read(view: str, runs: Runs, of: str | None = None, over: Over | None = None) -> View:
    """Ask one question of one run or of several: the answer can be drawn, read and saved.

    Args:
        view: one of `VIEWS` or `DYNAMICS`.
        runs: a recording, or several by name.
        of: for a ledger a weight, for credit and paths a value over time; None for the usual one.
        over: for a ledger, which sum over time: over weight "copies" (as None does) or over "losses".

    Raises:
        ValueError: there is no such view, or it takes no such argument.
        RecordingError: the recording does not hold what the view needs.

    >>> from micrornn.flow.failures import record_failure
    >>> print(read("credit", record_failure("vanishing")).finding)
    gradient of h[50] reaching h[0]: 8.88e-16; h[50]: 1
    """
    if view not in (*VIEWS, *DYNAMICS):
        raise ValueError(f"there is no view {view!r}; there are {', '.join((*VIEWS, *DYNAMICS))}")
    if over is not None and view != "ledger":
        raise ValueError(f"only a ledger goes over copies or losses, not the view {view}")
    if of is not None and view not in ("ledger", "credit", "paths"):
        raise ValueError(f"the view {view} is of the whole state, so it takes no of={of!r}")
    own = as_runs(runs)
    plain: dict[str, Any] = {"jacobian": JacobianView, "gates": GatesView, "all": Overview}
    plain |= {"lyapunov": LyapunovView, "fixed-points": FixedPointsView}
    plain |= {"connectivity": ConnectivityView}
    with np.errstate(all="ignore"):  # a run with NaN is one to look at
        if view == "ledger":
            return LedgerView(own, of, over or "copies")
        if view == "credit":
            return CreditView(own, of or main_state(next(iter(own.values()))))
        if view == "paths":
            return PathsView(own, of)
        found: View = plain[view](own)
    return found


def ledger(runs: Runs, name: str | Tensor | None = None, over: Over = "copies") -> Figure:
    """What each step gave to a shared weight's gradient: norms, and signed shares that add up to 1.

    Args:
        runs: a recording, or several by name.
        name: the weight: its name, the end of it, or W_hh, W_ih; by default the top recurrent weight.
        over: over weight "copies", by the step in which the weight was used; or over "losses", by the step
            in which the loss stands. The totals agree, the parts do not.

    >>> from micrornn.flow.failures import record_failure
    >>> figure = ledger(record_failure("saturated"), "W_hh")
    >>> [line.get_xydata().shape for line in figure.axes[0].lines]
    [(10, 2), (1, 2)]
    """
    return LedgerView(as_runs(runs), name, over).figure()


def credit(runs: Runs, of: str = "h") -> Figure:
    """|dL_t/dv_k| for every loss L_t and every step k of a value v: h, c, x, or any name.

    What is later than the loss is left blank (not applicable); an exact zero is an empty frame, a missing
    path is hatched.
    """
    return read("credit", runs, of).figure()


def jacobian(runs: Runs) -> Figure:
    """The largest singular value of each step's Jacobian, of their product to the end, and its bound."""
    return read("jacobian", runs).figure()


def gates(runs: Runs) -> Figure:
    """How open the gates are over time, how often they are stuck, and what gradient gets through them."""
    return read("gates", runs).figure()


def paths(runs: Runs, of: str | None = None) -> Figure:
    """By which kinds of path the last loss's gradient reaches each step: the highway, or through a gate."""
    return read("paths", runs, of).figure()


def overview(runs: Runs) -> Figure:
    """All of these on one sheet, but for the gates."""
    return read("all", runs).figure()


def losses(reports: Sequence[Report], title: str = "", clip: float | None = None) -> Figure:
    """A training: the loss, the gradient's norm, and a map of the loss of each step, over the iterations.

    Args:
        reports: as `Trainer.run` returns them, or `micrornn.training.read_log` reads them from a file.
        title: what was trained.
        clip: the norm to which gradients were clipped.

    Raises:
        ValueError: there are no reports.
    """
    return LossesView(reports, title, clip).figure()
