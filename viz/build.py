"""From a graph to a scene: units, the links between them, the marks of weights, the window."""

from __future__ import annotations

from collections.abc import Mapping

from micrornn.core.graph import Graph
from micrornn.recording.passes import Pass
from viz.gradients import ABSENT, NOT_RUN, Gradients, flows_of, is_cut
from viz.paths import on_paths
from viz.plumbing import folded
from viz.scene import DETAILS, Link, Scene, Unit, computed_steps, stronger
from viz.sorter import Sorter
from viz.weights import ledger_of, mark, owners_of


def build(
    graph: Graph,
    detail: str = "op",
    gradients: bool | Gradients = True,
    window: tuple[int, int] | None = None,
    ends: tuple[str, str] | None = None,
    run: Pass | None = None,
    plumbing: bool = False,
    recomputed: Mapping[int, int] | None = None,
) -> Scene:
    """The scene of a graph.

    Args:
        graph: its nodes.
        detail: one of `DETAILS`.
        gradients: whether to run backward and show what flows; or what flowed, already summarised.
        window: the first and the last step to show; all by default.
        ends: light the paths from the first to the second, as in ("L3", "h0"); the rest steps back.
        run: the recorded backward pass to show, instead of running one.
        plumbing: draw slices, joins and changes of shape too, where one operation is one box.
        recomputed: by node, how many times checkpoints computed it again.

    Raises:
        ValueError: the detail is unknown, or the window holds no step of the graph.
    """
    if detail not in DETAILS:
        raise ValueError(f"detail {detail!r}; choose one of {', '.join(DETAILS)}")
    all_steps = computed_steps(graph)
    steps = all_steps
    if window is not None:
        first, last = window
        steps = [t for t in all_steps if first <= t <= last]
        if not steps:
            span = f"{all_steps[0]} to {all_steps[-1]}" if all_steps else "none"
            raise ValueError(f"window {first}:{last} holds no step; the graph has steps {span}")
    sorter = Sorter(graph, detail, set(all_steps))
    flows = NOT_RUN
    if isinstance(gradients, Gradients):
        flows = gradients
    elif gradients:
        flows = flows_of(graph, detail == "scalar", sorter.of_weights if sorter.timed else {}, run)
    units = sorter.units(flows)
    links = _links(units, flows)
    owners = owners_of(units, sorter.of_weights)
    mark(units, sorter.of_weights, owners, graph, detail, flows)
    count = 0
    if detail == "op" and not plumbing:
        units, links, count = folded(units, (out.number for out in graph.outs))
    if len(steps) < len(all_steps):
        units, links = _cut(units, links, set(steps))
    ledger = ledger_of(graph, sorter.of_weights, owners, flows) if sorter.timed else []
    hidden = len(all_steps) - len(steps)
    scene = Scene(graph, detail, flows, units, links, ledger, steps, hidden, folded=count)
    scene.recomputed = recomputed or {}
    if ends is not None:
        scene.lit = on_paths(scene, *ends)
    return scene


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
            if is_cut(node) and node.params["cut"] in owner:
                source = owner[node.params["cut"]]
                found[id(source), id(unit)] = link = Link(source, unit, ABSENT, cut=True)
                source.outputs.append(link)
                unit.inputs.append(link)
    return list(found.values())


def _cut(units: list[Unit], links: list[Link], steps: set[int]) -> tuple[list[Unit], list[Link]]:
    """Only the units of the steps shown, and those without a step."""
    kept = [u for u in units if u.step is None or u.step in steps]
    inside = set(map(id, kept))
    links = [k for k in links if id(k.source) in inside and id(k.target) in inside]
    for unit in kept:
        unit.inputs = [k for k in unit.inputs if id(k.source) in inside]
        unit.outputs = [k for k in unit.outputs if id(k.target) in inside]
    return kept, links
