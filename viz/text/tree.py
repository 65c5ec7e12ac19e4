"""A graph without time: the result first, and below each value, one step in, what it was computed from."""

from __future__ import annotations

from collections import deque

import numpy as np

from viz.gradients import is_cut
from viz.scene import Scene, Unit
from viz.style import AGAIN, number
from viz.text.plain import WIDTH, clean, columns, padded, shape_of, short, wrapped

VALUE, GRADIENT = 24, 11
LEFT = WIDTH - VALUE - GRADIENT
DEEPEST = 12  # levels; what lies deeper begins at the margin again, further down


def tree(scene: Scene) -> list[str]:
    """The units as a tree. What is used in several places is written out in the first of them."""
    numbers = {id(unit): f"#{i}" for i, unit in enumerate(scene.units, 1)}
    shared = {id(u) for u in scene.units if len(u.outputs) > 1}
    intro = "the result first; below each value, one step in, what it was computed from"
    head = padded("", LEFT) + padded("value", VALUE) + ("gradient" if scene.gradients.ran else "")
    if scene.lit is not None:
        intro += "; • lies on the chosen paths"
    if any(map(scene.again, scene.units)):
        intro += f"; {AGAIN} computed again in backward"
    lines = [*wrapped(intro), "", head]
    done: set[int] = set()
    waiting = deque(unit for unit in reversed(scene.units) if not unit.outputs)
    while waiting:
        top = waiting.popleft()
        stack = [(top, 0, 1)] if id(top) not in done else []
        while stack:
            unit, depth, uses = stack.pop()
            name, known = numbers[id(unit)], id(unit) in done
            deferred = not known and depth > DEEPEST and bool(unit.inputs)
            remarks = [f"({uses} times)"] if uses > 1 else []
            remarks += ["•"] if scene.lit is not None and id(unit) in scene.lit else []
            if known or deferred or id(unit) in shared or (depth == 0 and unit.outputs):
                remarks.append(name)
            if known or deferred:
                remarks.append("see above" if known else "see below")
                lines.append(_words(unit, depth, remarks))
                waiting.extend([unit] if deferred else [])
                continue
            done.add(id(unit))
            lines += _line(scene, unit, depth, remarks)
            stack += [(k.source, depth + 1, k.uses) for k in reversed(unit.inputs)]
    return lines


def _words(unit: Unit, depth: int, remarks: list[str]) -> str:
    return "  " * depth + " ".join([clean(label(unit)), *remarks])


def label(unit: Unit) -> str:
    """A name or an operation; the value stands in a column of its own."""
    node = unit.out
    if is_cut(node):
        return f"{node.name or ''} ✂ detached".strip()
    if node.is_leaf:
        return node.name or "leaf"
    symbol = node.primitive.symbol or node.primitive.name if node.primitive else ""
    return f"{node.name} {symbol}" if node.name else unit.label.split(" = ")[0]


def _line(scene: Scene, unit: Unit, depth: int, remarks: list[str]) -> list[str]:
    """A unit with its value and its gradient; where the words are long, these stand on the next line."""
    if unit.out.scope:
        remarks = [*remarks, f"in {clean(unit.out.scope)}"]
    if scene.again(unit):
        remarks = [*remarks, AGAIN]
    words = wrapped(_words(unit, depth, remarks), indent="  " * (depth + 1))
    if columns(words[-1]) >= LEFT:
        words.append("")
    gradient = short(unit.flow)
    if unit.lost is not None and unit.lost.state == "value":
        gradient = f"✂{short(unit.lost)} lost"
    cells = padded(value(unit), VALUE) + gradient
    return [*words[:-1], padded(words[-1], LEFT) + cells]


def value(unit: Unit) -> str:
    """A number as it is; of an array the shape and the smallest and largest element.

    >>> from types import SimpleNamespace as fake
    >>> value(fake(out=fake(_value=np.array([[1.0, 2.0]]), shape=(1, 2), size=2)))
    '1×2, 1 to 2'
    """
    node = unit.out
    if node.size == 1:
        return number(float(np.asarray(node._value).reshape(-1)[0]))
    shape = shape_of(node)
    if not node.size:
        return f"{shape}, empty"
    low, high = (number(float(end(node._value))) for end in (np.min, np.max))
    return f"{shape}, {low} to {high}"
