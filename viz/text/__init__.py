"""A sheet as plain text, for a terminal and for a screen reader: no colour, at most 80 columns.

A graph over time begins with a strip: what goes in, the states, the losses, and under each state the
gradient that comes back to it. A table of the units at each step and the ledger of shared weights follow.
A graph without time is a tree, from its result down to what it was computed from.
"""

from __future__ import annotations

from viz.described import subtitle
from viz.scene import Scene, computed_steps
from viz.shapes import Sheet
from viz.text.plain import WIDTH, clean, wrapped
from viz.text.strip import strip
from viz.text.tables import ledger, outside, units
from viz.text.tree import tree


def write(sheet: Sheet, title: str = "") -> str:
    """The sheet in words and numbers, the same lines for the same graph.

    >>> import micrornn as mr
    >>> import viz
    >>> a = mr.Value(2.0, "a")
    >>> print(viz.render(a * a + 1.0, format="txt"), end="")
    4 nodes · result 5 · gradients shown
    <BLANKLINE>
    the result first; below each value, one step in, what it was computed from
    <BLANKLINE>
                                                 value                   gradient
    + 1                                          5                       1 +
      ×                                          4                       1 +
        a (2 times)                              2                       4 +
    """
    scene = sheet.scene
    head = wrapped(clean(title)) if title else []
    parts = [[*head, *wrapped(subtitle(sheet))]]
    if not scene.steps:
        parts.append(tree(scene))
    else:
        parts += [hidden(scene), strip(scene)]
        if scene.detail in ("gate", "op", "scalar"):
            parts.append(units(scene))
        parts += [outside(scene), ledger(scene)]
    lines = "\n\n".join("\n".join(part) for part in parts if part).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def hidden(scene: Scene) -> list[str]:
    """Which steps a window leaves out, and how to see them."""
    if not scene.hidden:
        return []
    every = computed_steps(scene.graph)
    before = sum(t < scene.steps[0] for t in every)
    after = sum(t > scene.steps[-1] for t in every)
    left_out = " and ".join(
        f"{n} {where}" for n, where in ((before, "before"), (after, "after")) if n
    )
    first, last = every[0], every[-1]
    return wrapped(
        f"steps {scene.steps[0]} to {scene.steps[-1]}; not shown: {left_out} (a window from {first} to "
        f"{last} shows all: window=({first}, {last}), on the command line --window {first}:{last})"
    )


__all__ = ["WIDTH", "write"]
