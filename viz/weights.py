"""Shared weights: a small mark at each use, and one entry each in the ledger."""

from __future__ import annotations

from micrornn.graph import Graph
from micrornn.tensor import Tensor
from viz.gradients import ABSENT, NONE, Gradients
from viz.labels import weight_label
from viz.scene import Entry, Mark, Unit, stronger


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


def mark(
    units: list[Unit], of_weights: dict[int, Tensor], graph: Graph, detail: str, flows: Gradients
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
                label = weight_label(used.name or leaf.name or f"#{leaf.number}", lstm)
                flow, share = flows.along(node, slot), flows.shares.get((node.number, slot))
                mark = found.get((leaf.number, label))
                if mark is None:
                    found[leaf.number, label] = Mark(leaf, label, flow, share)
                    continue
                mark.flow = stronger(mark.flow, flow)
                if share is not None:
                    mark.share = share + (mark.share or 0.0)
        unit.marks = list(found.values())


def ledger_of(graph: Graph, of_weights: dict[int, Tensor], flows: Gradients) -> list[Entry]:
    """One entry per parameter: its gradient, and at each step the sum of what its uses there sent."""
    entries = {
        leaf.number: Entry(leaf, weight_label(leaf.name or f"#{leaf.number}"), flows.at(leaf), {})
        for leaf in of_weights.values()
    }
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
