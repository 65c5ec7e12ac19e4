"""The rolled picture: each layer once, with its recurrent loop and what one turn does to the gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from micrornn.tasks.network import NAMES as CELLS
from viz.labels import subscript
from viz.metrics import fitted, text_width
from viz.picture.draw import Drawing
from viz.picture.edges import BESIDE
from viz.picture.finding import title
from viz.picture.look import Look
from viz.picture.numbers import digits, hop, power, short
from viz.picture.place import BOTTOM, TOP, Place
from viz.picture.story import INITIAL, INPUT, LOSS, OUTPUT, STATE, Box, Story
from viz.style import number

NAMES = {**CELLS, "tanh": "tanh RNN", "relu": "ReLU RNN"}
_WIDE, _HIGH = 216.0, 58.0
_ROW = 83.0  # at the least
Key = tuple[str, str]
Turn = tuple[int, int, float]


@dataclass
class Part:
    """What is drawn as one box: the boxes of all steps.

    Attributes:
        norm: of the gradient of all steps together; None if none arrived.
        turns: for a layer, what each step back did to the norm; see `turns_of`.
    """

    key: Key
    boxes: list[Box]
    norm: float | None
    turns: list[Turn] = field(default_factory=list)
    depth: int = 0
    x: float = 0.0
    y: float = 0.0


def together(norms: list[float | None]) -> float | None:
    """The norm of several gradients taken as one vector.

    >>> together([3.0, None, 4.0])
    5.0
    """
    known = [n for n in norms if n is not None]
    return math.sqrt(sum(n * n for n in known)) if known else None


def heading(story: Story) -> str:
    """What one step back does to the gradient, on average and at the extremes.

    >>> from micrornn.flow.failures import FAILURES
    >>> from micrornn.recording import record
    >>> from viz.picture.tell import tell
    >>> heading(tell(record(FAILURES["vanishing"](20).loss)))
    'Each step back multiplies the gradient by 0.5'
    """
    found = [f for layer in story.layers for _, _, f in turns_of(story, layer)]
    found = [f for f in found if f > 0 and math.isfinite(f)]
    if not found:
        return title(story)
    mean = math.exp(sum(map(math.log, found)) / len(found))
    low, high = (power(short(end(found))) for end in (min, max))
    spread = f" ({low} to {high})" if low != high else ""
    return f"Each step back multiplies the gradient by {power(short(mean))}{spread}"


def turns_of(story: Story, layer: str) -> list[Turn]:
    """From which step to which the gradient went back, the last first, and the ratio of its norms."""
    found = []
    for before, box in pairwise(story.chain(layer)):
        if before.norm is not None and box.norm and before.main == box.main:
            found.append((box.step, before.step, before.norm / box.norm))
    return found[::-1]


def parts_of(story: Story) -> tuple[dict[Key, Part], dict[tuple[Key, Key], float | None]]:
    """The parts by key, and the edges between them with the norm of what passed at all steps together."""
    users: dict[int, str] = {}
    for ribbon in story.ribbons:
        users.setdefault(id(ribbon.source), ribbon.target.layer)

    def key(box: Box) -> Key:
        if box.kind == INPUT:
            return INPUT, users.get(id(box), "")
        return (STATE if box.kind in (STATE, INITIAL) else box.kind), box.layer

    groups: dict[Key, list[Box]] = {}
    for box in story.boxes:
        groups.setdefault(key(box), []).append(box)
    parts = {
        k: Part(k, boxes, together([n for b in boxes for n in b.norms.values()]))
        for k, boxes in groups.items()
    }
    for layer in story.layers:
        if (STATE, layer) in parts:
            parts[STATE, layer].turns = turns_of(story, layer)
    sent: dict[tuple[Key, Key], list[float | None]] = {}
    for ribbon in story.ribbons:
        sent.setdefault((key(ribbon.source), key(ribbon.target)), []).append(ribbon.norm)
    return parts, {ends: together(norms) for ends, norms in sent.items()}


def layered(parts: dict[Key, Part], edges: dict[tuple[Key, Key], float | None]) -> int:
    """Give every part its depth, counted from the inputs; how many there are."""
    forward = [(a, b) for a, b in edges if a != b and (b, a) not in edges]
    for _ in parts:
        for a, b in forward:
            parts[b].depth = max(parts[b].depth, parts[a].depth + 1)
    for key in {a for a, _ in forward if a[0] == INPUT}:  # right below what reads it
        parts[key].depth = min(parts[b].depth for a, b in forward if a == key) - 1
    return max((part.depth for part in parts.values()), default=0) + 1


class RolledDrawing(Drawing):
    """One rolled picture; its place is made by `place_of`."""

    def _names(self) -> None:
        """Names are in the boxes."""

    def _time(self) -> None:
        """Time is in the loops."""

    def _body(self) -> None:
        parts, edges = parts_of(self.story)
        depths = layered(parts, edges)
        by_depth: dict[int, list[Part]] = {}
        for part in parts.values():
            by_depth.setdefault(part.depth, []).append(part)
        room = self.place.height - TOP - BOTTOM + 20
        for depth, row in by_depth.items():
            y = TOP - 10 + room * (depths - depth - 0.5) / depths
            for i, part in enumerate(sorted(row, key=lambda p: p.boxes[0].step)):
                part.x, part.y = self.place.width * (i + 0.5) / len(row) - 90, y
        for (a, b), norm in sorted(edges.items(), key=lambda e: e[1] or 0.0):
            if a == b:
                beside = [p.x - _WIDE / 2 for p in parts.values() if p.depth == parts[a].depth]
                beside = [x for x in beside if x > parts[a].x]
                self._loop(parts[a], norm, min(beside, default=self.place.width))
            else:
                self._edge(parts[a], parts[b], norm)
        for part in parts.values():
            self._part(part)

    def _edge(self, a: Part, b: Part, norm: float | None) -> None:
        beside = abs(a.y - b.y) < 1
        if beside:
            ahead = math.copysign(_WIDE / 2, b.x - a.x)
            start, end = (a.x + ahead, a.y), (b.x - ahead, b.y)
        else:
            up = math.copysign(_HIGH / 2, b.y - a.y)
            start, end = (a.x, a.y + up), (b.x, b.y - up)
        length = math.dist(start, end) or 1.0
        shift = BESIDE / 2 if norm else 0.0

        def moved(point: tuple[float, float], by: float) -> tuple[float, float]:
            return (point[0], point[1] + by) if beside else (point[0] + by, point[1])

        p, q = moved(start, -shift), moved(end, -shift)
        look = {"stroke": self.theme.line, "stroke_width": 1.3}
        self.pen.add("line", x1=p[0], y1=p[1], x2=q[0], y2=q[1], **look)
        self.pen.arrow(p, q, 7.0, self.theme.line)
        if norm:
            color, wide = self._look(norm)
            p, q = moved(end, shift + wide / 2), moved(start, shift + wide / 2)
            tip = 7 + wide
            bx, by = q[0] + (p[0] - q[0]) / length * tip, q[1] + (p[1] - q[1]) / length * tip
            self.pen.add("line", x1=p[0], y1=p[1], x2=bx, y2=by, stroke=color, stroke_width=wide)
            self.pen.arrow((bx, by), q, tip, color)

    def _look(self, norm: float) -> tuple[str, float]:
        if norm != norm:
            return self.theme.alarm, 6.0
        return self.scale.color(norm), self.scale.width(norm)

    def _loop(self, part: Part, norm: float | None, right: float) -> None:
        """Out of the layer at the right, and back into it: forward at the outside, the gradient inside."""
        x, y = part.x + _WIDE / 2, part.y

        def way(high: float, out: float) -> str:
            return (
                f"M{x:.1f} {y - high:.1f}C{x + out:.1f} {y - high - 16:.1f} {x + out:.1f} "
                f"{y + high + 16:.1f} {x + 9:.1f} {y + high:.1f}"
            )

        line = self.theme.line
        self.pen.add("path", d=way(27, 92), stroke=line, stroke_width=1.3, fill="none")
        self.pen.arrow((x + 12, y + 28), (x, y + 26), 7.0, line)
        if norm:
            color, wide = self._look(norm)
            self.pen.add("path", d=way(15, 64), stroke=color, stroke_width=wide, fill="none")
            self.pen.arrow((x + 14, y + 17), (x, y + 14), 8 + wide, color)
        self._turns(part, x + 98, y, right)

    def _turns(self, part: Part, x: float, y: float, right: float) -> None:
        """What one turn of the loop does, beside it."""
        found = part.turns
        known = [f for _, _, f in found if f > 0 and math.isfinite(f)]
        if not known:
            self._text("one step back", x, y + 5, 13, muted=True)
            return
        mean = math.exp(sum(map(math.log, known)) / len(known))
        room = right - x - 24
        head = f"{hop(mean)} per step back"
        if text_width(head, 15 * self.size) * 1.1 > room:
            head = hop(mean)
        self._text(head, x, y - 2, 15, weight="bold")
        each = " ".join(hop(f) for _, _, f in found)
        words = f"step {found[0][0]} to {found[-1][1]}: {each}"
        if text_width(words, 12.5 * self.size) > room:
            words = f"{power(short(min(known)))} to {power(short(max(known)))} over {len(found):,} steps"
        if text_width(words, 12.5 * self.size) > room:
            words = f"{power(short(min(known)))} to {power(short(max(known)))}"
        self._text(fitted(words, 12.5 * self.size, room), x, y + 18, 12.5, muted=True)

    def _part(self, part: Part) -> None:
        kind, layer = part.key
        steps = len({b.step for b in part.boxes if b.kind != INITIAL})
        color, thick = self.theme.line, 1.4
        if part.norm:
            color, thick = self._look(part.norm)[0], 3.0
        x, y = part.x - _WIDE / 2, part.y - _HIGH / 2
        fill = self.theme.data if kind == INPUT else self.theme.fill
        names = {INPUT: "x", OUTPUT: "y", LOSS: "L"}
        node = next(iter(part.boxes[-1].nodes.values()))
        cell = NAMES.get(self.story.kind.get(layer, ""), "recurrent layer")
        head = cell if kind == STATE else names[kind]
        size = math.prod(node.shape[-1:]) if node.shape else 1
        units = f"{size} unit{'s' * (size != 1)}" if kind != LOSS else self._followed()
        facts = [f"{steps:,} step{'s' * (steps != 1)}", *([units] if units else [])]
        if part.norm is not None and kind != LOSS:
            facts.append(f"∇ {power(digits(part.norm, 3))}")
        self.pen.open("g", class_=kind)
        words = f"{layer or kind}, {steps} steps"
        if part.norm is not None:
            words += f", gradient norm of all steps together {number(part.norm)}"
        self.pen.text_element("title", words)
        look = {"fill": fill, "stroke": color, "stroke_width": thick}
        self.pen.add("rect", x=x, y=y, width=_WIDE, height=_HIGH, rx=9, **look)
        named = f"{head} ({layer})" if layer and kind == STATE else head
        wide = 16 * self.size * 1.1
        named = named if text_width(named, wide) < _WIDE - 16 else fitted(named, wide, _WIDE - 16)
        self._text(named, part.x, part.y - 4, 16, anchor="middle", weight="bold")
        line = fitted(" · ".join(facts), 12.5 * self.size, _WIDE - 12)
        self._text(line, part.x, part.y + 18, 12.5, anchor="middle")
        self.pen.close("g")

    def _followed(self) -> str:
        """The loss whose gradient is drawn, with its value."""
        box = self.story.loss
        if box is None:
            return ""
        node = box.nodes[""]
        name = "L" if node.step is None else f"L{subscript(box.step)}"
        value = power(digits(float(np.asarray(self.rec.value(node)).item()), 3))
        return f"{name} {value} is followed"


def place_of(story: Story, look: Look) -> Place:
    """A sheet with room for all rows."""
    parts, edges = parts_of(story)
    rows = layered(parts, edges)
    height = look.height(TOP + BOTTOM + _ROW * rows - 20)
    return Place(look.width, height, {}, {}, {}, look.width)
