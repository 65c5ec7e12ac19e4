"""A sheet in Graphviz's language, with our positions in it: ``neato -n2`` draws the same picture.

Positions are in points, y upwards, one point for one pixel of the SVG; sizes are in inches. Nodes and ways
come with their places, frames as clusters with their boxes, so Graphviz lays out nothing. A gradient is an
edge of its own, from the node that sends it to the node at which it arrives.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from viz import legend, style
from viz.gradients import Flow
from viz.metrics import fitted, text_width
from viz.pen import along, coordinate
from viz.shapes import FONT_SIZE, MARK_SIZE, Box, Frame, Path, Point, Sheet, scalar_rows
from viz.style import Scale
from viz.svg import _category, datum, subtitle, title_of

FONT = "DejaVu Sans"
_HEAD = 34.0  # room for the title above the picture
_FOOT = 16.0  # between the picture and the legend

NO_GRAPHVIZ = (
    "PDF needs Graphviz, and its program neato was not found. Install Graphviz (apt install graphviz, "
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
        RuntimeError: Graphviz is not installed, or failed.
    """
    import subprocess

    import graphviz

    try:
        pdf = _digraph(sheet, title).pipe(format="pdf", neato_no_op=2, quiet=True)
    except graphviz.ExecutableNotFound:
        raise RuntimeError(NO_GRAPHVIZ) from None
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
        if unit.kind == "initial":
            look["style"] += ",dashed"
        if flow.state == "value":
            line, look["penwidth"] = self.scale.color(flow.norm), "2.4"
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
            "width": f"{box.width / 72:.4f}",
            "height": f"{box.height / 72:.4f}",
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
            swatch = self.scale.color(mark.flow.norm) if mark.flow.state == "value" else style.PAPER
            cells.append(_cells(swatch, tint(color), mark.label))
        return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{"".join(cells)}</TABLE>>'

    # -- edges ----------------------------------------------------------------------------------------

    def ends(self, path: Path, backward: bool = False) -> tuple[str, str]:
        """The names of the two nodes, in the direction of the arrow."""
        names = self.name(path.link.source.out.number), self.name(path.link.target.out.number)
        return names[::-1] if backward else names

    def forward(self, path: Path) -> dict[str, str]:
        """A thin grey arrow."""
        return {
            "pos": self._spline(cubic(path), 5.0),
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
            size = (4.0 + 1.4 * width) / 10
            look = {"color": self.scale.color(flow.norm), "penwidth": coordinate(width)}
            look |= {"style": "dashed" if flow.sign == "-" else "solid", "arrowsize": f"{size:.2f}"}
            if path.link.source.out.size == 1 and flow.sign in ("+", "-"):
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
        pos = self._spline(way, tip)
        return {
            "pos": pos,
            "class": "gradient",
            "tooltip": _plain(words),
            "gradient": datum(flow),
            **look,
        }

    def _spline(self, points: list[Point], tip: float) -> str:
        """Graphviz's spline: the tip of the arrow first, then the curve up to the foot of its head."""
        end, before = points[-1], points[-2]
        dx, dy = before[0] - end[0], before[1] - end[1]
        length = (dx * dx + dy * dy) ** 0.5 or 1.0
        part = min(tip / length, 0.9)
        foot = (end[0] + dx * part, end[1] + dy * part)
        head = [f"e,{self.at(end)}"] if tip else []
        return " ".join([*head, *map(self.at, [*points[:-1], foot if tip else end])])

    # -- around the picture ---------------------------------------------------------------------------

    def cluster(self, index: int, frame: Frame) -> Any:
        """A step with the nodes and the gates inside it."""
        import graphviz

        look = {"color": style.FRAME, "style": "rounded", "fontsize": "11"}
        step = graphviz.Digraph(f"cluster_{index}", graph_attr=self._frame(frame, 1.0) | look)
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
                inner.attr(**self._frame(gate, 0.0), **look)
        for box in self.sheet.boxes:
            if frame.left < box.x < frame.right and frame.top < box.y < frame.bottom:
                step.node(self.name(box.unit.out.number))
        return step

    def _frame(self, frame: Frame, above: float) -> dict[str, str]:
        x, y = (
            frame.title
            if frame.kind == "step"
            else ((frame.left + frame.right) / 2, frame.top + 12)
        )
        corners = self.at((frame.left, frame.bottom)), self.at((frame.right, frame.top))
        name = frame.name if frame.beside else fitted(frame.name, 10, frame.right - frame.left - 4)
        x += 16.0 if frame.beside else 0.0
        return {"bb": ",".join(corners), "label": _plain(name), "lp": self.at((x, y - 4))}

    def texts(self, graph: Any) -> None:
        """The title above the picture, notes in it, the legend below it."""
        words = [self.title, subtitle(self.sheet)] if self.title else [subtitle(self.sheet)]
        lines = [(word, 12.0, 12.0 - _HEAD + 16 * i, 14 - 3 * i) for i, word in enumerate(words)]
        lines += [(note.text, note.x, note.y - 4, 11) for note in self.sheet.notes]
        lines += [
            (row, 12.0, self.sheet.height + _FOOT + 15 * i, 10) for i, row in enumerate(self.rows)
        ]
        for i, (word, x, y, size) in enumerate(lines):
            look = {"shape": "plaintext", "style": "", "width": "0.01", "height": "0.01"}
            place = self.at((x + text_width(word, size) / 2, y))
            graph.node(f"text{i}", label=_plain(word), pos=place, fontsize=str(size), **look)

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
                "loss; crossed: NaN; no ribbon: data, wants none"
            )
        else:
            rows.append("backward has not run: no gradients to show")
        for entry in scene.ledger:
            shape = "×".join(map(str, entry.parameter.shape)) or "scalar"
            name = entry.parameter.name or entry.label
            words = name if name == entry.label else f"{entry.label}  {name}"
            rows.append(f"{words}  {shape}: {style.in_words(entry.flow)}")
        return rows


