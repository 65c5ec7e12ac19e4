"""A sheet in Graphviz's language, with our positions in it: ``neato -n2`` draws the same picture.

Positions are in points, y upwards, one point for one pixel of the SVG; sizes are in inches. Nodes and ways
come with their places, frames as clusters with their boxes, so Graphviz lays out nothing. A gradient is an
edge of its own, from the node that sends it to the node at which it arrives.
"""

from __future__ import annotations

from typing import Any

from viz import style
from viz.dot.around import clusters, texts
from viz.dot.canvas import FONT, Canvas, plain
from viz.dot.looks import ends, forward, gradient, node
from viz.pen import coordinate
from viz.shapes import FONT_SIZE, Sheet

NO_GRAPHVIZ = (
    "PDF needs Graphviz, and its program dot was not found. Install Graphviz (apt install graphviz, "
    "brew install graphviz, or graphviz.org/download), or choose a format that needs nothing: "
    "svg, png or html"
)


def write(sheet: Sheet, title: str = "") -> str:
    """The sheet in the DOT language.

    >>> import micrornn as mr
    >>> import viz
    >>> text = viz.render(mr.Value(2.0, "a") * 3.0, format="dot")
    >>> text.splitlines()[0], 'pos="' in text
    ('digraph {', True)
    """
    return str(_digraph(sheet, title).source)


def write_pdf(sheet: Sheet, title: str = "") -> bytes:
    """The sheet as the bytes of a PDF file, drawn by Graphviz.

    Raises:
        RuntimeError: Graphviz is not installed, or it failed.
    """
    import subprocess

    import graphviz

    try:
        pdf = _digraph(sheet, title).pipe(format="pdf", neato_no_op=2, quiet=True)
    except graphviz.ExecutableNotFound:
        raise RuntimeError(NO_GRAPHVIZ) from None
    except BrokenPipeError as error:
        raise RuntimeError("Graphviz ended before it had read the picture") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip()
        raise RuntimeError(f"Graphviz could not draw the picture: {said or error}") from error
    return bytes(pdf)


def _digraph(sheet: Sheet, title: str) -> Any:
    import graphviz

    canvas = Canvas(sheet, title)
    graph = graphviz.Digraph(
        engine="neato",
        graph_attr={
            **{"bb": canvas.bounds, "bgcolor": style.PAPER, "outputorder": "edgesfirst"},
            **{"fontname": FONT, "tooltip": plain(title or "computation graph"), "pad": "0.1"},
        },
        node_attr={
            **{"fixedsize": "true", "fontname": FONT, "fontsize": coordinate(FONT_SIZE)},
            **{"fontcolor": style.INK, "shape": "box", "style": "filled,rounded"},
        },
        edge_attr={"fontname": FONT, "fontsize": "10"},
    )
    texts(graph, canvas)
    # Youngest first: edges are drawn in this order, and gradients have to lie below the forward edges.
    for box in sorted(sheet.boxes, key=lambda b: b.unit.out.number, reverse=True):
        graph.node(canvas.name(box.unit), **node(canvas, box))
    for cluster in clusters(canvas):
        graph.subgraph(cluster)
    for path in sheet.paths:
        if path.link.flow.state not in ("none", "constant") and not path.link.cut:
            graph.edge(*ends(canvas, path, backward=True), **gradient(canvas, path))
        graph.edge(*ends(canvas, path), **forward(canvas, path))
    return graph


__all__ = ["NO_GRAPHVIZ", "write", "write_pdf"]
