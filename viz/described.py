"""A sheet in words: its figures in one line, and all of it for those who do not see it."""

from __future__ import annotations

from viz import style
from viz.scene import computed_steps
from viz.shapes import Sheet


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
