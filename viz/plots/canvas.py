"""What all plots share: the figure, the colours of runs, log axes that show zeros, and files of them.

matplotlib is loaded when a figure is made, and through its objects alone: no window, no state, no backend.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from viz.picture.theme import THEMES
from viz.style import ABSENT, Scale, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure, FigureBase
    from matplotlib.lines import Line2D

FORMATS = ("svg", "png", "pdf")
LIGHT = THEMES["light"]  # plots have the colors of the pictures beside them
INK, MUTED = LIGHT.ink, LIGHT.muted

# Okabe & Ito's palette in the order in which runs take it; a marker and a dash go with each colour.
RUNS = (
    ("#d55e00", "o", "-"),
    ("#0072b2", "s", "--"),
    ("#009e73", "^", "-."),
    ("#cc79a7", "D", ":"),
    ("#e69f00", "v", "-"),
    ("#56b4e9", "P", "--"),
)
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": 9.5,
    "axes.titlecolor": MUTED,
    "axes.labelsize": 9.0,
    "text.color": INK,
    "axes.edgecolor": LIGHT.line,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.unicode_minus": True,
    "xtick.color": LIGHT.line,
    "ytick.color": LIGHT.line,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "grid.color": "#e8ebef",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "hatch.linewidth": 0.8,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "micrornn",
    "pdf.fonttype": 42,
}
FEW_POINTS = 12  # with more, a marker at every point hides the line
_MOST_TICKS = 6


def looks(n: int) -> list[tuple[str, str, str]]:
    """Colour, marker and dash for each of n runs; a single one is drawn through."""
    return [(RUNS[1][0], "o", "-")] if n == 1 else [RUNS[i % len(RUNS)] for i in range(n)]


@contextmanager
def settings() -> Iterator[None]:
    """The look of our figures, for as long as one is made or written; the user's own stays untouched."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def headline(figure: FigureBase, text: str, width: float, size: float = 12.0) -> None:
    """The finding above a figure, in as many lines as it takes."""
    import textwrap

    if text.split(maxsplit=1)[0].isalpha():  # not the name of a run
        text = text[:1].upper() + text[1:]
    lines = textwrap.wrap(text, max(int(width * 11.5 * 10.5 / size), 30))
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=size, fontweight="bold")


def content(figure: Figure, format: str, title: str = "", words: str = "") -> bytes:
    """The file of a figure that was just made: the same figure gives the same bytes.

    Args:
        format: one of `FORMATS`.
        title: what is seen, for the file's own title.
        words: the same figure in words, for the file's description.

    Raises:
        ValueError: the format is another.
    """
    if format not in FORMATS:
        raise ValueError(f"format {format!r}; a plot is written as {', '.join(FORMATS)}")
    metadata: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": "micrornn", "Title": title, "Description": words},
        "png": {"Software": None, "Title": title},
        "pdf": {"CreationDate": None, "Creator": "micrornn", "Producer": None, "Title": title},
    }
    file = io.BytesIO()
    with settings():
        figure.savefig(file, format=format, metadata=metadata[format], dpi=150)
    return file.getvalue()


def steps_axis(ax: Axes, steps: Sequence[int | None], label: str = "step t") -> None:
    """Time to the right: whole steps only, as many as are readable."""
    known = [t for t in steps if t is not None]
    ax.set_xlabel(label)
    if known:
        ax.set_xlim(min(known) - 0.6, max(known) + 0.6)
        ax.set_xticks(ticks(min(known), max(known)))
    ax.grid(True, axis="y")


def ticks(low: int, high: int, most: int = _MOST_TICKS) -> list[int]:
    """Whole numbers from low to high, in round distances.

    >>> ticks(1, 4), ticks(0, 50), ticks(1, 50)
    ([1, 2, 3, 4], [0, 10, 20, 30, 40, 50], [1, 10, 20, 30, 40, 50])
    """
    tens = (10**n for n in range(12))
    every = next(d * ten for ten in tens for d in (1, 2, 5) if (high - low) / (d * ten) < most)
    found = [t for t in range(low, high + 1) if t % every == 0]
    first = low not in found and every > 1 and low % every <= every / 2
    return [low, *found] if first and len(found) < most else found


