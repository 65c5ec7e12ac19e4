"""The other sum over time: what each loss contributed to a weight, over all copies of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor, shape_of
from micrornn.flow.credit import losses_of
from micrornn.flow.pieces import Piece, ProductRows, one
from micrornn.flow.rows import sweep
from micrornn.flow.series import norm, plain, table
from micrornn.flow.terms import terms
from micrornn.messages import percent
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]

_MEMORY = 2**23  # numbers held at a time


@dataclass(frozen=True)
class LossLedger:
    """The gradient of one parameter, split over the losses that it came from, and over the steps as well.

    ``G = sum_t a_t dL_t/dW``, with a_t the weight that the total gives to L_t.

    Attributes:
        name: the parameter.
        reading: "over losses". The other reading is `flow.ledger`; the totals agree, the parts do not.
        losses: the steps of the losses, in the order in which they were made.
        norms: shape (losses,), |a_t dL_t/dW|.
        shares: shape (losses,), <a_t dL_t/dW, G> / |G|^2; they add up to 1 when all losses are here.
        steps: the steps at which the weight was used.
        both: shape (losses, steps): the share of loss t by way of the copy at step k. Its rows add up to
            ``shares``, its columns to the shares of `flow.ledger`.
        norm: |G|.
    """

    name: str
    losses: list[int | None]
    norms: Array
    shares: Array
    steps: list[int | None]
    both: Array
    norm: float
    reading: str = "over losses"

    def table(self) -> str:
        """One row for each loss: norm and share."""
        rows = zip(self.losses, self.norms, self.shares)
        return table(
            ["loss", "norm", "share"],
            [["none" if t is None else t, float(n), f"{s:+.2%}"] for t, n, s in rows],
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for JSON."""
        return plain(
            {
                "name": self.name,
                "reading": self.reading,
                "norm": self.norm,
                "losses": self.losses,
                "norms": self.norms,
                "shares": self.shares,
                "steps": self.steps,
                "both": self.both,
            }
        )

    def __str__(self) -> str:
        head = f"gradient of {self.name} ({self.reading}): norm {self.norm:.3g}"
        if not self.norm:
            return head
        best = int(np.argmax(self.shares))
        return (
            f"{head}; {percent(self.shares[best])} of it from the loss of step {self.losses[best]}"
        )


def ledger_by_loss(
    rec: Recording, parameter: Tensor | str, losses: Sequence[Tensor] | None = None
) -> LossLedger:
    """The ledger of one parameter over the losses: ``dL/dW = sum_t dL_t/dW`` (Pascanu et al. 2013, eq. 3).

    One sweep carries all losses back (see `flow.credit`), in blocks that fit in memory.

    Args:
        rec: live or loaded; backward must have run, because it says how much each loss counts.
        parameter: a leaf that requires a gradient, or its name.
        losses: by default the recording's own.

    Raises:
        RecordingError: there is no such parameter, no loss, or backward has not run.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> w, h, losses = mr.Value(1.0, "w"), mr.tensor(1.0), []
    >>> for t in (1, 2):
    ...     with mr.scope(t=t):
    ...         h = w * h
    ...         losses.append(h * 1.0)
    >>> ledger_by_loss(record(losses), "w").shares
    array([0.33333333, 0.66666667])
    """
    leaf = rec.node(parameter)
    rows = losses_of(rec, losses)
    own = terms(rec, [leaf])[leaf.number]
    total = sum((np.asarray(t.dense(), dtype=float) for t in own), np.zeros(leaf.shape))
    size = norm(total)
    unit = total / size if size else total
    name = leaf.name or f"#{leaf.number}"
    if not own:
        raise RecordingError(f"no gradient arrived at {name}; flow.why says where it was lost")
    steps = sorted({t.step for t in own}, key=lambda t: (t is None, t))
    column = {step: k for k, step in enumerate(steps)}
    ways = {t.way.entry.number: t.way for t in own}
    # <pulled(g), u> = <g, pushed(u)>: shares are taken where the weight enters, in its cheapest form.
    pushed = {number: way.ahead(unit) for number, way in ways.items()}
    both = np.zeros((len(rows), len(steps)))
    sizes = np.zeros(len(rows))
    weight = {i: rec.gradient(x) for i, x in enumerate(rows)}
    for block in _blocks([i for i, g in weight.items() if g is not None], len(own), leaf):
        held: dict[int, list[Piece]] = defaultdict(list)

        def take(node: Tensor, slot: int, piece: Piece, held: Any = held) -> None:
            entry = node.inputs[slot].number
            held[entry].append(piece)
            shares = _inner(piece, pushed[entry])
            both[piece.labels, column[node.step]] += shares / size if size else np.nan

        seeds = {rows[i].number: one(weight[i], i) for i in block}
        sweep(rec.nodes, seeds, ways, sent=take)
        for i in block:
            g = np.zeros(leaf.shape)
            for number, pieces in held.items():
                part = _only(pieces, i, ways[number].entry)
                if part is not None:
                    g = g + ways[number].back(part)
            sizes[i] = norm(g)
    return LossLedger(name, [x.step for x in rows], sizes, both.sum(axis=1), steps, both, size)


def _blocks(labels: list[int], uses: int, leaf: Tensor) -> Iterator[list[int]]:
    """Losses that go back at a time: what their sweep keeps of each use has to be held until its end."""
    held = uses * max((leaf.shape or (1,))[0], 1)
    width = max(1, _MEMORY // held)
    for i in range(0, len(labels), width):
        yield labels[i : i + width]


def _inner(piece: Piece, unit: Array) -> Array:
    """<g, unit> for each row g."""
    if isinstance(piece, ProductRows):
        # <left^T right, U> = <left, right U^T> = <right, left U>
        labelled, other = (
            (piece.left, piece.right @ unit.T)
            if piece.leading
            else (piece.right, piece.left @ unit)
        )
        flat: Array = labelled.reshape(len(labelled), -1) @ other.ravel()
        return flat
    rows = piece.dense()
    product: Array = rows.reshape(len(rows), -1) @ np.ravel(unit)
    return product


def _only(pieces: Sequence[Piece], label: int, entry: Tensor) -> Array | None:
    """The sum of the rows with one label, in the shape of what was used."""
    lefts, rights = [], []
    g: Array | None = None
    for piece in pieces:
        at = int(np.searchsorted(piece.labels, label))
        if at == len(piece.labels) or piece.labels[at] != label:
            continue
        if isinstance(piece, ProductRows):
            left = piece.left[at] if piece.leading else piece.left
            right = piece.right if piece.leading else piece.right[at]
            lefts.append(left.reshape(-1, left.shape[-1]))
            rights.append(right.reshape(-1, right.shape[-1]))
        else:
            row = piece._replace(labels=piece.labels[at : at + 1], values=piece.values[at : at + 1])
            g = row.dense()[0] if g is None else g + row.dense()[0]
    if lefts:
        product = np.concatenate(lefts).T @ np.concatenate(rights)
        g = product if g is None else g + product
    assert g is None or shape_of(g) == entry.shape
    return g
