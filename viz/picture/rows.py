"""The names of the rows of a picture: loss, output, which layer, input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from viz.picture.place import Place
from viz.picture.story import GATE, INITIAL, INPUT, STATE, Story


def names(
    story: Story, place: Place, others: Mapping[str, str]
) -> Iterator[tuple[str, float, float]]:
    """Each row that has a name: the name, its height, and where its first box begins.

    Args:
        story: what is drawn.
        place: where it stands.
        others: names of rows by kind, beside those of states, inputs and gates.
    """
    words = {INPUT: "input", GATE: "gates", **others}
    first: dict[tuple[str, float], float] = {}
    for spot in place.spots.values():
        row = STATE if spot.box.kind == INITIAL else spot.box.kind, round(spot.y)
        first[row] = min(first.get(row, spot.x), spot.x - spot.width / 2)
    begins = [spot.x - 12 for spot in place.spots.values() if spot.box.kind in (INITIAL, STATE)]
    for (kind, y), left in first.items():
        if kind == GATE:  # what the first state sends to a rail below passes here
            left = min([left, *begins])
        text = _state(story, place, y) if kind == STATE else words.get(kind, "")
        if text:
            yield text, y, left


def _state(story: Story, place: Place, y: float) -> str:
    """What a row of states is: of several layers which one, and which way time runs in it."""
    rows = story.rows()
    if len(rows) < 2:
        return "state"
    here = {
        spot.box.layer
        for spot in place.spots.values()
        if spot.box.kind == STATE and abs(spot.y - y) < 1
    }
    back = {layer for row in rows for layer in row if _backward(story, layer)}
    if back:
        return "state ←" if here & back else "state →"
    return f"layer {next((i for i, row in enumerate(rows, 1) if here & set(row)), 1)}"


def _backward(story: Story, layer: str) -> bool:
    """Whether a layer reads the sequence from its end."""
    steps = [box.step for box in story.chain(layer) if box.kind == STATE]
    return len(steps) > 1 and steps[0] > steps[-1]