def cubic(path: Path) -> list[Point]:
    """The way of a link as one piecewise cubic curve, the same that the SVG draws.

    >>> from types import SimpleNamespace as fake
    >>> cubic(fake(points=[(0.0, 0.0), (30.0, 0.0)], curved=False))
    [(0.0, 0.0), (10.0, 0.0), (20.0, 0.0), (30.0, 0.0)]
    """
    found: list[Point] = []
    for command, rest in re.findall(r"([MLQC])([^MLQC]*)", along(path)):
        numbers = [float(n) for n in rest.split()]
        points = list(zip(numbers[::2], numbers[1::2]))
        if command == "M":
            found = points
            continue
        start, end = found[-1], points[-1]
        if command == "L":
            if start == end:
                continue
            found += [_mix(start, end, 1 / 3), _mix(start, end, 2 / 3), end]
        elif command == "Q":
            found += [_mix(start, points[0], 2 / 3), _mix(end, points[0], 2 / 3), end]
        else:
            found += points
    return found


def _mix(a: Point, b: Point, part: float) -> Point:
    return (a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part)


def tint(color: str) -> str:
    """A quarter of a colour on white paper: Graphviz fills a table cell with no opacity.

    >>> tint("#0072b2")
    '#bfdcec'
    """
    parts = [int(color[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - part) * 0.25):02x}" for part in parts)


def _cells(swatch: str, color: str, text: str) -> str:
    """A row of a node: a swatch of the gradient, and the words beside it."""
    words = f'<FONT POINT-SIZE="{MARK_SIZE}">{escape(text)}</FONT>'
    if not swatch:
        return f'<TR><TD COLSPAN="2">{words}</TD></TR>'
    return f'<TR><TD BGCOLOR="{swatch}" WIDTH="6"></TD><TD BGCOLOR="{color}">{words}</TD></TR>'


def _beside(path: Path) -> Point:
    """A place for the sign of a gradient, near where it arrives."""
    (x0, y0), (x1, y1) = path.points[:2]
    x, y = _mix((x0, y0), (x1, y1), 0.4)
    return (x + 8, y) if abs(x1 - x0) < abs(y1 - y0) else (x, y - 8)


def _inside(inner: Frame, outer: Frame) -> bool:
    across = outer.left <= inner.left and inner.right <= outer.right
    return across and outer.top <= inner.top and inner.bottom <= outer.bottom


def _plain(text: str) -> str:
    """Text in which Graphviz sees no markup and no escape."""
    import graphviz

    return str(graphviz.escape(text))
