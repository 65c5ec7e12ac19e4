"""Moving: forward and backward, by pullbacks, time steps, scopes and breakpoints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.debug import breakpoints
from micrornn.debug.breakpoints import Breakpoint
from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError, brief
from micrornn.debug.evaluate import Moment
from micrornn.debug.moves import BACK, FORTH, Arrival, around, beyond, steps_on, travel
from micrornn.debug.registry import Outcome, command
from micrornn.debug.stops import stopped
from micrornn.debug.timeline import BACKWARD, FORWARD


def count(text: str, usage: str) -> int:
    """The number behind a command; 1 where there is none.

    Raises:
        DebuggerError: it is no number from 1 up.
    """
    if not text:
        return 1
    if not re.fullmatch(r"\d+", text) or int(text) < 1:
        raise DebuggerError(f"{brief(text)} is no count; write {usage} with N from 1 up")
    return int(text)


def _go(cursor: Cursor, target: int, sign: int, here: bool = False) -> Outcome:
    return stopped(cursor, travel(cursor.line, cursor.state, target, sign, here))


@command("step", "s", "si", group="move", usage="step [N]", example="step 3")
def step(cursor: Cursor, text: str) -> Outcome:
    """Do one pullback (or N): its gradient is sent on to what it was computed from."""
    return _go(cursor, cursor.state.position + count(text, "step N"), FORTH)


@command("reverse-step", "rs", "rsi", group="move", usage="reverse-step [N]", example="rs 3")
def reverse_step(cursor: Cursor, text: str) -> Outcome:
    """Undo one pullback (or N); all is as it was before, to the bit."""
    return _go(cursor, cursor.state.position - count(text, "rs N"), BACK)


def _born_forward(cursor: Cursor, stops: Sequence[Breakpoint]) -> Outcome | None:
    """From backward to where the forward pass made a NaN, if a breakpoint asks for it the first time."""
    for one in stops:
        if one.kind != "born" or not one.enabled or one.hits or one.ignore:
            continue
        turns = one.turns(cursor.forward)
        if cursor.state.direction == BACKWARD and len(turns):
            there = replace(cursor.state, direction=FORWARD, position=int(turns[0]))
            there = replace(there, stops=tuple(x for x in there.stops if x.number != one.number))
            if not one.temporary:
                there = there.with_stop(replace(one, hits=1))
            hits = (one,) if one.number else ()  # until has no breakpoint
            found = stopped(cursor, Arrival(there, hits, None, FORTH, False))
            found.lines.append("  this is the forward pass; direction backward leaves it")
            return found
    return None


def _next(cursor: Cursor, text: str, sign: int) -> Outcome:
    many = count(text, "next N" if sign == FORTH else "rn N")
    return _go(cursor, steps_on(cursor.line, cursor.state.position, sign, many), sign)


@command("next", "n", "ni", group="move", usage="next [N]", example="next")
def next(cursor: Cursor, text: str) -> Outcome:
    """Go on to the next time step (or over N of them)."""
    return _next(cursor, text, FORTH)


@command("reverse-next", "rn", group="move", usage="reverse-next [N]", example="rn")
def reverse_next(cursor: Cursor, text: str) -> Outcome:
    """Go back to where this time step began, or the one before it."""
    return _next(cursor, text, BACK)


def turn_node(cursor: Cursor) -> Tensor:
    """The node whose turn is next, whatever `up` and `down` look at.

    Raises:
        DebuggerError: the end is reached.
    """
    return Moment(cursor.line, cursor.places, cursor.state.position).node


def _finish(cursor: Cursor, text: str, sign: int) -> Outcome:
    if text not in ("", "gate", "cell", "layer"):
        raise DebuggerError(
            f"finish {text}: write finish, finish gate, finish cell or finish layer"
        )
    if cursor.state.position >= len(cursor.line) and sign == BACK:
        node = cursor.line.nodes[-1]
    else:
        node = turn_node(cursor)
    inside = around(cursor.line, node, text)
    return _go(cursor, beyond(cursor.line, cursor.state.position, sign, inside), sign)


@command(
    "finish",
    *("fin", "return", "r"),
    group="move",
    usage="finish [gate|cell|layer]",
    example="finish cell",
)
def finish(cursor: Cursor, text: str) -> Outcome:
    """Go on until this scope is left: the gate, the cell (all gates of one step), or the whole layer."""
    return _finish(cursor, text, FORTH)


@command(
    "reverse-finish", "rf", group="move", usage="reverse-finish [gate|cell|layer]", example="rf"
)
def reverse_finish(cursor: Cursor, text: str) -> Outcome:
    """Go back to the last turn before this scope was entered."""
    return _finish(cursor, text, BACK)


def _until(cursor: Cursor, text: str, sign: int) -> Outcome:
    if not text:
        return _next(cursor, "", sign)
    once = breakpoints.parse(text, cursor.line, cursor.places, 0, True)
    if sign == FORTH and (born := _born_forward(cursor, [once])):
        return born
    turns = once.turns(cursor.line)
    position = cursor.state.position
    ahead = turns[turns > position] if sign == FORTH else turns[turns < position]
    if not len(ahead):
        way = "after" if sign == FORTH else "before"
        advice = "the other way: ru" if sign == FORTH else "the other way: until"
        there = (
            f"; there is one {advice}"
            if len(turns) and not np.array_equal(turns, [position])
            else ""
        )
        raise DebuggerError(f"nothing {way} this turn is {once.words}{there}")
    return _go(cursor, int(ahead[0] if sign == FORTH else ahead[-1]), sign)


@command(
    "until",
    "unt",
    "u",
    "advance",
    group="move",
    usage="until [WHAT]",
    example="until t=3",
    takes="stops",
)
def until(cursor: Cursor, text: str) -> Outcome:
    """Go on to what would make a breakpoint: a step, an operation, a name, a condition."""
    return _until(cursor, text, FORTH)


@command(
    *("reverse-until", "ru"),
    group="move",
    usage="reverse-until [WHAT]",
    example="ru norm > 0.1",
    takes="stops",
)
def reverse_until(cursor: Cursor, text: str) -> Outcome:
    """Go back to what would make a breakpoint."""
    return _until(cursor, text, BACK)


@command("continue", "c", "cont", group="move", example="continue")
def continue_(cursor: Cursor, text: str) -> Outcome:
    """Go on to the next breakpoint or watch, or to the end.

    The first time with `break nan`: to where the forward pass made the NaN, if it did.
    """
    return _born_forward(cursor, cursor.state.stops) or _go(cursor, len(cursor.line), FORTH)


@command("reverse-continue", "rc", group="move", example="rc")
def reverse_continue(cursor: Cursor, text: str) -> Outcome:
    """Go back to the last breakpoint or watch, or to the beginning."""
    return _go(cursor, 0, BACK)


@command(
    *("goto", "jump", "j"),
    group="move",
    usage="goto N|start|end|NAME",
    example="goto 12",
    takes="nodes",
)
def goto(cursor: Cursor, text: str) -> Outcome:
    """Jump to pullback N (from 1), to the start or the end, or to the turn of a node: goto h[3]."""
    line = cursor.line
    if re.fullmatch(r"\d+", text):
        target = int(text) - 1
        if not 0 <= target < len(line):
            raise DebuggerError(
                f"there is no {brief(text)[1:-1]}; give 1 to {len(line)}, start or end"
            )
    elif text in ("start", "end"):
        target = 0 if text == "start" else len(line)
    elif not text:
        raise DebuggerError("goto where? A number (goto 12), start, end, or a node: goto h[3]")
    else:
        node = cursor.places.node(text)
        turn = line.turn_of(node, cursor.state.position)
        if turn is None:
            why = "it is a leaf" if node.is_leaf else "no gradient reaches it; ask `why`"
            raise DebuggerError(f"{cursor.places.label(node)} never has a turn: {why}")
        target = turn
    state = replace(cursor.state, position=target)
    return stopped(cursor, Arrival(state, (), None, FORTH, target == len(line)))


@command("run", group="move", example="run")
def run(cursor: Cursor, text: str) -> Outcome:
    """Begin again and go on to the first breakpoint; with `break nan`, from the forward pass on."""
    fresh = [replace(one, hits=0) for one in cursor.state.stops]
    born = _born_forward(cursor, fresh)
    if born is not None:
        return born
    begin = replace(cursor.state, position=0)
    return stopped(cursor, travel(cursor.line, begin, len(cursor.line), FORTH, here=True))


@command("restart", "start", group="move", example="restart")
def restart(cursor: Cursor, text: str) -> Outcome:
    """Back to the beginning; breakpoints and watches stay."""
    return stopped(
        cursor,
        Arrival(replace(cursor.state, position=0), (), None, FORTH, len(cursor.line) == 0),
    )


@command(
    "direction",
    group="move",
    usage="direction [forward|backward]",
    example="direction forward",
    takes="directions",
)
def direction(cursor: Cursor, text: str) -> Outcome:
    """Step through the forward pass instead, from the same node, or through backward again."""
    words = [way for way in (BACKWARD, FORWARD) if text and way.startswith(text)]
    if not text:
        return Outcome(lines=[f"direction: {cursor.state.direction}"])
    if len(words) != 1:
        raise DebuggerError(f"direction {text}: write direction forward or direction backward")
    if words[0] == BACKWARD and not cursor.rec.passes:
        raise DebuggerError(
            "backward has not run in this recording, so there is only the forward pass"
        )
    old, position = cursor.line, cursor.state.position
    state = replace(cursor.state, direction=words[0], position=0)
    line = cursor.line_of(state)
    if position < len(old):
        turn = line.turn_of(old.nodes[position], 0)
        state = replace(state, position=0 if turn is None else turn)
    return stopped(cursor, Arrival(state, (), None, FORTH, False))
