"""A student's gradients beside the graph's: one row for each weight, and the difference."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.grade.compare import Grade
from viz.plots import canvas


def figure(grade: Grade, format: str) -> bytes:
    """The figure as a file.

    Args:
        format: svg, png or pdf.

    Raises:
        ValueError: there is no gradient to draw, since all are right or forward is already wrong.
    """
    if not grade.pairs:
        raise ValueError("--figure draws gradients that differ, and there are none")
    names = list(grade.pairs)
    with canvas.settings():
        drawn = canvas.new_figure(8.0, 1.2 + 1.5 * len(names))
        canvas.headline(drawn, grade.first, 8.0)
        axes = drawn.subplots(len(names), 3, squeeze=False)
        for row, name in zip(axes, names):
            yours, graph = (np.atleast_2d(g) for g in grade.pairs[name])
            if yours.shape != graph.shape:
                yours = np.full_like(graph, np.nan)
            top = max(float(np.nanmax(np.abs([yours, graph]))), 1e-12)
            look: Any = {"cmap": "RdBu", "vmin": -top, "vmax": top, "aspect": "auto"}
            words = ("yours", "graph", "yours - graph")
            for ax, values, word in zip(row, (yours, graph, yours - graph), words):
                image = ax.imshow(values, **look)
                ax.set_xticks([])
                ax.set_yticks([])
                if name == names[0]:
                    ax.set_title(word)
            row[0].set_ylabel(f"dL/d{name}")
            drawn.colorbar(image, ax=list(row), shrink=0.9)
        return canvas.content(drawn, format, grade.first, str(grade))
