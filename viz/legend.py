"""Below the picture: what colours and widths mean, in numbers, and the ledger of shared weights."""

from __future__ import annotations

import math

from viz import style
from viz.gradients import Flow
from viz.metrics import fitted, text_width
from viz.pen import Pen
from viz.scene import Entry, Scene
from viz.shapes import MARK_HEIGHT, MARK_SIZE, Sheet
from viz.style import Scale

_ROW = 17.0
_KEY_WIDTH = 372.0
_STRIP = 300.0  # the width of a ledger strip at the most
_LEDGER_COLORS = (
    *("#0072b2", "#e69f00", "#009e73", "#cc79a7"),
    *("#56b4e9", "#d55e00", "#d9c800", "#777777"),
)


def scale_of(scene: Scene) -> Scale:
    """One scale for all that is drawn."""
    norms = [unit.flow.norm for unit in scene.units]
    norms += [link.flow.norm for link in scene.links]
    norms += [flow.norm for unit in scene.units for flow in unit.elements or ()]
    norms += [flow.norm for entry in scene.ledger for flow in entry.by_step.values()]
    return Scale.over([*norms, *(entry.flow.norm for entry in scene.ledger)])


def ledger_colors(scene: Scene) -> dict[int, str]:
    """A colour for each parameter of the ledger, by node number."""
    count = len(_LEDGER_COLORS)
    return {e.parameter.number: _LEDGER_COLORS[i % count] for i, e in enumerate(scene.ledger)}


def swatch(
    pen: Pen, x: float, y: float, width: float, height: float, flow: Flow, scale: Scale
) -> None:
    """A small field that shows a gradient: its colour, or hollow, hatched or crossed."""
    at = {"x": x, "y": y, "width": width, "height": height}
    if flow.state == "value":
        pen.add("rect", **at, fill=scale.color(flow.norm))
    elif flow.state in ("zero", "underflow"):
        dash = "1 1" if flow.state == "underflow" else None
        inner = {"x": x + 0.6, "y": y + 0.6, "width": max(width - 1.2, 0.2), "height": height - 1.2}
        pen.add(
            "rect",
            **inner,
            fill=style.PAPER,
            stroke=style.INK,
            stroke_width=0.8,
            stroke_dasharray=dash,
        )
    elif flow.state == "nan":
        pen.add("rect", **at, fill=style.PAPER, stroke=style.ALARM)
        pen.cross(x + width / 2, y + height / 2, min(width, height) / 2, style.ALARM)
    elif flow.state == "absent":
        middle = y + height / 2
        line = f"M{x:.1f} {middle:.1f}h{width:.1f}"
        pen.add("path", d=line, stroke=style.ABSENT, stroke_width=height, stroke_dasharray="1 1.5")


def _occurring(scene: Scene) -> list[tuple[str, str]]:
    """The looks of gradients that occur in the picture, in words: a legend names no others."""
    flows = [link.flow for link in scene.links]
    flows += [unit.flow for unit in scene.units]
    flows += [mark.flow for unit in scene.units for mark in unit.marks]
    flows += [flow for entry in scene.ledger for flow in entry.by_step.values()]
    states = {flow.state for flow in flows}
    negative = any(link.flow.state == "value" and link.flow.sign == "-" for link in scene.links)
    every = (
        ("dash", "−: every element negative", negative),
        ("zero", "exactly zero", "zero" in states),
        ("absent", "no path to the loss", "absent" in states),
        ("underflow", "underflowed", "underflow" in states),
        ("nan", "NaN", "nan" in states),
        ("again", f"{style.AGAIN} computed again", any(map(scene.again, scene.units))),
        ("none", "no ribbon: data", any(link.flow.state == "constant" for link in scene.links)),
    )
    return [(kind, words) for kind, words, there in every if there]


