"""Layers as bands, one above the other: the roles of each, its template, and what stands below it."""

from __future__ import annotations

from dataclasses import dataclass, field

from viz.cell import RAIL, Cell, Role, plan_core, plan_tower
from viz.scene import Unit
from viz.shapes import Box


@dataclass(eq=False)
class Band:
    """A layer over time: its template and where it stands within a row."""

    layer: str
    cell: Cell
    reverse: bool
    recurrent: bool
    inputs: list[Unit] = field(default_factory=list)
    input_height: float = 0.0

    @property
    def height(self) -> float:
        """Of the cell, and of the row of its inputs below it."""
        return self.cell.height + self.input_height


def bands_of(timed: list[Unit], boxes: dict[int, Box], shown: set[int]) -> list[Band]:
    """One band per layer, lowest first; what no later step depends on stands in bands of its own above."""
    inside = [u for u in timed if u.step in shown and u.kind not in ("input", "initial")]
    layers: dict[str, list[Unit]] = {}
    for unit in inside:
        layers.setdefault(unit.layer, []).append(unit)
    bands: list[Band] = []
    for layer, units in layers.items():
        links, carried, backwards = _links_of(units)
        roles = _roles(units, boxes)
        core = _ancestors({s for s, _ in carried}, links)
        gate_of = {u.role: u.gate for u in units}
        if core:
            sizes = {r: s for r, s in roles.items() if r in core}
            cell = plan_core(sizes, links, carried, gate_of)
            bands.append(Band(layer, cell, backwards, True))
        rest = {r: s for r, s in roles.items() if r not in core}
        if rest:
            bands.append(Band(layer, plan_tower(rest, links), False, False))
    bands = _joined(_stacked(bands, inside), inside)
    for unit in timed:
        if unit.kind == "input" and unit.step in shown:
            users = [b for b in bands if any(k.target.role in b.cell.spots for k in unit.outputs)]
            (users or bands)[0].inputs.append(unit)
    for band in bands:
        tall = max((boxes[id(u)].height for u in band.inputs), default=0.0)
        band.input_height = tall + RAIL if tall else 0.0
    return bands


def _stacked(bands: list[Band], units: list[Unit]) -> list[Band]:
    """Bands from the lowest up: each above those it reads from, as far as they do not read each other."""
    of_role = {role: band for band in bands for role in band.cell.spots}
    below: dict[int, set[int]] = {id(b): set() for b in bands}
    for unit in units:
        for link in unit.inputs:
            a, b = of_role.get(link.source.role), of_role[unit.role]
            if a is not None and a is not b and link.source.step == unit.step:
                below[id(b)].add(id(a))
    order: list[Band] = []
    waiting = list(bands)
    while waiting:
        placed = {id(b) for b in order}
        ready = [b for b in waiting if below[id(b)] <= placed] or waiting[:1]
        order.append(ready[0])
        waiting.remove(ready[0])
    return order


def _joined(bands: list[Band], units: list[Unit]) -> list[Band]:
    """Neighbouring bands that carry no state become one tower: an output layer with its loss.

    Not if they never compute at the same step, such as an encoder's end and a decoder's embedding.
    """
    times: dict[Role, set[int | None]] = {}
    for unit in units:
        times.setdefault(unit.role, set()).add(unit.step)

    def meet(a: Band, b: Band) -> bool:
        one, two = (set().union(*(times[r] for r in band.cell.spots)) for band in (a, b))
        return bool(one & two)

    within = {(k.source.role, u.role) for u in units for k in u.inputs if k.source.step == u.step}
    done: list[Band] = []
    for band in bands:
        both = bool(done) and not band.recurrent and not done[-1].recurrent
        if both and meet(done[-1], band):
            spots = {**done[-1].cell.spots, **band.cell.spots}
            sizes = {role: (spot.width, spot.height) for role, spot in spots.items()}
            done[-1] = Band(band.layer, plan_tower(sizes, within), False, False)
        else:
            done.append(band)
    return done


def _links_of(units: list[Unit]) -> tuple[set[tuple[Role, Role]], set[tuple[Role, Role]], bool]:
    """The links within a step, those from step to step, and whether these run against time."""
    links, carried = set(), set()
    backwards = 0
    for unit in units:
        for link in unit.inputs:
            source = link.source
            if source.layer != unit.layer or source.step is None or unit.step is None:
                continue
            if source.step == unit.step:
                links.add((source.role, unit.role))
            elif abs(source.step - unit.step) == 1 and source.kind != "initial":
                carried.add((source.role, unit.role))
                backwards += 1 if source.step > unit.step else -1
    if not carried:  # a single step: what the initial state feeds stands for it
        for unit in units:
            for link in unit.inputs:
                if link.source.kind == "initial" and link.source.layer == unit.layer:
                    name = link.source.out.name
                    carried |= {(u.role, unit.role) for u in units if u.out.name == name}
                    backwards += 1 if (link.source.step or 0) > (unit.step or 0) else -1
    return links, carried, backwards > 0


def _roles(units: list[Unit], boxes: dict[int, Box]) -> dict[Role, tuple[float, float]]:
    """Every role with the largest size it has at any step, in the order of computing."""
    sizes: dict[Role, tuple[float, float]] = {}
    for unit in units:
        box = boxes[id(unit)]
        wide, tall = sizes.get(unit.role, (0.0, 0.0))
        sizes[unit.role] = (max(wide, box.width), max(tall, box.height))
    return _topological(sizes, units)


def _topological(
    sizes: dict[Role, tuple[float, float]], units: list[Unit]
) -> dict[Role, tuple[float, float]]:
    """Inputs before what uses them: the order of one step's nodes, with what only others have put in."""
    order: dict[Role, int] = {}
    start: dict[int | None, int] = {}
    for unit in units:
        first = start.setdefault(unit.step, unit.out.number)
        place = unit.out.number - first
        order[unit.role] = max(order.get(unit.role, place), place)
    return {role: sizes[role] for role in sorted(sizes, key=order.__getitem__)}


def _ancestors(roles: set[Role], links: set[tuple[Role, Role]]) -> set[Role]:
    before: dict[Role, list[Role]] = {}
    for source, target in links:
        before.setdefault(target, []).append(source)
    found, stack = set(roles), list(roles)
    while stack:
        for source in before.get(stack.pop(), ()):
            if source not in found:
                found.add(source)
                stack.append(source)
    return found
