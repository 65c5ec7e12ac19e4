"""Draws the picture of gates: the state straight along the top, a multiplication where a gate acts on it."""

from __future__ import annotations

import math
from dataclasses import replace

from micrornn.messages import percent
from viz.metrics import text_width
from viz.picture.draw import Drawing
from viz.picture.equations import ORDER
from viz.picture.gates import through, way
from viz.picture.numbers import fitting, hop, short
from viz.picture.outputs import target_of
from viz.picture.place import Spot
from viz.picture.story import GATE, INPUT, LOSS, STATE, Box, Ribbon, Story

_DISC = 13.0  # radius of a multiplication or an addition
Points = list[tuple[float, float]]


def heading(story: Story) -> str:
    """How much the forget gate or the update gate leaves of the gradient at each step.

    >>> from micrornn.tasks.source import recorded
    >>> from viz.picture.tell import tell
    >>> heading(tell(recorded("hello", {"cell": "lstm"}).recording, gates=True))
    'The forget gates pass 57% of the gradient along the cell state at each step'
    """
    kind = next(iter(story.kind.values()))
    found = [kept for box in story.boxes if (kept := kept_by_gate(story, box))]
    if story.loss is None:
        return "The forward pass, gate by gate: backward has not run"
    if not found:
        return "No gradient passes along the state"
    mean = math.exp(sum(map(math.log, found)) / len(found))
    gates, along = ("forget", "the cell state") if kind == "lstm" else ("update", "h")
    return f"The {gates} gates pass {percent(mean)} of the gradient along {along} at each step"


def kept_by_gate(story: Story, box: Box) -> float | None:
    """The factor that the gradient has after the gate on its straight way from a state to the one before."""
    if box.kind != STATE or not through(story, box) or not box.norm:
        return None
    for ribbon in story.ribbons:
        if ribbon.target is box and ribbon.norm and way(story, ribbon) == "highway":
            kept = ribbon.norm / box.norm
            return kept if math.isfinite(kept) else None
    return None


