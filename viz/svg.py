"""A sheet as SVG: our own writer, the same bytes for the same graph.

The file is also data. Each node is a ``<g class="node">`` with data-node, data-op, data-step, data-scope and
data-gradient; each link a ``<g class="edge forward">`` and, where something flows back, a
``<g class="edge gradient">``, with data-from and data-to; each step a ``<g class="step">``. Every node and
gradient has a ``<title>`` that says in words what colour and width say to the eye. There are no ids and no
style sheet, so that several pictures can stand on one page.
"""

from __future__ import annotations

import math

from viz import legend, style
from viz.described import describe, finding, subtitle
from viz.metrics import fitted, text_width
from viz.nodes import datum, draw_node
from viz.pen import Pen, Signs, along, coordinate, middle
from viz.scene import Link
from viz.shapes import FONT_SIZE, Frame, Path, Sheet
from viz.style import Scale

_MARGIN = 12.0
BESIDE = 2.0  # pixels by which a forward edge and its ribbon are moved apart, to the left above and below
_DENSE = 60  # links of a graph without time


def write(sheet: Sheet, title: str = "") -> str:
    """The sheet as an SVG document, with a title, a legend and the ledger of weights."""
    scene = sheet.scene
    scale = legend.scale_of(scene)
    numbers = {node.number: i for i, node in enumerate(scene.graph.nodes, 1)}
    pen = Pen()
    found = finding(sheet)
    below = " · ".join([x for x in (title if found else "", subtitle(sheet)) if x])
    name, title = title, found or title
    head = 44.0 if title else 18.0
    key = legend.Legend(sheet, scale)
    width = max(sheet.width, key.width, text_width(title, 15) + 2 * _MARGIN, 360.0)
    width = max(width, text_width(below, 11) + 2 * _MARGIN)
    height = head + sheet.height + key.height
    pen.open(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
        role="img",
        font_family=style.FONT,
        font_size=FONT_SIZE,
        fill=style.INK,
    )
    pen.text_element("title", name or found or "computation graph")
    pen.text_element("desc", describe(sheet))
    pen.add("rect", width=width, height=height, fill=style.PAPER)
    if title:
        pen.text(title, _MARGIN, 20, size=15, weight="bold")
    pen.text(below, _MARGIN, 37 if title else 14, size=11, fill="#555555")
    pen.open("g", transform=f"translate(0 {coordinate(head)})")
    for frame in sheet.frames:
        _frame(pen, frame)
    _edges(pen, sheet, scale, numbers)
    for frame in sheet.frames:
        if frame.kind == "gate":
            _gate_name(pen, frame)
    colors = legend.ledger_colors(scene)
    for box in sheet.boxes:
        draw_node(pen, box, sheet, scale, numbers, colors)
    for note in sheet.notes:
        pen.text(note.text, note.x, note.y, size=note.size, anchor=note.anchor, fill="#555555")
    key.draw(pen, sheet.height, width)
    pen.close("g")
    pen.close("svg")
    return pen.document()


def _frame(pen: Pen, frame: Frame) -> None:
    box = {
        "x": frame.left,
        "y": frame.top,
        "width": frame.right - frame.left,
        "height": frame.bottom - frame.top,
    }
    if frame.kind == "step":
        pen.open("g", class_="step", data_step=frame.step)
        pen.add("rect", **box, rx=10, fill="none", stroke=style.FRAME)
        pen.text(frame.name, *frame.title, anchor=frame.anchor, size=11)
        pen.close("g")
        return
    line, fill = style.category(frame.name)
    pen.open("g", class_="gate", data_scope=frame.name)
    pen.add("rect", **box, rx=8, fill=fill, fill_opacity=0.35, stroke=line)
    pen.close("g")


def _gate_name(pen: Pen, frame: Frame) -> None:
    # Over the edges and with a halo: a gate's result leaves upwards, through its name.
    name = fitted(frame.name, 10, frame.right - frame.left - 4)
    x, y = (frame.left + frame.right) / 2, frame.top + 12
    pen.text(name, x, y, anchor="middle", size=10, halo=True)


