"""Each layer once, as text: how many steps it has, and what each step back does to the gradient."""

from __future__ import annotations

import math

from micrornn.recording import Recording
from viz.picture.numbers import short
from viz.picture.rolled import NAMES, heading, layered, parts_of
from viz.picture.story import INITIAL, INPUT, LOSS, OUTPUT, STATE
from viz.picture.tell import tell
from viz.scene import Scene
from viz.style import number
from viz.text.plain import clean, cut, padded, wrapped
from viz.text.tables import ledger


def write(rec: Recording, scene: Scene, title: str = "") -> str:
    """The layers of a recording from the loss down to the input, with the gradient of the last loss.

    >>> import viz
    >>> from micrornn.tasks.source import recorded
    >>> text = viz.render(recorded("hello", {}).recording, format="txt", detail="layer")
    >>> print(text[: text.index("y  ")], end="")
    Each step back multiplies the gradient by 0.51 (0.34 to 0.63)
    <BLANKLINE>
                           steps  units  gradient  one step back
    L                      4             1
    """
    story = tell(rec)
    parts, edges = parts_of(story)
    layered(parts, edges)
    lines = [*(wrapped(clean(title)) if title else []), *wrapped(heading(story)), ""]
    lines.append(_row("", "steps", "units", "gradient", "one step back"))
    for part in sorted(parts.values(), key=lambda p: -p.depth):
        kind, layer = part.key
        cell = NAMES.get(story.kind.get(layer, ""), "layer")
        name = {INPUT: "x", OUTPUT: "y", LOSS: "L", STATE: f"{cell} ({layer})"}[kind]
        steps = len({b.step for b in part.boxes if b.kind != INITIAL})
        node = next(iter(part.boxes[-1].nodes.values()))
        units = "" if kind == LOSS else str(math.prod(node.shape[-1:]))
        norm = "no path" if part.norm is None else number(part.norm)
        turns = [f for _, _, f in part.turns if f > 0 and math.isfinite(f)]
        back = ""
        if turns:
            mean = math.exp(sum(map(math.log, turns)) / len(turns))
            back = f"×{short(mean)} ({short(min(turns))} to {short(max(turns))})"
        lines.append(_row(cut(clean(name), 22), f"{steps:,}", units, norm, back))
    note = f"gradient: the norm of the gradient of {_followed(rec)}, all steps together; "
    note += "of the weights below: of the whole loss"
    lines += ["", *wrapped(note), "", *ledger(scene)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _followed(rec: Recording) -> str:
    losses = [x for x in rec.losses if x.size == 1]
    step = losses[-1].step
    return "the loss" if len(losses) < 2 or step is None else f"L{step} alone"


def _row(name: str, steps: str, units: str, norm: str, back: str) -> str:
    columns = zip((name, steps, units, norm), (23, 7, 7, 10))
    return "".join(padded(text, width) for text, width in columns) + back
