"""The edges of a picture: forward thin and gray, the gradient beside it as a ribbon that fades."""

from __future__ import annotations

import math
from collections.abc import Callable

from viz.pen import Pen
from viz.picture.place import Place
from viz.picture.story import Ribbon, Story
from viz.picture.theme import Scale

BESIDE = 8.0  # pixels between a forward edge and its ribbon
HEAD = 13.0  # length of a ribbon's arrow head


class Edges:
    """Draws the edges of a story with a pen; ``show`` is that of `Drawing`."""

    def __init__(
        self, pen: Pen, story: Story, place: Place, scale: Scale, show: Callable[[str, int], bool]
    ) -> None:
        self.pen, self.story, self.place, self.scale, self.show = pen, story, place, scale, show

    def draw(self) -> None:
        """All forward edges, and the ribbons over them."""
        for ribbon in self.story.ribbons:
            self._forward(ribbon)
        for ribbon in self.story.ribbons:
            self._backward(ribbon)

    @property
    def swings(self) -> bool:
        """Whether an edge goes around a box."""
        return any(self._over(ribbon) for ribbon in self.story.ribbons)

    def _ends(self, ribbon: Ribbon) -> tuple[float, float, float, float, bool]:
        """From the used box to its user, on their borders, and whether they stand side by side."""
        a, b = self.place.of(ribbon.source), self.place.of(ribbon.target)
        lane = 0.0
        names = sorted(ribbon.source.nodes)  # c above, h below
        if len(names) > 1 and ribbon.state in names:
            lane = 26.0 * (names.index(ribbon.state) - (len(names) - 1) / 2)
        if abs(a.y - b.y) < 1:
            ahead = 1 if b.x > a.x else -1
            return (
                a.x + ahead * a.width / 2,
                a.y + lane,
                b.x - ahead * b.width / 2,
                b.y + lane,
                True,
            )
        up = 1 if b.y < a.y else -1
        return a.x, a.y - up * a.height / 2, b.x, b.y + up * b.height / 2, False

    def _far(self, ribbon: Ribbon) -> bool:
        """Whether another box of the same row stands between the two."""
        a, b = self.place.of(ribbon.source), self.place.of(ribbon.target)
        return abs(a.y - b.y) < 1 and abs(a.x - b.x) > self.place.pitch * 1.5

    def _over(self, ribbon: Ribbon) -> float:
        """How far an edge swings out to the right around boxes that stand between its ends; 0 if none do."""
        a, b = self.place.of(ribbon.source), self.place.of(ribbon.target)
        low, high = sorted((a.y, b.y))
        between = [
            spot.width
            for spot in self.place.spots.values()
            if abs(spot.x - a.x) < 1 and abs(a.x - b.x) < 1 and low + 1 < spot.y < high - 1
        ]
        return max(between) / 2 + 26 if between else 0.0

    def _forward(self, ribbon: Ribbon) -> None:
        if not self.show("forward", max(ribbon.source.step, ribbon.target.step)):
            return
        x1, y1, x2, y2, beside = self._ends(ribbon)
        shift = -BESIDE / 2 if ribbon.norm else 0.0
        if self._far(ribbon):
            return
        if over := self._over(ribbon):
            self._swing(x1 + 10, y1, x2 + 10, y2, over - 6, self.scale.theme.line, 1.3, 3.2)
            return
        if beside:
            y1, y2 = y1 + shift, y2 + shift
        else:
            x1, x2 = x1 + shift, x2 + shift
        slanted = abs(x1 - x2) > self.place.pitch * 0.5 and not beside
        faint = 0.35 if slanted and not ribbon.norm else None
        self.pen.add(
            *("line",),
            x1=x1,
            y1=y1,
            x2=x2,
            y2=y2,
            stroke=self.scale.theme.line,
            stroke_width=1.3,
            stroke_opacity=faint,
            stroke_dasharray="3 4" if ribbon.cut else None,
        )
        if ribbon.cut:
            muted = self.scale.theme.alarm
            self.pen.cross((x1 + x2) / 2, (y1 + y2) / 2, 5.0, muted)
        if faint is None:
            self.pen.arrow((x1, y1), (x2, y2), 7.0, self.scale.theme.line)

    def _backward(self, ribbon: Ribbon) -> None:
        if not ribbon.norm or not self.show("backward", ribbon.source.step):
            return
        if not self.show("backward", ribbon.target.step):
            return
        x2, y2, x1, y1, beside = self._ends(ribbon)  # from the user back to the used
        norm = ribbon.norm
        color = self.scale.color(norm) if norm == norm else self.scale.theme.alarm
        width = self.scale.width(norm) if norm == norm else 6.0
        if self._far(ribbon):
            self._arc(ribbon, color, width)
            return
        if over := self._over(ribbon):
            self._swing(
                x1 + 18, y1, x2 + 18, y2, over + width / 2, color, width, max(width * 0.95, 4.5)
            )
            return
        shift = BESIDE / 2 + width / 2 - 1
        if beside:
            y1, y2 = y1 + shift, y2 + shift
        else:
            x1, x2 = x1 + shift, x2 + shift
        length = math.hypot(x2 - x1, y2 - y1) or 1.0
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        head = min(HEAD, 6 + width, length * 0.6)
        bx, by = x2 - ux * (head - 1), y2 - uy * (head - 1)
        self.pen.add("line", x1=x1, y1=y1, x2=bx, y2=by, stroke=color, stroke_width=width)
        self._tip(bx, by, x2, y2, max(width * 0.95, 4.5), color)

    def _swing(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        out: float,
        color: str,
        width: float,
        half: float,
    ) -> None:
        """An edge around the boxes between its ends, out to the right and back."""
        end = y2 - math.copysign(9.0, y2 - y1)
        bend = math.copysign(34.0, y2 - y1)
        right = x1 - 14 + out
        d = (
            f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + bend / 2:.1f} {right:.1f} {y1 + bend / 4:.1f} {right:.1f} "
            f"{y1 + bend * 1.4:.1f}L{right:.1f} {end - bend * 1.2:.1f}C{right:.1f} {end - bend / 4:.1f} "
            f"{x2:.1f} {end - bend / 2:.1f} {x2:.1f} {end:.1f}"
        )
        self.pen.add("path", d=d, stroke=color, stroke_width=width, fill="none")
        self._tip(x2, end - math.copysign(1.0, y2 - y1), x2, y2, half, color)

    def _arc(self, ribbon: Ribbon, color: str, width: float) -> None:
        """Over the boxes between, as attention looks back."""
        a, b = self.place.of(ribbon.source), self.place.of(ribbon.target)
        y = a.y - a.height / 2 - 4
        above = [row + 30 for row in self.place.rows.values() if row < a.y - 1]
        room = y - max(above) if above else 84.0  # below the row above
        lift = min(26 + 0.12 * abs(b.x - a.x), 84.0, max(room, 14.0))
        top = f"{b.x - 24:.1f} {y - lift:.1f} {a.x + 24:.1f} {y - lift:.1f}"
        d = f"M{b.x - 12:.1f} {y:.1f}C{top} {a.x:.1f} {y - 8:.1f}"
        self.pen.add(
            "path",
            d=d,
            stroke=color,
            stroke_width=max(1.2, width * 0.45),
            fill="none",
            stroke_opacity=0.9,
        )
        self._tip(a.x + 4, y - 9, a.x, y, 4.0, color)

    def _tip(self, bx: float, by: float, x: float, y: float, half: float, color: str) -> None:
        length = math.hypot(x - bx, y - by) or 1.0
        nx, ny = -(y - by) / length * half, (x - bx) / length * half
        corners = ((x, y), (bx + nx, by + ny), (bx - nx, by - ny))
        self.pen.add(
            "polygon", points=" ".join(f"{px:.1f},{py:.1f}" for px, py in corners), fill=color
        )
