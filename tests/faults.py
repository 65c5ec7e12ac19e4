"""What can be wrong with a picture: what overlaps, sticks out, hangs loose, or runs through a box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from drawn import Area, Drawing, Edge, Node


def wrong(drawing: Drawing) -> list[str]:
    """Everything that overlaps, sticks out or hangs loose in a picture, one sentence each."""
    return [*boxes(drawing), *labels(drawing), *ends(drawing), *page(drawing), *texts(drawing)]


def pairs(things: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """The pairs whose areas overlap."""
    open_: list[Any] = []
    for thing in sorted(things, key=lambda t: t.area.left):
        open_ = [other for other in open_ if other.area.right > thing.area.left]
        yield from ((other, thing) for other in open_ if other.area.overlaps(thing.area))
        open_.append(thing)


def boxes(drawing: Drawing) -> Iterator[str]:
    """Boxes on one another, or outside of the frame of their step; frames that cross."""
    nodes = list(drawing.nodes.values())
    yield from (f"boxes overlap: {a} and {b}" for a, b in pairs(nodes))
    steps = {f.name: f.area for f in drawing.frames if f.kind == "step"}
    for node in nodes:
        step = node.data.get("data-step", "")
        if step in steps and not node.area.within(steps[step], slack=0.0):
            yield f"not inside the frame of step {step}: {node}"
    for a, b in pairs(drawing.frames):
        if not (a.area.within(b.area) or b.area.within(a.area)):
            yield f"frames cross: {a} and {b}"


def labels(drawing: Drawing) -> Iterator[str]:
    """Labels that are larger than their box."""
    for node in drawing.nodes.values():
        for text in node.texts:
            if not text.area.within(node.area, slack=1.0):
                yield f"{text.text!r} does not fit into {node}"


def ends(drawing: Drawing) -> Iterator[str]:
    """Edges that do not begin and end on their boxes."""
    for edge in drawing.edges:
        for name, point in (("data-from", edge.points[0]), ("data-to", edge.points[-1])):
            node = drawing.nodes[edge.data[name]]
            if node.distance_to_border(point) > 1.5:
                yield f"{edge}: {name} ends off its box {node}"


def page(drawing: Drawing) -> Iterator[str]:
    """What lies outside of the page; the legend in the picture."""
    for area in [*drawing.picture, *drawing.legend]:
        if not area.within(drawing.page):
            yield f"outside of the page: {area}"
    top = min((area.top for area in drawing.legend), default=float("inf"))
    yield from (f"the legend overlaps {area}" for area in drawing.picture if area.bottom > top)


def texts(drawing: Drawing) -> Iterator[str]:
    """Texts written over one another."""
    for a, b in pairs(drawing.texts):
        yield f"texts overlap: {a.text!r} and {b.text!r}"


def through(drawing: Drawing) -> Iterator[str]:
    """Edges that run through a box which they do not belong to."""
    for edge in drawing.edges:
        if edge.kind != "forward":
            continue  # a gradient takes the same way
        for node in drawing.nodes.values():
            own = node.data["data-node"] in (edge.data["data-from"], edge.data["data-to"])
            if not own and crosses(edge, node):
                yield f"{edge} runs through {node}"


def crosses(edge: Edge, node: Node) -> bool:
    area = node.area
    inner = Area(area.left + 1, area.top + 1, area.right - 1, area.bottom - 1)
    return any(inner.left < x < inner.right and inner.top < y < inner.bottom for x, y in edge.way)
