"""Why a gradient is zero, missing, tiny, huge or NaN: one verdict of a closed list, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.causes import Finding, born, cut_off, lost, resized
from micrornn.flow.causes.sizes import FAR
from micrornn.flow.series import label, norm, number, place, plain, spans, table
from micrornn.flow.traffic import Traffic
from micrornn.flow.verdicts import BACKWARD_NOT_RUN, FEW, HEALTHY
from micrornn.recording import Recording

Array = np.ndarray[Any, Any]
_FEWEST = 3  # with this many uses, it is worth reporting that most send nothing


@dataclass(frozen=True)
class Why:
    """One verdict on one gradient.

    Attributes:
        target: the node asked about, and its ``label``.
        verdict: one of `VERDICTS`.
        gradient: what arrived, in the node's shape; None where nothing did.
        norm: its norm; None where nothing arrived.
        node: where the cause lies, or None.
        gate: the gate that it lies in, or None.
        step: its time step, or None.
        source: its source line, (file, line), or None where that was not recorded.
        evidence: sentences with the numbers that the verdict rests on.
        hops: (what, gradient norm, factor) from the loss to the target, where the verdict is about hops.
    """

    target: Tensor
    label: str
    verdict: str
    gradient: Array | None
    norm: float | None
    node: Tensor | None
    evidence: list[str]
    gate: str | None = None
    step: int | None = None
    source: tuple[str, int] | None = None
    hops: list[tuple[str, float, float | None]] = field(default_factory=list)

    def table(self) -> str:
        """The hops as text; empty where the verdict is not about them."""
        if not self.hops:
            return ""
        rows = [[what, size, number(factor)] for what, size, factor in self.hops]
        return table(["at", "gradient norm", "factor"], rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return plain(
            {
                "target": self.label,
                "verdict": self.verdict,
                "norm": self.norm,
                "node": None if self.node is None else label(self.node),
                "scope": None if self.node is None else self.node.scope,
                "gate": self.gate,
                "step": self.step,
                "source": None if self.source is None else list(self.source),
                "evidence": self.evidence,
                "hops": [list(hop) for hop in self.hops],
            }
        )

    def __str__(self) -> str:
        size = "no gradient" if self.norm is None else f"gradient norm {self.norm:.3g}"
        lines = [f"{self.label} ({size}): {self.verdict}"]
        if self.node is not None:
            lines.append(f"  at {label(self.node)} {place(self.node)}".rstrip())
        lines += [f"  {sentence}" for sentence in self.evidence]
        if self.hops:
            lines += ["  " + line for line in self.table().splitlines()]
        return "\n".join(lines)


def why(rec: Recording, target: Tensor | str) -> Why:
    """Why the gradient that the backward passes left at a node is what it is.

    The causes are looked for in the order in which they exclude each other: no backward pass; NaN or inf
    (from the place where it was born, forward or backward); no path (a cut, a truncation, or never a
    path); exactly zero (from where a nonzero gradient was last seen); far smaller or larger than where it
    began. "Far" is a factor of 1000 between the target and the loss's end of the way on which most of the
    gradient came.

    Args:
        rec: live or loaded.
        target: any node: a state, an input, a parameter; or its name, ``h[0]``.

    Raises:
        RecordingError: there is no such node.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> w, h = mr.Value(0.5, "w"), mr.tensor(1.0, name="h")
    >>> for t in range(1, 31):
    ...     with mr.scope(t=t):
    ...         h = w * h
    ...         h.name = "h"
    >>> answer = why(record(h), "h[1]")
    >>> answer.verdict, answer.norm
    ('shrunk hop by hop', 1.86264515e-09)
    """
    node = rec.node(target)
    if not rec.passes:
        advice = "Call loss.backward() inside `with recording()`, or use record(loss)."
        finding = Finding(BACKWARD_NOT_RUN, None, [f"No backward pass was recorded. {advice}"])
        return _answer(node, None, finding)
    traffic = Traffic(rec, node)
    g = traffic.gradient
    if g is None:
        return _answer(node, None, cut_off(rec, node, traffic))
    if not np.isfinite(g).all():
        return _answer(node, g, born(rec, traffic))
    if not g.any():
        return _answer(node, g, lost(traffic))
    found = resized(traffic)
    return _answer(node, g, found or _few(rec, traffic) or _healthy(g))


def _few(rec: Recording, traffic: Traffic) -> Finding | None:
    """The verdict on a shared node of which most uses send nothing, though its gradient looks healthy."""
    target = traffic.target
    uses = rec.users.get(target.number, [])
    senders = traffic.senders.get(target.number, [])
    sent = {(s.node.number, s.slot) for s in senders if s.value().any()}
    silent = [node for node, slot in uses if (node.number, slot) not in sent]
    if len(uses) < _FEWEST or len(silent) < len(uses) / 2:
        return None
    steps = sorted({node.step for node in silent if node.step is not None})
    at = f" (steps {spans(steps)})" if steps else ""
    evidence = [
        f"{len(silent)} of its {len(uses)} uses sent no gradient or exactly 0{at}; all of it came from the "
        f"other {len(uses) - len(silent)}."
    ]
    if steps:
        evidence.append(f"To see what stops it, ask why of a state: 'h[{steps[-1]}]'.")
    return Finding(FEW, None, evidence)


def _healthy(g: Array) -> Finding:
    told = f"A gradient of norm {norm(g):.3g} arrived, within a factor of {FAR:,.0f} of where it began."
    return Finding(HEALTHY, None, [told])


def _answer(target: Tensor, g: Array | None, finding: Finding) -> Why:
    node = finding.node
    return Why(
        target=target,
        label=label(target),
        verdict=finding.verdict,
        gradient=g,
        norm=None if g is None else norm(g),
        node=node,
        evidence=finding.evidence,
        gate=finding.gate,
        step=None if node is None else node.step,
        source=None if node is None else node.source,
        hops=finding.hops,
    )
