"""The nodes of a sheet as SVG: boxes and circles, with labels, numbers and the weights that they use."""

from __future__ import annotations

import math

from viz import legend, style
from viz.gradients import Flow, is_cut
from viz.labels import value_words
from viz.pen import Pen
from viz.scene import Mark
from viz.shapes import MARK_HEIGHT, MARK_SIZE, Box, Sheet, scalar_rows
from viz.style import FAINT, Scale


def datum(flow: Flow) -> str:
    """A flow as the value of data-gradient: its norm to six digits, or the state."""
    return f"{flow.norm:.6g}" if flow.state == "value" else flow.state


def draw_node(
    pen: Pen, box: Box, sheet: Sheet, scale: Scale, numbers: dict[int, int], colors: dict[int, str]
) -> None:
    """A node: its shape with the look of its gradient, its label, and what it does with weights.

    Args:
        numbers: by which nodes are counted in the file, from those of the graph.
        colors: of each parameter of the ledger, by its number.
    """
    unit = box.unit
    node, flow = unit.out, unit.flow
    op = node.primitive.name if node.primitive else "leaf"
    pen.open(
        "g",
        class_="node",
        data_node=numbers[node.number],
        data_op=op if len(unit.nodes) == 1 or unit.kind != "group" else "group",
        data_step=unit.step,
        data_scope=node.scope,
        data_gradient=datum(flow),
        opacity=None if sheet.scene.lit is None or id(unit) in sheet.scene.lit else FAINT,
    )
    pen.text_element("title", title_of(box, sheet))
    line, fill = style.category(category_of(box))
    ink = style.INK
    if sheet.scene.detail in ("cell", "layer") and flow.state == "value":
        fill = scale.color(flow.norm)
        ink = style.ink_on(fill)
    outline = _outline(flow, line, scale)
    if unit.kind == "initial" and flow.state != "absent":
        outline["stroke_dasharray"] = "4 2"
    _shape(pen, box, 0.0, fill=fill, **outline)
    if flow.state in ("zero", "underflow"):
        _shape(
            pen,
            box,
            3.0,
            fill="none",
            stroke=style.INK,
            stroke_width=0.8,
            stroke_dasharray="1 2" if flow.state == "underflow" else None,
        )
    if unit.out.name == "loss":
        _shape(pen, box, 2.5, fill="none", stroke=line, stroke_width=0.8)
    rows = scalar_rows(unit) if sheet.scene.detail == "scalar" and unit.kind != "group" else []
    top = box.y if box.round or not (unit.marks or rows) else box.top + 11
    pen.text(unit.label, box.x, top + 4.2, anchor="middle", fill=ink)
    y = box.top + 20
    for value, gradient, element in rows:
        legend.swatch(pen, box.left + 5, y - 1, 6.0, MARK_HEIGHT - 3, element, scale)
        pen.text(value, box.left + 15, y + 6, size=MARK_SIZE)
        if gradient:
            pen.text(
                gradient.strip(), box.right - 5, y + 6, anchor="end", size=MARK_SIZE, fill="#555555"
            )
        y += MARK_HEIGHT
    for mark in unit.marks:
        color = colors.get(mark.parameter.number, style.FRAME)
        _mark(pen, mark, box.left + 3, y - 2, box.width - 6, color, scale)
        y += MARK_HEIGHT
    if flow.norm == math.inf:
        pen.text("∞", box.right, box.top + 3, anchor="middle", size=13, fill=style.ALARM, halo=True)
    if sheet.scene.again(unit):
        pen.text(style.AGAIN, box.left, box.top + 3, anchor="middle", size=11, halo=True)
    if is_cut(node):  # a wall, where the gradient would have passed on
        pen.add(
            "rect", x=box.left - 5, y=box.top - 5, width=3, height=box.height + 10, fill=style.INK
        )
    if flow.state == "nan":
        pen.cross(box.x, box.y, min(box.width, box.height) / 2, style.ALARM)
    pen.close("g")


def _mark(
    pen: Pen,
    mark: Mark,
    x: float,
    y: float,
    width: float,
    color: str,
    scale: Scale,
) -> None:
    """A weight's use: a swatch of what it sent back, its name, and a bar as long as its share."""
    height = MARK_HEIGHT - 1.5
    share = mark.share
    pen.open(
        "g",
        class_="mark",
        data_parameter=mark.parameter.name or "",
        data_gradient=datum(mark.flow),
        data_share=None if share is None else f"{share:.4f}",
    )
    words = f"{mark.label}: {style.in_words(mark.flow)} from this use"
    if share is not None:
        words += f", a share of {share:+.1%} in the weight's gradient"
    pen.text_element("title", words)
    at = {"x": x, "y": y, "width": width, "height": height, "rx": 2}
    pen.add("rect", **at, fill=style.between((style.PAPER, color), 0.25))
    if share:  # a positive share grows from the left, a negative one from the right
        room = width - 6.0
        long = round(min(abs(share), 1.0) * room, 1)
        left = x + 6.0 if share > 0 else x + width - long
        pen.add("rect", x=left, y=y + height - 3, width=long, height=3, fill=color)
    legend.swatch(pen, x, y, 6.0, height, mark.flow, scale)
    pen.text(mark.label, x + 8, y + 8, size=MARK_SIZE)
    pen.close("g")


def _shape(pen: Pen, box: Box, inset: float, **look: object) -> None:
    if box.round:
        pen.add("circle", cx=box.x, cy=box.y, r=box.width / 2 - inset, **look)
        return
    pen.add(
        "rect",
        x=box.left + inset,
        y=box.top + inset,
        width=box.width - 2 * inset,
        height=box.height - 2 * inset,
        rx=max(6 - inset, 2),
        **look,
    )


def _outline(flow: Flow, line: str, scale: Scale) -> dict[str, object]:
    if flow.state == "value":
        return {"stroke": scale.color(flow.norm), "stroke_width": 2.4}
    if flow.state == "absent":
        return {"stroke": style.ABSENT, "stroke_width": 4, "stroke_dasharray": "1.5 3"}
    if flow.state == "nan":
        return {"stroke": style.ALARM, "stroke_width": 2.4}
    return {"stroke": line, "stroke_width": 1.0}


def category_of(box: Box) -> str:
    """What a box is, as `viz.style.category` names it: loss, cell, state, input, a gate or a layer."""
    unit = box.unit
    if unit.kind == "loss":
        return "loss"
    if unit.out.name == "c":
        return "cell"
    if unit.kind in ("state", "initial", "cut"):
        return "state"
    if unit.kind in ("input", "data"):
        return "input"
    return unit.gate or (unit.layer if unit.kind == "group" else "data")


def title_of(box: Box, sheet: Sheet) -> str:
    """A node in words: "tanh, step 3, gradient norm 1.2e-4", then its scope and value."""
    unit = box.unit
    node = unit.out
    what = node.primitive.name if node.primitive else "data"
    if unit.kind == "group":
        what = f"{unit.label}, {len(unit.nodes)} nodes"
    words = [what]
    if node.name and unit.kind != "group":
        words.append(node.name)
    if unit.step is not None:
        words.append(f"step {unit.step}")
    words.append(style.in_words(unit.flow))
    if unit.lost is not None:
        words.append(f"detached: a gradient of norm {style.number(unit.lost.norm)} is lost here")
    if times := sheet.scene.again(unit):
        words.append("computed again in backward" + f", {times} times" * (times > 1))
    if node.scope:
        words.append(f"in {node.scope}")
    words.append(value_words(node))
    return ", ".join(words)
