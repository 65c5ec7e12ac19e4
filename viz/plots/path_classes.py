"""Paths as a picture: by which kinds of path the last loss's gradient comes to each step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.credit import losses_of
from micrornn.flow.heaviest import HeaviestPaths, heaviest_paths
from micrornn.flow.paths import HIGHWAY, PathClasses
from micrornn.flow.paths import paths as paths_of
from micrornn.flow.roles import cells as cells_of
from micrornn.flow.roles import main_state
from micrornn.flow.series import label, plain
from micrornn.recording import Recording, RecordingError
from viz.plots import canvas
from viz.plots.runs import over_time
from viz.plots.view import Cell, View, heading
from viz.style import category, number

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase

_MOST_STEPS = 26  # each is a sweep of its own through the graph
_MARKS = ("s", "^", "D", "v", "P", "X")
_DASHES: tuple[Any, ...] = ("--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))


class PathsView(View):
    """The gradient of the last loss at each step of a state, split into classes of paths.

    Args:
        runs: the recordings by name.
        of: ``h``, ``c`` or any name; by default the state that has the highway: c in an LSTM, else h.
    """

    name = "paths"

    def __init__(self, runs: Mapping[str, Recording], of: str | None = None) -> None:
        self.parts: dict[str, dict[int, PathClasses]] = {}
        self.heaviest: dict[str, HeaviestPaths] = {}
        self.losses: dict[str, str] = {}
        self.of: dict[str, str] = {}
        self.every = 1
        for run, rec in runs.items():
            loss = losses_of(rec, None)[-1]
            self.of[run] = of or _highway_state(rec)
            nodes = [n for n in over_time(rec, self.of[run]) if n.number < loss.number]
            if not nodes:
                raise RecordingError(f"no step of {self.of[run]} comes before the last loss")
            chosen = _thinned(nodes)
            self.every = max(self.every, math.ceil(len(nodes) / len(chosen)))
            self.parts[run] = {n.step or 0: paths_of(rec, n, loss) for n in chosen}
            self.heaviest[run] = heaviest_paths(rec, nodes[0], 3, loss)
            self.losses[run] = label(loss)
        self.size = (max(6.4, 3.8 * len(runs)), 4.4)

    @property
    def finding(self) -> str:
        """How much comes to the earliest step, and by which kind of path most of it."""
        parts = []
        for run, own in self.parts.items():
            first = next(iter(own.values()))
            size = float(np.linalg.norm(first.total))
            words = f"gradient of {self.losses[run]} reaching {first.target}: {number(size)}"
            if len(self.parts) > 1:
                words = f"{run}, {first.target}: {number(size)}"
            if not len(first.norms):
                words = words.removesuffix(number(size)) + "no path"
            elif math.isfinite(size) and size:
                best = int(first.norms.argmax())
                name = first.classes[best]
                way = name if name.startswith("through") else f"by the {name}"
                words += f", most of it {way} ({first.shares[best]:+.0%})"
            parts.append(words)
        if len(parts) == 1:
            return parts[0]
        return f"gradient of the last loss reaching {'; '.join(parts)}"

    def draw(self, figure: FigureBase) -> None:
        """One pair of axes for each run; a line for each class."""
        axes = figure.subplots(1, len(self.parts), squeeze=False, sharey=True)[0]
        sizes = [float(v) for own in self.parts.values() for one in own.values() for v in one.norms]
        for ax, (run, own) in zip(axes, self.parts.items()):
            steps = list(own)
            names = list(dict.fromkeys(name for one in own.values() for name in one.classes))
            names.sort(key=lambda name: name != HIGHWAY)
            others = [name for name in names if name != HIGHWAY]
            for name in names:
                there = [k for k in steps if name in own[k].classes]
                values = [_norm_of(own[k], name) for k in there]
                if name == HIGHWAY:
                    canvas.curve(ax, there, values, name, (canvas.INK, "o", "-"), linewidth=2.4)
                else:
                    i = others.index(name)
                    look = category(name)[0], _MARKS[i % len(_MARKS)], "-"
                    canvas.curve(ax, there, values, name, look).set_linestyle(
                        _DASHES[i % len(_DASHES)]
                    )
            lost = [k for k in steps if not own[k].classes]
            canvas.curve(ax, lost, [None] * len(lost), "", (canvas.INK, "", ""))
            every = f" (every {_ordinal(self.every)})" if self.every > 1 else ""
            canvas.steps_axis(ax, steps, f"step k of {self.of[run]}{every}")
            loss, state = canvas.math_name(self.losses[run]), canvas.math_name(self.of[run])
            title = f"${loss}$ to ${state}_k$"
            ax.set_title(f"{run}: {title}" if run else title)
            canvas.legend(ax, canvas.key([*_all(own), *([None] * bool(lost))]), columns=2)
        for ax in axes:
            canvas.log_axis(ax, sizes, "norm of what came that way" if ax is axes[0] else "")

    def body(self) -> list[str]:
        """The classes at the earliest step, and the heaviest single paths to it."""
        lines: list[str] = []
        for run, own in self.parts.items():
            first = next(iter(own.values()))
            lines += heading(run)
            lines += [f"from {self.losses[run]} to {first.target}", *first.table().splitlines()]
            lines += ["", "the heaviest single paths, from state to state"]
            heavy = self.heaviest[run]
            for path in heavy.paths:
                lines.append(f"{number(path.norm)} ({path.share:+.1%}) by {_shortened(path.nodes)}")
            lines.append(f"the rest: {heavy.rest_share:+.1%}")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The classes at every step asked, and the heaviest paths, for JSON."""
        return {
            run: {
                "loss": self.losses[run],
                "of": self.of[run],
                "every": self.every,
                "steps": {str(k): plain(one.as_dict()) for k, one in own.items()},
                "heaviest": plain(self.heaviest[run].as_dict()),
            }
            for run, own in self.parts.items()
        }

    def cells(self) -> Iterable[Cell]:
        """Norm and share of each class at each step asked."""
        for run, own in self.parts.items():
            for k, one in own.items():
                for name, size, share in zip(one.classes, one.norms, one.shares):
                    yield Cell(self.name, run, f"norm by {name}", None, k, float(size))
                    yield Cell(self.name, run, f"share by {name}", None, k, float(share))


def _highway_state(rec: Recording) -> str:
    gated = any(cell.kind == "lstm" and "c" in cell.states for cell in cells_of(rec).values())
    return "c" if gated else main_state(rec)


def _thinned(nodes: list[Tensor]) -> list[Tensor]:
    every = math.ceil(len(nodes) / _MOST_STEPS)
    return nodes[::every]


def _norm_of(one: PathClasses, name: str) -> float:
    return float(one.norms[one.classes.index(name)]) if name in one.classes else math.nan


def _all(own: Mapping[int, PathClasses]) -> list[float]:
    return [float(v) for one in own.values() for v in one.norms]


def _ordinal(n: int) -> str:
    """A small ordinal in words and figures.

    >>> _ordinal(2), _ordinal(3), _ordinal(5)
    ('2nd', '3rd', '5th')
    """
    return str(n) + {1: "st", 2: "nd", 3: "rd"}.get(n, "th")


def _shortened(nodes: list[str]) -> str:
    """A path, its middle left out where it is long, with the number of what is left out."""
    if len(nodes) > 9:
        nodes = [*nodes[:4], f"({len(nodes) - 8} more)", *nodes[-4:]]
    return " -> ".join(nodes)
