"""The heaviest single paths between a loss and a node, from state to state, and what the rest makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.paths import PathClasses, by_kind, split
from micrornn.flow.pieces import Rows
from micrornn.flow.roles import STATES
from micrornn.flow.routes import FIRST, Stages, routes
from micrornn.flow.series import label, norm, norms, number, plain, table
from micrornn.recording import Recording

Array = np.ndarray[Any, Any]


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
        left_out: how many partial paths were not followed, because more than that came to a state; with
            none, these are the heaviest paths there are.
    """

    target: str
    paths: list[Path]
    rest: Array
    total: Array
    beam: int
    left_out: int = 0

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
                "left_out": self.left_out,
            }
        )

    def __str__(self) -> str:
        lines = [f"gradient reaching {self.target}: norm {norm(self.total):.3g}"]
        lines += [*(f"  {p}" for p in self.paths), f"  the rest: {self.rest_share:+.1%}"]
        return "\n".join([*lines, f"  {self.followed}"] if self.followed else lines)

    @property
    def followed(self) -> str:
        """What was left out of the search, in words; empty where every path was followed."""
        if not self.left_out:
            return ""
        return (
            f"from every state the {self.beam} heaviest partial paths were followed further; "
            f"{self.left_out:,} lighter ones are in the rest"
        )


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
    quotient of the gradient's norms. At every state the ``beam`` heaviest partial paths are followed further
    and all others are part of the rest, so that the parts add up and no path is enumerated: one walk back
    through the graph. With states of one unit, or where ``left_out`` is 0, the paths found are the heaviest
    there are. Else a path that is light half-way may still come out heavier than one that was followed, and
    a wider beam is surer; to be sure always is beyond any quick algorithm, because the largest product of
    given matrices is NP-hard to find (Tsitsiklis & Blondel 1997).

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
    stages = Stages(max(beam, k))
    return heaviest(node, k, stages, routes(rec, node, loss, states=states, stages=stages))


def routes_to(
    rec: Recording,
    target: Tensor | str,
    k: int = 5,
    loss: Tensor | None = None,
    beam: int = 64,
) -> tuple[HeaviestPaths, PathClasses]:
    """`heaviest_paths` and `paths`, in one walk through the graph."""
    node = rec.node(target)
    stages = Stages(max(beam, k))
    names, edge = by_kind(rec, node, "first")
    found = routes(rec, node, loss, edge=edge, states=STATES, stages=stages)
    kinds = int(found.labels.searchsorted(FIRST))
    by_class = Rows(found.labels[:kinds], found.values[:kinds])
    return heaviest(node, k, stages, found), split(node, "first", names, by_class)


def heaviest(node: Tensor, k: int, stages: Stages, found: Rows) -> HeaviestPaths:
    """The answer of `heaviest_paths`, from the rows that arrived."""
    kinds = int(found.labels.searchsorted(FIRST))
    values = np.asarray(found.values, dtype=float)
    total, values = values[:kinds].sum(axis=0), values[kinds:]
    size = norm(total)
    unit = total / size if size else total
    sizes = norms(values)
    best = np.argsort(-sizes, kind="stable")[:k].tolist()
    told = []
    for i in best:
        way = stages.way(int(found.labels[kinds + i]))
        steps = [stage.size for stage in way] + [float(sizes[i])]
        factors = [b / a if a else float("nan") for a, b in pairwise(steps)]
        nodes = [*(label(stage.node) for stage in way), label(node)]
        share = float(np.vdot(values[i], unit)) / size if size else float("nan")
        told.append(Path(nodes, factors, values[i], float(sizes[i]), share))
    untold = np.delete(values, best, axis=0)
    rest = total - values[best].sum(axis=0) if stages.left_out else untold.sum(axis=0)
    return HeaviestPaths(label(node), told, rest, total, stages.beam, stages.left_out)