class GateDrawing(Drawing):
    """One picture of gates; its story is told with ``gates=True``, and laid out by `viz.picture.gates`."""

    whole_cells = False

    def _body(self) -> None:
        story = self.story
        kind = next(iter(story.kind.values()))
        self.letters = ORDER[kind]
        self.gates = {
            (spot.box.layer, spot.box.step, next(iter(spot.box.nodes))): spot
            for spot in self.place.spots.values()
            if spot.box.kind == GATE
        }
        by_way: dict[str, list[Ribbon]] = {}
        for ribbon in story.ribbons:
            by_way.setdefault(way(story, ribbon), []).append(ribbon)
        self._rails(by_way.pop("rail", []))
        for ribbon in sorted(story.ribbons, key=lambda r: r.norm or 0.0):
            if way(story, ribbon) in by_way:
                getattr(self, f"_{way(story, ribbon)}")(ribbon)
        for spot in self.place.spots.values():
            if self.show("forward", spot.box.step):
                self._box(spot)
        for spot in self.place.spots.values():
            if spot.box.kind == STATE and through(story, spot.box):
                self._discs(spot)

    # -- edges -------------------------------------------------------------------------------------

    def _line(self, points: Points, ribbon: Ribbon | None = None, head: bool = True) -> None:
        """A forward edge along these points."""
        line = self.theme.line
        d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        dash = "3 4" if ribbon is not None and ribbon.cut else None
        look = {"stroke": line, "stroke_width": 1.3, "stroke_dasharray": dash, "fill": "none"}
        self.pen.add("path", d=d, **look)
        if ribbon is not None and ribbon.cut:
            (x1, y1), (x2, y2) = points[:2]
            self.pen.cross((x1 + x2) / 2, (y1 + y2) / 2, 5.0, self.theme.alarm)
        elif head:
            self.pen.arrow(points[-2], points[-1], 7.0, line)

    def _band(self, points: Points, norm: float | None, head: bool = True) -> None:
        """A gradient along these points, from where it comes to where it arrives."""
        if not norm:
            return
        color = self.scale.color(norm) if norm == norm else self.theme.alarm
        wide = self.scale.width(norm) * 0.85 if norm == norm else 6.0
        if head:
            (x1, y1), (x2, y2) = points[-2:]
            length = math.hypot(x2 - x1, y2 - y1) or 1.0
            tip = min(6 + wide, length * 0.7)
            bx, by = x2 - (x2 - x1) / length * tip, y2 - (y2 - y1) / length * tip
            self.pen.arrow((bx, by), (x2, y2), tip, color)
            points = [*points[:-1], (bx + (x2 - x1) / length, by + (y2 - y1) / length)]
        d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.pen.add("path", d=d, stroke=color, stroke_width=wide, fill="none")

    def _seen(self, ribbon: Ribbon) -> tuple[bool, float | None]:
        """Whether the forward edge is shown, and the norm of the gradient if that is."""
        forward = self.show("forward", max(ribbon.source.step, ribbon.target.step))
        both = self.show("backward", ribbon.source.step) and self.show(
            "backward", ribbon.target.step
        )
        return forward, ribbon.norm if both else None

    def _disc(self, state: Box, letter: str) -> tuple[float, float]:
        """Where a gate meets the state that runs through."""
        return self.gates[state.layer, state.step, letter].x, self.place.of(state).y - 8

    def _highway(self, ribbon: Ribbon) -> None:
        forward, norm = self._seen(ribbon)
        a, b = self.place.of(ribbon.source), self.place.of(ribbon.target)
        begin, end, y = a.x + a.width / 2, b.x - b.width / 2, b.y - 8
        gate, _ = self._disc(ribbon.target, self.letters[0])
        if forward:
            self._line([(begin, y - 9), (end, y - 9)], ribbon)
        if norm:
            if "h" in ribbon.target.nodes:
                plus, _ = self._disc(ribbon.target, "n")
                self._band([(end, y), (plus + _DISC - 1, y)], ribbon.target.norm, head=False)
                end = plus - _DISC + 1
            self._band([(end, y), (gate + _DISC - 2, y)], ribbon.target.norm)
            self._band([(gate - _DISC + 2, y), (begin, y)], norm)

    def _gate(self, ribbon: Ribbon) -> None:
        """From a gate up to the state that it acts on."""
        forward, norm = self._seen(ribbon)
        a, b = self.place.of(ribbon.source), self.place.of(ribbon.target)
        letter = next(iter(ribbon.source.nodes))
        disc = letter == self.letters[0] or "h" in ribbon.target.nodes
        bottom = b.y - 8 + _DISC if disc else b.y + b.height / 2
        top = a.y - a.height / 2
        if forward:
            self._line([(a.x - 6, top), (a.x - 6, bottom)], ribbon)
        self._band([(a.x + 4, bottom), (a.x + 4, top)], norm)

    def _up(self, ribbon: Ribbon) -> None:
        """From the cell state to h: out to the right, and down."""
        forward, norm = self._seen(ribbon)
        c, h = self.place.of(ribbon.source), self.place.of(ribbon.target)
        right, top = c.x + c.width / 2, h.y - h.height / 2
        if forward:
            self._line([(right, c.y + 21), (h.x - 24, c.y + 21), (h.x - 24, top)], ribbon)
        self._band([(h.x - 14, top), (h.x - 14, c.y + 12), (right, c.y + 12)], norm)

    def _out(self, ribbon: Ribbon) -> None:
        """The output gate opens on the way from c to h."""
        forward, norm = self._seen(ribbon)
        a, h = self.place.of(ribbon.source), self.place.of(ribbon.target)
        right = a.x + a.width / 2
        if forward:
            self._line([(right, a.y - 8), (h.x - 24, a.y - 8)], ribbon, head=False)
        self._band([(h.x - 14, a.y + 4), (right, a.y + 4)], norm)

    def _feed(self, ribbon: Ribbon) -> None:
        """From the reset gate to the candidate beside it."""
        forward, norm = self._seen(ribbon)
        r, n = self.place.of(ribbon.source), self.place.of(ribbon.target)
        if forward:
            self._line([(r.x - r.width / 2, r.y - 9), (n.x + n.width / 2, n.y - 9)], head=False)
        self._band([(n.x + n.width / 2, n.y + 3), (r.x - r.width / 2, r.y + 3)], norm, head=False)

    def _loss(self, ribbon: Ribbon) -> None:
        forward, norm = self._seen(ribbon)
        a, b = self.place.of(ribbon.source), self.place.of(ribbon.target)
        top, bottom = a.y - a.height / 2, b.y + b.height / 2
        if forward:
            self._line([(a.x + 4, top), (a.x + 4, bottom)], ribbon)
        self._band([(a.x + 15, bottom), (a.x + 15, top)], norm)

    def _rails(self, ribbons: list[Ribbon]) -> None:
        """What comes to all gates of a cell from a state, the input, or the layer below."""
        pairs: dict[tuple[int, str, int], list[Ribbon]] = {}
        for ribbon in ribbons:
            key = id(ribbon.source), ribbon.target.layer, ribbon.target.step
            pairs.setdefault(key, []).append(ribbon)
        done: set[tuple[str, int]] = set()
        for key, group in sorted(pairs.items(), key=lambda kv: self.story.joint.get(kv[0], 0.0)):
            gates = [self.place.of(r.target) for r in group]
            _, layer, step = key
            lanes = (layer, step) not in done and any(r.norm for r in group)
            self._rail(group, gates, self.story.joint.get(key), lanes)
            if lanes:
                done.add((layer, step))

    def _rail(
        self, group: list[Ribbon], gates: list[Spot], norm: float | None, lanes: bool
    ) -> None:
        used = self.place.of(group[0].source)
        forward, _ = self._seen(group[0])
        row = next(n for n, y in self.place.rows.items() if n.endswith("gates") and y == gates[0].y)
        y = self.place.rows[row.replace("gates", "rail")]
        far = max(spot.x for spot in gates)
        below = used.box.kind == INPUT or used.box.layer != gates[0].box.layer
        if used.box.kind == INPUT:
            begin = [(used.x - 6, used.y - used.height / 2), (used.x - 6, y - 5)]
            back = [(used.x + 4, y + 6), (used.x + 4, used.y - used.height / 2)]
        elif (
            used.box.layer != gates[0].box.layer
        ):  # from the layer below: under the rail, and up to it
            top, middle = used.y - used.height / 2, sum(spot.x for spot in gates) / len(gates)
            begin = [(used.x + 4, top), (used.x + 4, y + 33), (middle - 6, y + 33)]
            begin += [(middle - 6, y - 5)]
            back = [(middle + 4, y + 6), (middle + 4, y + 43), (used.x + 15, y + 43)]
            back += [(used.x + 15, top)]
        elif abs(used.y - y) < 1:  # beside the rail
            begin = [(used.x + used.width / 2, y - 5), (far - 6, y - 5)]
            back = [(far + 4, y + 6), (used.x + used.width / 2, y + 6)]
        else:  # above it
            bottom = used.y + used.height / 2
            begin = [(used.x - 4, bottom), (used.x - 4, y - 5), (far - 6, y - 5)]
            back = [(far + 4, y + 6), (used.x + 6, y + 6), (used.x + 6, bottom)]
        if forward:
            self._line(begin, group[0], head=below)
            for spot in gates:
                self._line([(spot.x - 6, y - 5), (spot.x - 6, spot.y + spot.height / 2)])
            left = min(spot.x for spot in gates) - 6
            self._line([(left, y - 5), (far - 6, y - 5)], head=False)
        if not norm or not all(self._seen(r)[1] is not None for r in group if r.norm):
            return
        if lanes:
            for ribbon, spot in zip(group, gates):
                self._band(
                    [(spot.x + 4, spot.y + spot.height / 2), (spot.x + 4, y + 6)],
                    ribbon.norm,
                    head=False,
                )
        if below and lanes:
            xs = [spot.x + 4 for spot in gates] + [back[0][0]]
            self._band([(min(xs), y + 6), (max(xs), y + 6)], norm, head=False)
        self._band(back, norm)

    # -- boxes -------------------------------------------------------------------------------------

    def _discs(self, spot: Spot) -> None:
        """Where a gate multiplies the state, and the factor; of a GRU also where the candidate is added."""
        box = spot.box
        if (box.layer, box.step, self.letters[0]) not in self.gates:
            return
        kept = kept_by_gate(self.story, box) if box.norm else None
        self.factored = self.factored or kept is not None
        if not self.show("forward", box.step):
            return
        signs = {self.letters[0]: "×"}
        if "h" in box.nodes:
            signs["n"] = "+"
        norm = box.norm if self.show("backward", box.step) else None
        for letter, sign in signs.items():
            x, y = self._disc(box, letter)
            color = self.scale.color(norm) if norm and norm == norm else self.theme.line
            look = {"fill": self.theme.fill, "stroke": color, "stroke_width": 2.4}
            self.pen.add("circle", cx=x, cy=y, r=_DISC, **look)
            self._text(sign, x, y + 5, 15 / self.size, anchor="middle")
        if norm and kept is not None:
            x, y = self._disc(box, self.letters[0])
            self._text(hop(kept), x, y - 22, 13, anchor="middle", weight="bold")

    def _label(self, spot: Spot) -> None:
        box = spot.box
        if box.kind == LOSS and (p := target_of(self.rec, box)) is not None:
            likely = percent(p)
            size, room = 12 * self.size, spot.width - 8
            target = self.targets.get(box.step)
            said = [*([f"‘{target}’ {likely}"] if target else []), f"p {likely}", likely]
            said = [word for word in said if text_width(word, size) <= room]
            self._text(next(iter(said), ""), spot.x, spot.y + 14, 12, anchor="middle")
            spot = replace(spot, y=spot.y - 7)
        if box.kind != GATE:
            super()._label(spot)
            return
        letter = next(iter(box.nodes))
        norm = box.norm if self.show("backward", box.step) else None
        words = "" if norm is None else short(norm)
        if norm and text_width(words, 12 * self.size) > spot.width - 4:
            words = fitting(float(f"{norm:.1g}"), spot.width - 4, 12 * self.size)
        self._text(letter, spot.x, spot.y - 4 if words else spot.y + 5, 16, anchor="middle")
        self._text(words, spot.x, spot.y + 16, 12, anchor="middle")
