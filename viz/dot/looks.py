"""The attributes of nodes and edges: the same looks as in the SVG, in Graphviz's terms."""

from __future__ import annotations

import math
from html import escape

from micrornn.messages import printable
from viz import style
from viz.dot.canvas import Canvas, plain, tint
from viz.dot.spline import cubic, mixed, shortened
from viz.nodes import category_of, datum, title_of
from viz.shapes import MARK_SIZE, Box, Path, Point, scalar_rows

_RING = 8.0  # Graphviz draws a second line outside of the first
_LETTERS = {"zero": "0", "underflow": "u", "nan": "N", "absent": "–"}


def node(canvas: Canvas, box: Box) -> dict[str, str]:
    """The look of a box."""
    unit, flow = box.unit, box.unit.flow
    line, fill = style.category(category_of(box))
    ink = style.INK
    if canvas.sheet.scene.detail in ("cell", "layer") and flow.state == "value":
        fill = canvas.scale.color(flow.norm)
        ink = style.ink_on(fill)
    look = {"style": "filled" if box.round else "filled,rounded"}
    if unit.kind == "initial":
        look["style"] += ",dashed"
    if flow.state == "value":
        line, look["penwidth"] = canvas.scale.color(flow.norm), "2.4"
        if flow.norm == math.inf:
            look |= {"xlabel": "∞", "xlp": canvas.at((box.right + 5, box.top - 3))}
    elif flow.state in ("zero", "underflow"):
        look["peripheries"] = "2"
        look["style"] += ",dotted" if flow.state == "underflow" else ""
    elif flow.state == "absent":
        line, look["penwidth"] = style.ABSENT, "4"
        look["style"] += ",dotted"
    elif flow.state == "nan":
        line, look["penwidth"] = style.ALARM, "2.4"
        look["style"] += ",diagonals"
    if canvas.sheet.scene.again(unit):
        look["xlabel"] = look.get("xlabel", "") + style.AGAIN
        look.setdefault("xlp", canvas.at((box.left - 5, box.top - 3)))
    if box.round:
        look["shape"] = "circle"
    ring = _RING if "peripheries" in look else 0.0
    whole = {
        "label": _label(canvas, box),
        "pos": canvas.at((box.x, box.y)),
        "width": f"{(box.width - ring) / 72:.4f}",
        "height": f"{(box.height - ring) / 72:.4f}",
        **{"color": line, "fillcolor": fill, "fontcolor": ink},
        "tooltip": plain(title_of(box, canvas.sheet)),
        "gradient": datum(flow),
        **look,
    }
    return canvas.lit(whole, unit)


def _label(canvas: Canvas, box: Box) -> str:
    unit = box.unit
    scalar = canvas.sheet.scene.detail == "scalar" and unit.kind != "group"
    rows = [f"{value}{gradient}" for value, gradient, _ in scalar_rows(unit)] if scalar else []
    if not rows and not unit.marks:
        return plain(unit.label)
    cells = [f'<TR><TD HEIGHT="18" COLSPAN="2">{escape(printable(unit.label))}</TD></TR>']
    cells += [_cells("", "", row) for row in rows]
    for mark in unit.marks:
        color = canvas.colors.get(mark.parameter.number, style.FRAME)
        value = mark.flow.state == "value"
        swatch = canvas.scale.color(mark.flow.norm) if value else style.PAPER
        cells.append(_cells(swatch, tint(color), mark.label, _LETTERS.get(mark.flow.state, "")))
    bare = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
    return f"<<TABLE {bare}>{''.join(cells)}</TABLE>>"


def _cells(swatch: str, color: str, text: str, letter: str = "") -> str:
    """A row of a node: a swatch of the gradient (or a letter for why there is none), and the words."""
    font = f'<FONT POINT-SIZE="{MARK_SIZE}" COLOR="{style.INK}">{{}}</FONT>'
    words = font.format(escape(printable(text)))
    if not swatch:
        return f'<TR><TD COLSPAN="2">{words}</TD></TR>'
    room = 'WIDTH="8" HEIGHT="10" FIXEDSIZE="TRUE"'
    sign = font.format(letter) if letter else ""
    return f'<TR><TD BGCOLOR="{swatch}" {room}>{sign}</TD><TD BGCOLOR="{color}">{words}</TD></TR>'


def ends(canvas: Canvas, path: Path, backward: bool = False) -> tuple[str, str]:
    """The names of the two nodes, in the direction of the arrow."""
    names = canvas.name(path.link.source), canvas.name(path.link.target)
    return names[::-1] if backward else names


def forward(canvas: Canvas, path: Path) -> dict[str, str]:
    """A thin grey arrow, dashed where the value is handed on without its history."""
    look = {
        "pos": _way(canvas, cubic(path), 5.0),
        "color": style.FORWARD,
        "arrowsize": "0.5",
        "class": "forward",
    }
    if path.link.cut:
        look["style"] = "dashed"
    return canvas.lit(look, path.link.source, path.link.target)


def gradient(canvas: Canvas, path: Path) -> dict[str, str]:
    """The ribbon on which the gradient travels back."""
    link, flow = path.link, path.link.flow
    look = {"color": style.INK, "penwidth": "1", "style": "solid", "arrowhead": "none"}
    sign = ""
    if flow.state == "value":
        width = canvas.scale.width(flow.norm)
        size = (4.0 + 1.4 * width) / 10 * min(1.0, 4.0 / width)  # heads grow with thick lines
        look = {"color": canvas.scale.color(flow.norm), "penwidth": f"{width:.1f}"}
        look |= {"style": "dashed" if flow.sign == "-" else "solid", "arrowsize": f"{size:.2f}"}
        if flow.norm == math.inf:
            sign, look["fontcolor"] = "∞", style.ALARM
        elif link.source.out.size == 1:
            sign = {"+": "+", "-": "−"}.get(flow.sign, "")
    elif flow.state in ("zero", "underflow"):
        look["color"] = f"{style.INK}:{style.PAPER}:{style.INK}"
        look["style"] = "dotted" if flow.state == "underflow" else "solid"
    elif flow.state == "absent":
        look |= {"color": style.ABSENT, "penwidth": "5", "style": "dotted"}
    else:
        look |= {"color": style.ALARM, "penwidth": "2.4", "fontcolor": style.ALARM}
        sign = "✗ NaN"
    if sign:
        look |= {"label": sign, "lp": canvas.at(_beside(path))}
    words = f"from {link.target.label} back to {link.source.label}: {style.in_words(flow)}"
    tip = 10.0 * float(look.get("arrowsize", "0"))
    whole = {
        "pos": _way(canvas, cubic(path)[::-1], tip),
        "class": "gradient",
        "tooltip": plain(words),
        "gradient": datum(flow),
        **look,
    }
    return canvas.lit(whole, link.source, link.target)


def _way(canvas: Canvas, points: list[Point], tip: float) -> str:
    """Graphviz's way: the tip of the arrow first, then the curve up to the foot of its head."""
    head = [f"e,{canvas.at(points[-1])}"] if tip else []
    return " ".join([*head, *map(canvas.at, shortened(points, tip))])


def _beside(path: Path) -> Point:
    """A place for the sign of a gradient, near where it arrives."""
    (x0, y0), (x1, y1) = path.points[:2]
    x, y = mixed((x0, y0), (x1, y1), 0.4)
    return (x + 8, y) if abs(x1 - x0) < abs(y1 - y0) else (x, y - 8)
