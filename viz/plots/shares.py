"""The ledger as a picture: what each step gave to a weight's gradient, and its signed share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow import Ledger, LossLedger, ledger_by_loss
from micrornn.flow import ledger as ledger_of
from micrornn.flow.series import plain
from micrornn.messages import percent
from micrornn.recording import Recording, RecordingError
from viz.plots import canvas
from viz.plots.runs import parameter
from viz.plots.view import Cell, View, heading, log_bars, log_span
from viz.style import INK, category, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

Over = Literal["copies", "losses"]
_FEW = 24  # steps with bars wide enough for a pattern
_HATCHES = ("", "///", "\\\\\\", "...", "xxx")  # gates differ by more than hue


class LedgerView(View):
    """The ledger of one weight, of one run or of several.

    Args:
        runs: the recordings by name.
        name: the weight; see `runs.parameter`.
        over: which of the two sums over time: over the "copies" of the weight, by the step in which it was
            used, or over the "losses", by the step in which the loss stands.
    """

    name = "ledger"
    size = (8.0, 5.2)

    def __init__(
        self,
        runs: Mapping[str, Recording],
        name: str | Tensor | None = None,
        over: Over = "copies",
    ) -> None:
        if over not in ("copies", "losses"):
            raise ValueError(f"over={over!r}; a ledger goes over 'copies' or over 'losses'")
        self.over = over
        self.ledgers: dict[str, Ledger | LossLedger] = {}
        for run, rec in runs.items():
            leaf = parameter(rec, name)
            self.ledgers[run] = (
                ledger_of(rec, leaf) if over == "copies" else ledger_by_loss(rec, leaf)
            )
            if not steps_of(self.ledgers[run]):
                raise RecordingError(
                    f"no gradient arrived at {self.ledgers[run].name}; micrornn why says where it was lost"
                )

    @property
    def finding(self) -> str:
        """Whose gradient it is, how large, and which step gave most."""
        first = next(iter(self.ledgers.values()))
        if len(self.ledgers) == 1:
            if np.isfinite(first.norm):
                return str(first)
            return f"gradient of {first.name} ({first.reading}): not finite"
        parts = [f"{run}: {leading(own)}" for run, own in self.ledgers.items()]
        short = {own.name.rpartition(".")[2] for own in self.ledgers.values()}
        name = first.name.rpartition(".")[2] if len(short) == 1 else "the weights"
        return f"gradient of {name} ({first.reading}), largest share by {'; '.join(parts)}"

    def draw(self, figure: FigureBase) -> None:
        """Norms above, on a log scale; signed shares below, by gate where there is one run with gates."""
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        norms = [float(v) for own in self.ledgers.values() for v in own.norms]
        steps = [t for own in self.ledgers.values() for t in steps_of(own)]
        for (run, own), look in zip(self.ledgers.items(), canvas.looks(len(self.ledgers))):
            canvas.curve(above, steps_of(own), own.norms.tolist(), run, look)
        of_loss = r"$\Vert\partial L_t / \partial W\Vert$"
        what = r"$\Vert g_t \Vert$, sent at step t" if self.over == "copies" else of_loss
        canvas.log_axis(above, norms, what)
        canvas.steps_axis(above, steps, "")
        keys = canvas.key(norms)
        canvas.legend(above, keys, loc="lower right", bbox_to_anchor=(1.0, 1.0), columns=6)
        if len(self.ledgers) > 1:
            self._lines(below)
        else:
            self._bars(below, next(iter(self.ledgers.values())))
        below.axhline(0.0, color=INK, linewidth=0.8)
        below.set_ylabel("signed share")
        below.yaxis.set_major_formatter(_percent)
        canvas.steps_axis(below, steps, "step t" if self.over == "copies" else "step t of the loss")

    def _lines(self, ax: Axes) -> None:
        for own, (color, marker, dash) in zip(
            self.ledgers.values(), canvas.looks(len(self.ledgers))
        ):
            times = [np.nan if t is None else t for t in steps_of(own)]
            mark = marker if len(times) <= canvas.FEW_POINTS else ""
            ax.plot(times, own.shares, color=color, marker=mark, linestyle=dash)

    def _bars(self, ax: Axes, own: Ledger | LossLedger) -> None:
        times = np.array([np.nan if t is None else t for t in steps_of(own)])
        gates = own.gates if isinstance(own, Ledger) else []
        if not gates:
            ax.bar(times, own.shares, width=0.8, color=canvas.RUNS[1][0])
            return
        assert isinstance(own, Ledger)
        few = len(times) <= _FEW
        up, down = np.zeros(len(times)), np.zeros(len(times))
        for gate, part, hatch in zip(gates, own.gate_shares.T, _HATCHES * len(gates)):
            line, fill = category(gate)
            low = np.where(part >= 0, up, down)
            ax.bar(
                *(times, part, 0.8, low),
                color=fill, edgecolor=line, hatch=hatch if few else "", label=gate,
                linewidth=0.8 if few else 0.4,
            )  # fmt: skip
            up, down = up + np.maximum(part, 0), down + np.minimum(part, 0)
        canvas.legend(ax, columns=4, bbox_to_anchor=(0.5, -0.34))

    def body(self) -> list[str]:
        """Norm, share and a bar of the norm for each step."""
        lines: list[str] = []
        span = log_span(float(v) for own in self.ledgers.values() for v in own.norms)
        same = "; one scale for all" if len(self.ledgers) > 1 else ""
        for run, own in self.ledgers.items():
            lines += heading(f"{run}, {own.name}, norm {number(own.norm)}" if run else "")
            lines += [f"{'step':>6}  {'norm':>9}  {'share':>8}  norm, by its logarithm{same}"]
            bars = log_bars(own.norms.tolist(), span=span)
            for t, norm, share, bar in zip(steps_of(own), own.norms, own.shares, bars):
                when = "none" if t is None else str(t)
                part = "-" if share != share else f"{share:+.1%}"
                lines.append(f"{when:>6}  {number(float(norm)):>9}  {part:>8}  {bar}")
            lines += _by_gate(own)
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The ledgers for JSON."""
        return {run: plain(own.as_dict()) for run, own in self.ledgers.items()}

    def cells(self) -> Iterable[Cell]:
        """Norms and shares, those of gates as well."""
        for run, own in self.ledgers.items():
            for i, t in enumerate(steps_of(own)):
                yield Cell(self.name, run, "norm", t, None, float(own.norms[i]))
                yield Cell(self.name, run, "share", t, None, float(own.shares[i]))
                if isinstance(own, Ledger):
                    for gate, share in zip(own.gates, own.gate_shares[i]):
                        yield Cell(self.name, run, f"share of {gate}", t, None, float(share))


def steps_of(own: Ledger | LossLedger) -> list[int | None]:
    """The steps that a ledger's rows belong to."""
    return own.steps if isinstance(own, Ledger) else own.losses


def leading(own: Ledger | LossLedger) -> str:
    """The step with the largest share, in words."""
    if not own.norm:
        return "none, it is exactly 0"
    if not np.isfinite(own.norm):
        return "none, it is not finite"
    best = int(np.argmax(own.shares))
    return f"step {steps_of(own)[best]} ({percent(own.shares[best])})"


def _by_gate(own: Ledger | LossLedger) -> list[str]:
    if not isinstance(own, Ledger) or not own.gates or not own.norm:
        return []
    total = own.gate_shares.sum(axis=0)
    parts = [f"  {gate:12}  {share:>+8.1%}" for gate, share in zip(own.gates, total)]
    return ["", "share of each gate, over all steps", *parts]


def _percent(value: float, place: int | None = None) -> str:
    return f"{value:+.0%}" if value else "0"
