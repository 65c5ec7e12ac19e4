"""What to draw: a graph, at a level of detail, as units and the links between them.

A unit is what becomes a box: one operation, a gate, a cell, a layer. Which nodes fall into one unit is
decided by where they were made (their scope and step), so a cell that the project has never seen is taken
apart in the same way as an LSTM. Shared weights are not units of the picture: each use is a small mark on
the unit that uses it, tied by name and colour to one entry of the weight ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from micrornn.graph import Graph
from micrornn.tensor import Tensor
from viz.gradients import ABSENT, NOT_RUN, Flow, Gradients, flows_of
from viz.labels import node_label, weight_label

DETAILS = ("layer", "cell", "gate", "op", "scalar")


@dataclass(eq=False)
class Mark:
    """One use of a shared weight: the parameter, what to call it here, and what this use sent to it."""

    parameter: Tensor
    label: str
    flow: Flow


@dataclass(eq=False)
class Unit:
    """Nodes that are drawn as one box.

    Attributes:
        nodes: oldest first; the last one is what leaves the unit.
        role: the same for the same thing at another step: layer, gate, operation, how many-th.
        step: the time step, or None.
        layer, gate: the scope of the layer, and the rest of the path below it.
        kind: op, state, input, initial, loss, data, weight or group.
        flow: the gradient that arrived at the node that leaves the unit.
        elements: at the level of scalars, the same for each element.
    """

    nodes: list[Tensor]
    role: tuple[str, ...]
    step: int | None
    layer: str
    gate: str
    kind: str
    label: str
    flow: Flow
    elements: list[Flow] | None = None
    marks: list[Mark] = field(default_factory=list)
    inputs: list[Link] = field(default_factory=list)
    outputs: list[Link] = field(default_factory=list)

    @property
    def out(self) -> Tensor:
        """The youngest node in it."""
        return self.nodes[-1]


@dataclass(eq=False)
class Link:
    """All uses of one unit by another; ``flow`` is what came back along it."""

    source: Unit
    target: Unit
    flow: Flow
    uses: int = 1


@dataclass(eq=False)
class Entry:
    """One line of the weight ledger: a parameter, its whole gradient, and what each step sent to it."""

    parameter: Tensor
    label: str
    flow: Flow
    by_step: dict[int, Flow]


@dataclass(eq=False)
class Scene:
    """Units and links with the ledger of weights; ``steps`` are those shown, ``hidden`` how many are not."""

    graph: Graph
    detail: str
    gradients: Gradients
    units: list[Unit]
    links: list[Link]
    ledger: list[Entry]
    steps: list[int]
    hidden: int


def build(
    graph: Graph,
    detail: str = "op",
    gradients: bool = True,
    window: tuple[int, int] | None = None,
) -> Scene:
    """The scene of a graph.

    Args:
        graph: its nodes.
        detail: one of `DETAILS`.
        gradients: whether to run backward and show what flows.
        window: the first and the last step to show; all by default.

    Raises:
        ValueError: the detail is unknown, or the window holds no step of the graph.
    """
    if detail not in DETAILS:
        raise ValueError(f"detail {detail!r}; choose one of {', '.join(DETAILS)}")
    flows = flows_of(graph, detail == "scalar") if gradients else NOT_RUN
    all_steps = computed_steps(graph)
    steps = all_steps
    if window is not None:
        first, last = window
        steps = [t for t in all_steps if first <= t <= last]
        if not steps:
            span = f"{all_steps[0]} to {all_steps[-1]}" if all_steps else "none"
            raise ValueError(f"window {first}:{last} holds no step; the graph has steps {span}")
    sorter = _Sorter(graph, detail, set(all_steps))
    units = sorter.units(flows)
    links = _links(units, flows)
    _mark(units, sorter, flows)
    if len(steps) < len(all_steps):
        units, links = _cut(units, links, set(steps))
    ledger = _ledger(graph, sorter, flows)
    return Scene(graph, detail, flows, units, links, ledger, steps, len(all_steps) - len(steps))


def computed_steps(graph: Graph) -> list[int]:
    """The steps at which something was computed: not those that only hold an initial state."""
    return sorted({n.step for n in graph if n.step and n.inputs})


class _Sorter:
    """Sorts nodes into units by scope, step and detail."""

    def __init__(self, graph: Graph, detail: str, steps: set[int]) -> None:
        self.graph = graph
        self.detail = detail
        self.steps = steps
        self.timed = timed = bool(steps)
        self.of_weights = _of_weights(graph) if timed else {}
        # A layer is the shortest scope that has nodes of its own; what lies below it is a gate.
        direct = {n.scope for n in graph if n.step is not None and n.inputs}
        self._layer = {scope: _shortest(scope, direct) for scope in [*graph.scopes, ""]}
        self._gated = {
            layer for scope, layer in self._layer.items() if scope != layer and scope in direct
        }
        # A number that only one operation uses is written into it: "1 −" and not a box of its own.
        self._folded = {} if detail == "scalar" else _folded(graph)

    def place(self, node: Tensor) -> tuple[str, str]:
        """The layer and the gate of a node."""
        layer = self._layer[node.scope]
        whole = self.detail in ("cell", "layer")
        return layer, "" if whole else node.scope[len(layer) :].lstrip("/")

    def units(self, flows: Gradients) -> list[Unit]:
        """The units, in the order of their oldest nodes."""
        found: dict[tuple[object, ...], Unit] = {}
        counts: dict[tuple[object, ...], int] = {}
        for node in self.graph:
            if node.number in self.of_weights:
                continue  # marks on the units that use them
            layer, gate = self.place(node)
            key = self._key(node, layer, gate)
            unit = found.get(key)
            if unit is not None:
                unit.nodes.append(node)
                continue
            named = self._folded.get(node.number, node)
            what = named.primitive.name if named.primitive else "leaf"
            what = named.name.split(" ")[0] if named.name else what
            family = (layer, gate, what, *(("",) if key[0] == "node" else ("group",)))
            seen = (node.step, family)
            nth = counts.get(seen, 0)
            counts[seen] = nth + 1
            found[key] = Unit(
                [node],
                (*family, str(nth)),
                node.step,
                layer,
                gate,
                _kind(named, self.steps),
                "",
                ABSENT,
            )
        units = list(found.values())
        for unit in units:
            unit.flow = flows.at(unit.out)
            unit.elements = flows.elements.get(unit.out.number)
            if all(node.number in self._folded for node in unit.nodes[:-1]):
                unit.label = node_label(unit.out, {n.number for n in unit.nodes[:-1]})
            else:
                unit.kind = "loss" if unit.out.name == "loss" else "group"
                unit.label = self._title(unit)
        return units

    def _key(self, node: Tensor, layer: str, gate: str) -> tuple[object, ...]:
        detail = self.detail
        if node.number in self._folded:
            return self._key(self._folded[node.number], *self.place(self._folded[node.number]))
        alone = ("node", node.number)
        if detail in ("op", "scalar") or not self.timed or node.is_leaf:
            return alone if detail != "layer" or node.step is None else ("leaf", layer, node.name)
        if node.step is None:
            return alone if detail == "gate" else ("tail", layer)
        if detail == "layer":
            return ("layer", layer)
        if detail == "cell":
            return ("cell", layer, node.step)
        if gate or layer not in self._gated:
            return ("gate", layer, gate, node.step)
        return alone

    def _title(self, unit: Unit) -> str:
        if self.detail == "layer":
            steps = {n.step for n in unit.nodes if n.step}
            times = f" × {len(steps)}" if len(steps) > 1 else ""
            name = unit.out.name if unit.out.is_leaf or unit.kind == "loss" else unit.layer
            return (name or unit.layer or "steps").split(" ")[0] + times
        if unit.kind == "loss":
            return node_label(unit.out)
        states = [n for n in unit.nodes if n.name in ("h", "c")]
        if self.detail == "cell" and states:
            return ", ".join(sorted({node_label(n).split(" ")[0] for n in states}, reverse=True))
        return unit.gate or unit.layer or node_label(unit.out)


def _folded(graph: Graph) -> dict[int, Tensor]:
    """Unnamed constant numbers with one user, each with that user."""
    users: dict[int, list[Tensor]] = {}
    for node in graph:
        for x in node.inputs:
            if x.is_leaf and not x.requires_grad and not x.name and x.size == 1:
                users.setdefault(x.number, []).append(node)
    return {number: found[0] for number, found in users.items() if len(found) == 1}


def _shortest(scope: str, direct: set[str]) -> str:
    parts = scope.split("/")
    for i in range(1, len(parts) + 1):
        prefix = "/".join(parts[:i])
        if prefix in direct:
            return prefix
    return scope


def _of_weights(graph: Graph) -> dict[int, Tensor]:
    """The nodes that are parameters or were computed from parameters alone, outside all steps."""
    found: dict[int, Tensor] = {}
    for node in graph:
        if node.step is not None:
            continue
        if node.is_leaf and node.requires_grad:
            found[node.number] = node
        elif node.inputs and all(x.number in found for x in node.inputs):
            found[node.number] = found[node.inputs[0].number]
    used = {x.number for node in graph if node.step is not None for x in node.inputs}
    return found if used else {}


def _kind(node: Tensor, steps: set[int]) -> str:
    if node.name == "loss":
        return "loss"
    if node.is_leaf:
        if node.step is not None and node.step not in steps and steps:
            return "initial"
        return "weight" if node.requires_grad else "input" if node.name else "data"
    return "state" if node.name in ("h", "c") else "op"


def _links(units: list[Unit], flows: Gradients) -> list[Link]:
    owner = {node.number: unit for unit in units for node in unit.nodes}
    found: dict[tuple[int, int], Link] = {}
    for unit in units:
        for node in unit.nodes:
            for slot, x in enumerate(node.inputs):
                source = owner.get(x.number)
                if source is None or source is unit:
                    continue
                flow = flows.along(node, slot)
                key = (id(source), id(unit))
                link = found.get(key)
                if link is None:
                    found[key] = link = Link(source, unit, flow)
                    source.outputs.append(link)
                    unit.inputs.append(link)
                else:
                    link.uses += 1
                    link.flow = stronger(link.flow, flow)
    return list(found.values())


_RANK = {"nan": 6, "value": 5, "underflow": 4, "zero": 3, "absent": 2, "constant": 1, "none": 0}


def stronger(a: Flow, b: Flow) -> Flow:
    """The flow to show where several share a line: NaN before any value, a larger value before a smaller."""
    if a.state == b.state == "value":
        return a if a.norm >= b.norm else b
    return a if _RANK[a.state] >= _RANK[b.state] else b


def _mark(units: list[Unit], sorter: _Sorter, flows: Gradients) -> None:
    by_number = {node.number: node for node in sorter.graph}
    for unit in units:
        lstm = "lstm" in unit.layer
        found: dict[tuple[int, str], Mark] = {}
        for node in unit.nodes:
            for slot, x in enumerate(node.inputs):
                leaf = sorter.of_weights.get(x.number)
                if leaf is None:
                    continue
                whole = sorter.detail in ("cell", "layer")
                used = leaf if whole else by_number[x.number]
                label = weight_label(used.name or leaf.name or f"#{leaf.number}", lstm)
                flow = flows.along(node, slot)
                mark = found.get((leaf.number, label))
                if mark is None:
                    found[leaf.number, label] = Mark(leaf, label, flow)
                else:
                    mark.flow = stronger(mark.flow, flow)
        unit.marks = list(found.values())


def _ledger(graph: Graph, sorter: _Sorter, flows: Gradients) -> list[Entry]:
    entries = {
        leaf.number: Entry(leaf, weight_label(leaf.name or f"#{leaf.number}"), flows.at(leaf), {})
        for leaf in sorter.of_weights.values()
    }
    for node in graph:
        if node.step is None:
            continue
        for slot, x in enumerate(node.inputs):
            leaf = sorter.of_weights.get(x.number)
            if leaf is not None:
                by_step = entries[leaf.number].by_step
                flow = flows.along(node, slot)
                before = by_step.get(node.step)
                by_step[node.step] = flow if before is None else stronger(before, flow)
    return list(entries.values())


def _cut(units: list[Unit], links: list[Link], steps: set[int]) -> tuple[list[Unit], list[Link]]:
    """Only the units of the steps shown, and those without a step."""
    kept = [u for u in units if u.step is None or u.step in steps]
    inside = set(map(id, kept))
    links = [k for k in links if id(k.source) in inside and id(k.target) in inside]
    for unit in kept:
        unit.inputs = [k for k in unit.inputs if id(k.source) in inside]
        unit.outputs = [k for k in unit.outputs if id(k.target) in inside]
    return kept, links


Filter = Callable[[Unit], bool]


def by_step(units: Sequence[Unit]) -> dict[int | None, list[Unit]]:
    """The units of each step, in order."""
    found: dict[int | None, list[Unit]] = {}
    for unit in units:
        found.setdefault(unit.step, []).append(unit)
    return found
