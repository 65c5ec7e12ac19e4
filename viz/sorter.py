"""Which nodes make one unit: sorted by the scope and step in which they were made, and by the detail."""

from __future__ import annotations

from collections.abc import Mapping

from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from micrornn.flow.roles import STATES
from micrornn.recording.run import handed_on
from viz.gradients import ABSENT, Gradients, is_cut
from viz.labels import node_label
from viz.scene import Unit
from viz.style import number
from viz.weights import weights_of

_Part = tuple[tuple[str, str], int]  # a layer and gate, and which part of it


DENSE = 100  # nodes without time, from where weights used once and sums are drawn as one box


class Sorter:
    """Sorts nodes into units by scope, step and detail."""

    def __init__(self, graph: Graph, detail: str, steps: set[int]) -> None:
        self.graph = graph
        self.detail = detail
        self.steps = steps
        self.timed = timed = bool(steps)
        self._states = {*STATES, *(n for names in handed_on(graph).values() for n in names)}
        self._sums: dict[int, int] = {}
        self.of_weights = weights_of(graph) if timed else {}
        dense = detail == "op" and not timed and len(graph) > DENSE
        if dense:
            self.of_weights = _single_weights(graph)
        # A layer is the shortest scope that has nodes of its own; what lies below it is a gate.
        direct = {n.scope for n in graph if n.step is not None and n.inputs}
        self._layer = {scope: _shortest(scope, direct) for scope in [*graph.scopes, ""]}
        free = [n for n in graph if n.step is None and n.inputs and n.number not in self.of_weights]
        outside = direct.union(n.scope for n in free)  # of steps there are layers as well
        self._outside = {scope: _shortest(scope, outside) for scope in self._layer}
        self._gated = {
            layer for scope, layer in self._layer.items() if scope != layer and scope in direct
        }
        # A number that only one operation uses is written into it: "1 −" and not a box of its own.
        self._folded = {} if detail == "scalar" else _folded(graph)
        if dense:
            parts, self._sums = _sums(graph, self.of_weights)
            self._folded.update(parts)
        self._by_scope = detail == "layer" and not timed and len(graph.scopes) > 1
        parted = self._by_scope or (detail in ("cell", "layer", "gate") and timed)
        self._part = self._parts() if parted else {}
        self._reader = _readers(graph) if self._by_scope else {}
        self._begins = _begins(graph, self.steps, self.of_weights)

    def place(self, node: Tensor) -> tuple[str, str]:
        """The layer and the gate of a node."""
        layer = (self._outside if node.step is None else self._layer)[node.scope]
        whole = self.detail in ("cell", "layer")
        return layer, "" if whole else node.scope[len(layer) :].lstrip("/")

    def _parts(self) -> dict[int, int]:
        """Which part of its layer (and gate) and step a node belongs to, mostly 0.

        What comes back into a layer after it has been somewhere else is a part of its own: in one box with
        what went before it would close a circle that the graph does not have.
        """
        part: dict[int, int] = {}
        left: dict[int, frozenset[_Part]] = {}  # what is behind it in other places
        for node in self.graph:
            if node.is_leaf:
                continue
            here = self.place(node)
            own = 0
            behind: set[_Part] = set()
            for x in node.inputs:
                if x.is_leaf or x.step != node.step:
                    continue
                behind |= left[x.number]
                if self.place(x) == here:
                    own = max(own, part[x.number])
                else:
                    behind.add((self.place(x), part[x.number]))
            while (here, own) in behind:
                own += 1
            part[node.number], left[node.number] = own, frozenset(behind)
        return part

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
            what = f"cut {what}" if is_cut(named) else what  # not the role of what it was cut from
            family = (layer, gate, what, *(("",) if key[0] == "node" else ("group",)))
            seen = (node.step, family)
            nth = counts.get(seen, 0)
            counts[seen] = nth + 1
            found[key] = Unit(
                [node],
                (*family, str(nth)),
                self._begins.get(node.number, node.step),
                layer,
                gate,
                "initial" if node.number in self._begins else self._kind(named),
                "",
                ABSENT,
            )
        units = list(found.values())
        results = [out for out in self.graph.outs if out.size == 1 and out.name != "loss"]
        for unit in units:
            unit.flow = flows.at(unit.out)
            unit.lost = flows.lost.get(unit.out.number)
            unit.elements = flows.elements.get(unit.out.number)
            if all(node.number in self._folded for node in unit.nodes[:-1]):
                unit.label = node_label(unit.out, {n.number for n in unit.nodes[:-1]})
            else:
                unit.kind = "loss" if unit.out.name == "loss" else "group"
                unit.label = self._title(unit)
            if unit.out.number in self._sums:
                unit.label = f"Σ {self._sums[unit.out.number]} terms"
                unit.kind = "op"
            if unit.lost is not None and unit.lost.state == "value":
                unit.label += f" lost {number(unit.lost.norm)}"
            if any(unit.out is out for out in results):
                unit.label += f" = {number(unit.out.item())}"
        return units

    def _key(self, node: Tensor, layer: str, gate: str) -> tuple[object, ...]:
        detail = self.detail
        if node.number in self._folded:
            return self._key(self._folded[node.number], *self.place(self._folded[node.number]))
        alone = ("node", node.number)
        if self._by_scope:
            user = node if not node.is_leaf else self._reader.get(node.number, node)
            if user.is_leaf or (node.is_leaf and node.name):
                return alone
            return ("scope", self.place(user)[0], self._part.get(user.number, 0))
        if detail in ("op", "scalar") or not self.timed or node.is_leaf:
            if detail != "layer" or node.step is None:
                return alone
            return ("leaf", layer, (node.name or "").split(" ")[0])
        if node.step is None:
            if detail == "gate" and not gate:
                return alone
            return ("tail", layer, gate, self._part.get(node.number, 0))
        if detail == "layer":
            return ("layer", layer)
        if detail == "cell":
            return ("cell", layer, node.step, self._part.get(node.number, 0))
        if gate or layer not in self._gated:
            return ("gate", layer, gate, node.step)
        return alone

    def _kind(self, node: Tensor) -> str:
        if node.name == "loss":
            return "loss"
        if node.is_leaf:
            if is_cut(node) and node.step in self.steps:
                return "cut"
            if node.step is not None and node.step not in self.steps and self.steps:
                return "initial"
            return "weight" if node.requires_grad else "input" if node.name else "data"
        return "state" if node.name in self._states else "op"

    def _title(self, unit: Unit) -> str:
        if self._by_scope:
            return f"{unit.layer or 'outside all scopes'}: {len(unit.nodes)} nodes"
        if self.detail == "layer" and not (unit.kind == "loss" and unit.step is None):
            steps = {n.step for n in unit.nodes if n.step}
            times = f" × {len(steps)}" if len(steps) > 1 else ""
            name = unit.out.name if unit.out.is_leaf or unit.kind == "loss" else unit.layer
            return (name or unit.layer or "steps").split(" ")[0] + times
        if unit.kind == "loss":
            return node_label(unit.out)
        states = [n for n in unit.nodes if n.name in self._states]
        if self.detail == "cell" and states:
            return ", ".join(sorted({node_label(n).split(" ")[0] for n in states}, reverse=True))
        return unit.gate or unit.layer or node_label(unit.out)


