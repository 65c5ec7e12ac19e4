"""A picture read back from its SVG: boxes, edges, frames and texts in the coordinates of the page."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from viz import svg
from viz.build import build
from viz.layout import lay_out
from viz.metrics import text_width
from viz.render import graph_of

_SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

Point = tuple[float, float]


def unrolled_svg(
    thing: Any, detail: str, title: str = "", window: tuple[int, int] | None = None
) -> str:
    """A graph as boxes and frames at any level of detail, also where `viz.render` draws cells or gates."""
    return svg.write(lay_out(build(graph_of(thing), detail, True, window)), title)


@dataclass
class Area:
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> Point:
        """The point in the middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def overlaps(self, other: Area, by: float = 0.5) -> bool:
        """Whether the two share more than ``by`` pixels in both directions."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > by and down > by

    def within(self, other: Area, slack: float = 0.5) -> bool:
        """Whether it lies inside the other, give or take ``slack``."""
        return (
            self.left >= other.left - slack
            and self.top >= other.top - slack
            and self.right <= other.right + slack
            and self.bottom <= other.bottom + slack
        )

    def distance_to_border(self, point: Point) -> float:
        """How far a point is from the nearest side."""
        x, y = point
        dx = max(self.left - x, 0.0, x - self.right)
        dy = max(self.top - y, 0.0, y - self.bottom)
        if dx or dy:
            return (dx * dx + dy * dy) ** 0.5
        return min(x - self.left, self.right - x, y - self.top, self.bottom - y)


@dataclass
class Text:
    """A line of text and the room it takes: from the top of a capital to below the baseline."""

    text: str
    area: Area


@dataclass
class Node:
    """A box with its texts and its data-* attributes."""

    data: dict[str, str]
    title: str
    area: Area
    round: bool
    texts: list[Text]

    def distance_to_border(self, point: Point) -> float:
        """How far a point is from the outline."""
        if not self.round:
            return self.area.distance_to_border(point)
        x, y = self.area.centre
        radius = (self.area.right - self.area.left) / 2
        return abs(((point[0] - x) ** 2 + (point[1] - y) ** 2) ** 0.5 - radius)

    def __str__(self) -> str:
        return (
            f"[{self.texts[0].text if self.texts else ''} #{self.data['data-node']}: {self.title}]"
        )


@dataclass
class Edge:
    """A way from one box to another: its points (of curves those that bend them), and samples of it."""

    kind: str
    data: dict[str, str]
    title: str
    points: list[Point]
    way: list[Point]

    def __str__(self) -> str:
        return f"{self.kind} {self.data['data-from']} -> {self.data['data-to']}"


@dataclass
class Frame:
    """The frame of a step or a gate."""

    kind: str
    name: str
    area: Area


@dataclass
class Drawing:
    """All of a picture."""

    page: Area
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    legend: list[Area] = field(default_factory=list)
    picture: list[Area] = field(default_factory=list)

    def column(self, step: str) -> Area:
        """The frame of one step."""
        (found,) = (f.area for f in self.frames if f.kind == "step" and f.name == step)
        return found


def read(svg: str) -> Drawing:
    """The picture in an SVG document."""
    root = ElementTree.fromstring(svg)
    left, top, width, height = (float(n) for n in root.attrib["viewBox"].split())
    drawing = Drawing(Area(left, top, left + width, top + height))
    _walk(root, (0.0, 0.0), 12.0, "start", drawing, "")
    return drawing


def _walk(
    element: ElementTree.Element,
    offset: Point,
    size: float,
    anchor: str,
    drawing: Drawing,
    part: str,
) -> None:
    offset = _moved(element, offset)
    size = float(element.get("font-size", size))
    classes = element.get("class", "").split()
    if "node" in classes:
        node = _node(element, offset, size)
        drawing.nodes[node.data["data-node"]] = node
    elif "edge" in classes:
        drawing.edges.append(_edge(element, classes[1], offset))
    elif classes and classes[0] in ("step", "gate"):
        rect = next(e for e in element if e.tag == f"{_SVG}rect")
        name = element.get("data-step") or element.get("data-scope", "")
        drawing.frames.append(Frame(classes[0], name, _area(rect, offset)))
    elif "legend" in classes:
        part = "legend"
    areas = drawing.legend if part == "legend" else drawing.picture
    if element.tag == f"{_SVG}text":
        drawing.texts.append(_text(element, offset, size))
        areas.append(drawing.texts[-1].area)
    else:
        areas.extend(area for area in _shapes(element, offset) if area != drawing.page)
    for child in element:
        _walk(child, offset, size, anchor, drawing, part)


def _moved(element: ElementTree.Element, offset: Point) -> Point:
    transform = element.get("transform")
    if transform is None:
        return offset
    assert transform.startswith("translate("), transform
    dx, dy = (float(n) for n in _NUMBER.findall(transform))
    # Forward edges are moved off their ribbons by so much, and ribbons off the edges.
    if element.get("class") == "edges":
        assert abs(dx) == abs(dy) <= 2.0
        return offset
    return offset[0] + dx, offset[1] + dy


def _title(element: ElementTree.Element) -> str:
    return next((e.text or "" for e in element if e.tag == f"{_SVG}title"), "")


def _value(element: ElementTree.Element) -> dict[str, str]:
    return {name: value for name, value in element.attrib.items() if name.startswith("data-")}


def _node(element: ElementTree.Element, offset: Point, size: float) -> Node:
    shape = next(e for e in element if e.tag in (f"{_SVG}rect", f"{_SVG}circle"))
    texts = [_text(e, offset, size) for e in element.iter(f"{_SVG}text")]
    is_round = shape.tag == f"{_SVG}circle"
    return Node(_value(element), _title(element), _area(shape, offset), is_round, texts)


def _edge(element: ElementTree.Element, kind: str, offset: Point) -> Edge:
    path = next(e for e in element if e.tag == f"{_SVG}path")
    d = path.attrib["d"]
    points = list(_points(d, offset))
    return Edge(kind, _value(element), _title(element), points, list(_samples(d, offset)))


def _pieces(d: str, offset: Point) -> Iterator[tuple[str, list[Point]]]:
    """The pieces of path data as M, L, Q and C with their points in the coordinates of the page."""
    here = offset
    for command, rest in re.findall(r"([MLQClqchvHV])([^MLQClqchvHV]*)", d):
        numbers = [float(n) for n in _NUMBER.findall(rest)]
        x, y = here
        if command in "hvHV":
            (n,) = numbers
            ends = {
                "h": (x + n, y),
                "v": (x, y + n),
                "H": (n + offset[0], y),
                "V": (x, n + offset[1]),
            }
            yield "L", [ends[command]]
            here = ends[command]
            continue
        start = here if command.islower() else offset
        many = {"q": 4, "c": 6}.get(
            command.lower(), 2
        )  # numbers of one piece; the next begins where it ends
        for k in range(0, len(numbers), many):
            one = numbers[k : k + many]
            points = [(a + start[0], b + start[1]) for a, b in zip(one[::2], one[1::2])]
            yield command.upper(), points
            here = points[-1]
            start = here if command.islower() else offset


def _points(d: str, offset: Point) -> Iterator[Point]:
    """The points of a path; curves by their control points, which enclose them."""
    for _, points in _pieces(d, offset):
        yield from points


def _samples(d: str, offset: Point, each: int = 24) -> Iterator[Point]:
    """Points on a path of straight and curved pieces, close to one another."""
    here = (0.0, 0.0)
    for command, bends in _pieces(d, offset):
        if command != "M":
            for k in range(each + 1):
                points, part = [here, *bends], k / each
                while len(points) > 1:  # de Casteljau
                    points = [
                        (ax + (bx - ax) * part, ay + (by - ay) * part)
                        for (ax, ay), (bx, by) in itertools.pairwise(points)
                    ]
                yield points[0]
        here = bends[-1]


def _shapes(element: ElementTree.Element, offset: Point) -> Iterator[Area]:
    if element.tag in (f"{_SVG}rect", f"{_SVG}circle"):
        yield _area(element, offset)
    elif element.tag == f"{_SVG}path":
        xs, ys = zip(*_points(element.attrib["d"], offset))
        yield Area(min(xs), min(ys), max(xs), max(ys))
    elif element.tag == f"{_SVG}polygon":
        numbers = [float(n) for n in _NUMBER.findall(element.attrib["points"])]
        xs = [x + offset[0] for x in numbers[::2]]
        ys = [y + offset[1] for y in numbers[1::2]]
        yield Area(min(xs), min(ys), max(xs), max(ys))


def _area(shape: ElementTree.Element, offset: Point) -> Area:
    def number(name: str) -> float:
        return float(shape.get(name, "0"))

    dx, dy = offset
    if shape.tag == f"{_SVG}circle":
        x, y, r = number("cx") + dx, number("cy") + dy, number("r")
        return Area(x - r, y - r, x + r, y + r)
    x, y = number("x") + dx, number("y") + dy
    return Area(x, y, x + number("width"), y + number("height"))


def _text(element: ElementTree.Element, offset: Point, size: float) -> Text:
    size = float(element.get("font-size", size))
    text = element.text or ""
    width = text_width(text, size)
    x, y = float(element.attrib["x"]) + offset[0], float(element.attrib["y"]) + offset[1]
    x -= {"start": 0.0, "middle": width / 2, "end": width}[element.get("text-anchor", "start")]
    return Text(text, Area(x, y - 0.73 * size, x + width, y + 0.1 * size))
