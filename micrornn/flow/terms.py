"""A parameter's gradient as the list of what every use sent, each with the step it belongs to.

A shared weight has no step; its share at step t is what the nodes of step t sent it. Between the weight
and those nodes there may be others without a step (a weight sliced into gates once, before the loop):
what they pass on keeps the step of where it came from, because a pullback is linear.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import Rows
from micrornn.flow.rows import sweep
from micrornn.forward import jvp
from micrornn.recording import Recording
from micrornn.recording.passes import total

Array = np.ndarray[Any, Any]


class Way(NamedTuple):
    """From a parameter to what was made of it before the steps began: a part of it, or itself.

    Attributes:
        parameter: where the way begins.
        entry: what the steps use.
        nodes: the nodes without a step between the two, both included, oldest first.
    """

    parameter: Tensor
    entry: Tensor
    nodes: tuple[Tensor, ...]

    def back(self, g: Any) -> Any:
        """A gradient of the entry, carried back to the parameter."""
        if self.entry is self.parameter:
            return g
        return self.all_back(np.asarray(g)[None])[0]

    def all_back(self, rows: Array) -> Array:
        """Several gradients of the entry, one for each row, carried back together."""
        if self.entry is self.parameter:
            return rows
        seeds = {self.entry.number: Rows(np.arange(len(rows)), rows)}
        return sweep(self.nodes, seeds, [self.parameter.number])[self.parameter.number].dense()

    def ahead(self, tangent: Array) -> Array:
        """A tangent of the parameter, pushed ahead to the entry."""
        if self.entry is self.parameter:
            return tangent
        inside = {n.number for n in self.nodes}
        still = {x.number: x for n in self.nodes for x in n.inputs if x.number not in inside}
        tangents = [tangent, *(np.zeros(x.shape) for x in still.values())]
        return np.asarray(jvp(self.entry, [self.parameter, *still.values()], tangents))


class Term(NamedTuple):
    """What one use of a parameter sent to its gradient.

    Attributes:
        step: the step of the use; None for a use outside all steps (a loss over whole sequences).
        use: the node that used it.
        slot: the place of the parameter (or of its part) among the inputs of ``use``.
        sent: the contribution as it was recorded, often unwritten.
        way: how it goes from there to the parameter.
        run: the pass it belongs to.
    """

    step: int | None
    use: Tensor
    slot: int
    sent: Any
    way: Way
    run: int

    def dense(self) -> Any:
        """The contribution in the shape of the parameter."""
        return self.way.back(dense(self.sent))


def added(own: Sequence[Term], shape: tuple[int, ...]) -> Array:
    """The sum of terms in the shape of the parameter; each way is gone only once."""
    whole = np.zeros(shape)
    for where in _by_way(own).values():
        way = own[where[0]].way
        whole = whole + way.back(np.asarray(total([own[i].sent for i in where]), dtype=float))
    return whole


def stacked(
    own: Sequence[Term], shape: tuple[int, ...], rows: tuple[int, int, int] | None = None
) -> Array:
    """The terms in the shape of the parameter, one below the other: shape (terms, *shape).

    Args:
        rows: of what was sent, only the stretch (axis, low, high).
    """
    found = np.zeros((len(own), *shape))
    for where in _by_way(own).values():
        sent = np.array([dense(own[i].sent) for i in where], dtype=float)
        if rows is not None:
            axis, low, high = rows
            at: list[Any] = [slice(None)] * sent.ndim
            at[axis + 1 if axis >= 0 else axis] = slice(low, high)
            part = np.zeros_like(sent)
            part[tuple(at)] = sent[tuple(at)]
            sent = part
        found[where] = own[where[0]].way.all_back(sent)
    return found


def _by_way(own: Sequence[Term]) -> dict[int, list[int]]:
    """Which terms share a way."""
    found: dict[int, list[int]] = {}
    for i, term in enumerate(own):
        found.setdefault(term.way.entry.number, []).append(i)
    return found


def terms(rec: Recording, parameters: Sequence[Tensor]) -> dict[int, list[Term]]:
    """By number of the parameter, its terms in the order in which backward sent them."""
    asked = {p.number: p for p in parameters}
    made_of = _made_of(rec.nodes, set(asked))
    ways: dict[tuple[int, int], Way] = {}
    found: dict[int, list[Term]] = {number: [] for number in asked}

    def add(step: int | None, use: Tensor, slot: int, sent: Any, run: int) -> None:
        entry = use.inputs[slot]
        for number in made_of[entry.number]:
            key = number, entry.number
            if key not in ways:
                ways[key] = _way(asked[number], entry, made_of)
            found[number].append(Term(step, use, slot, sent, ways[key], run))

    for i, run in enumerate(rec.passes):
        # Nodes without a step where something with a step has arrived: what they pass on is part of that
        # term. Whatever else arrived there, outside all steps, becomes a term of its own.
        touched: set[int] = set()
        loose: dict[int, list[tuple[Tensor, int, Any]]] = defaultdict(list)
        for node, _, contributions in run.pullbacks:
            split = node.number in touched
            if split:
                for use, slot, sent in loose.pop(node.number, ()):
                    add(None, use, slot, sent, i)
            for slot, (x, c) in enumerate(zip(node.inputs, contributions)):
                if c is None or x.number not in made_of:
                    continue
                if split:
                    touched.add(x.number)
                elif node.step is not None:
                    touched.add(x.number)
                    add(node.step, node, slot, c, i)
                elif x.number in asked:
                    add(None, node, slot, c, i)
                else:
                    loose[x.number].append((node, slot, c))
    return found


def _made_of(nodes: Sequence[Tensor], asked: set[int]) -> dict[int, frozenset[int]]:
    """By number, which parameters a node without a step was made of, with no step in between."""
    found = {number: frozenset([number]) for number in asked}
    for node in nodes:
        if node.step is None and node.inputs:
            parts = [found[x.number] for x in node.inputs if x.number in found]
            if parts:
                found[node.number] = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
    return found


def _way(parameter: Tensor, entry: Tensor, made_of: dict[int, frozenset[int]]) -> Way:
    nodes = {entry.number: entry}
    waiting = [entry]
    while waiting:
        node = waiting.pop()
        if node is parameter:
            continue
        for x in node.inputs:
            if parameter.number in made_of.get(x.number, ()) and x.number not in nodes:
                nodes[x.number] = x
                waiting.append(x)
    return Way(parameter, entry, tuple(nodes[number] for number in sorted(nodes)))
