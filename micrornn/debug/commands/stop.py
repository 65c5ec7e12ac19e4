"""Breakpoints and watches: made, listed, changed, deleted."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from micrornn.debug import breakpoints, conditions
from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import Outcome, command
from micrornn.debug.report import plain
from micrornn.debug.timeline import BACKWARD

if TYPE_CHECKING:
    from micrornn.debug.breakpoints import Breakpoint


def _add(cursor: Cursor, new: Breakpoint) -> Outcome:
    places = len(new.turns(cursor.line))
    kind = (
        "watch"
        if new.kind == "watch"
        else "temporary breakpoint"
        if new.temporary
        else "breakpoint"
    )
    turns = f"{places:,} pullback{'s' if places != 1 else ''}"
    if cursor.state.direction == "forward":
        turns = turns.replace("pullback", "node")
    note = "" if places else "; it will never stop"
    if new.kind == "born" and cursor.state.direction == BACKWARD:
        before = len(new.turns(cursor.forward))
        if before:
            turns = f"{before:,} node{'s' if before != 1 else ''} of the forward pass, {turns}"
            note = ""
    line = f"{kind} {new.number}: {new.words} ({turns}{note})"
    data = {"breakpoint": new.number, "what": new.words, "matches": places}
    return Outcome(cursor.state.with_stop(new), [line], data)


def _number(cursor: Cursor) -> int:
    return cursor.state.made[0] + 1


@command(
    *("break", "b"),
    group="stop",
    usage="break WHAT [if CONDITION] [N]",
    example="break tanh if norm < 1e-3",
    takes="stops",
)
def break_(cursor: Cursor, text: str) -> Outcome:
    """Stop before a pullback. WHAT is one of:

    tanh               an operation
    t=3                a time step
    lstm.0/forget      a scope, or its beginning
    weight_hh_l0       a tensor: for a parameter, every pullback that sends to it
    h[3]  #12          one node
    model.py:42        a source line
    nan                where a NaN or an infinity is born
    vanish 1e-6        where the norm falls below
    explode 1e3        where the norm rises above
    norm < 1e-6        any condition on norm, max, share, t, op, scope, name, sign, nan, inf, zero,
                       recomputed

    With N it stops at the N-th time first. Without WHAT the breakpoints are listed.
    """
    if not text:
        return listed(cursor)
    return _add(cursor, _counted(cursor, text, False))


@command(
    *("tbreak", "tb"),
    group="stop",
    usage="tbreak WHAT [if CONDITION] [N]",
    example="tbreak h[1]",
    takes="stops",
)
def tbreak(cursor: Cursor, text: str) -> Outcome:
    """A breakpoint that is gone after its first stop; WHAT as for `break`, N for the N-th time."""
    return _add(cursor, _counted(cursor, text, True))


@command(
    "dprintf",
    group="stop",
    usage="dprintf WHAT, MESSAGE",
    example="dprintf tanh, step {t}: norm {norm}",
    takes="stops",
)
def dprintf(cursor: Cursor, text: str) -> Outcome:
    """Say something wherever a breakpoint would stop, and go on; expressions stand in braces."""
    where, comma, message = text.partition(", ")
    if not comma or not message.strip():
        raise DebuggerError("write dprintf WHAT, MESSAGE: dprintf tanh, step {t}: norm {norm}")
    one = _counted(cursor, where, False)
    return _add(
        cursor, replace(one, log=message.strip(), words=f"{one.words}, says {message.strip()}")
    )


def _counted(cursor: Cursor, text: str, temporary: bool) -> Breakpoint:
    """The breakpoint that is meant; a number behind it, as in ``tbreak tanh 3``, is for the third time."""
    make = partial(breakpoints.parse, places=cursor.places, number=_number(cursor))
    here = cursor.line.nodes[min(cursor.state.position, len(cursor.line) - 1)].source
    if re.fullmatch(r"\d{1,9}", text) and here is not None:
        text = breakpoints.own_file(int(text), here[0], cursor.line) or text
    try:
        return make(text, cursor.line, temporary=temporary)
    except DebuggerError:
        match = re.fullmatch(r"(.*\S)\s+([1-9]\d{0,8})", text)
        if match is None:
            raise
        try:
            one = make(match[1], cursor.line, temporary=temporary)
        except DebuggerError:
            one = None
        if one is None:
            raise
        return replace(one, ignore=int(match[2]) - 1, words=f"{one.words}, time {match[2]}")


@command(
    "watch",
    group="stop",
    usage="watch NAME.grad [if CONDITION]",
    example="watch W_hh.grad",
    takes="nodes",
)
def watch(cursor: Cursor, text: str) -> Outcome:
    """Stop at every contribution to a gradient, and show old, new, who contributed, and the share.

    Going back, it stops where a contribution is taken back.
    """
    if cursor.state.direction == "forward":
        raise DebuggerError("gradients are watched in backward; write: direction backward")
    return _add(cursor, breakpoints.watch(text, cursor.places, _number(cursor)))


def _one(cursor: Cursor, text: str, usage: str) -> tuple[Breakpoint, str]:
    match = re.fullmatch(r"(\d+)\s*(.*)", text)
    if match is None:
        raise DebuggerError(f"which breakpoint? Write {usage}; `info breakpoints` has the numbers")
    return cursor.state.stop(int(match[1])), match[2]


@command("condition", group="stop", usage="condition N [CONDITION]", example="condition 1 t > 2")
def condition(cursor: Cursor, text: str) -> Outcome:
    """Make breakpoint N stop only where the condition holds; without one, wherever it did before."""
    one, rest = _one(cursor, text, "condition N CONDITION")
    if rest:
        conditions.check(rest)
    where = one.words.partition(" if ")[0]
    if one.kind == "any":
        where = ""
        if not rest:
            raise DebuggerError(
                f"breakpoint {one.number} is a condition; delete {one.number} instead"
            )
    words = f"{where} if {rest}" if where and rest else where or rest
    return _add(cursor, replace(one, condition=rest, words=words))


@command("ignore", group="stop", usage="ignore N COUNT", example="ignore 1 10")
def ignore(cursor: Cursor, text: str) -> Outcome:
    """Pass over breakpoint N the next COUNT times."""
    one, rest = _one(cursor, text, "ignore N COUNT")
    if not re.fullmatch(r"\d+", rest):
        raise DebuggerError(f"{rest!r} is no count; write ignore {one.number} COUNT")
    new = replace(one, ignore=int(rest))
    times = "1 time" if rest == "1" else f"{rest} times"
    return Outcome(cursor.state.with_stop(new), [f"breakpoint {one.number} is passed over {times}"])


def _enable(cursor: Cursor, text: str, on: bool) -> Outcome:
    state = cursor.state
    numbers = [one.number for one in state.stops] if not text else [0] * 0
    for word in text.split():
        numbers.append(_one(cursor, word, "disable N")[0].number)
    for number in numbers:
        state = state.with_stop(replace(state.stop(number), enabled=on))
    what = ", ".join(map(str, numbers)) or "none"
    return Outcome(state, [f"{'enabled' if on else 'disabled'}: {what}"])


@command("enable", group="stop", usage="enable [N ...]", example="enable 1")
def enable(cursor: Cursor, text: str) -> Outcome:
    """Let breakpoints stop again; all of them without a number."""
    return _enable(cursor, text, True)


@command("disable", group="stop", usage="disable [N ...]", example="disable 1")
def disable(cursor: Cursor, text: str) -> Outcome:
    """Keep breakpoints, but do not stop at them; all of them without a number."""
    return _enable(cursor, text, False)


@command("delete", "del", "clear", "cl", group="stop", usage="delete [N ...]", example="delete 1")
def delete(cursor: Cursor, text: str) -> Outcome:
    """Remove breakpoints and watches; all of them without a number."""
    gone = [_one(cursor, word, "delete N")[0].number for word in text.split()]
    gone = gone or [one.number for one in cursor.state.stops]
    left = tuple(one for one in cursor.state.stops if one.number not in gone)
    what = ", ".join(map(str, gone)) or "there was none"
    return Outcome(replace(cursor.state, stops=left), [f"deleted: {what}"])


def listed(cursor: Cursor) -> Outcome:
    """The list of breakpoints and watches, with their hits."""
    stops = cursor.state.stops
    if not stops:
        return Outcome(
            lines=["no breakpoints yet; for example: break t=1"], data={"breakpoints": []}
        )
    lines = []
    for one in stops:
        notes = [f"reached {one.hits} time{'s' if one.hits != 1 else ''}"]
        notes += ["once"] if one.temporary else []
        notes += [] if one.enabled else ["disabled"]
        notes += [f"passed over {one.ignore} more"] if one.ignore else []
        kind = "watch" if one.kind == "watch" else "break"
        lines.append(f"{one.number:3}  {kind}  {one.words}  ({', '.join(notes)})")
    data = [
        {"number": s.number, "kind": s.kind, "what": s.words, "enabled": s.enabled, "hits": s.hits}
        for s in stops
    ]
    return Outcome(lines=lines, data={"breakpoints": plain(data)})
