"""Many gradients carried through one graph at once: a row for each, under a label.

What a label means is the reader's business: the loss that a gradient began at (credit map), a unit of a
state (Jacobians), a class of paths, a single path. A node holds rows for those labels only that have
reached it, so that no work is spent on what cannot be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import Piece, Rows, assemble
from micrornn.flow.stacked import pull_rows

Turn = Callable[[Tensor, Rows], Rows]
Sent = Callable[[Tensor, int, Piece], None]
Edge = Callable[[Tensor, int, Piece], Piece]


def sweep(
    nodes: Sequence[Tensor],
    seeds: dict[int, Rows],
    wanted: Iterable[int],
    *,
    stop: bool = False,
    turn: Turn | None = None,
    edge: Edge | None = None,
    sent: Sent | None = None,
) -> dict[int, Rows]:
    """Carry seeds back to the wanted nodes, through the nodes that lie between and no others.

    Unlike a backward pass, it reaches nodes that need no gradient as well: inputs and initial states.

    Args:
        nodes: the graph, oldest first.
        seeds: by node number, the rows to begin with.
        wanted: numbers of the nodes whose rows are asked for.
        stop: a wanted node sends nothing on (what lies between two states, and no further).
        turn: may change the rows of a node before they are sent on: give them other labels.
        edge: may likewise change what is sent from a node to one of its inputs.
        sent: is told of every contribution to a wanted node, which is then not added up.

    Returns:
        By number, the rows that arrived at the wanted nodes; nothing for a node without a path.
    """
    asked = set(wanted)
    needed = descendants(nodes, asked)
    pending: dict[int, list[Piece]] = {}
    found: dict[int, Rows] = {}
    for node in reversed(nodes):
        number = node.number
        pieces: list[Piece] = pending.pop(number, [])
        if number in seeds and number in needed:
            pieces.append(seeds[number])
        if not pieces:
            continue
        rows = assemble(pieces, node.shape)
        if turn is not None:
            rows = turn(node, rows)
        if number in asked:
            found[number] = rows
            if stop and number not in seeds:
                continue
        slots = [i for i, x in enumerate(node.inputs) if x.number in needed]
        if not slots:
            continue
        for slot, piece in zip(slots, pull_rows(node, rows, slots)):
            x = node.inputs[slot]
            if edge is not None:
                piece = edge(node, slot, piece)
            if sent is not None and x.number in asked:
                sent(node, slot, piece)
            else:
                pending.setdefault(x.number, []).append(piece)
    return found


def descendants(nodes: Sequence[Tensor], sources: set[int]) -> set[int]:
    """The numbers of the sources and of all that was computed from them."""
    reached = set(sources)
    for node in nodes:
        for x in node.inputs:
            if x.number in reached:
                reached.add(node.number)
                break
    return reached
