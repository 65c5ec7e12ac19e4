"""The Jacobian strip as a picture: what one step, and all to the end, do to a small change of the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from micrornn.flow.jacobian import JacobianStrip, jacobian_strip
from micrornn.flow.series import plain
from micrornn.recording import Recording
from viz.plots import canvas
from viz.plots.view import Cell, View, heading
from viz.style import number

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase


class JacobianView(View):
    """Largest singular values of the one-step Jacobians of the top layer's state, and of their product."""

    name = "jacobian"
    size = (9.0, 4.2)

    def __init__(self, runs: Mapping[str, Recording]) -> None:
        self.strips: dict[str, JacobianStrip] = {
            run: jacobian_strip(rec) for run, rec in runs.items()
        }

    @property
    def finding(self) -> str:
        """How large the product of all steps is."""
        if len(self.strips) == 1:
            return str(*self.strips.values())
        own = next(iter(self.strips.values()))
        parts = [
            f"{run} {number(float(s.running[0])) if len(s.running) else 'one step only'}"
            for run, s in self.strips.items()
        ]
        return (
            f"largest singular value of ds_T/ds_0 over {len(own.steps)} steps: {', '.join(parts)}"
        )

    def draw(self, figure: FigureBase) -> None:
        """One step to the left, all steps to the end to the right, with the bound where there is one."""
        one, whole = figure.subplots(1, 2)
        singles: list[float] = []
        products: list[float] = []
        times: list[int] = []
        for (run, own), look in zip(self.strips.items(), canvas.looks(len(self.strips))):
            times += own.steps
            singles += own.sigma.tolist()
            products += own.running.tolist()
            canvas.curve(one, own.steps, own.sigma.tolist(), run, look)
            canvas.curve(whole, own.steps, own.running.tolist(), run, look)
            if own.bound is not None:
                bound = own.bound.tolist()
                words = r"bound $(\gamma\sigma)^n$"
                canvas.curve(
                    whole, own.steps, bound, f"{words} of {run}" if run else words,
                    ("#777777", "", ":"), alpha=0.9,
                )  # fmt: skip
                products += bound
        for ax in (one, whole):
            ax.axhline(1.0, color=canvas.INK, linewidth=0.8, label="1: neither grows nor shrinks")
        for ax, values, label, title in (
            (one, singles, r"$\sigma_{\max}(\partial s_t / \partial s_{t-1})$", "one step"),
            (
                whole,
                products,
                r"$\sigma_{\max}(\partial s_T / \partial s_{t-1})$",
                "from step t to the last",
            ),
        ):
            ax.set_title(title)
            canvas.log_axis(ax, [*values, 1.0], label)
            canvas.steps_axis(ax, times)
            keys = canvas.key(values)
            canvas.legend(ax, keys, columns=2)

    def body(self) -> list[str]:
        """A table for each run, and what the recurrent weight says beforehand."""
        lines: list[str] = []
        for run, own in self.strips.items():
            states = ", ".join(own.states)
            lines += heading(run)
            lines += [f"state s = ({states}) of {own.layer or 'the network'}", own.verdict]
            for w in own.weights:
                gate = f" ({w.gate})" if w.gate and w.gate not in w.name else ""
                lines.append(
                    f"{w.name}{gate}: spectral radius {number(w.spectral_radius)}, "
                    f"sigma_max {number(w.sigma_max)}"
                )
            lines += ["", *own.table().splitlines(), *_explained(own)]
            if not own.exact:
                lines.append("(largest singular values by power iteration)")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The strips for JSON."""
        return {run: plain(own.as_dict()) for run, own in self.strips.items()}

    def cells(self) -> Iterable[Cell]:
        """Singular values of one step, of the running product, and its bound."""
        for run, own in self.strips.items():
            columns = {"sigma": own.sigma, "frobenius": own.frobenius, "running": own.running}
            if own.bound is not None:
                columns["bound"] = own.bound
            for what, values in columns.items():
                for t, value in zip(own.steps, values):
                    yield Cell(self.name, run, what, t, t - 1, float(value))


def _explained(own: JacobianStrip) -> list[str]:
    """What the columns of a strip's table are."""
    bound = "; bound: what running cannot exceed" if own.bound is not None else ""
    return [
        "sigma, frobenius: largest singular value and norm of one step's Jacobian;",
        f"running: sigma of the product up to the last step{bound}",
    ]