class Legend:
    """The legend of a sheet; ``width`` and ``height`` are what it needs."""

    def __init__(self, sheet: Sheet, scale: Scale) -> None:
        self.scene = sheet.scene
        self.scale = scale
        self.ran = self.scene.gradients.ran
        steps = self.scene.steps
        self.cell = min(_STRIP / max(len(steps), 1), 14.0)
        heading = text_width("shared weights", 11.5) - 16
        self.names = max([heading, *(text_width(self._name(e), 10.5) for e in self.scene.ledger)])
        strip = max(self.cell * len(steps), 112.0)
        self.ledger_width = 30 + self.names + strip + 80 if self.scene.ledger else 0.0
        self.width = 24 + _KEY_WIDTH + self.ledger_width
        self.looks = _occurring(self.scene)
        marks = [mark for unit in self.scene.units for mark in unit.marks]
        self.barred = any(mark.share for mark in marks)
        self.dated = any(entry.by_step for entry in self.scene.ledger)
        own = 3 + math.ceil(len(self.looks) / 2) + self.barred
        rows = max(len(self.scene.ledger) + 1, own if self.ran else 2)
        self.height = 30 + _ROW * rows

    @staticmethod
    def _name(entry: Entry) -> str:
        full = entry.parameter.name or ""
        shape = "×".join(map(str, entry.parameter.shape)) or "scalar"
        name = (
            f"{entry.label}  {full}  {shape}" if full != entry.label else f"{entry.label}  {shape}"
        )
        return fitted(name, 10.5, 360)

    def draw(self, pen: Pen, top: float, width: float) -> None:
        """Draw it below ``top``."""
        pen.open("g", class_="legend")
        pen.add("path", d=f"M12 {top + 8:.1f}H{width - 12:.1f}", stroke="#dddddd")
        self._key(pen, 12.0, top + 26)
        if self.scene.ledger:
            self._ledger(pen, 24 + _KEY_WIDTH, top + 26)
        pen.close("g")

    def _key(self, pen: Pen, x: float, y: float) -> None:
        pen.add("path", d=f"M{x:.1f} {y - 4:.1f}h40", stroke=style.FORWARD)
        pen.arrow((x, y - 4), (x + 40, y - 4), 5.0, style.FORWARD)
        pen.text("forward", x + 50, y, size=10.5)
        if not self.ran:
            pen.text("backward has not run: no gradients to show", x, y + _ROW, size=10.5)
            return
        y += _ROW
        pen.text("gradient norm (color and width, log scale)", x, y, size=10.5)
        y += 6
        pieces, wide = 40, 230.0
        for i in range(pieces):
            part = (i + 0.5) / pieces
            thick = 2.0 + 5.0 * part
            pen.add(
                "rect",
                x=x + wide * i / pieces,
                y=y + 5 - thick / 2,
                width=wide / pieces + 0.3,
                height=thick,
                fill=style.fade(part),
            )
        for tick in self.scale.ticks():
            at = x + wide * self.scale.part(tick)
            pen.add("path", d=f"M{at:.1f} {y + 9:.1f}v3", stroke=style.INK, stroke_width=0.7)
            anchor = "start" if at < x + 12 else "middle"
            pen.text(style.number(tick), at, y + 21, size=9, anchor=anchor)
        y += 21 + _ROW
        for i, (kind, words) in enumerate(self.looks):
            self._ribbon(pen, x + 190 * (i % 2), y + _ROW * (i // 2), words, kind)
        y += _ROW * (math.ceil(len(self.looks) / 2) - 1)
        if self.barred:
            y += _ROW
            color = _LEDGER_COLORS[0]
            field = {"x": x, "y": y - 10, "width": 34, "height": MARK_HEIGHT - 1.5, "rx": 2}
            pen.add("rect", **field, fill=color, fill_opacity=0.25)
            foot = y - 10 + MARK_HEIGHT - 4.5
            pen.add("rect", x=x + 6, y=foot, width=14, height=3, fill=color)
            pen.text("W", x + 8, y - 2, size=MARK_SIZE)
            words = "bar: a use's share of the weight's gradient (negative: from the right)"
            pen.text(words, x + 42, y, size=9.5)

    def _ribbon(self, pen: Pen, x: float, y: float, words: str, kind: str) -> None:
        d = f"M{x:.1f} {y - 4:.1f}h34"
        middle = self.scale.color(10 ** ((self.scale.low + self.scale.high) / 2))
        looks = {
            "dash": [{"stroke": middle, "stroke_width": 4, "stroke_dasharray": "5 3"}],
            "zero": [
                {"stroke": style.INK, "stroke_width": 4.4},
                {"stroke": style.PAPER, "stroke_width": 3},
            ],
            "underflow": [
                {"stroke": style.INK, "stroke_width": 4.4, "stroke_dasharray": "2 2"},
                {"stroke": style.PAPER, "stroke_width": 3},
            ],
            "absent": [{"stroke": style.ABSENT, "stroke_width": 6, "stroke_dasharray": "1.5 3"}],
            "nan": [{"stroke": style.ALARM, "stroke_width": 2.4}],
        }
        for look in looks.get(kind, []):
            pen.add("path", d=d, fill="none", **look)
        if kind == "nan":
            pen.cross(x + 17, y - 4, 5.0, style.ALARM)
        pen.text(words, x + (42 if kind in looks else 0), y, size=10.5)

    def _ledger(self, pen: Pen, x: float, y: float) -> None:
        scene = self.scene
        steps = scene.steps
        strip = x + 30 + self.names + 12 - 12
        pen.text("shared weights" if self.dated else "weights", x, y, size=10.5, weight="bold")
        if self.dated and self.ran:
            pen.text(f"gradient by step, {steps[0]} to {steps[-1]}", strip, y, size=9)
        if self.ran:
            pen.text("total", strip + max(self.cell * len(steps), 112) + 10, y, size=9)
        colors = ledger_colors(scene)
        for entry in scene.ledger:
            y += _ROW
            pen.open("g", class_="ledger", data_parameter=entry.parameter.name or "")
            pen.text_element("title", f"{entry.label}: {style.in_words(entry.flow)}")
            color = colors[entry.parameter.number]
            pen.add("rect", x=x, y=y - 9, width=10, height=10, rx=2, fill=color, fill_opacity=0.5)
            pen.text(self._name(entry), x + 16, y, size=10.5)
            if self.ran:
                for i, step in enumerate(steps):
                    flow = entry.by_step.get(step)
                    if flow is not None:
                        inside = self.cell - (1 if self.cell > 4 else 0)
                        swatch(pen, strip + i * self.cell, y - 9, inside, 11.0, flow, self.scale)
                total = (
                    style.number(entry.flow.norm)
                    if entry.flow.state == "value"
                    else entry.flow.state
                )
                pen.text(total, strip + max(self.cell * len(steps), 112) + 10, y, size=10.5)
            pen.close("g")
