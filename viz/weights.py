"""Shared weights: a small mark at each use, and one entry each in the ledger."""

from __future__ import annotations

from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from viz.gradients import ABSENT, NONE, Gradients
from viz.labels import weight_label
from viz.scene import Entry, Mark, Unit, stronger
from viz.style import number


def weights_of(graph: Graph) -> dict[int, Tensor]:
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


def owners_of(units: list[Unit], of_weights: dict[int, Tensor]) -> dict[int, int]:
    """How many more modules the label of a parameter has to name, by its number.

    What is called alike in the whole picture needs more, but not W_ih and its like in different layers: the
    name of the layer stands beside it.
    """
    alike: dict[tuple[str, str], dict[int, str]] = {}
    for unit in units:
        for node in unit.nodes:
            for x in node.inputs:
                leaf = of_weights.get(x.number)
                if leaf is not None and leaf.name:
                    label = weight_label(leaf.name)
                    layer = unit.layer if label[:2] in ("W_", "b_") else ""
                    alike.setdefault((layer, label), {})[leaf.number] = leaf.name
    owners: dict[int, int] = {}
    for names in alike.values():
        if len(names) < 2:
            continue
        enough = deepest = max(name.count(".") for name in names.values())
        for count in range(1, deepest):
            if len({weight_label(n, owners=count) for n in names.values()}) == len(names):
                enough = count
                break
        owners.update(dict.fromkeys(names, enough))
    return owners


def mark(
    units: list[Unit],
    of_weights: dict[int, Tensor],
    owners: dict[int, int],
    graph: Graph,
    detail: str,
    flows: Gradients,
) -> None:
    """Put a mark on each unit for every weight that its nodes use, with what came back from there."""
    by_number = {node.number: node for node in graph}
    for unit in units:
        lstm = "lstm" in unit.layer
        found: dict[tuple[int, str], Mark] = {}
        for node in unit.nodes:
            for slot, x in enumerate(node.inputs):
                leaf = of_weights.get(x.number)
                if leaf is None:
                    continue
                whole = detail in ("cell", "layer")
                used = leaf if whole else by_number[x.number]
                name = used.name or leaf.name or f"#{leaf.number}"
                label = weight_label(name, lstm, owners.get(leaf.number, 0))
                if not (used.name or leaf.name) and leaf.size == 1:
                    label = number(leaf.item())
                flow, share = flows.along(node, slot), flows.shares.get((node.number, slot))
                mark = found.get((leaf.number, label))
                if mark is None:
                    found[leaf.number, label] = Mark(leaf, label, flow, share)
                    continue
                mark.flow = stronger(mark.flow, flow)
                if share is not None:
                    mark.share = share + (mark.share or 0.0)
        unit.marks = list(found.values())


def ledger_of(
    graph: Graph, of_weights: dict[int, Tensor], owners: dict[int, int], flows: Gradients
) -> list[Entry]:
    """One entry per parameter: its gradient, and at each step the sum of what its uses there sent."""
    entries = {}
    for own in of_weights.values():
        label = weight_label(own.name or f"#{own.number}", owners=owners.get(own.number, 0))
        entries[own.number] = Entry(own, label, flows.at(own), {})
    for node in graph:
        if node.step is None:
            continue
        for x in node.inputs:
            leaf = of_weights.get(x.number)
            if leaf is not None:
                without = NONE if not flows.ran else ABSENT
                share = flows.by_step.get((leaf.number, node.step), without)
                entries[leaf.number].by_step[node.step] = share
    return list(entries.values())
