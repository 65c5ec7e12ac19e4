"""What all parts of a DOT file share: names, coordinates, colours, and text that Graphviz takes as it is."""

from __future__ import annotations

import re

from micrornn.messages import printable_lines
from viz import legend, style
from viz.pen import coordinate
from viz.scene import Scene, Unit
from viz.shapes import Point, Sheet
from viz.style import Scale

FONT = "DejaVu Sans"
FAINT = "26"  # the opacity of what is on none of the chosen paths, in hexadecimal
LINE = 15.0  # from one line of the legend to the next
FOOT = 16.0  # between the picture and the legend
_HEAD = 34.0  # room for the title above the picture


class Canvas:
    """A sheet with y upwards, the legend below the picture."""

    def __init__(self, sheet: Sheet, title: str) -> None:
        self.sheet = sheet
        self.title = title
        self.scale = legend.scale_of(sheet.scene)
        self.colors = legend.ledger_colors(sheet.scene)
        self.numbers = {node.number: i for i, node in enumerate(sheet.scene.graph.nodes, 1)}
        self.legend = legend_of(sheet.scene, self.scale)
        self.foot = LINE * (len(self.legend) + 1) + FOOT
        top = self.foot + sheet.height + _HEAD
        self.bounds = f"0,0,{coordinate(sheet.width)},{coordinate(top)}"

    def name(self, unit: Unit) -> str:
        """The name of a unit's node."""
        return f"n{self.numbers[unit.out.number]}"

    def at(self, point: Point) -> str:
        """A point of the sheet, y upwards."""
        return f"{coordinate(point[0])},{coordinate(self.foot + self.sheet.height - point[1])}"

    def lit(self, look: dict[str, str], *units: Unit) -> dict[str, str]:
        """The look as it is, or faint where paths are chosen and one of the units is on none of them."""
        lit = self.sheet.scene.lit
        if lit is None or all(id(unit) in lit for unit in units):
            return look
        colored = ["color", "fillcolor", "fontcolor"]
        colored += ["label"] if look.get("label", "").startswith("<<TABLE") else []
        faint = {
            name: re.sub(r"(#[0-9a-f]{6})\b", rf"\g<1>{FAINT}", look[name])
            for name in colored
            if name in look
        }
        return {**look, "fontcolor": style.INK + FAINT, **faint}


def legend_of(scene: Scene, scale: Scale) -> list[str]:
    """The legend, and the ledger of shared weights, line by line."""
    rows = ["grey: forward"]
    if scene.gradients.ran:
        low, high = (style.number(10.0**end) for end in (scale.low, scale.high))
        rows += [
            f"coloured, thicker where larger: norm of the gradient on a log scale, dark blue {low} to "
            f"yellow {high}; dashed: every element negative",
            "double line: exactly zero; dotted double line: underflowed; dotted grey: no path to the "
            "loss; crossed: NaN; ∞: infinite; no ribbon: data",
            "beside a weight: 0 exactly zero, u underflowed, N NaN, – no path to the loss",
        ]
    else:
        rows.append("backward has not run: no gradients to show")
    for entry in scene.ledger:
        shape = "×".join(map(str, entry.parameter.shape)) or "scalar"
        name = entry.parameter.name or entry.label
        words = name if name == entry.label else f"{entry.label}  {name}"
        rows.append(f"{words}  {shape}: {style.in_words(entry.flow)}")
    return rows


def plain(text: str) -> str:
    """Text in which Graphviz sees no markup, no escape, and no character that would end it."""
    import graphviz

    escaped: str = graphviz.escape(
        printable_lines(text)
    )  # of a kind of its own, which is never taken for HTML
    return escaped


def tint(color: str) -> str:
    """A quarter of a colour on white paper: Graphviz fills a table cell with no opacity.

    >>> tint("#0072b2")
    '#bfdcec'
    """
    parts = [int(color[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - part) * 0.25):02x}" for part in parts)
