"""The paths between two places of a picture: what lies on a way from one to the other."""

from __future__ import annotations

import re
from collections.abc import Callable

from viz.scene import Link, Scene, Unit

_PLACE = re.compile(r"^(?P<name>.*?)[_\[]?(?P<step>\d+)?\]?$")


def find(scene: Scene, place: str) -> list[Unit]:
    """The units that a name such as ``h0``, ``L3``, ``c_2`` or ``W_hh`` stands for.

    A letter and a step name a value at that step (L is the loss; without a step, the total); anything else
    is a name as it is, or the label of a weight, and then means every unit that uses it.

    Raises:
        ValueError: there is no such place; says which there are.
    """
    weights = [u for u in scene.units if any(place in (m.label, m.parameter.name) for m in u.marks)]
    if weights:
        return weights
    parts = _PLACE.match(place)
    assert parts is not None
    name = "loss" if parts["name"] in ("L", "loss") else parts["name"]
    step = None if parts["step"] is None else int(parts["step"])
    for wanted, at in ((name, step), (place, None)):
        found = [u for u in scene.units if wanted in _names(u) and (u.step == at or at is None)]
        if name == "loss" and step is None:
            found = [u for u in found if u.step is None] or found[-1:]
        if found:
            return found
    known = sorted(
        {n for u in scene.units for n in _names(u)}
        | {m.label for u in scene.units for m in u.marks}
    )
    steps = f" at steps {scene.steps[0]} to {scene.steps[-1]}" if scene.steps else ""
    raise ValueError(f"there is no {place!r} in this picture; it has {', '.join(known)}{steps}")


def _names(unit: Unit) -> set[str]:
    return {node.name.split(" ")[0] for node in unit.nodes if node.name}


def on_paths(scene: Scene, start: str, end: str) -> set[int]:
    """The ids of the units on a path of the gradient from ``start`` back to ``end``.

    Raises:
        ValueError: a place is unknown, or no path leads from one to the other.
    """
    back = _reach(find(scene, start), lambda unit: [(k, k.source) for k in unit.inputs])
    forth = _reach(find(scene, end), lambda unit: [(k, k.target) for k in unit.outputs])
    lit = back & forth
    if not lit:
        raise ValueError(f"no path leads from {start} back to {end}: the gradient cannot pass")
    return lit


def _reach(units: list[Unit], onward: Callable[[Unit], list[tuple[Link, Unit]]]) -> set[int]:
    found = {id(unit) for unit in units}
    stack = list(units)
    while stack:
        for link, unit in onward(stack.pop()):
            if not link.cut and id(unit) not in found:
                found.add(id(unit))
                stack.append(unit)
    return found
