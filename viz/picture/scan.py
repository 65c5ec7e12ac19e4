"""The picture of a scan: the tree that computes a linear recurrence, and its gradient on the way back.

Time goes to the right, rounds go down: pairs of neighbors are combined up to one stretch of all steps, then
every round fills in the states between. What flows along an edge is the gradient of the slice that
`nn.families.linear_scan` takes there, so all of it was computed by backward.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.series import norm
from micrornn.recording import Recording
from viz.labels import subscript
from viz.metrics import fitted, text_width
from viz.pen import Pen
from viz.picture.legend import LEFT, wedge
from viz.picture.look import DEFAULT, Look
from viz.picture.theme import Scale
from viz.style import FONT, number

MOST = 64  # steps that have room
_SCOPE = re.compile(r"(.*?)/?scan/(up|down) (\d+)$")
Place = tuple[int, int]  # a row, and a place in it


@dataclass
class Tree:
    """A scan: which stretches each round holds, and what gradient goes from one to another.

    Attributes:
        steps: T.
        heights: of each row, how many steps one of its elements spans, as a power of two: 0, 1, ..., 1, 0.
        norms: by place, the norm of the gradient that arrived; None where backward has not run.
        edges: from a place of one row to one below: the norm of what came back along it.
    """

    steps: int
    heights: list[int]
    norms: dict[Place, float | None] = field(default_factory=dict)
    edges: dict[tuple[Place, Place], float | None] = field(default_factory=dict)

    @property
    def rounds(self) -> int:
        """How many rounds there are."""
        return len(self.heights) - 1

    def end(self, place: Place) -> int:
        """The last step of the stretch of an element."""
        row, i = place
        return int((i + 1) * 2 ** self.heights[row])


def tree_of(rec: Recording) -> Tree | None:
    """The newest scan of a recording; None if there is none, or it has no rounds.

    >>> import micrornn as mr
    >>> from micrornn.nn.families import linear_scan
    >>> a = mr.tensor([0.5] * 8, requires_grad=True)
    >>> tree = tree_of(mr.record(mr.sum(linear_scan(a, a))))
    >>> tree.steps, tree.rounds, tree.heights
    (8, 6, [0, 1, 2, 3, 2, 1, 0])
    """
    found: dict[tuple[str, int], list[Tensor]] = {}
    layer = None
    for node in reversed(rec.nodes):
        match = _SCOPE.fullmatch(node.scope)
        if match is not None and layer in (None, match[1]):
            layer = match[1]
            found.setdefault((match[2], int(match[3])), []).insert(0, node)
    height = max((k for way, k in found if way == "up"), default=0)
    if not height or ("down", 0) not in found:
        return None
    h = next(n for n in reversed(found["down", 0]) if n.name == "h")
    tree = Tree(len(h._value), [*range(height + 1), *range(height - 1, -1, -1)])
    for k in range(1, height + 1):
        _up(tree, rec, found["up", k], k)
    for k in range(height - 1, -1, -1):
        _down(tree, rec, found["down", k], k, height)
    return tree


def _up(tree: Tree, rec: Recording, nodes: list[Tensor], k: int) -> None:
    """The pairs of one round upward: element j is made of two neighbors of the round before."""
    for later, part in ((1, slice(1, None, 2)), (0, slice(0, None, 2))):
        for j, size in enumerate(
            _norms(rec, [n for n in _slices(nodes) if _starts(n) == part.start])
        ):
            tree.edges[(k - 1, 2 * j + later), (k, j)] = size
    for j, size in enumerate(_norms(rec, [n for n in nodes if n.name in ("a", "b")])):
        tree.norms[k, j] = size
    if k == 1:
        leaves = {x.number: x for n in _slices(nodes) for x in n.inputs}
        for i, size in enumerate(_norms(rec, list(leaves.values()))):
            tree.norms[0, i] = size


def _down(tree: Tree, rec: Recording, nodes: list[Tensor], k: int, height: int) -> None:
    """The states of one round downward: every second one comes from above, those between are filled in."""
    row = 2 * height - k
    h = next(n for n in reversed(nodes) if n.name == "h")
    sizes = _norms(rec, [h])
    for i, size in enumerate(sizes):
        tree.norms[row, i] = size
        if i % 2:
            tree.edges[(row - 1, i // 2), (row, i)] = size
    slices = _slices(nodes)
    top = f"scan/up {height}"
    above = [n.inputs[0].name == "h" or n.inputs[0].scope.endswith(top) for n in slices]
    for j, size in enumerate(_norms(rec, [n for n, yes in zip(slices, above) if yes])):
        tree.edges[(row - 1, j), (row, 2 * j + 2)] = size
    own = [n for n, yes in zip(slices, above) if not yes and _starts(n) == 2]
    for j, size in enumerate(_norms(rec, own)):
        tree.edges[(k, 2 * j + 2), (row, 2 * j + 2)] = size
    tree.edges[(k, 0), (row, 0)] = sizes[0]


def _slices(nodes: list[Tensor]) -> list[Tensor]:
    return [n for n in nodes if isinstance(n.params.get("index"), slice)]


def _starts(node: Tensor) -> int:
    return int(node.params["index"].start or 0)


def _norms(rec: Recording, nodes: list[Tensor]) -> list[float | None]:
    """For each element along the first axis, the norm of the gradients of several nodes together."""
    count = max((len(n._value) for n in nodes), default=0)
    if not rec.passes:
        return [None] * count
    total = np.zeros(count)
    for node in nodes:
        gradient = rec.gradient(node)
        if gradient is not None:
            for i, part in enumerate(np.asarray(gradient, float)):
                total[i] = norm([total[i], norm(part)])
    return [float(size) for size in total]


def picture(tree: Tree, subtitle: str = "", look: Look = DEFAULT) -> str:
    """A scan as SVG.

    Args:
        tree: what `tree_of` says of a recording.
        subtitle: network, data, seed.
    """
    return _Drawing(tree, subtitle, look).svg()


class _Drawing:
    def __init__(self, tree: Tree, subtitle: str, look: Look) -> None:
        self.tree, self.subtitle, self.theme = tree, subtitle, look.colors
        self.legend, self.size, self.width = look.legend, look.size, look.width
        self.height = look.height(190.0 + 64.0 * len(tree.heights))
        self.top, self.bottom = 150.0, 112.0
        self.pitch = (self.width - 2 * LEFT - 130) / tree.steps
        self.radius = min(19.0, 0.42 * self.pitch)
        norms = [n for n in [*tree.norms.values(), *tree.edges.values()] if n is not None]
        self.scale = Scale.over(norms, self.theme)
        self.pen = Pen()

    def at(self, place: Place) -> tuple[float, float]:
        """Where an element stands."""
        gap = (self.height - self.top - self.bottom) / self.tree.rounds
        x = LEFT + 130 + self.pitch * (self.tree.end(place) - 0.5)
        return x, self.top + gap * place[0]

    def svg(self) -> str:
        """The document."""
        pen, theme, tree = self.pen, self.theme, self.tree
        head = heading(tree)
        pen.open(
            "svg",
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            width=self.width,
            height=self.height,
            font_family=FONT,
            role="img",
        )
        pen.text_element("title", head)
        pen.text_element("desc", ". ".join(self._described()))
        pen.add("rect", width=self.width, height=self.height, fill=theme.paper)
        room = self.width - 2 * LEFT
        self._text(fitted(head, 27.5 * self.size, room), LEFT, 50, 25, weight="bold")
        self._text(fitted(self.subtitle, 15 * self.size, room), LEFT, 78, 15, muted=True)
        for row, word in enumerate(self._rows()):
            self._text(word, LEFT, self.at((row, 0))[1] + 5, 12.5, muted=True)
        every = -(-30 // max(1, int(self.pitch)))
        for t in range(1, tree.steps + 1, every):
            word = f"step {t}" if self.pitch > 70 else str(t)
            x = self.at((0, t - 1))[0]
            self._text(word, x, self.top - 34, 12.5, muted=True, anchor="middle")
        ordered = sorted(tree.edges.items(), key=lambda item: item[1] or 0.0)
        for (begin, end), size in ordered:
            self._edge(begin, end, size)
        for place, size in tree.norms.items():
            self._element(place, size)
        if self.legend != "none" and any(n is not None for n in tree.norms.values()):
            wedge(pen, self.scale, theme, self.height - 40, self.size)
        pen.close("svg")
        return pen.document()

    def _rows(self) -> Iterator[str]:
        half = self.tree.rounds // 2
        for row, k in enumerate(self.tree.heights):
            if row == 0:
                yield "(aₜ, bₜ)"
            elif row <= half:
                yield f"{2**k} steps as one"
            else:
                yield f"h, every {2**k}" if k else "all states"

    def _edge(self, begin: Place, end: Place, size: float | None) -> None:
        """Forward in gray; beside it the gradient, back."""
        (x1, y1), (x2, y2) = self.at(begin), self.at(end)
        line = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        self.pen.add("line", **line, stroke=self.theme.line, stroke_width=1.3)
        if size:
            color, wide = self.scale.color(size), 0.7 * self.scale.width(size)
            shift = 2.0 + wide / 2
            shifted = {**line, "x1": x1 + shift, "x2": x2 + shift}
            self.pen.add("line", **shifted, stroke=color, stroke_width=wide)

    def _element(self, place: Place, size: float | None) -> None:
        """A stretch of steps, or a state."""
        x, y = self.at(place)
        row, k = place[0], self.tree.heights[place[0]]
        end = self.tree.end(place)
        state = row > self.tree.rounds // 2
        color = self.scale.color(size) if size else self.theme.line
        self.pen.open("g")
        said = "no gradient" if not size else f"gradient norm {number(size)}"
        what = f"h{end}" if state else f"steps {end - 2**k + 1} to {end}"
        self.pen.text_element("title", f"{what}: {said}")
        self.pen.add(
            "circle",
            cx=x,
            cy=y,
            r=self.radius,
            fill=self.theme.fill if row else self.theme.data,
            stroke=color,
            stroke_width=2.6,
        )
        word = f"h{subscript(end)}" if state else f"{end - 2**k + 1}–{end}" if k else str(end)
        room = 11.5 * self.size
        if text_width(word, room) < 2 * self.radius - 3:
            self._text(word, x, y + 4, 11.5, anchor="middle")
        self.pen.close("g")

    def _described(self) -> Iterator[str]:
        yield self.subtitle
        for t in range(1, self.tree.steps + 1):
            size = self.tree.norms[0, t - 1]
            yield f"step {t}: {'no gradient' if not size else f'gradient norm {number(size)}'}"

    def _text(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        muted: bool = False,
        anchor: str | None = None,
        weight: str | None = None,
    ) -> None:
        fill: Any = self.theme.muted if muted else self.theme.ink
        self.pen.text(text, x, y, anchor, size * self.size, weight, fill)


def heading(tree: Tree) -> str:
    """What a scan saves.

    >>> heading(Tree(8, [0, 1, 2, 3, 2, 1, 0]))
    'The scan computes 8 states in 6 rounds'
    """
    rounds = f"{tree.rounds} rounds"
    if not any(tree.norms.values()):
        return f"The scan computes {tree.steps} states in {rounds}"
    return f"The scan computes {tree.steps} states in {rounds}, and their gradients in {tree.rounds} more"
