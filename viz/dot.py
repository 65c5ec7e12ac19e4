"""A sheet in Graphviz's language, with our positions in it: ``neato -n2`` draws the same picture.

Positions are in points, y upwards, one point for one pixel of the SVG; sizes are in inches. Nodes and ways
come with their places, frames as clusters with their boxes, so Graphviz lays out nothing. A gradient is an
edge of its own, from the node that sends it to the node at which it arrives.
"""

from __future__ import annotations

import math
from html import escape
from typing import Any

from viz import legend, style
from viz.metrics import fitted, text_width
from viz.pen import coordinate
from viz.shapes import FONT_SIZE, MARK_SIZE, Box, Frame, Note, Path, Point, Sheet, scalar_rows
from viz.spline import cubic, mixed, shortened
from viz.svg import _category, datum, subtitle, title_of

FONT = "DejaVu Sans"
_HEAD = 34.0  # room for the title above the picture
_LETTERS = {"zero": "0", "underflow": "u", "nan": "N", "absent": "–"}
_FOOT = 16.0  # between the picture and the legend

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

    drawing = _Drawing(sheet, title)
    graph = graphviz.Digraph(
        engine="neato",
        graph_attr={
            **{"bb": drawing.bounds, "bgcolor": style.PAPER, "outputorder": "edgesfirst"},
            **{"fontname": FONT, "tooltip": title or "computation graph", "pad": "0.1"},
        },
        node_attr={
            **{"fixedsize": "true", "fontname": FONT, "fontsize": coordinate(FONT_SIZE)},
            **{"fontcolor": style.INK, "shape": "box", "style": "filled,rounded"},
        },
        edge_attr={"fontname": FONT, "fontsize": "10"},
    )
    drawing.texts(graph)
    # Youngest first: edges are drawn in this order, and gradients have to lie below the forward edges.
    for box in sorted(sheet.boxes, key=lambda b: b.unit.out.number, reverse=True):
        graph.node(drawing.name(box.unit.out.number), **drawing.node(box))
    for i, frame in enumerate(sheet.frames):
        if frame.kind == "step":
            graph.subgraph(drawing.cluster(i, frame))
    for path in sheet.paths:
        if path.link.flow.state not in ("none", "constant"):
            graph.edge(*drawing.ends(path, backward=True), **drawing.gradient(path))
        graph.edge(*drawing.ends(path), **drawing.forward(path))
    return graph


