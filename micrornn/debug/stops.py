"""Telling of a stop: why here, what is next, and the displays."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from micrornn.core.backward import dense
from micrornn.debug.breakpoints import Breakpoint
from micrornn.debug.columns import size_of
from micrornn.debug.conditions import FIELDS
from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError
from micrornn.debug.evaluate import Moment
from micrornn.debug.moves import FORTH, Arrival
from micrornn.debug.registry import Outcome
from micrornn.debug.report import made, plain, shown, sized, turn_data, turn_lines
from micrornn.debug.state import State
from micrornn.debug.timeline import Timeline

MOST_SAID = 1000  # messages of one move


def stopped(cursor: Cursor, arrival: Arrival) -> Outcome:
    """The answer to a move."""
    state = arrival.state
    line = cursor.line_of(state)
    lines: list[str] = []
    reasons: list[dict[str, Any]] = []
    said = [_said(cursor, line, one, at) for one, at in arrival.logged[:MOST_SAID]]
    if len(arrival.logged) > MOST_SAID:
        said.append(f"... and {len(arrival.logged) - MOST_SAID:,} more")
    lines += said
    for one in arrival.hits:
        if one.after and arrival.turn is not None:
            words, reason = change_seen(cursor, line, one, arrival.turn, arrival.sign)
            lines += words
            reasons.append(reason)
        else:
            kind = "temporary breakpoint" if one.temporary else "breakpoint"
            lines.append(f"{kind} {one.number}: {one.words}")
            reasons.append({"breakpoint": one.number, "what": one.words})
    if arrival.ended and arrival.sign != FORTH:
        lines.append(f"the beginning of the {state.direction} pass")
    lines += turn_lines(line, cursor.places, state.position)
    shows = displayed(cursor, state)
    lines += [text for _, _, texts in shows for text in texts]
    data = turn_data(line, cursor.places, state.position)
    data["branch"] = state.branch
    data["reasons"] = reasons
    if said:
        data["logged"] = said
    if shows:
        data["displays"] = {expression: plain(value) for expression, value, _ in shows}
    return Outcome(state, lines, data, "stop")


def _said(cursor: Cursor, line: Timeline, one: Breakpoint, position: int) -> str:
    """The message of a breakpoint that does not stop, with the values of its expressions there."""
    moment = Moment(line, cursor.places, position)

    def value(match: re.Match[str]) -> str:
        if match[1] in FIELDS and position < len(line):
            found = getattr(line.columns, match[1])[position]
            return f"{found:.6g}" if isinstance(found, float) else str(found)
        try:
            found = moment.value(match[1])
            return shown(cursor.rec.value(found) if hasattr(found, "primitive") else found)[0]
        except DebuggerError as error:
            return f"{{{match[1]}: {str(error).partition(';')[0]}}}"

    return re.sub(r"\{([^{}]+)\}", value, one.log)


def change_seen(
    cursor: Cursor, line: Timeline, one: Breakpoint, turn: int, sign: int
) -> tuple[list[str], dict[str, Any]]:
    """What a watch saw: old, new, who contributed, and its share of the whole."""
    places, node = cursor.places, line.rec.by_number[one.target]
    before, had, parts = line.arrived(node, turn)
    after, has, _ = line.arrived(node, turn + 1)
    sender = line.nodes[turn]
    sent = [dense(line.sent[turn][slot]) for i, slot in line.senders(node, turn) if i == turn]
    amount = sum(sent[1:], start=sent[0])
    whole, _, _ = line.arrived(node, len(line) if node.is_leaf else line.ends[line.run(turn)])
    share = share_of(amount, whole)
    old, new = (before, after) if sign == FORTH else (after, before)
    verb = "contributed by" if sign == FORTH else "taken back:"
    label = places.label(node)
    lines = [
        f"watch {one.number}: {label}.grad: norm {sized(old)} -> {sized(new)}"
        f" ({has if sign == FORTH else had} of {parts} parts)",
        f"  {verb} {made(sender, places)}, pullback {turn + 1}"
        + (f", t={sender.step}" if sender.step is not None else "")
        + f": norm {sized(amount)}, share {share:+.1%}",
    ]
    reason = {
        "watch": one.number,
        "what": f"{label}.grad",
        "old": None if old is None else plain(size_of(old)),
        "new": None if new is None else plain(size_of(new)),
        "contributor": places.label(sender),
        "pullback": turn + 1,
        "step": sender.step,
        "share": plain(share),
    }
    return lines, reason


def share_of(part: Any, whole: Any) -> float:
    """The signed share <part, whole> / |whole|^2; nan where the whole is zero or not there.

    >>> share_of(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    0.5
    """
    size = size_of(whole) if whole is not None else 0.0
    if not size or not np.isfinite(size):
        return float("nan")
    unit = np.asarray(whole, dtype=float) / size
    return float(np.vdot(np.asarray(part, dtype=float) / size, unit))


def displayed(cursor: Cursor, state: State) -> list[tuple[str, Any, list[str]]]:
    """The displays at a state: expression, value, and lines of text."""
    moment = Moment(cursor.line_of(state), cursor.places, state.position)
    found: list[tuple[str, Any, list[str]]] = []
    for number, expression in state.displays:
        try:
            value = moment.value(expression)
            value = cursor.rec.value(value) if hasattr(value, "primitive") else value
            head, *rest = shown(value)
        except DebuggerError as error:
            value, head, rest = None, str(error).partition("; ")[0], []
        found.append((expression, value, [f"display {number}: {expression} = {head}", *rest]))
    return found
