"""What a picture tells: the boxes of an unrolled network, and what gradient passes between them.

A box holds one or several nodes of the recording: a state, an input, an output, a loss; `viz.picture.tell`
makes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from micrornn.core.tensor import Tensor

ROUNDING = 1e-12  # of the largest gradient in a box

INPUT, INITIAL, STATE, OUTPUT, LOSS = "input", "initial", "state", "output", "loss"
GATE, OPERATION = "gate", "op"


@dataclass(eq=False)
class Box:
    """Nodes that are drawn as one.

    Attributes:
        kind: input, initial, state, output or loss.
        layer: the scope of the layer; "" for a loss, an output or an input.
        nodes: by the name of each state; "" for anything else.
        norms: the norm of the gradient that arrived, likewise; None where no path leads.
    """

    kind: str
    layer: str
    step: int
    nodes: dict[str, Tensor]
    norms: dict[str, float | None] = field(default_factory=dict)

    @property
    def main(self) -> str:
        """The state that the box stands for: the cell state if there is one, else the first."""
        return "c" if "c" in self.nodes else next(iter(self.nodes))

    @property
    def norm(self) -> float | None:
        """The norm of what arrived at its main state."""
        return self.norms.get(self.main)


@dataclass(eq=False)
class Ribbon:
    """What one box sent back to a state of another; ``norm`` is None where it is used and sends nothing.

    Attributes:
        source: the box that was used: the gradient arrives there.
        target: the box that used it: the gradient comes from there.
        state: the name of the state, or "".
        cut: whether the use was detached.
    """

    source: Box
    target: Box
    state: str
    norm: float | None
    cut: bool = False


@dataclass(eq=False)
class Story:
    """A network over time with the gradient of one loss.

    Attributes:
        loss: the box where the gradient begins; None where backward has not run.
        kind: of the cells of each layer: rnn, lstm or gru.
        joint: the norm of what the gates of one cell sent together, by id of the box where it arrived, layer
            and step of the gates.
        across: for a state whose gradient came both from its own layer and from others, the part that came
            from others, as a signed share; by id of the box.
    """

    boxes: list[Box]
    ribbons: list[Ribbon]
    loss: Box | None
    layers: list[str]
    kind: dict[str, str]
    joint: dict[tuple[int, str, int], float] = field(default_factory=dict)
    across: dict[int, float] = field(default_factory=dict)

    @property
    def steps(self) -> list[int]:
        """The time steps with states, without the initial one."""
        return sorted({box.step for box in self.boxes if box.kind == STATE})

    def rows(self) -> list[list[str]]:
        """The layers in rows, from the input up: layers without a step in common share a row."""
        rows: list[tuple[list[str], set[int]]] = []
        for layer in self.layers:
            own = {b.step for b in self.boxes if b.layer == layer and b.kind == STATE}
            for layers_there, steps in rows:
                if not own & steps:
                    layers_there.append(layer)
                    steps |= own
                    break
            else:
                rows.append(([layer], set(own)))
        return [layers_there for layers_there, _ in rows]

    def row_name(self, row: list[str]) -> str:
        """What tells a row of layers from the others; "" of a single one.

        >>> from micrornn.tasks.source import recorded
        >>> from viz.picture.tell import tell
        >>> for options in ({"bidirectional": True}, {"layers": 2}, {}):
        ...     story = tell(recorded("hello", options).recording)
        ...     [story.row_name(row) for row in story.rows()]
        ['forward layer →', 'backward layer ←']
        ['layer 1', 'layer 2']
        ['']
        """
        rows = self.rows()
        if len(rows) < 2 or row not in rows:
            return ""
        back = [one for one in rows if any(map(self._backward, one))]
        if not back:
            return f"layer {rows.index(row) + 1}"
        same = back if row in back else [one for one in rows if one not in back]
        number = f" {same.index(row) + 1}" if len(same) > 1 else ""
        return f"backward layer{number} ←" if row in back else f"forward layer{number} →"

    def _backward(self, layer: str) -> bool:
        """Whether a layer reads the sequence from its end."""
        steps = [box.step for box in self.chain(layer) if box.kind == STATE]
        return len(steps) > 1 and steps[0] > steps[-1]

    def window(self, first: int, last: int) -> Story:
        """The same story, of the steps from first to last only."""
        boxes = [b for b in self.boxes if first <= b.step <= last or b is self.loss]
        kept = set(map(id, boxes))
        ribbons = [r for r in self.ribbons if id(r.source) in kept and id(r.target) in kept]
        layers = [name for name in self.layers if any(b.layer == name for b in boxes)]
        return Story(boxes, ribbons, self.loss, layers, self.kind, self.joint, self.across)

    def toward(self, goal: Box) -> Story:
        """The same story with the gradient on its way to one box alone; what leads elsewhere steps back."""
        on_the_way = {id(goal)}
        for ribbon in sorted(self.ribbons, key=lambda r: _age(r.target)):
            if id(ribbon.source) in on_the_way:
                on_the_way.add(id(ribbon.target))
        boxes = {id(b): Box(b.kind, b.layer, b.step, b.nodes, dict(b.norms)) for b in self.boxes}
        for key, box in boxes.items():
            if key not in on_the_way:
                box.norms = dict.fromkeys(box.norms)
        ribbons = [
            Ribbon(
                *(boxes[id(r.source)], boxes[id(r.target)], r.state),
                *(r.norm if id(r.source) in on_the_way else None, r.cut),
            )
            for r in self.ribbons
        ]
        loss = None if self.loss is None else boxes[id(self.loss)]
        kept = {key: id(box) for key, box in boxes.items() if key in on_the_way}
        joint = {(kept[k], *at): n for (k, *at), n in self.joint.items() if k in kept}
        across = {kept[k]: share for k, share in self.across.items() if k in kept}
        return Story(
            *(list(boxes.values()), ribbons, loss, self.layers, self.kind),
            *(joint, across),  # type: ignore[arg-type]
        )

    def box(self, name: str) -> Box:
        """The box that a place means: L3, h0, c2, x1; of several layers the top one.

        Raises:
            ValueError: there is none; says which there are.
        """
        match = re.fullmatch(r"(loss|[A-Za-z])\[?(\d*)\]?", name.strip())
        if match:
            letter, step = match.groups()
            kind = {"L": LOSS, "loss": LOSS, "x": INPUT, "y": OUTPUT}.get(letter)
            for box in reversed(self.boxes):
                fits = box.kind == kind if kind else letter in box.nodes
                if fits and (not step or box.step == int(step)):
                    return box
        known = ", ".join(f"{n}{b.step}" for b in self.boxes for n in b.nodes if n)
        raise ValueError(f"no place {name!r} in the picture; there are L{self.steps[-1]}, {known}")

    def chain(self, layer: str) -> list[Box]:
        """The states of a layer in the order in which they were computed, the initial one first."""
        found = [b for b in self.boxes if b.layer == layer and b.kind in (STATE, INITIAL)]
        return sorted(found, key=_age)


def _age(box: Box) -> int:
    return max(node.number for node in box.nodes.values())


def sizes(story: Story) -> Iterator[float]:
    """The norms that the scale spans: without what is left of sums that cancel, which is rounding."""
    largest = {id(b): max([n for n in b.norms.values() if n], default=0.0) for b in story.boxes}
    for box in story.boxes:
        yield from (n for n in box.norms.values() if n and not n < ROUNDING * largest[id(box)])
    for ribbon in story.ribbons:
        if ribbon.norm and not ribbon.norm < ROUNDING * largest[id(ribbon.source)]:
            yield ribbon.norm
