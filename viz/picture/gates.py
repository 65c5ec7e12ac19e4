"""The picture of gates: where every gate of every step stands.

The state that runs through (c of an LSTM, h of a GRU) is a straight line along the top of a layer. The gates
stand side by side below it, and below them runs a rail, on which the state before and the input come to all
gates. An LSTM's h stands at the end of that rail.
"""

from __future__ import annotations

from collections.abc import Iterator

from viz.picture.equations import ORDER
from viz.picture.look import DEFAULT, WIDTH, Look
from viz.picture.place import BOTTOM, LEFT, RIGHT, TOP, Place, Spot
from viz.picture.story import GATE, INITIAL, INPUT, LOSS, STATE, Box, Ribbon, Story

NARROWEST = 236.0  # pixels of a column
_FIRST = 96.0  # of the initial state's column


def drawable(story: Story) -> bool:
    """Whether every cell has gates and every edge is one that this picture has a way for."""
    gated = {b.layer for b in story.boxes if b.kind == GATE}
    kinds = {story.kind.get(layer) for layer in story.layers}
    if gated != set(story.layers) or not kinds <= set(ORDER) or len(kinds) != 1:
        return False
    steps = {b.step for b in story.boxes if b.kind == GATE}
    if any(b.step not in steps for b in story.boxes if b.kind in (LOSS, INPUT)):
        return False
    return all(way(story, ribbon) for ribbon in story.ribbons) and _side_by_side(story)


def _side_by_side(story: Story) -> bool:
    """Whether time goes to the right in every layer: in a layer that runs backward it does not."""
    for layer in story.layers:
        steps = [b.step for b in story.chain(layer)]
        if steps != sorted(steps):
            return False
    return True


def way(story: Story, ribbon: Ribbon) -> str:
    """Which way an edge takes: highway, gate, up, out, rail, feed or loss; "" for any other."""
    used, user = ribbon.source, ribbon.target
    states = (STATE, INITIAL)
    if user.kind == LOSS and used.kind == STATE:
        return "loss"
    if user.kind == GATE and used.kind in (*states, INPUT):
        near = used.step == user.step - 1 if used.layer == user.layer else used.step == user.step
        return "rail" if near else ""
    if used.layer != user.layer:
        return ""
    same = used.step == user.step
    letter = next(iter(used.nodes))
    if used.kind == GATE and same:
        if user.kind == GATE:
            return "feed" if letter == "r" else ""
        return "out" if letter == "o" else "gate"
    if used.kind in states and user.kind == STATE:
        if same:
            return "up" if letter == "c" else ""
        return "highway" if letter == _through(story, used.layer) else ""
    return ""


def _through(story: Story, layer: str) -> str:
    """The name of the state that runs straight through."""
    return "c" if story.kind.get(layer) == "lstm" else "h"


def through(story: Story, box: Box) -> bool:
    """Whether a state is the one that runs straight through."""
    return _through(story, box.layer) in box.nodes


def windowed(story: Story, first: int, last: int) -> Story:
    """The steps from first to last, and the states that they begin from."""
    shown = story.window(first - 1, last)
    inside = [b for b in shown.boxes if b.step <= last]  # a window may end before the loss
    kept = [b for b in inside if b.step >= first or b.kind in (STATE, INITIAL)]
    ids = set(map(id, kept))
    ribbons = [r for r in shown.ribbons if id(r.source) in ids and id(r.target) in ids]
    ribbons = [r for r in ribbons if r.target.step >= first]
    return Story(kept, ribbons, shown.loss, shown.layers, shown.kind, shown.joint)


def shown_steps(story: Story, width: float = WIDTH) -> list[int]:
    """The steps that have room as gates: all, or the last of a longer sequence."""
    return story.steps[-room(width) :]


def room(width: float) -> int:
    """How many steps have room as gates."""
    return max(1, int((width - LEFT - RIGHT - _FIRST) / NARROWEST))


def lay_out(story: Story, look: Look = DEFAULT, top: float = TOP) -> Place:
    """Place every box.

    >>> from micrornn.tasks.source import recorded
    >>> from viz.picture.tell import tell
    >>> place = lay_out(tell(recorded("hello", {"cell": "lstm"}).recording, gates=True))
    >>> sorted(place.rows)
    ['input', 'loss', 'state 0 gates', 'state 0 rail', 'state 0 top']
    """
    layers = {layer: i for i, row in enumerate(story.rows()) for layer in row}
    count = max(layers.values(), default=0) + 1
    order = [(LOSS, 0.8)]
    for i in reversed(range(count)):
        rail = 0.9 if i == 0 else 1.3  # with room for what comes from the layer below
        order += [(f"state {i} top", 1.1), (f"state {i} gates", 1.1), (f"state {i} rail", rail)]
    order.append((INPUT, 0.8))
    width, height = look.width, look.height(top + BOTTOM + 69 * len(order))
    unit = (height - top - BOTTOM) / sum(weight for _, weight in order)
    rows, y = {}, top
    for name, weight in order:
        rows[name] = y + unit * weight / 2
        y += unit * weight
    steps = sorted({box.step for box in story.boxes if box.kind == GATE})
    first = min((b.step for b in story.boxes), default=0)
    begin = LEFT + (_FIRST if first < steps[0] else 0.0)
    pitch = min((width - RIGHT - begin) / len(steps), 300.0)
    begin += (width - RIGHT - begin - pitch * len(steps)) / 2
    columns = {t: begin + pitch * (i + 0.5) for i, t in enumerate(steps)}
    columns[first] = columns.get(first, begin - _FIRST / 2)
    place = Place(width, height, {}, columns, rows, pitch, top)
    for box, spot in _spots(story, place, layers):
        place.spots[id(box)] = spot
    return place


def _spots(story: Story, place: Place, layers: dict[str, int]) -> Iterator[tuple[Box, Spot]]:
    kind = next(iter(story.kind.values()))
    letters = ORDER[kind]
    gap = 4.0 if kind == "lstm" else 16.0  # a reset gate acts on the candidate beside it
    first = min(box.step for box in story.boxes if box.kind == GATE)
    wide = min(54.0, (place.pitch - 74) / len(letters) - gap)

    def gate(t: int, letter: str) -> float:
        left = place.columns[t] - place.pitch / 2 + 8
        return left + wide / 2 + letters.index(letter) * (wide + gap)

    for box in story.boxes:
        t, letter = box.step, next(iter(box.nodes))
        x = place.columns[t]
        end = x + place.pitch / 2 - 31
        if box.kind in (STATE, INITIAL):
            row = f"state {layers[box.layer]} {'top' if through(story, box) else 'rail'}"
            y = place.rows[row]
            if box.kind == INITIAL or t < first:
                yield box, Spot(box, x, y, 62, 50)
            elif letter == "c":
                yield box, Spot(box, (gate(t, "i") + gate(t, "g")) / 2, y, wide + 28, 56)
            else:
                yield box, Spot(box, end, y, 58, 56 if through(story, box) else 46)
        elif box.kind == GATE:
            y = place.rows[f"state {layers[box.layer]} gates"]
            yield box, Spot(box, gate(t, letter), y, wide, 50)
        elif box.kind == INPUT:
            middle = (gate(t, letters[0]) + gate(t, letters[-1])) / 2
            yield box, Spot(box, middle, place.rows[INPUT], min(96.0, place.pitch / 2), 40)
        else:
            yield box, Spot(box, end - 4, place.rows[LOSS], 96.0 + 6 * len(str(t)), 46)
