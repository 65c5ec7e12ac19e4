"""Around the nodes: the frames of steps and gates as clusters, and all that is text alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from viz import style
from viz.described import subtitle
from viz.dot.canvas import FOOT, LINE, Canvas, plain, tint
from viz.metrics import fitted, text_width
from viz.pen import coordinate
from viz.shapes import Frame, Note


def clusters(canvas: Canvas) -> Iterator[Any]:
    """One cluster for each step, with its nodes, and the gates inside it."""
    import graphviz

    steps = [frame for frame in canvas.sheet.frames if frame.kind == "step"]
    gates = _gates(canvas, steps)
    names: dict[int | None, list[str]] = {}
    for box in canvas.sheet.boxes:
        names.setdefault(box.unit.step, []).append(canvas.name(box.unit))
    for i, frame in enumerate(steps):
        look = {"color": style.FRAME, "style": "rounded"}
        step = graphviz.Digraph(f"cluster_{i}", graph_attr=_box(canvas, frame) | look)
        for k, gate in enumerate(gates[i]):
            line, fill = style.category(gate.name)
            look = {"color": line, "style": "rounded,filled", "fillcolor": tint(fill)}
            with step.subgraph(name=f"cluster_{i}_{k}") as inner:
                inner.attr(**_box(canvas, gate), **look)
        for name in names.get(frame.step, ()):
            step.node(name)
        yield step


def _gates(canvas: Canvas, steps: list[Frame]) -> list[list[Frame]]:
    """For each step the gates in its frame, found by the row and the column in which they stand."""
    places = sorted((frame.top, frame.left, i) for i, frame in enumerate(steps))
    tops = sorted({top for top, _, _ in places})
    found: list[list[Frame]] = [[] for _ in steps]
    for gate in canvas.sheet.frames:
        if gate.kind == "gate":
            top = tops[max(bisect_right(tops, gate.top) - 1, 0)]
            place = bisect_right(places, (top, gate.left, len(steps)))
            found[places[max(place - 1, 0)][2]].append(gate)
    return found


def _box(canvas: Canvas, frame: Frame) -> dict[str, str]:
    corners = canvas.at((frame.left, frame.bottom)), canvas.at((frame.right, frame.top))
    return {"bb": ",".join(corners), "label": "", "tooltip": plain(frame.name)}


def texts(graph: Any, canvas: Canvas) -> None:
    """The title above the picture, the names and notes in it, the legend below it."""
    sheet = canvas.sheet
    words = [canvas.title, subtitle(sheet)] if canvas.title else [subtitle(sheet)]
    lines = [Note(word, 12, 16.0 * i - 18, size=14.0 - 3 * i) for i, word in enumerate(words)]
    foot = sheet.height + FOOT + 4
    lines += [Note(row, 12, foot + LINE * i, size=10) for i, row in enumerate(canvas.legend)]
    for frame in sheet.frames:
        if frame.kind == "step":
            lines.append(Note(frame.name, *frame.title, frame.anchor))
        else:
            middle, room = (frame.left + frame.right) / 2, frame.right - frame.left - 4
            lines.append(Note(fitted(frame.name, 10, room), middle, frame.top + 12, "middle", 10))
    look = {"shape": "plaintext", "style": "", "margin": "0"}
    for i, note in enumerate([*lines, *sheet.notes]):
        width = text_width(note.text, note.size)
        x = note.x + {"start": width / 2, "middle": 0.0, "end": -width / 2}[note.anchor]
        size = {"width": f"{(width + 4) / 72:.4f}", "height": f"{note.size * 1.4 / 72:.4f}"}
        at = {"pos": canvas.at((x, note.y - note.size * 0.35)), "fontsize": coordinate(note.size)}
        label = plain(note.text) + ("\\l" if note.anchor == "start" else "")  # \l: to the left
        graph.node(f"text{i}", label=label, **at, **size, **look)
