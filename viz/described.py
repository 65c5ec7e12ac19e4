"""A sheet in words: its figures in one line, and all of it for those who do not see it."""

from __future__ import annotations

import math

from micrornn.messages import percent
from viz import style
from viz.labels import subscript
from viz.scene import Unit, computed_steps
from viz.shapes import Sheet


def finding(sheet: Sheet) -> str:
    """What becomes of the gradient from the last step to the first, or without time from the last matrix of
    weights to the first; empty if nothing can be said.

    >>> from micrornn.core.graph import Graph
    >>> from micrornn.flow.failures import FAILURES
    >>> from viz.build import build
    >>> from viz.layout import lay_out
    >>> finding(lay_out(build(Graph(FAILURES["vanishing"](20).loss), "op")))
    'h₁ gets 0.00019% of the gradient of h₂₀: 1.91e-6 beside 1'
    """
    rows: dict[tuple[str, ...], list[Unit]] = {}
    for unit in sheet.scene.units:
        if unit.kind == "state" and unit.step is not None and unit.flow.state == "value":
            rows.setdefault(unit.role, []).append(unit)
    longest = max(rows.values(), key=len, default=[])
    lost = [unit for unit in sheet.scene.units if unit.lost and unit.lost.state == "value"]
    if len(longest) < 2 and lost:
        most = max(lost, key=lambda unit: unit.lost.norm if unit.lost else 0.0)
        norm = style.number(most.lost.norm if most.lost else 0.0)
        return f"A gradient of norm {norm} is lost where {_named(most)} is detached"
    if not longest:
        return _between_weights(sheet)
    if len(longest) < 2 or not all(math.isfinite(unit.flow.norm) for unit in longest):
        return ""
    first = min(longest, key=lambda unit: unit.step or 0)
    last = max(longest, key=lambda unit: unit.step or 0)
    much = _beside(first.flow.norm, last.flow.norm)
    if not much:
        return ""
    norms = f"{style.number(first.flow.norm)} beside {style.number(last.flow.norm)}"
    return f"{_named(first)} gets {much} the gradient of {_named(last)}: {norms}"


def _between_weights(sheet: Sheet) -> str:
    """How much gradient the first matrix of weights gets, beside the last."""
    matrices = [
        entry
        for entry in sheet.scene.ledger
        if len(entry.parameter.shape) > 1 and entry.flow.state == "value"
    ]
    if len(matrices) < 2:
        return ""
    first, last = matrices[0], matrices[-1]
    much = _beside(first.flow.norm, last.flow.norm)
    return f"{first.label} gets {much} the gradient of {last.label}" if much else ""


def _beside(norm: float, other: float) -> str:
    """A norm as a part of another, or so many times it; empty where neither can be said."""
    ratio = norm / other if other else math.inf
    if not math.isfinite(ratio):
        return ""
    if ratio < 1:
        return f"{percent(ratio)} of"
    rounded = float(f"{ratio:.2g}")
    return f"{rounded:,.0f} times" if 10 <= rounded < 1e6 else f"{style.number(rounded)} times"


def _named(unit: Unit) -> str:
    return f"{unit.out.name or unit.label}{subscript(unit.step or 0)}"


def subtitle(sheet: Sheet) -> str:
    """One line of figures: how many nodes and steps, and what backward did."""
    scene = sheet.scene
    graph = scene.graph
    words = [f"{len(graph)} nodes"]
    steps = computed_steps(graph)
    if steps:
        words.append(f"{len(steps)} step{'s' if len(steps) > 1 else ''}")
    if graph.outs[0].size == 1 and graph.outs[0].requires_grad:
        loss = sum(out.item() for out in graph.outs if out.size == 1)
        words.append(f"result {style.number(loss)}")
    if scene.detail == "layer" and not steps:
        words.append("boxes are scopes")
    if scene.folded:
        what = "slice or join" if scene.folded == 1 else "slices and joins"
        words.append(f"{scene.folded} {what} folded")
    if scene.recomputed:
        words.append(f"{style.AGAIN} {len(scene.recomputed):,} nodes computed again in backward")
    words.append("gradients shown" if scene.gradients.ran else "backward has not run")
    return " · ".join(words)


def describe(sheet: Sheet) -> str:
    """The picture in words, for those who do not see it."""
    scene = sheet.scene
    flows = scene.gradients
    text = f"A computation graph, {subtitle(sheet)}, drawn at the level of {scene.detail}. "
    if flows.ran:
        text += "Gradients run against the forward edges; colour and width are the logarithm of the norm. "
        for entry in scene.ledger:
            text += f"{entry.label}: {style.in_words(entry.flow)}. "
    return text.strip()
