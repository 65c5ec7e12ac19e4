"""What to draw: a graph, at a level of detail, as units and the links between them.

A unit is what becomes a box: one operation, a gate, a cell, a layer. Which nodes fall into one unit is
decided by where they were made (their scope and step), so a cell that the project has never seen is taken
apart in the same way as an LSTM. Shared weights are not units of the picture: each use is a small mark on
the unit that uses it, tied by name and colour to one entry of the weight ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from viz.gradients import Flow, Gradients

DETAILS = ("layer", "cell", "gate", "op", "scalar")


@dataclass(eq=False)
class Mark:
    """One use of a shared weight: the parameter, what to call it here, and what this use sent to it.

    ``share`` is the signed share that the use has in the weight's gradient, where that is defined.
    """

    parameter: Tensor
    label: str
    flow: Flow
    share: float | None = None


@dataclass(eq=False)
class Unit:
    """Nodes that are drawn as one box.

    Attributes:
        nodes: oldest first; the last one is what leaves the unit.
        role: the same for the same thing at another step: layer, gate, operation, how many-th.
        step: the time step, or None.
        layer, gate: the scope of the layer, and the rest of the path below it.
        kind: op, state, input, initial, loss, data, weight or group.
        flow: the gradient that arrived at the node that leaves the unit.
        elements: at the level of scalars, the same for each element.
        lost: of a detached value, the gradient that would have passed on.
    """

    nodes: list[Tensor]
    role: tuple[str, ...]
    step: int | None
    layer: str
    gate: str
    kind: str
    label: str
    flow: Flow
    elements: list[Flow] | None = None
    lost: Flow | None = None
    marks: list[Mark] = field(default_factory=list)
    inputs: list[Link] = field(default_factory=list)
    outputs: list[Link] = field(default_factory=list)

    @property
    def out(self) -> Tensor:
        """The youngest node in it."""
        return self.nodes[-1]


@dataclass(eq=False)
class Link:
    """All uses of one unit by another; ``flow`` is what came back along it."""

    source: Unit
    target: Unit
    flow: Flow
    uses: int = 1
    cut: bool = False  # no use: the target was detached from the source


@dataclass(eq=False)
class Entry:
    """One line of the weight ledger: a parameter, its whole gradient, and what each step sent to it."""

    parameter: Tensor
    label: str
    flow: Flow
    by_step: dict[int, Flow]


@dataclass(eq=False)
class Scene:
    """Units and links with the ledger of weights; ``steps`` are those shown, ``hidden`` how many are not."""

    graph: Graph
    detail: str
    gradients: Gradients
    units: list[Unit]
    links: list[Link]
    ledger: list[Entry]
    steps: list[int]
    hidden: int
    lit: set[int] | None = None  # the ids of the units on the chosen paths; None: all alike
    folded: int = 0  # slices, joins and changes of shape that are not drawn
    recomputed: Mapping[int, int] = field(default_factory=dict)  # by node, as in `Recording`

    def again(self, unit: Unit) -> int:
        """How many times checkpoints computed a unit, or a part of it, again."""
        return max((self.recomputed.get(node.number, 0) for node in unit.nodes), default=0)


def computed_steps(graph: Graph) -> list[int]:
    """The steps at which something was computed: not those that only hold an initial state."""
    return sorted({n.step for n in graph if n.step and n.inputs})


_RANK = {"nan": 6, "value": 5, "underflow": 4, "zero": 3, "absent": 2, "constant": 1, "none": 0}


def stronger(a: Flow, b: Flow) -> Flow:
    """The flow to show where several share a line: NaN before any value, a larger value before a smaller."""
    if a.state == b.state == "value":
        return a if a.norm >= b.norm else b
    return a if _RANK[a.state] >= _RANK[b.state] else b