class _Drawing:
    """The attributes of everything on a sheet."""

    def __init__(self, sheet: Sheet, title: str) -> None:
        self.sheet = sheet
        self.title = title
        self.scale = legend.scale_of(sheet.scene)
        self.colors = legend.ledger_colors(sheet.scene)
        self.numbers = {node.number: i for i, node in enumerate(sheet.scene.graph.nodes, 1)}
        self.rows = self._legend()
        self.foot = 15.0 * (len(self.rows) + 1) + _FOOT
        self.bounds = (
            f"0,0,{coordinate(sheet.width)},{coordinate(self.foot + sheet.height + _HEAD)}"
        )

    def name(self, number: int) -> str:
        """The name of the node whose tensor has that number."""
        return f"n{self.numbers[number]}"

    def at(self, point: Point) -> str:
        """A point of the sheet, y upwards."""
        return f"{coordinate(point[0])},{coordinate(self.foot + self.sheet.height - point[1])}"

    # -- nodes ----------------------------------------------------------------------------------------

    def node(self, box: Box) -> dict[str, str]:
        """The look of a box."""
        unit, flow = box.unit, box.unit.flow
        line, fill = style.category(_category(box))
        ink = style.INK
        if self.sheet.scene.detail in ("cell", "layer") and flow.state == "value":
            fill = self.scale.color(flow.norm)
            ink = style.ink_on(fill)
        look = {"style": "filled,rounded"}
        ring = (
            8.0 if flow.state in ("zero", "underflow") else 0.0
        )  # Graphviz adds a second line outside
        if unit.kind == "initial":
            look["style"] += ",dashed"
        if flow.state == "value":
            line, look["penwidth"] = self.scale.color(flow.norm), "2.4"
            if flow.norm == math.inf:
                look |= {"xlabel": "∞", "xlp": self.at((box.right + 5, box.top - 3))}
        elif flow.state in ("zero", "underflow"):
            look["peripheries"] = "2"
            look["style"] += ",dotted" if flow.state == "underflow" else ""
        elif flow.state == "absent":
            line, look["penwidth"] = style.ABSENT, "4"
            look["style"] += ",dotted"
        elif flow.state == "nan":
            line, look["penwidth"] = style.ALARM, "2.4"
            look["style"] += ",diagonals"
        if box.round:
            look["shape"] = "circle"
            look["style"] = look["style"].replace("filled,rounded", "filled")
        return {
            "label": self._label(box, fill),
            "pos": self.at((box.x, box.y)),
            "width": f"{(box.width - ring) / 72:.4f}",
            "height": f"{(box.height - ring) / 72:.4f}",
            "color": line,
            "fillcolor": fill,
            "fontcolor": ink,
            "tooltip": _plain(title_of(box, self.sheet)),
            "gradient": datum(flow),
            **look,
        }

    def _label(self, box: Box, fill: str) -> str:
        unit = box.unit
        scalar = self.sheet.scene.detail == "scalar" and unit.kind != "group"
        rows = [f"{v}{g}" for v, g, _ in scalar_rows(unit)] if scalar else []
        if not rows and not unit.marks:
            return _plain(unit.label)
        cells = [f'<TR><TD HEIGHT="18" COLSPAN="2">{escape(unit.label)}</TD></TR>']
        cells += [_cells("", "", row) for row in rows]
        for mark in unit.marks:
            color = self.colors.get(mark.parameter.number, style.FRAME)
            value = mark.flow.state == "value"
            swatch = self.scale.color(mark.flow.norm) if value else style.PAPER
            cells.append(_cells(swatch, tint(color), mark.label, _LETTERS.get(mark.flow.state, "")))
        return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{"".join(cells)}</TABLE>>'

    # -- edges ----------------------------------------------------------------------------------------

    def ends(self, path: Path, backward: bool = False) -> tuple[str, str]:
        """The names of the two nodes, in the direction of the arrow."""
        names = self.name(path.link.source.out.number), self.name(path.link.target.out.number)
        return names[::-1] if backward else names

    def forward(self, path: Path) -> dict[str, str]:
        """A thin grey arrow."""
        return {
            "pos": self._way(cubic(path), 5.0),
            "color": style.FORWARD,
            "arrowsize": "0.5",
            "class": "forward",
        }

    def gradient(self, path: Path) -> dict[str, str]:
        """The ribbon on which the gradient travels back."""
        flow, way = path.link.flow, cubic(path)[::-1]
        look = {"color": style.INK, "penwidth": "1", "style": "solid", "arrowhead": "none"}
        if flow.state == "value":
            width = self.scale.width(flow.norm)
            size = (4.0 + 1.4 * width) / 10 * min(1.0, 4.0 / width)  # heads grow with thick lines
            look = {"color": self.scale.color(flow.norm), "penwidth": coordinate(width)}
            look |= {"style": "dashed" if flow.sign == "-" else "solid", "arrowsize": f"{size:.2f}"}
            if flow.norm == math.inf:
                look |= {"label": "∞", "lp": self.at(_beside(path)), "fontcolor": style.ALARM}
            elif path.link.source.out.size == 1 and flow.sign in ("+", "-"):
                look |= {"label": "+" if flow.sign == "+" else "−", "lp": self.at(_beside(path))}
        elif flow.state in ("zero", "underflow"):
            look |= {"color": f"{style.INK}:{style.PAPER}:{style.INK}"}
            look["style"] = "dotted" if flow.state == "underflow" else "solid"
        elif flow.state == "absent":
            look |= {"color": style.ABSENT, "penwidth": "5", "style": "dotted"}
        else:
            look |= {"color": style.ALARM, "penwidth": "2.4", "fontcolor": style.ALARM}
            look |= {"label": "✗ NaN", "lp": self.at(_beside(path))}
        tip = 10.0 * float(look.get("arrowsize", "0"))
        words = f"from {path.link.target.label} back to {path.link.source.label}: {style.in_words(flow)}"
        pos = self._way(way, tip)
        return {
            "pos": pos,
            "class": "gradient",
            "tooltip": _plain(words),
            "gradient": datum(flow),
            **look,
        }

    def _way(self, points: list[Point], tip: float) -> str:
        """Graphviz's way: the tip of the arrow first, then the curve up to the foot of its head."""
        head = [f"e,{self.at(points[-1])}"] if tip else []
        return " ".join([*head, *map(self.at, shortened(points, tip))])

    # -- around the picture ---------------------------------------------------------------------------

    def cluster(self, index: int, frame: Frame) -> Any:
        """A step with the nodes and the gates inside it."""
        import graphviz

        look = {"color": style.FRAME, "style": "rounded"}
        step = graphviz.Digraph(f"cluster_{index}", graph_attr=self._box(frame) | look)
        gates = [f for f in self.sheet.frames if f.kind == "gate" and _inside(f, frame)]
        for k, gate in enumerate(gates):
            line, fill = style.category(gate.name)
            look = {
                "color": line,
                "style": "rounded,filled",
                "fontsize": "10",
                "fillcolor": tint(fill),
            }
            with step.subgraph(name=f"cluster_{index}_{k}") as inner:
                inner.attr(**self._box(gate), **look)
        for box in self.sheet.boxes:
            if frame.left < box.x < frame.right and frame.top < box.y < frame.bottom:
                step.node(self.name(box.unit.out.number))
        return step

    def _box(self, frame: Frame) -> dict[str, str]:
        corners = self.at((frame.left, frame.bottom)), self.at((frame.right, frame.top))
        return {"bb": ",".join(corners), "label": "", "tooltip": _plain(frame.name)}

    def texts(self, graph: Any) -> None:
        """The title above the picture, the names and notes in it, the legend below it."""
        sheet = self.sheet
        words = [self.title, subtitle(sheet)] if self.title else [subtitle(sheet)]
        lines = [Note(word, 12, 16.0 * i - 18, size=14.0 - 3 * i) for i, word in enumerate(words)]
        foot = sheet.height + _FOOT + 4
        lines += [Note(row, 12, foot + 15.0 * i, size=10) for i, row in enumerate(self.rows)]
        for frame in sheet.frames:
            if frame.kind == "step":
                lines.append(Note(frame.name, *frame.title, frame.anchor))
            else:
                middle, room = (frame.left + frame.right) / 2, frame.right - frame.left - 4
                name = fitted(frame.name, 10, room)
                lines.append(Note(name, middle, frame.top + 12, "middle", 10))
        look = {"shape": "plaintext", "style": "", "margin": "0"}
        for i, note in enumerate([*lines, *sheet.notes]):
            width = text_width(note.text, note.size)
            x = note.x + {"start": width / 2, "middle": 0.0, "end": -width / 2}[note.anchor]
            size = {"width": f"{(width + 4) / 72:.4f}", "height": f"{note.size * 1.4 / 72:.4f}"}
            at = {"pos": self.at((x, note.y - note.size * 0.35)), "fontsize": coordinate(note.size)}
            label = _plain(note.text) + ("\\l" if note.anchor == "start" else "")  # \l: to the left
            graph.node(f"text{i}", label=label, **at, **size, **look)

    def _legend(self) -> list[str]:
        scene = self.sheet.scene
        rows = ["grey: forward"]
        if scene.gradients.ran:
            low, high = (style.number(10.0**end) for end in (self.scale.low, self.scale.high))
            rows.append(
                f"coloured, thicker where larger: norm of the gradient on a log scale, dark blue {low} to "
                f"yellow {high}; dashed: every element negative"
            )
            rows.append(
                "double line: exactly zero; dotted double line: underflowed; dotted grey: no path to the "
                "loss; crossed: NaN; ∞: infinite; no ribbon: data, wants none"
            )
            rows.append(
                "beside a weight: 0 exactly zero, u underflowed, N NaN, – no path to the loss"
            )
        else:
            rows.append("backward has not run: no gradients to show")
        for entry in scene.ledger:
            shape = "×".join(map(str, entry.parameter.shape)) or "scalar"
            name = entry.parameter.name or entry.label
            words = name if name == entry.label else f"{entry.label}  {name}"
            rows.append(f"{words}  {shape}: {style.in_words(entry.flow)}")
        return rows


