"""Time steps of an unmarked loop: found in the graph, verified, and said to be inferred.

A loop over time makes the same operations again and again, from the same lines, with the same weights, and a
state leads from each iteration to the next. That is what is looked for: a stretch of nodes that repeats
itself, with a value of one iteration used in the next other than by mere addition. A loop over samples
carries nothing, or only adds up its losses; a loop over layers has other weights each time. Neither is time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.context import Place
from micrornn.core.tensor import Tensor
from micrornn.recording.losses import kind_of

_PERIODS = 16  # distances that are tried, the most frequent ones
_LOOPS = 64  # of a graph, at most


class Loop(NamedTuple):
    """A loop over time.

    Attributes:
        start: the place of its first node among the operations.
        period: operations in an iteration.
        iterations: how many there are.
        states: the places within an iteration of the values that lead to the next.
    """

    start: int
    period: int
    iterations: int
    states: list[int]


def infer_steps(nodes: Sequence[Tensor]) -> str:
    """Mark the steps of unmarked loops, and name their states; what was done in a sentence, or "".

    Nothing is done where a node has a step already. States without a name are called h (and c beside it),
    inputs x.

    Args:
        nodes: of a graph, oldest first.

    >>> import micrornn as mr
    >>> w, h = mr.Value(0.5, "w"), mr.tensor(1.0)
    >>> for _ in range(3):
    ...     h = (w * h).tanh()
    >>> infer_steps(mr.Graph(h).nodes)
    'steps inferred from a loop of 3 iterations; mark them with mr.scope(t=t) to be sure'
    >>> h
    tensor(..., tanh, name='h', t=3)
    """
    if any(node.step for node in nodes):
        return ""
    operations = [node for node in nodes if node.inputs]
    loops = _loops(operations)
    for number, loop in enumerate(loops, 1):
        _mark(
            operations,
            loop,
            "" if len(loops) == 1 else f"loop {number}",
            _offset(operations, loops, loop),
        )
    if not loops:
        return ""
    words = []
    for loop in loops[:3]:
        source = operations[loop.start].source
        where = f" at {source[0].rpartition('/')[2]}, line {source[1]}" if source else ""
        words.append(f"a loop of {loop.iterations} iterations{where}")
    more = f" and {len(loops) - 3} more loops" if len(loops) > 3 else ""
    return f"steps inferred from {', '.join(words)}{more}; mark them with mr.scope(t=t) to be sure"


# -- finding loops ----------------------------------------------------------------------------------


def _loops(operations: Sequence[Tensor]) -> list[Loop]:
    """The loops over time, oldest first; where several periods fit, the one that explains most."""
    ids = _kinds(operations)
    place = {node.number: i for i, node in enumerate(operations)}
    free = np.ones(len(ids), dtype=bool)
    found: list[Loop] = []
    by_period = [_runs(ids, period) for period in _periods(ids)]
    by_period.sort(
        key=lambda runs: (-sum(end - start for start, end, _ in runs), runs[0][2] if runs else 0)
    )
    for start, end, period in (run for runs in by_period for run in runs):
        if len(found) == _LOOPS:
            break
        # The end of one loop may look like the beginning of the next: what is taken is left out.
        while start < end and not free[start]:
            start += 1
        if not free[start:end].all():
            continue
        iterations = (end - start) // period
        if iterations < 2:
            continue
        states = _states(operations, place, start, period, iterations)
        if states:
            found.append(Loop(start, period, iterations, states))
            free[start : start + period * iterations] = False
    return sorted(found)


def _kinds(operations: Sequence[Tensor]) -> np.ndarray[Any, Any]:
    """A number for each operation, the same for the same line, primitive, rank and weights."""
    known: dict[Any, int] = {}
    ids = []
    for node in operations:
        weights = tuple(x.number if not x.inputs and x.requires_grad else 0 for x in node.inputs)
        key = node.source, node.scope, node.primitive.name, len(node.shape), weights
        ids.append(known.setdefault(key, len(known)))
    return np.array(ids)


def _periods(ids: np.ndarray[Any, Any]) -> list[int]:
    """The most frequent distances between two operations of one kind."""
    last: dict[int, int] = {}
    distances: Counter[int] = Counter()
    for i, kind in enumerate(ids.tolist()):
        if kind in last:
            distances[i - last[kind]] += 1
        last[kind] = i
    return [distance for distance, _ in distances.most_common(_PERIODS)]


def _runs(ids: np.ndarray[Any, Any], period: int) -> list[tuple[int, int, int]]:
    """The stretches that repeat with a period: start, end, and the period."""
    same = np.concatenate([[False], ids[:-period] == ids[period:], [False]])
    edges = np.flatnonzero(np.diff(same.astype(np.int8)))
    ends = zip(edges[::2].tolist(), edges[1::2].tolist())
    return [(start, end + period, period) for start, end in ends if end - start >= period]


def _states(
    operations: Sequence[Tensor], place: dict[int, int], start: int, period: int, count: int
) -> list[int]:
    """The places in an iteration whose values the next one uses, the same in all; [] if it is not time."""
    carried: set[tuple[int, int, int]] | None = None
    for k in range(1, count):
        here: set[tuple[int, int, int]] = set()
        for j in range(period):
            node = operations[start + k * period + j]
            for slot, x in enumerate(node.inputs):
                i = place.get(x.number, -1) - (start + (k - 1) * period)
                if 0 <= i < period and x.inputs:
                    here.add((i, j, slot))
        carried = here if carried is None else carried & here
        if not carried:
            return []
    uses: dict[int, set[tuple[int, int]]] = {}  # by source, where the next iteration uses it
    for i, j, slot in carried or ():
        uses.setdefault(i, set()).add((j, slot))
    body = operations[start + period : start + 2 * period]
    own = {node.number: j for j, node in enumerate(body)}
    found = {i: _leads_on(body, own, uses, i) for i in uses}
    states = sorted(i for i, (mixed, _) in found.items() if mixed)
    return states if any(found[i][1] for i in states) else []


def _leads_on(
    body: Sequence[Tensor], own: dict[int, int], uses: dict[int, set[tuple[int, int]]], source: int
) -> tuple[bool, bool]:
    """Whether a carried value leads to a carried value by more than addition, and whether through weights."""
    mixed: dict[
        int, bool
    ] = {}  # by place: what the source reaches, and whether by more than addition
    weighted: dict[int, bool] = {}
    for j, node in enumerate(body):
        mixes = kind_of(node) not in ("sum", "view", "join")
        from_source = [slot for k, slot in uses[source] if k == j]
        before = [own[x.number] for x in node.inputs if own.get(x.number) in mixed]
        if from_source or before:
            mixed[j] = mixes or any(mixed[i] for i in before)
            here = any(not x.inputs and x.requires_grad for x in node.inputs)
            weighted[j] = here or any(weighted[i] for i in before)
    return any(mixed.get(i) for i in uses), any(weighted.get(i) for i in uses)


# -- marking ----------------------------------------------------------------------------------------


def _offset(operations: Sequence[Tensor], loops: Sequence[Loop], loop: Loop) -> int:
    """The step before the first: a decoder that begins with the last state of an encoder continues it."""
    first = {x.number for node in _iteration(operations, loop, 0) for x in node.inputs}
    for other in loops:
        if other.start >= loop.start:
            break
        last = _iteration(operations, other, other.iterations - 1)
        inner = [n for k in range(other.iterations - 1) for n in _iteration(operations, other, k)]
        if {last[i].number for i in other.states} & first and not {n.number for n in inner} & first:
            return (last[0].step or other.iterations) if other.iterations > 1 else 0
    return 0


def _iteration(operations: Sequence[Tensor], loop: Loop, k: int) -> Sequence[Tensor]:
    return operations[loop.start + k * loop.period : loop.start + (k + 1) * loop.period]


def _mark(operations: Sequence[Tensor], loop: Loop, scope: str, offset: int) -> None:
    layers = _layers(operations, loop)
    names = _names(operations, loop, layers)
    users: dict[int, set[int]] = {}  # of each leaf, the iterations that use it
    leaves: dict[int, Tensor] = {}
    for k in range(loop.iterations):
        for j, node in enumerate(_iteration(operations, loop, k)):
            part = layers[j]
            # What has scopes already, such as the modules of a model, is told apart by them.
            path = node.scope or "/".join(p for p in (scope, part) if p)
            node.place = Place(path, offset + k + 1)
            if j in names and node.name is None:
                node.name = names[j]
            for x in node.inputs:
                if not x.inputs and not x.requires_grad:
                    users.setdefault(x.number, set()).add(k)
                    leaves[x.number] = x
    begin = _initial(operations, loop)
    for number, iterations in users.items():
        leaf = leaves[number]
        if leaf.place.step is not None or len(iterations) > 1 or leaf.params:
            continue
        if number in begin:
            state = begin[number]
            path = operations[loop.start + state].place.scope
            leaf.place, leaf.name = Place(path, offset), leaf.name or names.get(state, "h")
        else:
            leaf.place = Place(leaf.scope, offset + next(iter(iterations)) + 1)
            leaf.name = leaf.name or "x"


def _initial(operations: Sequence[Tensor], loop: Loop) -> dict[int, int]:
    """By number, the nodes that enter the first iteration where later ones have a state, and which state."""
    first, second = _iteration(operations, loop, 0), _iteration(operations, loop, 1)
    own = {node.number: i for i, node in enumerate(first)}
    found: dict[int, int] = {}
    for a, b in zip(first, second):
        for x, y in zip(a.inputs, b.inputs):
            if own.get(y.number) in loop.states and x.number not in own:
                found[x.number] = own[y.number]
    return found


def _layers(operations: Sequence[Tensor], loop: Loop) -> list[str]:
    """For each place in an iteration, its layer: "" if all states belong to one.

    A state that is computed from another of the same iteration through weights is that of the next layer.
    """
    body = _iteration(operations, loop, 1)
    own = {node.number: j for j, node in enumerate(body)}
    depth: dict[int, int] = {}  # by place: layers so far
    for j, node in enumerate(body):
        below = [own[x.number] for x in node.inputs if x.number in own]
        weight = any(not x.inputs and x.requires_grad for x in node.inputs)
        depth[j] = max((depth[i] for i in below), default=0)
        from_state = any(i in loop.states or depth[i] > 1000 for i in below)
        if weight and from_state:
            depth[j] += 1
    levels = sorted({depth[s] for s in loop.states})
    if len(levels) < 2:
        return [""] * loop.period
    return [f"layer {1 + sum(level < depth[j] for level in levels)}" for j in range(loop.period)]


def _names(operations: Sequence[Tensor], loop: Loop, layers: Sequence[str]) -> dict[int, str]:
    """By place, the name of each state: h, and c for one that h of the same layer is computed from."""
    body = _iteration(operations, loop, 1)
    own = {node.number: j for j, node in enumerate(body)}
    names: dict[int, str] = {}
    for layer in dict.fromkeys(layers):
        states = [s for s in loop.states if layers[s] == layer]
        for s in states:
            names[s] = "h"
        if len(states) == 2:
            cell, hidden = states
            behind = {hidden}
            for j in range(hidden, cell, -1):
                if j in behind:
                    behind |= {own[x.number] for x in body[j].inputs if x.number in own}
            if cell in behind:
                names[cell] = "c"
    return names