def log_axis(ax: Axes, values: Iterable[float | None], label: str) -> None:
    """A logarithmic y axis around the values that it can show, and never narrower than a decade."""
    ax.set_yscale("log")
    ax.set_ylabel(label)
    shown = [v for v in values if v is not None and 0 < v < math.inf]
    low, high = (math.log10(min(shown)), math.log10(max(shown))) if shown else (-1.0, 1.0)
    margin = max(0.08 * (high - low), (1.0 - (high - low)) / 2, 0.05)
    low, high = max(low - margin, -322.0), min(high + margin, 308.0)
    ax.set_ylim(10**low, 10**high)
    log_ticks(ax.yaxis, low, high)


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Ticks at round numbers between two powers of ten: as the pictures of graphs have them."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    every = Scale(low, high).ticks()
    axis.set_major_locator(FixedLocator(every[:: math.ceil(len(every) / _MOST_TICKS) or 1]))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_locator(NullLocator())


def _plain(value: float, place: int | None = None) -> str:
    """A tick of a log axis.

    >>> _plain(0.05), _plain(200.0), _plain(1e-4), _plain(2e10)
    ('0.05', '200', '$10^{-4}$', '$2 \\\\cdot 10^{10}$')
    """
    if 1e-2 <= value < 1e4:
        return number(value)
    digit, exponent = f"{value:.0e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if digit == "1" else f"${digit} \\cdot {power}$"


def curve(
    ax: Axes,
    x: Sequence[int | None],
    y: Sequence[float | None],
    label: str,
    look: tuple[str, str, str],
    **more: Any,
) -> Line2D:
    """A line over time on a log axis. What it cannot show stands on the edges of the axes, as `key` explains.

    An exact zero is a hollow mark on the lower edge; where there is no path (None), a grey diamond; NaN and
    infinity are a cross on the upper edge.
    """
    color, marker, dash = look
    times = [math.nan if t is None else float(t) for t in x]
    shown = [v if v is not None and 0 < v < math.inf else math.nan for v in y]
    many = len(times) > FEW_POINTS
    (line,) = ax.plot(
        *(times, shown),
        color=color,
        marker="" if many and not _lonely(shown) else marker,
        linestyle=dash,
        label=label or "_nolegend_",
        **more,
    )
    edges = (
        (0.0, marker or "o", "white", [v == 0 for v in y]),
        (0.0, "d", ABSENT, [v is None for v in y]),
        (1.0, "x", color, [v is not None and not math.isfinite(v) for v in y]),
    )
    for height, mark, face, here in edges:
        places = [t for t, there in zip(times, here) if there]
        if places:
            ax.plot(
                *(places, [height] * len(places)),
                linestyle="",
                marker=mark,
                markerfacecolor=face,
                markeredgecolor=color,
                transform=ax.get_xaxis_transform(),
                clip_on=False,
                zorder=5,
                label="_nolegend_",
            )
    return line


def math_name(name: str) -> str:
    """A loss or a state as formulas write it, for a label of matplotlib's.

    >>> math_name("loss[20]"), math_name("h"), math_name("my loss")
    ('L_{20}', 'h', '\\\\mathrm{my\\\\ loss}')
    """
    stem, _, index = name.partition("[")
    if index and stem == "loss":
        stem = "L"
    if len(stem) == 1 and stem.isalpha():
        return f"{stem}_{{{index.rstrip(']')}}}" if index else stem
    words = "".join(
        c if c.isalnum() else "\\ " if c == " " else f"\\{c}" if c in "_{}%#$" else c for c in name
    )
    return f"\\mathrm{{{words}}}"


def _lonely(values: Sequence[float]) -> bool:
    """Whether some value stands between two gaps, where a line without markers is invisible."""
    runs = [len(list(group)) for known, group in groupby(values, lambda v: v == v) if known]
    return 1 in runs


def key(values: Iterable[float | None]) -> list[Line2D]:
    """What the legend says of zeros, missing paths and NaN, where there are any."""
    from matplotlib.lines import Line2D

    values = list(values)
    found = (
        ("o", "exactly zero", any(v == 0 for v in values)),
        ("d", "no path", any(v is None for v in values)),
        ("x", "NaN or infinite", any(v is not None and not math.isfinite(v) for v in values)),
    )
    look: Any = {"markerfacecolor": "white", "markeredgecolor": INK, "linestyle": ""}
    return [
        Line2D([], [], marker=mark, label=label, **look) for mark, label, there in found if there
    ]


def legend(ax: Axes, extra: Sequence[Any] = (), **more: Any) -> None:
    """The legend, where there is more than one thing to tell apart; below the axes, in a few columns."""
    handles, labels = ax.get_legend_handles_labels()
    handles = [*handles, *extra]
    labels = [*labels, *(str(one.get_label()) for one in extra)]
    if len(handles) > 1 or extra:
        columns = min(len(handles), more.pop("columns", 4))
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2), **more}
        ax.legend(handles, labels, ncols=columns, **place)
