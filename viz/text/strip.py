"""The strip: a column per step with inputs, states, losses, and the gradient on its way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from micrornn.core.tensor import Tensor
from viz.gradients import NONE, Flow, is_cut
from viz.scene import Scene, stronger
from viz.style import AGAIN, Scale, number
from viz.text.plain import (
    WIDTH,
    bar,
    blocks,
    clean,
    columns,
    cut,
    marks_in_words,
    padded,
    shape_of,
    short,
    size_of,
    spark,
    wrapped,
)

CELL = 9  # columns for a number
ARROW = 2  # and for the arrow to the next step

Way = tuple[int, int]
Key = tuple[str, str, int]  # scope, name (or operation), how many-th of these at its step


@dataclass
class Track:
    """One state over time.

    Attributes:
        scope: where it is made.
        name: its name, or the symbol of its operation.
        nodes: by step.
        links: by (step that made it, step that used it): what came back along that way.
        cuts: the same where it was detached on the way: what is lost there.
    """

    scope: str
    name: str
    nodes: dict[int, Tensor] = field(default_factory=dict)
    links: dict[Way, Flow] = field(default_factory=dict)
    cuts: dict[Way, Flow] = field(default_factory=dict)


def tracks(scene: Scene) -> list[Track]:
    """The states: what one step hands to another, in the order of computing."""
    keys = _keys(scene)
    by_number = {node.number: node for node in scene.graph}
    found: dict[Key, Track] = {}
    for node in scene.graph:
        for slot, x in enumerate(node.inputs):
            lost = None
            if is_cut(x) and x.params["cut"] in by_number:
                lost = scene.gradients.lost.get(x.number, scene.gradients.along(node, slot))
                x = by_number[x.params["cut"]]
            if node.step is None or x.step is None or node.step == x.step:
                continue
            if x.is_leaf and not x.name:
                continue
            track = found.setdefault(keys[x.number], Track(x.scope, _name(x)))
            way = (x.step, node.step)
            if lost is not None:
                track.cuts[way] = lost
            elif not x.is_leaf:  # an initial state has no track of its own: the state has its name
                flow = scene.gradients.along(node, slot)
                track.links[way] = stronger(track.links.get(way, flow), flow)
    for node in scene.graph:
        track_of = found.get(keys[node.number])
        if track_of is not None and node.inputs and node.step is not None:
            track_of.nodes[node.step] = node
    first = {node.scope: node.number for node in reversed(scene.graph.nodes)}
    shown = [track for track in found.values() if set(track.nodes) & set(scene.steps)]
    return sorted(shown, key=lambda t: (first[t.scope], min(n.number for n in t.nodes.values())))


def _keys(scene: Scene) -> dict[int, Key]:
    """For each node what it is called at any step; the same for the same thing at another step."""
    counts: Counter[tuple[int | None, str, str]] = Counter()
    keys: dict[int, Key] = {}
    for node in scene.graph:
        name = _name(node)
        keys[node.number] = (node.scope, name, counts[node.step, node.scope, name])
        counts[node.step, node.scope, name] += 1
    return keys


def _name(node: Tensor) -> str:
    if is_cut(node):
        return "✂"
    if node.name:
        return node.name.split(" ")[0]
    return node.primitive.symbol or node.primitive.name if node.primitive else "data"


def strip(scene: Scene) -> list[str]:
    """The strip in rows of as many steps as fit, and what its signs mean."""
    states = tracks(scene)
    scale = Scale.over(flow.norm for flow in _flows(scene, states))
    names = [f"|dL/d{track.name}|" for track in states]
    left = min(max(map(columns, [*names, "input"])) + 4, 20)
    rows = blocks(scene.steps, (WIDTH - left) // (CELL + ARROW))
    inputs, losses = _inputs(scene), _losses(scene)
    lines = _overview(scene, states, scale) if len(rows) > 1 else []
    for steps in rows:
        if lines:
            lines.append("")
        lines.append(_row("", left, [f"t = {t}" for t in steps]))
        lines += [_row(name, left, [row.get(t, "") for t in steps]) for name, row in inputs]
        scope = ""
        for track in states:
            if track.scope != scope:
                scope = track.scope
                lines += wrapped(clean(scope))
            lines += _track(scene, track, steps, left, scale)
        lines += [_row("loss", left, [row.get(t, "") for t in steps]) for row in losses]
    return [*lines, "", *_key(scene, states, scale)]


def _overview(scene: Scene, states: list[Track], scale: Scale) -> list[str]:
    """Where the steps fill several rows: one mark for the gradient of each, all in one line."""
    if not scene.gradients.ran:
        return []
    steps = scene.steps
    low, high = (number(10.0**end) for end in (scale.low, scale.high))
    said = "; ".join(filter(None, [f"▁ {low} to █ {high}", marks_in_words(_flows(scene, states))]))
    lines = wrapped(f"Steps {steps[0]} to {steps[-1]} at a glance, a mark each, log scale: {said}.")
    for track in states:
        flows = {t: scene.gradients.at(node) for t, node in track.nodes.items()}
        lines += wrapped(clean(f"{track.scope} |dL/d{track.name}|".strip()))
        for part in blocks(steps, 60):
            lines.append("  " + "".join(spark(flows.get(t, NONE), scale) for t in part))
    return lines


def _flows(scene: Scene, states: list[Track]) -> list[Flow]:
    shown = set(scene.steps)
    return [scene.gradients.at(n) for t in states for s, n in t.nodes.items() if s in shown]


def _row(label: str, left: int, cells: Sequence[str], arrows: Sequence[str] = ()) -> str:
    """A label and its cells, each with the arrow behind it."""
    signs = [*arrows, *[""] * (len(cells) - len(arrows))]
    body = (padded(cut(c, CELL), CELL) + padded(a, ARROW) for c, a in zip(cells, signs))
    return padded(cut(label, left - 1), left) + "".join(body)


def _inputs(scene: Scene) -> list[tuple[str, dict[int, str]]]:
    """One row for each named input: its remark, its number, or its shape."""
    shown = set(scene.steps)
    rows: dict[str, dict[int, str]] = {}
    for node in scene.graph:
        t = node.step
        if t in shown and node.is_leaf and node.name and not is_cut(node):
            assert t is not None
            name, _, remark = node.name.partition(" ")
            rows.setdefault(clean(name), {})[t] = clean(remark) or _value(node)
    return list(rows.items())


def _losses(scene: Scene) -> list[dict[int, str]]:
    """One row for the losses of each scope."""
    shown = set(scene.steps)
    rows: dict[str, dict[int, str]] = {}
    for node in scene.graph:
        t = node.step
        if t is not None and t in shown and node.name == "loss":
            rows.setdefault(node.scope, {})[t] = _value(node)
    return list(rows.values())


def _value(node: Tensor) -> str:
    return number(node.item()) if node.size == 1 else f"shape {shape_of(node)}"


def _track(scene: Scene, track: Track, steps: Sequence[int], left: int, scale: Scale) -> list[str]:
    """A state: its size with the arrows of time, under it its gradient with those that run back, and bars."""
    following = dict(zip(scene.steps, scene.steps[1:]))
    forward, back = [], []
    for t in steps:
        u = following.get(t, t)
        ahead, behind = track.links.get((t, u)), track.links.get((u, t))
        cut_here = {(t, u), (u, t)} & set(track.cuts)
        forward.append("→" if ahead or (t, u) in track.cuts else "←" if behind or cut_here else "")
        ways = [f for f in (ahead, behind) if f is not None and f.state in ("value", "nan")]
        back.append("←" if ways and ways[0] is ahead else "→" if ways else "✂" if cut_here else "")
    nodes = [track.nodes.get(t) for t in steps]
    name = clean(track.name)
    scalar = all(node.size == 1 for node in track.nodes.values())
    sizes = ["" if node is None else _again(scene, node) + size_of(node) for node in nodes]
    name = name if scalar else f"|{name}|"
    lines = [_row(f"  {name}", left, sizes, forward)]
    if scene.gradients.ran:
        flows = [NONE if node is None else scene.gradients.at(node) for node in nodes]
        label = f"  |dL/d{clean(track.name)}|"
        lines.append(_row(label, left, [short(flow, sign=False) for flow in flows], back))
        lines.append(_row("", left, [bar(flow, scale, CELL) for flow in flows]))
    return lines


def _again(scene: Scene, node: Tensor) -> str:
    return AGAIN if node.number in scene.recomputed else ""


def _key(scene: Scene, states: list[Track], scale: Scale) -> list[str]:
    """What the strip shows, in words."""
    if not states:
        return ["No state is handed from step to step."]
    arrays = [t for t in states if any(node.size > 1 for node in t.nodes.values())]
    reverse = any(later > made for t in states for later, made in t.links)
    words = "→ and ← between states: forward." if reverse else "→: forward in time."
    for name in dict.fromkeys(clean(track.name) for track in arrays):
        words += f" |{name}|: norm of {name}."
    if any(_again(scene, node) for t in states for node in t.nodes.values()):
        words += f" {AGAIN}: not kept, but computed again in backward."
    if not scene.gradients.ran:
        words += " Backward has not run: there are no gradients to show."
        return [*wrapped(words), *_cuts(scene, states)]
    for name in dict.fromkeys(clean(track.name) for track in states):
        words += f" |dL/d{name}|: norm of the gradient that has come back to {name}."
    if reverse:
        words += (
            " Arrows between gradients: part of it came from that neighbour, against the state."
        )
    else:
        words += (
            " ←: part of it came from the next step; read it from right to left, as backward goes."
        )
    if any(flow.state == "value" for flow in _flows(scene, states)):
        low, high = (number(10.0**end) for end in (scale.low, scale.high))
        words += f" Bars: log scale from {low} to {high} ({'█' * CELL})."
    return [*wrapped(words), *_cuts(scene, states)]


def _cuts(scene: Scene, states: list[Track]) -> list[str]:
    """Where a state was detached on its way, and what is lost there."""
    lines = []
    for track in states:
        for (made, used), lost in track.cuts.items():
            if {made, used} & set(scene.steps):
                size = f": a gradient of norm {number(lost.norm)} is lost there"
                what = size if lost.state == "value" else ""
                words = f"✂ {track.name} of t = {made} is detached on its way to t = {used}{what}."
                lines += wrapped(clean(words))
    return lines
