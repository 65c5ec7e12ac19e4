"""Draws a laid out picture as SVG: forward edges thin and gray, the gradient as ribbons beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np

from micrornn.recording import Recording
from viz.labels import subscript, visible
from viz.metrics import fitted, text_width
from viz.pen import Pen
from viz.picture import attention, beads, checkpoints, outputs, rows
from viz.picture.checkpoints import Checkpoints
from viz.picture.edges import Edges
from viz.picture.equations import EQUATIONS, meanings
from viz.picture.finding import factor, title
from viz.picture.legend import wedge
from viz.picture.look import DEFAULT, Look
from viz.picture.numbers import fitting, hop
from viz.picture.place import LEFT, LINE, NARROWEST, Place, Spot
from viz.picture.story import INITIAL, INPUT, LOSS, OUTPUT, STATE, Box, Story, sizes
from viz.picture.theme import Scale
from viz.style import FONT, KEPT, number

_NORM, _FACTOR = "in a state: its gradient norm", "×: factor per step"
_TITLE, _SUBTITLE, _LABEL, _SMALL = 25.0, 15.0, 14.0, 12.5


class Drawing:
    """One picture; a box stands for its whole cell, where `whole_cells` says so.

    Args:
        subtitle: network, data, seed.
        targets: by step, the target as text.
        head: the title; by default the finding.
        whole: the story of all steps, of which this one is a window; drawn as a strip above it.
        show: whether an element of that stage is drawn: forward step t is ``("forward", t)``, the gradient
            between two steps ``("backward", t)``; for building a picture up in frames.
    """

    whole_cells = True

    def __init__(
        self,
        rec: Recording,
        story: Story,
        place: Place,
        look: Look = DEFAULT,
        subtitle: str = "",
        targets: Mapping[int, str] | None = None,
        show: Callable[[str, int], bool] = lambda stage, step: True,
        head: str | None = None,
        whole: Story | None = None,
    ) -> None:
        self.rec, self.story, self.place = rec, story, place
        self.theme, self.legend, self.size = look.colors, look.legend, look.size
        self.subtitle, self.show = subtitle, show
        self.targets = {step: visible(text) for step, text in (targets or {}).items()}
        self.head = title(whole or story) if head is None else head
        self.whole = whole
        self.checkpoints = Checkpoints(rec, self.whole_cells)
        self.scale = Scale.over(sizes(story), self.theme)
        self.factored = False  # whether a hop has its factor beside it
        self.pen = Pen()

    def svg(self) -> str:
        """The document."""
        p, place, head = self.pen, self.place, self.head
        p.open(
            "svg",
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {place.width:g} {place.height:g}",
            width=place.width,
            height=place.height,
            font_family=FONT,
            role="img",
        )
        p.text_element("title", head)
        p.text_element("desc", self._description())
        p.add("rect", width=place.width, height=place.height, fill=self.theme.paper)
        self._heading(head)
        if self.whole is not None:
            self._strip(self.whole)
        self._time()
        self._names()
        self._body()
        self._foot()
        p.close("svg")
        return p.document()

    def _body(self) -> None:
        """Edges and boxes."""
        edges = Edges(self.pen, self.story, self.place, self.scale, self.show)
        edges.draw()
        for spot in self.place.spots.values():
            if self.show("forward", spot.box.step):
                self._box(spot)
        self._factors(edges.swings)
        self._attention()

    # -- words -------------------------------------------------------------------------------------

    def _text(
        self, text: str, x: float, y: float, size: float = _LABEL, muted: bool = False, **more: str
    ) -> None:
        fill = self.theme.muted if muted else self.theme.ink
        self.pen.text(text, x, y, more.get("anchor"), size * self.size, more.get("weight"), fill)

    def _heading(self, head: str) -> None:
        room = self.place.width - 2 * LEFT
        size = _TITLE
        while text_width(head, size * self.size) * 1.1 > room and size > 16:
            size -= 1
        self._text(fitted(head, size * self.size * 1.1, room), LEFT, 50, size, weight="bold")
        size = _SUBTITLE * self.size
        self._text(fitted(self.subtitle, size, room), LEFT, 78, _SUBTITLE, muted=True)

    def _description(self) -> str:
        """The picture in words, for a screen reader."""
        lines = [self.subtitle]
        for layer in self.story.layers:
            parts = [
                f"step {b.step}: {_words(b.norm)}"
                for b in self.story.chain(layer)
                if b.kind == STATE
            ]
            lines.append(f"{layer or 'state'}: {'; '.join(parts)}")
        return ". ".join(line for line in lines if line)

    def _time(self) -> None:
        """The steps above their columns, and time as an arrow."""
        place, y = self.place, self.place.top - 16
        steps = self.story.steps
        if not steps:
            return
        start, end = place.columns[steps[0]], place.columns[steps[-1]]
        a, b = max(start - place.pitch * 0.36, LEFT), end + place.pitch * 0.36
        self.pen.add(
            "line", x1=a, y1=y + 8, x2=b, y2=y + 8, stroke=self.theme.line, stroke_width=1.2
        )
        self.pen.arrow((b - 10, y + 8), (b + 4, y + 8), 9.0, self.theme.line)
        every = max(1, math.ceil(44 / place.pitch))
        for i, t in enumerate(steps):
            if i % every == 0:
                word = f"step {t}" if place.pitch > 70 else str(t)
                self._text(word, place.columns[t], y, _SMALL, muted=True, anchor="middle")
        if b + 50 < place.width:
            self._text("time", b + 10, y + 12, _SMALL, muted=True)

    def _names(self) -> None:
        """What stands in each row, at the left where there is room."""
        looking = bool(attention.looks(self.rec, self.story))
        for name in rows.names(self.rec, self.story, self.place, looking):
            room = name.left - LEFT - 10 - text_width(name.text, _SMALL * self.size)
            if room > 0:
                self._text(name.text, LEFT, name.y + 5, _SMALL, muted=True)
            elif name.top is not None:  # above the row's first box, at the margin
                self._text(name.text, LEFT, name.top - 8, _SMALL, muted=True)

    def _strip(self, whole: Story) -> None:
        """All steps as beads, with the window marked."""
        y, left, right = 142.0, LEFT + 20, self.place.width - LEFT - 92
        row = beads.row_of(whole)
        x = beads.places(row, left, right)
        inside = [x[t] for t in self.story.steps if t in x]
        if inside:
            a, b = min(inside) - 6, max(inside) + 6
            look = {"fill": self.theme.data, "stroke": self.theme.line, "stroke_width": 1, "rx": 5}
            self.pen.add("rect", x=a, y=y - 15, width=b - a, height=30, **look)
        scale = Scale.over([box.norm for box in row if box.norm is not None], self.theme)
        words = f"all {len(whole.steps):,} steps, on a scale of their own; below, the marked ones"
        kept = [x[b.step] for b in row if b.step in x and self.checkpoints.kept(b)]
        if self.checkpoints:
            words = f"{words} · {KEPT} {len(kept)} of {len(row)} states kept"
            checkpoints.ticks(self.pen, kept, y + 15, self.theme)
        beads.row(
            *(self.pen, row, whole, scale, self.theme, (left, right), y, self.size, words),
            self.show,
        )

    # -- boxes -------------------------------------------------------------------------------------

    def _box(self, spot: Spot) -> None:
        box, theme = spot.box, self.theme
        norm = box.norm if self.show("backward", box.step) else None
        color, thick = theme.line, 1.4
        if norm is not None and norm == norm and norm > 0:
            color, thick = self.scale.color(norm), 3.0
        if norm is not None and norm != norm:
            color, thick = theme.alarm, 3.0
        fill = theme.data if box.kind == INPUT else theme.fill
        dash = "4 3" if box.kind == INITIAL else None
        self.pen.open("g", class_=box.kind)
        self.pen.text_element("title", self._words_of(box))
        self.pen.add(
            *("rect",),
            x=spot.x - spot.width / 2,
            y=spot.y - spot.height / 2,
            width=spot.width,
            height=spot.height,
            rx=8,
            fill=fill,
            stroke=color,
            stroke_width=thick,
            stroke_dasharray=dash,
        )
        {STATE: self._state, INITIAL: self._state, OUTPUT: self._output}.get(box.kind, self._label)(
            spot
        )
        marks = self.checkpoints.of(box) if self.show("backward", box.step) else ""
        if marks:
            corner = spot.x + spot.width / 2, spot.y - spot.height / 2 - 4
            self._text(marks, *corner, 12.0, muted=True, anchor="end")
        self.pen.close("g")

    def _words_of(self, box: Box) -> str:
        name = box.layer or box.kind
        words = [f"{name}, step {box.step}: {_words(box.norm)}", self.checkpoints.words(box)]
        return "; ".join(filter(None, words))

    def _label(self, spot: Spot) -> None:
        """The name of an input, or the value of a loss."""
        box = spot.box
        node = next(iter(box.nodes.values()))
        if box.kind == LOSS:
            stem = "L" if node.step is None else f"L{subscript(box.step)}"
            value = float(np.asarray(self.rec.value(node)).item())
            wide = 1.08 * (_LABEL + 1) * self.size
            text = f"{stem} {fitting(value, spot.width - 8 - text_width(stem + ' ', wide), wide)}"
            if not self.show("loss", box.step):
                text = stem
        else:
            _, _, rest = (node.name or "").partition(" ")
            text = visible(rest if len(rest) < 3 else rest.strip("'\""))
            if not text or text_width(text, (_LABEL + 1) * self.size) > spot.width - 8:
                text = f"x{subscript(box.step)}"
        size = _LABEL + 1
        text = fitted(text, size * self.size, spot.width - 8)
        self._text(
            text,
            spot.x,
            spot.y + 5,
            size,
            anchor="middle",
            weight="bold" if box.kind == LOSS else "",
        )

    def _state(self, spot: Spot) -> None:
        """The states of a cell by name, each with the norm of what arrived."""
        box, shown = spot.box, self.show("backward", spot.box.step)
        names = sorted(box.nodes)  # c above h
        for i, name in enumerate(names):
            norm = box.norms.get(name) if shown else None
            label = f"{name}{subscript(box.step)}"
            left, right = (9, 7) if spot.width >= 84 else (6, 5)
            wide = text_width(label, 16 * self.size) * 1.1 + left + right + 4
            wide = wide if len(names) > 1 else 8
            words = "" if norm is None else fitting(norm, spot.width - wide, _SMALL * self.size)
            if len(names) == 1:
                self._text(
                    label,
                    spot.x,
                    spot.y - 3 if words else spot.y + 6,
                    17,
                    anchor="middle",
                    weight="bold",
                )
                self._text(words, spot.x, spot.y + 17, _SMALL, anchor="middle")
                continue
            y = spot.y + 6 + LINE * (i - (len(names) - 1) / 2)
            if not words or not _roomy(spot, self.size):
                self._text(label, spot.x, y, 16, anchor="middle", weight="bold")
                continue
            self._text(label, spot.x - spot.width / 2 + left, y, 16, weight="bold")
            self._text(words, spot.x + spot.width / 2 - right, y, _SMALL - 0.5, anchor="end")

    def _output(self, spot: Spot) -> None:
        target = self.targets.get(spot.box.step)
        outputs.draw(self.pen, self.rec, spot, self.theme, self.size, target)

    def _factors(self, swings: bool) -> None:
        """What each hop of a state does to the gradient, under its ribbon."""
        if swings or self.place.pitch < NARROWEST:
            return
        slanted = any(
            abs(self.place.of(r.source).x - self.place.of(r.target).x) > self.place.pitch * 0.5
            and r.source.kind == STATE and r.target.kind in (OUTPUT, LOSS)
            for r in self.story.ribbons
        )  # fmt: skip
        for layer in self.story.layers:
            chain = self.story.chain(layer)
            for before, box in pairwise(chain):
                if before.main != box.main:
                    continue
                state = box.main
                found = factor(self.story, box, before, state)
                if found is None:
                    continue
                a, b = self.place.of(before), self.place.of(box)
                if abs(a.y - b.y) > 1 or abs(a.x - b.x) > 1.5 * self.place.pitch:
                    continue
                self.factored = True
                if not self.show("backward", min(before.step, box.step)):
                    continue
                lane = -13.0 if len(box.nodes) > 1 else 0.0
                ends = sorted((a, b), key=lambda spot: spot.x)
                gap = ends[0].x + ends[0].width / 2, ends[1].x - ends[1].width / 2
                y = a.y - a.height / 2 - 9 if lane and not slanted else a.y + a.height / 2 + 16
                self._text(
                    hop(found),
                    sum(gap) / 2,
                    y,
                    _SMALL + 0.5,
                    anchor="middle",
                    weight="bold",
                )

    def _attention(self) -> None:
        """Where each step looks, above the states that it looks at."""
        found = attention.looks(self.rec, self.story)
        shown = [one for one in found if self.show("forward", one.step)]
        names = {step: f"‘{target}’" for step, target in self.targets.items()}
        attention.draw(self.pen, shown, self.place, self.theme, names, self.size)

    # -- the foot ----------------------------------------------------------------------------------

    def _foot(self) -> None:
        place = self.place
        y = place.height - 74
        kinds = list(dict.fromkeys(self.story.kind.get(layer, "") for layer in self.story.layers))
        if len(kinds) == 1 and kinds[0] in EQUATIONS:
            equation = EQUATIONS[kinds[0]][0]
            size = _LABEL
            self._text(equation, LEFT, y, size)
            x = LEFT + text_width(equation, size * self.size) + 26
            self.pen.add("line", x1=x - 13, y1=y - 12, x2=x - 13, y2=y + 4, stroke=self.theme.line)
            for meaning in meanings(kinds[0], gates=not self.whole_cells):
                if x + text_width(meaning, size * self.size) < place.width - LEFT:
                    self._text(meaning, x, y, size, muted=True)
                    break
        if self.legend == "none" or self.story.loss is None:
            return
        cut = any(r.cut for r in self.story.ribbons)
        nan = any(n is not None and n != n for b in self.story.boxes for n in b.norms.values())
        right = place.width if self.legend == "full" else None
        marks = "".join(self.checkpoints.of(box) for box in self.story.boxes)
        notes = [_NORM] if any(_roomy(spot, self.size) for spot in place.spots.values()) else []
        wedge(
            *(self.pen, self.scale, self.theme, place.height - 40, self.size, cut, nan, right),
            checkpoints.meaning(marks),
            note=" · ".join([*notes, *([_FACTOR] if self.factored else [])]),
            end=place.width - LEFT,
        )


def _roomy(spot: Spot, size: float) -> bool:
    """Whether a state has room for its number: a single one below its name, several beside theirs."""
    return spot.box.kind in (STATE, INITIAL) and (
        len(spot.box.nodes) == 1 or spot.width >= 66 * size
    )


def _words(norm: float | None) -> str:
    if norm is None:
        return "no gradient of this loss"
    return f"gradient norm {number(norm)}" if norm else "gradient exactly zero"
