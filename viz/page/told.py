"""The story of a run as data for the page; ``src/data.ts`` is its other end."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow import why
from micrornn.flow.pieces import one
from micrornn.flow.rows import sweep
from micrornn.messages import printable
from micrornn.recording import Recording
from viz.labels import subscript
from viz.page import equations, over_time
from viz.page.linear import linear
from viz.page.operations import MOST, operations
from viz.page.over_time import number
from viz.page.rules import rule
from viz.picture.equations import EQUATIONS
from viz.picture.finding import title
from viz.picture.numbers import short
from viz.picture.outputs import target_of
from viz.picture.story import GATE, INPUT, LOSS, OUTPUT, STATE, Box, Story
from viz.picture.tell import tell
from viz.picture.theme import THEMES, Scale

_SHOWN = 64  # elements of an array that is shown number by number
_EXPLAINED = 400_000  # nodes times boxes, up to which every box has its verdict


def told(rec: Recording, story: Story, subtitle: str, scale: Scale) -> dict[str, Any]:
    """What the page shows of one run: boxes with their numbers, what passes between them, and the panels.

    Args:
        scale: from norms to colors, the same for all runs of a page.
    """
    index = {id(box): i for i, box in enumerate(story.boxes)}
    rows = [layer for row in story.rows() for layer in row]
    row_of = {layer: 1 + i for i, row in enumerate(story.rows()) for layer in row}
    top = len(story.rows()) + 1
    explained = len(rec.nodes) * sum(b.kind == STATE for b in story.boxes) <= _EXPLAINED
    kinds = list(dict.fromkeys(story.kind.get(layer, "") for layer in story.layers))
    equation, meaning = EQUATIONS.get(kinds[0] if len(kinds) == 1 else "", ("", ""))
    notes = [rec.inferred] if rec.inferred else []
    if not explained:
        notes.append("The run is large: only the first and the last states are explained here.")
    arrived = _arrived(rec, story)
    steps = story.steps
    number_of = {node.number: i for i, node in enumerate(rec.nodes, 1)}  # as the debugger counts
    ends = {steps[0], steps[-1]} if steps else set()

    more, labels, sheets = _finer(rec, story)
    matrices = linear(rec, [*story.boxes, *more])
    if matrices is None:
        more, sheets = [], {}
    if matrices is None and rec.passes:
        notes.append(
            "The run is large: the page has no operations, no arithmetic and no what-ifs here. "
            "micrornn debug has them."
        )
    written = {id(box): printable(label) for box, label in zip(reversed(more), reversed(labels))}

    def box_of(box: Box) -> dict[str, Any]:
        row = {INPUT: 0, OUTPUT: top, LOSS: top + 1}.get(box.kind, row_of.get(box.layer, 1))
        names = list(box.nodes)
        first = box.nodes[names[0]]
        says = (explained or box.step in ends) and box.kind == STATE and bool(rec.passes)
        return {
            "kind": box.kind,
            "layer": printable(box.layer),
            "row": row,
            "step": box.step,
            "names": names,
            "labels": [written.get(id(box)) or _label(box, name) for name in names],
            "norms": [number(box.norms.get(name)) for name in names],
            "text": _text(rec, box),
            "values": [_values(rec.value(node)) for node in box.nodes.values()],
            "gradients": [_values(arrived.get(node.number)) for node in box.nodes.values()],
            "shape": list(first.shape),
            "operations": [_operation(node) for node in box.nodes.values()],
            "source": _source(first),
            "nodes": [number_of[node.number] for node in box.nodes.values()],
            "recomputed": max(rec.recomputed.get(n.number, 0) for n in box.nodes.values()),
            "why": str(why(rec, first)) if says else "",
        }

    return {
        "title": printable(title(story)),
        "subtitle": printable(subtitle),
        "equation": equation,
        "meaning": meaning,
        "equations": equations.told(rec),
        "steps": steps,
        "rows": rows,
        "boxes": [box_of(box) for box in [*story.boxes, *more]],
        "ribbons": [
            {
                "from": index[id(r.target)],
                "to": index[id(r.source)],
                "state": r.state,
                "norm": number(r.norm),
                "cut": r.cut,
            }
            for r in story.ribbons
        ],
        "linear": matrices,
        "rules": _rules(rec) if matrices else {},
        "sheets": sheets,
        "loss": -1 if story.loss is None else index[id(story.loss)],
        "low": scale.low,
        "high": scale.high,
        "ledger": over_time.weights(rec, explained),
        "credit": over_time.credits(rec, steps),
        "gates": over_time.gate_means(rec),
        "strips": over_time.strips(rec),
        "notes": notes,
        "scales": {name: list(THEMES[name].scale) for name in ("light", "dark")},
    }


def _finer(rec: Recording, story: Story) -> tuple[list[Box], list[str], dict[str, Any]]:
    """Gates and operations as further boxes, the labels of the operations, and where all stand."""
    if len(rec.nodes) > MOST:
        return [], [], {}
    own = [box for box in tell(rec, gates=True).boxes if box.kind == GATE]
    made, labels, sheets = operations(rec, [*story.boxes, *own])
    return own + made, labels, sheets


def _operation(node: Tensor) -> list[str]:
    """The name and the formula of what made a node; nothing for a leaf."""
    made = node.primitive
    return [made.name, made.formula] if made is not None and node.inputs else []


def _rules(rec: Recording) -> dict[str, list[str]]:
    """By operation, the derivative by each input as a formula, where it is one."""
    made = {
        p.name: (p, len(node.inputs)) for node in rec.nodes if (p := node.primitive) is not None
    }
    found = {name: [rule(p, i) for i in range(n)] for name, (p, n) in made.items()}
    return {name: texts for name, texts in found.items() if any(texts)}


def _arrived(rec: Recording, story: Story) -> dict[int, Any]:
    """By number, what arrived at the nodes of the boxes from the loss of the story alone."""
    if story.loss is None:
        return {}
    start = story.loss.nodes[""]
    wanted = {node.number for box in story.boxes for node in box.nodes.values()}
    rows = sweep(rec.nodes, {start.number: one(np.ones(start.shape, start.dtype))}, wanted)
    return {number: found.values[0] for number, found in rows.items()}


def _source(node: Tensor) -> str:
    """The line that made a node, with the last parts of its file's name."""
    if not node.source:
        return ""
    file = "/".join(node.source[0].replace(os.sep, "/").split("/")[-2:])
    return f"{printable(file)}, line {node.source[1]}"


def _label(box: Box, name: str) -> str:
    letter = {INPUT: "x", OUTPUT: "y", LOSS: "L"}.get(box.kind, name)
    return f"{letter}{subscript(box.step)}"


def _text(rec: Recording, box: Box) -> str:
    node = next(iter(box.nodes.values()))
    if box.kind == LOSS:
        return short(float(np.sum(rec.value(node))))
    if box.kind == INPUT and node.name and " " in node.name:
        return printable(node.name.partition(" ")[2])
    if box.kind == OUTPUT:
        target = target_of(rec, box)
        return "" if target is None else f"p = {short(target)}"
    return ""


def _values(value: Any) -> list[float] | None:
    """The elements of a small array, to four digits."""
    if value is None:
        return None
    flat = np.ravel(np.asarray(value, dtype=float))
    if not 0 < flat.size <= _SHOWN or not np.isfinite(flat).all():
        return None
    return [float(f"{x:.4g}") for x in flat]