def _users(graph: Graph) -> dict[int, list[Tensor]]:
    """By number of a node, the operations that read it, once for each use."""
    found: dict[int, list[Tensor]] = {}
    for node in graph:
        for x in node.inputs:
            found.setdefault(x.number, []).append(node)
    return found


def _single_weights(graph: Graph) -> dict[int, Tensor]:
    """The scalar leaves without a name that need a gradient and are used once: marks on what uses them."""
    users = _users(graph)
    return {
        node.number: node
        for node in graph
        if node.is_leaf and node.requires_grad and not node.name and node.size == 1
        if len(users.get(node.number, ())) == 1
    }


def _sums(graph: Graph, weights: Mapping[int, Tensor]) -> tuple[dict[int, Tensor], dict[int, int]]:
    """What becomes part of a sum, each with the last addition of it, and how many terms that one has.

    Parts are additions that only go on into another one of the same scope, and products of a weight that
    only go into such a sum.
    """
    users, part = _users(graph), dict[int, Tensor]()
    terms: dict[int, int] = {}
    for node in reversed(graph.nodes):
        after = users.get(node.number, [])
        if len(after) != 1 or not _is(after[0], "add") or node.scope != after[0].scope:
            continue
        last = part.get(after[0].number, after[0])
        weighted = _is(node, "mul") and any(x.number in weights for x in node.inputs)
        if _is(node, "add") or weighted:
            part[node.number] = last
            terms.setdefault(last.number, 2)
            terms[last.number] += _is(node, "add")
    return part, terms


def _is(node: Tensor, name: str) -> bool:
    return node.primitive is not None and node.primitive.name == name and not node.name


def _readers(graph: Graph) -> dict[int, Tensor]:
    """By number of a node, the first operation that reads it."""
    return {number: found[0] for number, found in _users(graph).items()}


def _folded(graph: Graph) -> dict[int, Tensor]:
    """Unnamed constant numbers with one user, each with that user."""
    users: dict[int, list[Tensor]] = {}
    for node in graph:
        for x in node.inputs:
            plain = x.is_leaf and not x.requires_grad and not x.name and not is_cut(x)
            if plain and x.size == 1:
                users.setdefault(x.number, []).append(node)
    return {number: found[0] for number, found in users.items() if len(found) == 1}


def _begins(graph: Graph, steps: set[int], weights: Mapping[int, Tensor]) -> dict[int, int]:
    """Leaves made outside all steps that only the first step (or the last) reads: what it begins with."""
    users: dict[int, set[int | None]] = {}
    for node in graph:
        for x in node.inputs:
            if x.is_leaf and x.step is None and x.number not in weights:
                users.setdefault(x.number, set()).add(node.step)
    ends = {min(steps): min(steps) - 1, max(steps): max(steps) + 1} if len(steps) > 1 else {}
    return {n: ends[t] for n, at in users.items() for t in at if len(at) == 1 and t in ends}


def _shortest(scope: str, direct: set[str]) -> str:
    parts = scope.split("/")
    for i in range(1, len(parts) + 1):
        prefix = "/".join(parts[:i])
        if prefix in direct:
            return prefix
    return scope
