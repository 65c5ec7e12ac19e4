"""Attention beside its arcs: where each step of a decoder looks, as a map above those states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from micrornn.recording import Recording
from viz.pen import Pen
from viz.picture.place import Place
from viz.picture.story import INITIAL, STATE, Story
from viz.picture.theme import Color, Theme
from viz.style import between

NAME = "attention"  # of the weights, as `nn.attention` names them
_ROW, _GAP = 30.0, 4.0
_BLUE = "#0072b2"


class Looks(NamedTuple):
    """Where one step looks: the weight of each source state, and of which step they are."""

    step: int
    weights: list[float]
    sources: list[int]


class Cell(NamedTuple):
    """One weight on the sheet."""

    x: float
    y: float
    width: float
    height: float
    weight: float


def looks(rec: Recording, story: Story) -> list[Looks]:
    """The attention of every step, where the states that it looks at are known.

    >>> from micrornn.tasks.source import recorded
    >>> from viz.picture.tell import tell
    >>> rec = recorded("translate", {}).recording
    >>> [(one.step, one.sources, round(sum(one.weights), 6)) for one in looks(rec, tell(rec))][:2]
    [(5, [1, 2, 3, 4], 1.0), (6, [1, 2, 3, 4], 1.0)]
    """
    chains = [
        [b.step for b in story.chain(layer) if b.kind == STATE and b.step > 0]
        for layer in story.layers
    ]
    found = []
    for node in rec.nodes:
        if node.name != NAME or node.step is None:
            continue
        rows = np.asarray(rec.value(node), dtype=float)
        weights = rows.reshape(-1, rows.shape[-1])
        sources = next(
            (c for c in chains if len(c) == weights.shape[1] and max(c) < node.step), None
        )
        if sources is not None and len(weights) == 1:
            found.append(Looks(node.step, weights[0].tolist(), sorted(sources)))
    return found


def cells(found: list[Looks], place: Place) -> list[list[Cell]]:
    """Where the weights stand: a row for each step, a column above each source; [] where there is no room."""
    if not found or not all(t in place.columns for one in found for t in one.sources):
        return []
    states = [spot.y for spot in place.spots.values() if spot.box.kind in (STATE, INITIAL)]
    above = [
        spot
        for spot in place.spots.values()
        if spot.box.kind not in (STATE, INITIAL) and spot.y < min(states)
    ]
    wide = place.pitch - 12
    sources = {t for one in found for t in one.sources}
    last = max(place.columns[t] for t in sources) + wide / 2
    if any(spot.x - spot.width / 2 < last + 8 for spot in above):
        return []
    top, bottom = place.top + 26, min(states) - 27 - 92
    height = min((bottom - top) / len(found), _ROW)
    if height < 16 + _GAP:
        return []
    return [
        [
            Cell(place.columns[t] - wide / 2, top + i * height, wide, height - _GAP, weight)
            for t, weight in zip(one.sources, one.weights)
        ]
        for i, one in enumerate(found)
    ]


def color(weight: float, theme: Theme) -> Color:
    """The fill of a weight: from the paper to a blue on which text is still read."""
    return between((theme.paper, between((theme.paper, _BLUE), 0.5)), min(max(weight, 0.0), 1.0))


def draw(
    pen: Pen,
    found: list[Looks],
    place: Place,
    theme: Theme,
    names: Mapping[int, str],
    size: float = 1.0,
) -> None:
    """Draw the map, if there is room for it.

    Args:
        names: of the steps that look, by step; "step 5" for one without.
        size: of all text, relative to the usual one.
    """
    rows = cells(found, place)
    small = 12.5 * size
    for one, row in zip(found, rows):
        first = row[0]
        base = first.y + first.height / 2 + 5
        word = names.get(one.step, f"step {one.step}")
        pen.text(word, first.x - 8, base, "end", small, None, theme.muted)
        for cell in row:
            at = {"x": cell.x, "y": cell.y, "width": cell.width, "height": cell.height, "rx": 4}
            pen.add("rect", **at, fill=color(cell.weight, theme), stroke=theme.line)
            middle = cell.x + cell.width / 2
            pen.text(f"{cell.weight:.0%}", middle, base, "middle", small, None, theme.ink)
    if rows:
        first = rows[0][0]
        head = "attention: where each output looks"
        pen.text(head, first.x, first.y - 9, None, small, None, theme.muted)