def tint(color: str) -> str:
    """A quarter of a colour on white paper: Graphviz fills a table cell with no opacity.

    >>> tint("#0072b2")
    '#bfdcec'
    """
    parts = [int(color[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - part) * 0.25):02x}" for part in parts)


def _cells(swatch: str, color: str, text: str, letter: str = "") -> str:
    """A row of a node: a swatch of the gradient (or a letter for why there is none), and the words."""
    font = f'<FONT POINT-SIZE="{MARK_SIZE}" COLOR="{style.INK}">{{}}</FONT>'
    words = font.format(escape(text))
    if not swatch:
        return f'<TR><TD COLSPAN="2">{words}</TD></TR>'
    room = 'WIDTH="8" HEIGHT="10" FIXEDSIZE="TRUE"'
    sign = font.format(letter) if letter else ""
    return f'<TR><TD BGCOLOR="{swatch}" {room}>{sign}</TD><TD BGCOLOR="{color}">{words}</TD></TR>'


def _beside(path: Path) -> Point:
    """A place for the sign of a gradient, near where it arrives."""
    (x0, y0), (x1, y1) = path.points[:2]
    x, y = mixed((x0, y0), (x1, y1), 0.4)
    return (x + 8, y) if abs(x1 - x0) < abs(y1 - y0) else (x, y - 8)


def _inside(inner: Frame, outer: Frame) -> bool:
    across = outer.left <= inner.left and inner.right <= outer.right
    return across and outer.top <= inner.top and inner.bottom <= outer.bottom


def _plain(text: str) -> str:
    """Text in which Graphviz sees no markup and no escape."""
    import graphviz

    escaped: str = graphviz.escape(text)  # of a kind of its own, which is never taken for HTML
    return escaped
