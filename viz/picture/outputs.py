"""What stands in the box of an output: the probability of the target as a bar, or a number and its target."""

from __future__ import annotations

import numpy as np

from micrornn.messages import percent
from micrornn.recording import Recording
from viz.labels import subscript
from viz.metrics import fitted, text_width
from viz.pen import Pen
from viz.picture.numbers import fitting
from viz.picture.place import Spot
from viz.picture.story import LOSS, Box
from viz.picture.theme import Theme

_SMALL = 12.5


def target_of(rec: Recording, box: Box) -> float | None:
    """The probability of the target, of an output or its loss, where the loss is cross-entropy."""
    node = box.nodes[""]
    users = [user for user, _ in rec.users.get(node.number, ())]
    for user in [node] if box.kind == LOSS else users:
        made = user.primitive
        if made is not None and made.kind == "loss" and "index" in user.params:
            logits = np.asarray(user.values[0], dtype=float)
            axis = user.params["axis"]
            shifted = np.exp(logits - logits.max(axis=axis, keepdims=True))
            p = shifted / shifted.sum(axis=axis, keepdims=True)
            return float(np.mean(p[user.params["index"]]))
    return None


def expected(rec: Recording, box: Box) -> float | None:
    """The number that an output of one number should be: what its loss takes from it.

    >>> from micrornn.tasks.source import recorded
    >>> from viz.picture.tell import tell
    >>> rec = recorded("adding").recording
    >>> box = tell(rec).box("y")
    >>> output, target = float(rec.value(box.nodes[""]).item()), expected(rec, box)
    >>> round((output - target) ** 2, 12) == round(rec.losses[-1].item(), 12)
    True
    """
    node = box.nodes[""]
    for user, slot in rec.users.get(node.number, ()):
        made = user.primitive
        if node.size == 1 and made is not None and made.name == "sub" and "loss" in user.scope:
            other = user.inputs[1 - slot]
            if other.size == 1 and other.is_leaf and not other.requires_grad:
                return float(np.asarray(rec.value(other)).item())
    return None


def draw(
    pen: Pen, rec: Recording, spot: Spot, theme: Theme, size: float, target: str | None
) -> None:
    """The probability of the target as a bar; the number and what it should be; or the name of the output.

    Args:
        target: as text, if it is known.
    """
    small, left, width = _SMALL * size, spot.x - spot.width / 2 + 10, spot.width - 20
    p = target_of(rec, spot.box)
    if p is None or spot.width < 60:
        _number(pen, rec, spot, theme, size)
        return
    share = percent(p)
    room = width - text_width(share, small) - 6
    word = "p(target)" if target is None else f"‘{target}’"
    if text_width(word, small) > room:
        word = "p" if target is None else fitted(word, small, room)
    pen.text(word, left, spot.y - 4, None, small, None, theme.muted)
    pen.text(share, left + width, spot.y - 4, "end", small, None, theme.ink)
    for part, color in ((1.0, theme.line), (p, theme.muted)):
        bar = {"x": left, "y": spot.y + 5, "width": max(width * part, 1.0), "height": 7, "rx": 3}
        pen.add("rect", **bar, fill=color)


def _number(pen: Pen, rec: Recording, spot: Spot, theme: Theme, size: float) -> None:
    node = spot.box.nodes[""]
    room, lines = spot.width - 12, [f"y{subscript(spot.box.step)}"]
    if node.size == 1:
        value = float(np.asarray(rec.value(node)).item())
        lines = [f"y {fitting(value, room - 16 * size, 14 * size)}"]
        target = expected(rec, spot.box)
        if target is not None:
            wide = text_width("target ", _SMALL * size)
            lines.append(f"target {fitting(target, room - wide, _SMALL * size)}")
    if len(lines) > 1 and text_width(lines[1], _SMALL * size) <= room and lines[1] != "target ":
        pen.text(lines[0], spot.x, spot.y - 3, "middle", 14 * size, None, theme.ink)
        pen.text(lines[1], spot.x, spot.y + 14, "middle", _SMALL * size, None, theme.muted)
    else:
        pen.text(lines[0], spot.x, spot.y + 5, "middle", 14 * size, None, theme.ink)
