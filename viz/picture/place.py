"""Where things stand: one column for each step, one row for each kind of thing, on a sheet of a given shape.

Columns are equal, so that the eye compares colors and not shapes. Inputs are below, states in the middle, a
row for each layer, outputs and losses above.
"""

from __future__ import annotations

from dataclasses import dataclass

from viz.metrics import text_width
from viz.picture.look import DEFAULT, WIDTH, Look
from viz.picture.story import INITIAL, INPUT, LOSS, OUTPUT, STATE, Box, Story

LEFT, RIGHT, TOP, BOTTOM = 56.0, 56.0, 128.0, 112.0
NARROWEST = 112.0  # of a column with cells
LINE = 24.0  # the height of one state of several in a box


@dataclass(eq=False)
class Spot:
    """A box on the sheet; x and y are its center."""

    box: Box
    x: float
    y: float
    width: float
    height: float


@dataclass(eq=False)
class Place:
    """A laid out picture.

    Attributes:
        columns: the center of each step's column.
        rows: by what stands in it, the center of each row.
        pitch: the width of a column.
    """

    width: float
    height: float
    spots: dict[int, Spot]  # by id of the box
    columns: dict[int, float]
    rows: dict[str, float]
    pitch: float
    top: float = TOP

    def of(self, box: Box) -> Spot:
        """The spot of a box."""
        return self.spots[id(box)]


def fits(story: Story, width: float = WIDTH) -> bool:
    """Whether all steps have room as cells."""
    return (width - LEFT - RIGHT) / len({box.step for box in story.boxes}) >= NARROWEST


def lay_out(story: Story, look: Look = DEFAULT, top: float = TOP) -> Place:
    """Place every box.

    Args:
        top: the height of what stands above: the title, and a strip of all steps if there is one.

    >>> from micrornn.flow.failures import FAILURES
    >>> from micrornn.recording import record
    >>> from viz.picture.tell import tell
    >>> story = tell(record(FAILURES["vanishing"](4).loss))
    >>> place = lay_out(story)
    >>> place.width, round(place.height), len(set(place.columns.values()))
    (1280.0, 720, 5)
    """
    steps = sorted({box.step for box in story.boxes})
    layer_rows = {layer: i for i, row in enumerate(story.rows()) for layer in row}
    count = max(layer_rows.values(), default=0) + 1
    present = {box.kind for box in story.boxes}
    order = [LOSS, OUTPUT, *(f"{STATE} {i}" for i in reversed(range(count))), INPUT]
    order = [row for row in order if row.split()[0] in present or row.startswith(STATE)]
    width = look.width
    height = look.height(top + BOTTOM + 70.0 * len(order), free=top + BOTTOM + _height(order))
    side = 20.0 + _names(story, steps[0], look.size)
    pitch = (width - LEFT - RIGHT - side) / len(steps)
    pitch = min(pitch, 330.0)
    begin = LEFT + side + (width - LEFT - RIGHT - side - pitch * len(steps)) / 2
    columns = {t: begin + pitch * (i + 0.5) for i, t in enumerate(steps)}
    weights = [1.15 if row.startswith(STATE) else 0.9 for row in order]
    room, y, rows = height - top - BOTTOM, top, {}
    for row, weight in zip(order, weights):
        share = room * weight / sum(weights)
        rows[row] = y + share / 2
        y += share
    spots: dict[int, Spot] = {}
    reached: dict[int, list[float]] = {}  # by loss, the columns of what it is of
    for ribbon in story.ribbons:
        reached.setdefault(id(ribbon.target), []).append(columns[ribbon.source.step])
    for box in story.boxes:
        x = columns[box.step]
        if box.kind == LOSS and box.nodes[""].step is None and id(box) in reached:
            x = sum(reached[id(box)]) / len(reached[id(box)])  # above the middle of it
        state = box.kind in (STATE, INITIAL)
        y = rows[f"{STATE} {layer_rows[box.layer]}" if state else box.kind]
        spots[id(box)] = _spot(box, x, y, pitch)
    return Place(width, height, spots, columns, rows, pitch, top)


def _names(story: Story, first: int, size: float) -> float:
    """The room for the names of layers, where no initial state leaves any."""
    if any(box.kind == INITIAL and box.step == first for box in story.boxes):
        return 0.0
    return max(text_width(story.row_name(row), 12.5 * size) for row in story.rows())


def _height(order: list[str]) -> float:
    return sum(110.0 if row.startswith(STATE) else 84.0 for row in order)


def _spot(box: Box, x: float, y: float, pitch: float) -> Spot:
    if box.kind in (STATE, INITIAL):
        lines = len(box.nodes)
        wide = max(min(96.0 if lines > 1 else 76.0, pitch - 44), 40.0)
        return Spot(box, x, y, wide, 54 + LINE * max(0, lines - 2))
    if box.kind == OUTPUT:
        return Spot(box, x, y, min(124.0, pitch - 14), 42)
    if box.kind == LOSS:
        return Spot(box, x, y, min(96.0 + 6 * len(str(box.step)), pitch - 14), 40)
    return Spot(box, x, y, min(96.0, pitch - 14), 40)