def _edges(pen: Pen, sheet: Sheet, scale: Scale, numbers: dict[int, int]) -> None:
    """The ribbons of gradients, then the forward edges, those that have a ribbon moved off it."""
    scene, signs = sheet.scene, Signs()
    pen.open("g", class_="edges", transform=f"translate({BESIDE:g} {BESIDE:g})")
    for path in sheet.paths:
        _gradient(pen, path, scale, numbers, signs, scene.lit)
    pen.close("g")
    # So many lines beside each other hide what they cross.
    dense = "0.5" if len(sheet.paths) > _DENSE and not scene.steps else None
    away = f"translate({-BESIDE:g} {-BESIDE:g})"
    for beside in (True, False):
        place = away if beside else None
        pen.open("g", class_="edges", fill=style.FORWARD, opacity=dense, transform=place)
        for path in sheet.paths:
            if _ribboned(path.link) is beside:
                _forward(pen, path, numbers, scene.lit)
        pen.close("g")


def _gradient(
    pen: Pen,
    path: Path,
    scale: Scale,
    numbers: dict[int, int],
    signs: Signs,
    lit: set[int] | None,
) -> None:
    """The ribbon of a gradient, with its arrow where the gradient arrives: at the source of the link."""
    flow = path.link.flow
    if flow.state in ("none", "constant") or path.link.cut:
        return
    way = along(path)
    pen.open(
        "g",
        class_="edge gradient",
        **_ends(path, numbers),
        data_gradient=datum(flow),
        opacity=_light(path, lit),
    )
    pen.text_element("title", f"{_names(path)}: {style.in_words(flow)}")
    if flow.state == "value":
        color, width = scale.color(flow.norm), scale.width(flow.norm)
        dash = "5 3" if flow.sign == "-" else None
        pen.add("path", d=way, fill="none", stroke=color, stroke_width=width, stroke_dasharray=dash)
        pen.head(path, True, 4.0 + 1.4 * width, color)
        if flow.norm == math.inf:
            x, y = middle(path.points)
            pen.text("∞", x, y + 4, anchor="middle", size=13, fill=style.ALARM, halo=True)
        elif path.link.source.out.size == 1 and flow.sign in "+-":
            x, y = signs.place(path)
            pen.text("+" if flow.sign == "+" else "−", x, y, anchor="middle", size=10, halo=True)
    elif flow.state == "zero":  # hollow
        pen.add("path", d=way, fill="none", stroke=style.INK, stroke_width=4.4)
        pen.add("path", d=way, fill="none", stroke=style.PAPER, stroke_width=3)
    elif flow.state == "underflow":  # hollow and dotted
        pen.add(
            "path", d=way, fill="none", stroke=style.INK, stroke_width=4.4, stroke_dasharray="2 2"
        )
        pen.add("path", d=way, fill="none", stroke=style.PAPER, stroke_width=3)
    elif flow.state == "absent":  # hatched
        pen.add(
            "path",
            d=way,
            fill="none",
            stroke=style.ABSENT,
            stroke_width=6,
            stroke_dasharray="1.5 3",
        )
    else:  # NaN: crossed
        pen.add("path", d=way, fill="none", stroke=style.ALARM, stroke_width=2.4)
        x, y = middle(path.points)
        pen.cross(x, y, 5.0, style.ALARM)
    pen.close("g")


def _forward(pen: Pen, path: Path, numbers: dict[int, int], lit: set[int] | None) -> None:
    pen.open("g", class_="edge forward", **_ends(path, numbers), opacity=_light(path, lit))
    dash = "3 3" if path.link.cut else None
    pen.add("path", d=along(path), fill="none", stroke=style.FORWARD, stroke_dasharray=dash)
    pen.head(path, False, 5.0)
    pen.close("g")


def _ribboned(link: Link) -> bool:
    """Whether a ribbon is drawn beside the link's forward edge."""
    return link.flow.state not in ("none", "constant") and not link.cut


def _ends(path: Path, numbers: dict[int, int]) -> dict[str, object]:
    link = path.link
    return {
        "data_from": numbers[link.source.out.number],
        "data_to": numbers[link.target.out.number],
    }


def _light(path: Path, lit: set[int] | None) -> str | None:
    """Faint, where paths are chosen and this is on none of them."""
    ends = {id(path.link.source), id(path.link.target)}
    return None if lit is None or ends <= lit else style.FAINT


def _names(path: Path) -> str:
    link = path.link
    uses = f", the largest of {link.uses} uses" if link.uses > 1 else ""
    return f"from {link.target.label} back to {link.source.label}{uses}"
