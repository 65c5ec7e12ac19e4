"""Memory and time over the number of steps, measured and by formula, for each way to the gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from micrornn.cost import Cost, Way
from micrornn.messages import percent
from viz.plots import canvas
from viz.style import number


def in_bytes(size: float | None) -> str:
    """Bytes with a unit.

    >>> in_bytes(12_300), in_bytes(999_960), in_bytes(None)
    ('12.3 kB', '1 MB', '–')
    """
    return _scaled(size, (("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9)))


def in_seconds(seconds: float | None) -> str:
    """Seconds with a unit.

    >>> in_seconds(0.00123), in_seconds(12.0)
    ('1.23 ms', '12 s')
    """
    return _scaled(seconds, (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)))


def _scaled(value: float | None, units: Sequence[tuple[str, float]]) -> str:
    if value is None:
        return "–"
    for unit, size in units:
        if value < 999.5 * size or unit == units[-1][0]:
            return f"{float(f'{value / size:.3g}'):g} {unit}"
    raise AssertionError


def finding(costs: Sequence[Cost], ways: Mapping[str, Way]) -> str:
    """Which way saves most memory at the most steps, and what it costs in time; "" without full BPTT.

    >>> from micrornn.cost import ways
    >>> finding([Cost("full", 9, 1.0, 100), Cost("sqrt", 9, 1.5, 20)], ways())
    'at 9 steps checkpoints, √T take 20% of the memory of full BPTT and 1.5 times its time'
    """
    full = {c.steps: c for c in costs if c.way == "full" and c.bytes}
    exact = [c for c in costs if c.way in ("sqrt", "slots") and c.bytes and c.steps in full]
    if not exact:
        return ""
    most = max(c.steps for c in exact)
    best = min((c for c in exact if c.steps == most), key=lambda c: c.bytes or 0)
    whole = full[most]
    assert best.bytes and whole.bytes and best.seconds and whole.seconds
    return (
        f"at {most:,} steps {ways[best.way].name} take {percent(best.bytes / whole.bytes)} of the memory "
        f"of full BPTT and {best.seconds / whole.seconds:.2g} times its time"
    )


def figure(costs: Sequence[Cost], ways: Mapping[str, Way], title: str, format: str) -> bytes:
    """The figure as a file.

    Args:
        title: the network.
        format: svg, png or pdf.
    """
    names = list(dict.fromkeys(c.way for c in costs))
    head = finding(costs, ways) or "Memory and time over the number of steps"
    with canvas.settings():
        drawn = canvas.new_figure(9.0, 4.6)
        canvas.headline(drawn, head, 9.0)
        panels = drawn.subplots(1, 2)
        words = [title]
        for ax, what in zip(panels, ("bytes", "seconds")):
            expected = f"expected_{what}"
            shown: list[float | None] = []
            for i, name in enumerate(names):
                color, marker, dash = canvas.RUNS[i % len(canvas.RUNS)]
                own = [c for c in costs if c.way == name]
                points = [(c.steps, getattr(c, what)) for c in own if getattr(c, what)]
                lines = [(c.steps, getattr(c, expected)) for c in own if getattr(c, expected)]
                shown += [y for _, y in (*points, *lines)]
                face = "white" if i >= len(canvas.RUNS) else color
                look: Any = {
                    "color": color,
                    "marker": marker,
                    "markerfacecolor": face,
                    "ls": "none",
                }
                ax.plot(*_columns(points), **look, label=ways[name].name)
                by_formula = {"ls": dash, "lw": 1.2} if lines else {"ls": ":", "lw": 0.6}
                ax.plot(*_columns(lines or points), color=color, **by_formula)
                words += [f"{ways[name].name}, {s:,} steps: {number(y)} {what}" for s, y in points]
            ax.set_xscale("log")
            counts = sorted({c.steps for c in costs})
            ax.set_xticks(counts, [f"{count:,}" for count in counts])
            ax.set_xticks([], minor=True)
            if what == "bytes":
                ax.set_title(f"{title}; marks: measured, lines: by formula", loc="left")
            ax.set_xlabel("time steps")
            label = "peak memory in bytes" if what == "bytes" else "seconds of one gradient"
            canvas.log_axis(ax, shown, label)
            ax.grid(True, axis="y")
        drawn.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        return canvas.content(drawn, format, head, ". ".join(words))


def _columns(points: Sequence[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
