"""The heaviest single paths between a loss and a node, from state to state, and what the rest makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.paths import seeds_of
from micrornn.flow.pieces import Rows, relabel
from micrornn.flow.roles import STATES
from micrornn.flow.rows import sweep
from micrornn.flow.series import label, norm, norms, number, plain, table
from micrornn.recording import Recording

Array = np.ndarray[Any, Any]

_REST = 0


class Path(NamedTuple):
    """One path from the loss to the target over the states in between.

    Attributes:
        nodes: labels, from where it began to the target.
        factors: what each hop made of the norm; their product is the norm that the path brought, divided
            by that of the gradient it began with.
        gradient: what it brought, in the target's shape.
        norm: the norm of it.
        share: <gradient, G> / |G|^2 of the whole.
    """

    nodes: list[str]
    factors: list[float]
    gradient: Array
    norm: float
    share: float

    def __str__(self) -> str:
        return " -> ".join(self.nodes) + f": {self.norm:.3g} ({self.share:+.1%})"


@dataclass(frozen=True)
class HeaviestPaths:
    """Some paths, and all the others together; they add up to the gradient.

    Attributes:
        target: the label of the node.
        paths: the heaviest, by norm.
        rest: what all other paths brought, in the target's shape.
        total: G.
        beam: how many partial paths were kept apart at every state.
    """

    target: str
    paths: list[Path]
    rest: Array
    total: Array
    beam: int

    @property
    def rest_share(self) -> float:
        """The share of all other paths; with those of ``paths`` it makes 1."""
        size = norm(self.total)
        return float(np.vdot(self.rest, self.total / size)) / size if size else float("nan")

    def table(self) -> str:
        """One row for each path, and the rest."""
        rows: list[list[Any]] = [
            [
                " ".join(p.nodes),
                " ".join(number(f) for f in p.factors),
                p.norm,
                f"{p.share:+.2%}",
            ]
            for p in self.paths
        ]
        rows.append(["the rest", "", norm(self.rest), f"{self.rest_share:+.2%}"])
        return table(["path", "factors", "norm", "share"], rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for JSON."""
        return plain(
            {
                "target": self.target,
                "norm": norm(self.total),
                "paths": [
                    {"nodes": p.nodes, "factors": p.factors, "norm": p.norm, "share": p.share}
                    for p in self.paths
                ],
                "rest": {"norm": norm(self.rest), "share": self.rest_share},
                "beam": self.beam,
            }
        )

    def __str__(self) -> str:
        lines = [f"gradient reaching {self.target}: norm {norm(self.total):.3g}"]
        return "\n".join(
            [*lines, *(f"  {p}" for p in self.paths), f"  the rest: {self.rest_share:+.1%}"]
        )


class _Stage(NamedTuple):
    """A partial path that has come to a state."""

    before: int
    node: Tensor
    size: float


def heaviest_paths(
    rec: Recording,
    target: Tensor | str,
    k: int = 5,
    loss: Tensor | None = None,
    states: Sequence[str] = STATES,
    beam: int = 64,
) -> HeaviestPaths:
    """The k heaviest paths to a node, from state to state, the factor of every hop, and the rest.

    A hop is everything that leads from one state to the next without touching another; its factor is the
    quotient of the gradient's norms. At every state the ``beam`` heaviest partial paths stay apart and all
    others become part of the rest, so that nothing is lost and no path is enumerated. With states of one
    unit the paths found are the heaviest there are; with more units a path that is light half-way may
    still come out heavier than one that was kept, and a wider beam is surer.

    Args:
        rec: live or loaded.
        target: any node or name.
        k: how many paths to tell.
        loss: where the gradient begins; by default where the recorded passes began.
        states: the names of the nodes between which paths hop.
        beam: how many partial paths to keep apart, at least k.

    Raises:
        RecordingError: there is no such node, or no pass and no loss.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> w, h = mr.Value(0.5), mr.Value(1.0, "h0")
    >>> for t in (1, 2):
    ...     with mr.scope(t=t):
    ...         h = w * h
    ...         h.name = "h"
    >>> print(heaviest_paths(record(h * 1.0), "h0"))
    gradient reaching h0: norm 0.25
      mul -> h[2] -> h[1] -> h0: 0.25 (+100.0%)
      the rest: +0.0%
    """
    node = rec.node(target)
    beam = max(beam, k)
    hubs = {n.number for n in rec.nodes if n.name in states and n.inputs} - {node.number}
    # A loss that is a state itself is where its path begins, and no hop of it.
    stages: dict[int, _Stage] = {}
    seeds: dict[int, Rows] = {}
    for number_, rows in seeds_of(rec, loss).items():
        own = len(stages) + 1
        stages[own] = _Stage(_REST, rec.by_number[number_], norm(rows.values))
        seeds[number_] = Rows(np.array([own]), rows.values)

    def turn(hub: Tensor, rows: Rows) -> Rows:
        if hub.number not in hubs:
            return rows
        labels, sizes = rows.labels.tolist(), norms(rows.values)
        heaviest = np.argsort(-sizes, kind="stable").tolist()
        kept = set([i for i in heaviest if labels[i] != _REST][:beam])
        new = []
        for i, (old, size) in enumerate(zip(labels, sizes.tolist())):
            if i not in kept:
                new.append(_REST)
            elif stages[old].node is hub:  # it begins here
                new.append(old)
            else:
                new.append(len(stages) + 1)
                stages[new[-1]] = _Stage(old, hub, size)
        changed = relabel(rows, np.array(new))
        assert isinstance(changed, Rows)
        return changed

    found = sweep(rec.nodes, seeds, [node.number], turn=turn).get(node.number)
    if found is None:
        zero = np.zeros(node.shape)
        return HeaviestPaths(label(node), [], zero, zero, beam)
    values = np.asarray(found.values, dtype=float)
    total = values.sum(axis=0)
    size = norm(total)
    unit = total / size if size else total
    sizes = norms(values)
    best = [i for i in np.argsort(-sizes, kind="stable") if found.labels[i] != _REST][:k]
    told = []
    for i in best:
        way = _way(int(found.labels[i]), stages)
        steps = [stage.size for stage in way] + [float(sizes[i])]
        factors = [b / a if a else float("nan") for a, b in pairwise(steps)]
        nodes = [*(label(stage.node) for stage in way), label(node)]
        share = float(np.vdot(values[i], unit)) / size if size else float("nan")
        told.append(Path(nodes, factors, values[i], float(sizes[i]), share))
    others = [i for i in range(len(values)) if i not in best]
    return HeaviestPaths(label(node), told, values[others].sum(axis=0), total, beam)


def _way(stage: int, stages: dict[int, _Stage]) -> list[_Stage]:
    way = []
    while stage != _REST:
        way.append(stages[stage])
        stage = stages[stage].before
    return way[::-1]
