"""By which kinds of path a gradient came: the cell state's highway, or through the gates.

A gradient is the sum over all paths of the products of their local derivatives. There are exponentially
many, but they fall into few classes, and a class is all that has to be remembered on the way: every
gradient goes back as a few rows, one for each class, and a row changes its class where its paths do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import Piece, Rows, first_moved, relabel
from micrornn.flow.roles import cells, layer_of
from micrornn.flow.routes import FIRST, Edge, routes
from micrornn.flow.series import label, norm, plain, table
from micrornn.recording import Recording
from micrornn.recording.losses import kind_of

Array = np.ndarray[Any, Any]
Classes = Mapping[str, Callable[[Tensor], bool]]

HIGHWAY = "highway"
ATTENTION_WEIGHTS = "attention weights"
ATTENTION_VALUES = "attention values"


@dataclass(frozen=True)
class PathClasses:
    """A gradient split exactly into classes of paths.

    Attributes:
        target: the label of the node whose gradient it is.
        by: whether a path counts to the first gate that it meets on its way back, or to the last.
        classes: the names. "highway" holds the paths that meet none: in an LSTM the products of forget
            gates along the cell state, in a GRU the products of update gates, else the skips.
        parts: shape (classes, *target); they add up to ``total``.
        norms: shape (classes,).
        shares: shape (classes,), <part, G> / |G|^2; they add up to 1 (nan where G is exactly 0).
        total: G.
    """

    target: str
    by: str
    classes: list[str]
    parts: Array
    norms: Array
    shares: Array
    total: Array

    def table(self) -> str:
        """One row for each class: norm and share."""
        rows = [
            [c, float(n), f"{s:+.2%}"] for c, n, s in zip(self.classes, self.norms, self.shares)
        ]
        return table(["paths", "norm", "share"], rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for JSON."""
        return plain(
            {
                "target": self.target,
                "by": self.by,
                "classes": self.classes,
                "norms": self.norms,
                "shares": self.shares,
                "norm": norm(self.total),
            }
        )

    def __str__(self) -> str:
        if not len(self.classes):
            return f"no path leads to {self.target}"
        best = int(np.argmax(self.norms))
        return (
            f"gradient reaching {self.target}: norm {norm(self.total):.3g}; most of it "
            f"({self.shares[best]:+.1%}) by {self.classes[best]}"
        )


def paths(
    rec: Recording,
    target: Tensor | str,
    loss: Tensor | None = None,
    by: Literal["first", "last"] = "first",
    classes: Classes | None = None,
) -> PathClasses:
    """Split the gradient of a node into classes of paths; the parts add up to it.

    In an LSTM ``dc_t/dc_{t-1} = f_t + (what comes by h_{t-1} through the gates)``: the first term is the
    constant error carousel of Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000. In
    a GRU ``dh_t/dh_{t-1} = z_t + ...`` (Cho et al. 2014, eq. 7). A path counts to the highway as long as
    it enters no gate; without gates, as long as it enters no activation of a cell. Paths through the
    softmax of an attention count to its weights, past it to its values.

    Args:
        rec: live or loaded.
        target: any node or name: ``c[1]``, ``h[0]``, ``weight_hh_l0``.
        loss: where the gradient begins; by default where the recorded passes began.
        by: which gate a path with several counts to: the ``"first"`` on its way back from the loss, or
            the ``"last"``, which is the nearest to the target.
        classes: your own, instead of the gates: by name, which nodes put a path into the class.

    Raises:
        RecordingError: there is no such node, or no pass and no loss.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> w, h = mr.Value(0.5), mr.Value(1.0, "h")
    >>> for t in (1, 2):
    ...     with mr.scope("residual", t=t):
    ...         h = h + mr.tanh(w * h)
    ...         h.name = "h"
    >>> print(paths(record(h), "h").table().splitlines()[0])
    paths  norm  share
    """
    node = rec.node(target)
    names, edge = by_kind(rec, node, by, classes)
    return split(node, by, names, routes(rec, node, loss, edge=edge))


def split(node: Tensor, by: str, names: list[str], found: Rows) -> PathClasses:
    """The answer of `paths`, from the rows that arrived."""
    values = np.asarray(found.values, dtype=float)
    total = values.sum(axis=0)
    size = norm(total)
    unit = total / size if size else total
    shares = [float(np.vdot(v, unit)) / size if size else np.nan for v in values]
    kinds = [names[i] for i in found.labels]
    return PathClasses(
        label(node), by, kinds, values, np.array([norm(v) for v in values]), np.array(shares), total
    )


def by_kind(
    rec: Recording, target: Tensor, by: str, classes: Classes | None = None
) -> tuple[list[str], Edge]:
    """The names of the classes, and what moves a path from one to another along an edge."""
    names = [HIGHWAY]
    entering, passing = _marks(rec, classes, names)
    first = by == "first"

    def edge(user: Tensor, slot: int, piece: Piece) -> Piece:
        x = user.inputs[slot]
        mark = passing.get((user.number, slot)) if passing else None
        if mark is None:
            mark = entering.get(x.number)
            if mark is None or x is target:
                return piece
        labels = piece.labels
        if not first:
            return relabel(piece, np.where(labels < FIRST, mark, labels))
        return (
            piece if labels[0] else first_moved(piece, mark)
        )  # labels ascend from the highway's, 0

    return names, edge


def _marks(
    rec: Recording, classes: Classes | None, names: list[str]
) -> tuple[dict[int, int], dict[tuple[int, int], int]]:
    """Which class a path joins: by the node it enters, and by the edge it takes."""
    entering: dict[int, int] = {}
    passing: dict[tuple[int, int], int] = {}

    def mark(name: str) -> int:
        if name not in names:
            names.append(name)
        return names.index(name)

    if classes is not None:
        for name, belongs in classes.items():
            for node in rec.nodes:
                if node.inputs and belongs(node):
                    entering[node.number] = mark(name)
        return entering, passing
    found = cells(rec)
    gated = {scope for (scope, _), cell in found.items() if cell.gates}
    plain = {scope for scope, _ in found} - gated
    for cell in found.values():
        for role, gate in cell.gates.items():
            entering[gate.number] = mark(role)
    for node in rec.nodes:
        if not node.inputs or node.primitive is None:
            continue
        if kind_of(node) == "activation" and node.step is not None and layer_of(node) in plain:
            entering[node.number] = mark(f"through {node.primitive.name}")
        if kind_of(node) == "distribution":
            entering[node.number] = mark(ATTENTION_WEIGHTS)
            for user, slot in _products_of(rec, node):
                passing[user.number, 1 - slot] = mark(ATTENTION_VALUES)
    return entering, passing


def _products_of(rec: Recording, node: Tensor) -> list[tuple[Tensor, int]]:
    """The products that a node is a factor of, as it is or only moved about."""
    found, waiting = [], [node]
    while waiting:
        for user, slot in rec.users.get(waiting.pop().number, ()):
            if kind_of(user) == "view":
                waiting.append(user)
            elif kind_of(user) in ("scaling", "product") and len(user.inputs) == 2:
                found.append((user, slot))
    return found
