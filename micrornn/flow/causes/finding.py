"""The result of a search for a cause."""

from __future__ import annotations

from dataclasses import dataclass, field

from micrornn.core.tensor import Tensor
from micrornn.flow.roles import GATE_SCOPES, GATES
from micrornn.flow.series import label
from micrornn.flow.verdicts import CHANGED

#: The nearest gate a node belongs to is told by its scope or by its name.


@dataclass
class Finding:
    """A verdict with the node where the cause lies, sentences of evidence, and hops where they matter."""

    verdict: str
    node: Tensor | None
    evidence: list[str]
    hops: list[tuple[str, float, float | None]] = field(default_factory=list)
    gate: str | None = None

    def __post_init__(self) -> None:
        if self.gate is None and self.node is not None:
            self.gate = gate_of(self.node)


def by_hand(node: Tensor, given: float, now: float) -> Finding:
    """The verdict on a gradient that is not what the contributions to its node add up to."""
    became = "of exactly 0" if not now else f"of norm {now:.3g}"
    text = (
        f"The contributions to {label(node)} add up to norm {given:.3g}, but backward went on with a "
        f"gradient {became}: it was changed on its arrival, in a what-if of the debugger or by a hook."
    )
    return Finding(CHANGED, node, [text])


def gate_of(node: Tensor) -> str | None:
    """The gate that a node belongs to, by its scope or by its name."""
    last = node.scope.rpartition("/")[2]
    if last in GATE_SCOPES:
        return last
    return GATES.get(node.name or "")
