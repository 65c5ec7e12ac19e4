"""Moving the cursor: every move is a target, a sign, and the stops on the way. Pure functions.

Turn i takes the cursor from position i to i + 1, and back. A breakpoint stops before the turn that it
matches, in both directions; a watch stops where the change has just been made, or just been undone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.debug.breakpoints import Breakpoint
from micrornn.debug.state import State
from micrornn.debug.timeline import Timeline
from micrornn.flow.roles import GATE_SCOPES

Array = np.ndarray[Any, Any]

FORTH, BACK = 1, -1


@dataclass(frozen=True)
class Arrival:
    """Where a move ended, and why there.

    Attributes:
        state: the new state.
        hits: the breakpoints and watches that stopped it, as they were before.
        turn: the turn that was done last, or undone last; None where the cursor did not move.
        sign: 1 forth, -1 back.
        ended: whether there is nothing left in that direction.
        logged: (breakpoint, position) where one only says something.
    """

    state: State
    hits: tuple[Breakpoint, ...]
    turn: int | None
    sign: int
    ended: bool
    logged: tuple[tuple[Breakpoint, int], ...] = ()


def travel(line: Timeline, state: State, target: int, sign: int, here: bool = False) -> Arrival:
    """Move to ``target``, or to the first stop before it.

    Args:
        here: whether a breakpoint at the present position counts as well (after a restart).
    """
    start = position = state.position
    target = min(max(target, 0), len(line))
    stops = {one.number: one for one in state.stops}
    stopped: list[Breakpoint] = []
    logged: list[tuple[Breakpoint, int]] = []
    while (not stopped and (position - target) * sign < 0) or here:
        events = {
            one.number: at
            for one in stops.values()
            if one.enabled and (at := _next(line, one, position, sign, here)) is not None
        }
        here = False
        reached = [at for at in events.values() if (at - target) * sign <= 0]
        if not reached:
            position = target
            break
        position = min(reached) if sign == FORTH else max(reached)
        for number, at in events.items():
            if at == position:
                one = stops[number]
                stops[number] = replace(one, hits=one.hits + 1, ignore=max(one.ignore - 1, 0))
                if one.ignore == 0 and (one.hits + 1) % one.each == 0:
                    if one.log:
                        logged.append((one, at))
                    else:
                        stopped.append(one)
    for one in stopped:
        if one.temporary:
            del stops[one.number]
    new = replace(state, position=position, stops=tuple(stops.values()))
    turn = None if position == start else position - 1 if sign == FORTH else position
    ended = not stopped and position == (len(line) if sign == FORTH else 0)
    return Arrival(new, tuple(stopped), turn, sign, ended, tuple(logged))


def _next(line: Timeline, one: Breakpoint, position: int, sign: int, here: bool) -> int | None:
    """The nearest position beyond this one at which it stops."""
    turns = one.turns(line)
    offset = 1 if one.after and sign == FORTH else 0
    if sign == FORTH:
        first = position + (0 if here and not one.after else 1) - offset
        i = int(np.searchsorted(turns, first))
        return int(turns[i]) + offset if i < len(turns) else None
    i = int(np.searchsorted(turns, position)) - 1
    return int(turns[i]) if i >= 0 else None


def beyond(line: Timeline, position: int, sign: int, inside: Array) -> int:
    """The first turn in a direction that is not ``inside``; the end of the timeline if there is none."""
    outside = np.flatnonzero(~inside)
    if sign == FORTH:
        i = int(np.searchsorted(outside, position + 1))
        return int(outside[i]) if i < len(outside) else len(line)
    i = int(np.searchsorted(outside, position)) - 1
    return int(outside[i]) if i >= 0 else 0


def steps_on(line: Timeline, position: int, sign: int, many: int) -> int:
    """Where the time step ``many`` further begins; going back, where this one does, or one before it."""
    starts = line.columns.starts
    if sign == FORTH:
        at = int(np.searchsorted(starts, position, side="right")) + many - 1
        return int(starts[at]) if at < len(starts) else len(line)
    at = int(np.searchsorted(starts, position)) - many
    return int(starts[max(at, 0)])


def _same(t: Array, wanted: float) -> Array:
    return np.asarray(np.isnan(t) if np.isnan(wanted) else t == wanted)


def around(line: Timeline, node: Tensor, what: str) -> Array:
    """Which turns are in the same gate, cell or layer as a node; ``""`` is its own scope and step."""
    columns, scope = line.columns, node.scope
    head, _, last = scope.rpartition("/")
    if what in ("cell", "layer") and last in GATE_SCOPES:
        scope = head
    fits = {s: s == scope or s.startswith(scope + "/") or not scope for s in set(columns.scope)}
    found = np.array([fits[s] for s in columns.scope], dtype=bool)
    if what != "layer":
        found &= _same(columns.t, np.nan if node.step is None else float(node.step))
    return found
