"""The names of the rows of a picture: loss, output, which layer, input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from micrornn.recording import Recording
from viz.picture.outputs import target_of
from viz.picture.place import Place, Spot
from viz.picture.story import GATE, INITIAL, INPUT, LOSS, OUTPUT, STATE, Box, Story


class Name(NamedTuple):
    """The name of a row.

    Attributes:
        y: the middle of the row.
        left: where its first box begins.
        top: the upper end of that box, where the name may stand above it.
    """

    text: str
    y: float
    left: float
    top: float | None


def names(rec: Recording, story: Story, place: Place, looking: bool) -> Iterator[Name]:
    """The names of the rows that have one.

    Args:
        story: what is drawn.
        place: where it stands.
        looking: whether attention is drawn, whose arcs and map pass where losses and outputs have names.
    """
    words = {INPUT: "input", GATE: "gates", **({} if looking else _upper(rec, place))}
    first: dict[tuple[str, float], Spot] = {}
    for spot in place.spots.values():
        row = STATE if spot.box.kind == INITIAL else spot.box.kind, round(spot.y)
        first[row] = min(first.get(row, spot), spot, key=lambda s: s.x - s.width / 2)
    # What a state sends to a rail below its gates passes beside them.
    over = [spot.x - 12 for spot in place.spots.values() if _over_gates(story, spot.box)]
    begun = min((box.step for box in story.boxes if box.kind == GATE), default=0)
    for (kind, y), spot in first.items():
        left = spot.x - spot.width / 2
        if kind == GATE:
            left = min([left, *over])
        text = _state(story, place, y) if kind == STATE else words.get(kind, "")
        if text:
            # Nothing stands above a state that comes before all others.
            begins = kind == STATE and (spot.box.kind == INITIAL or spot.box.step < begun)
            yield Name(text, y, left, spot.y - spot.height / 2 if begins else None)


def _upper(rec: Recording, place: Place) -> dict[str, str]:
    """The names of losses and outputs: where the probability of the target stands, they say so."""
    boxes = [spot.box for spot in place.spots.values() if spot.box.kind in (LOSS, OUTPUT)]
    likely = {box.kind for box in boxes if target_of(rec, box) is not None}
    if likely == {LOSS}:
        return {LOSS: "loss, p(target)"}
    return {LOSS: "loss", OUTPUT: "p(target)" if OUTPUT in likely else "output"}


def _over_gates(story: Story, box: Box) -> bool:
    gated = any(other.kind == GATE for other in story.boxes)
    return gated and box.kind in (INITIAL, STATE) and story.kind.get(box.layer) != "lstm"


def _state(story: Story, place: Place, y: float) -> str:
    """What a row of states is: of several layers which one, and among gates which state."""
    here = [
        spot.box for spot in place.spots.values() if spot.box.kind == STATE and abs(spot.y - y) < 1
    ]
    layers = {box.layer for box in here}
    row = next((row for row in story.rows() if layers & set(row)), [])
    name = story.row_name(row)
    if any(box.kind == GATE and story.kind.get(box.layer) == "lstm" for box in story.boxes):
        state = next((state for box in here for state in box.nodes), "")
        alone = {"c": "cell state", "h": "hidden state"}.get(state, "state")
        return f"{name}, {state}" if name else alone
    return name or "state"
