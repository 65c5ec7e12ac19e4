"""Looking around the cursor: consumers and inputs as frames, one time step, one pullback."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from micrornn.core.tensor import Tensor
from micrornn.debug.columns import size_of
from micrornn.debug.commands.look import rows_of, source_line
from micrornn.debug.commands.move import count, turn_node
from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import Outcome, command
from micrornn.debug.report import few, made, node_data, number, plain, shown, sized, whereabouts
from micrornn.flow.series import table

MOST = 40  # turns of a time step that longlist shows; inputs that args shows


@command("up", group="look", usage="up [N | NAME]", example="up", takes="nodes")
def up(cursor: Cursor, text: str) -> Outcome:
    """Look at the node that sent the present one its gradient: what was computed from it, toward the loss.

    The cursor stays. Of several, it is the one that sent most, or the one that is named. print grad, args and
    info node then speak of that node, until the cursor moves; down goes the other way, frame 0 back.
    """
    return _walk(cursor, text, _consumers, "up")


@command("down", group="look", usage="down [N | NAME]", example="down", takes="nodes")
def down(cursor: Cursor, text: str) -> Outcome:
    """Look at the node that the present one sends its gradient to: an input of it. See `up`."""
    return _walk(cursor, text, _inputs, "down")


@command("frame", "f", group="look", usage="frame [0]", example="frame 0")
def frame(cursor: Cursor, text: str) -> Outcome:
    """Show the node that up and down look at; frame 0 looks at the cursor's own again."""
    if text not in ("", "0"):
        raise DebuggerError(f"frame {text}: write frame, frame 0, or go there: up, down, goto h[3]")
    if text == "0":
        return _seen(cursor, turn_node(cursor), ())
    return _seen(cursor, cursor.moment.node, cursor.state.frames)


Near = Sequence[tuple[Tensor, float]]  # the nodes beside one, each with how much was sent


def _walk(cursor: Cursor, text: str, near: Callable[[Cursor, Tensor], Near], way: str) -> Outcome:
    node, trail = cursor.moment.node, list(cursor.state.frames)
    named = bool(text) and not text.isdecimal()
    many = 1 if named else min(count(text, f"{way} N or {way} NAME"), len(cursor.rec.nodes))
    for i in range(many):
        around = near(cursor, node)
        if not around and i:
            break
        if not around:
            why = "nothing was computed from it" if way == "up" else "it has no inputs"
            raise DebuggerError(f"{way} of {cursor.places.label(node)} there is no node: {why}")
        if named:
            node = _named(cursor, text, around)
        else:
            nodes = {x.number: x for x, _ in around}
            before = trail[-2] if len(trail) > 1 else _own(cursor) if trail else None
            node = nodes[before] if before in nodes else max(around, key=lambda one: one[1])[0]
        if node.number == _own(cursor):
            trail = []
        elif len(trail) > 1 and trail[-2] == node.number:
            trail.pop()
        else:
            trail.append(node.number)
    return _seen(cursor, node, tuple(trail))


def _named(cursor: Cursor, text: str, around: Near) -> Tensor:
    asked = cursor.places.node(text.removesuffix(".grad"))
    if all(x is not asked for x, _ in around):
        have = few([cursor.places.label(x) for x, _ in around])
        raise DebuggerError(f"{cursor.places.label(asked)} is not beside it; there are: {have}")
    return asked


def _own(cursor: Cursor) -> int | None:
    line, position = cursor.line, cursor.state.position
    return line.nodes[position].number if position < len(line) else None


def _inputs(cursor: Cursor, node: Tensor) -> list[tuple[Tensor, float]]:
    """A node's inputs, each with the norm of what it is sent; forward, of its value."""
    sent = _sent(cursor, node)
    return [(x, _size(cursor, x, sent[i] if sent else None)) for i, x in enumerate(node.inputs)]


def _consumers(cursor: Cursor, node: Tensor) -> list[tuple[Tensor, float]]:
    found = []
    for user, slot in cursor.rec.users.get(node.number, []):
        sent = _sent(cursor, user)
        found.append((user, _size(cursor, user, sent[slot] if sent else None)))
    return found


def _sent(cursor: Cursor, node: Tensor) -> Sequence[Any] | None:
    line = cursor.line
    turn = line.turn_of(node, cursor.state.position) if line.sent else None
    return None if turn is None else line.sent[turn]


def _size(cursor: Cursor, node: Tensor, sent: Any) -> float:
    if sent is None:
        return -1.0 if cursor.line.sent else size_of(cursor.rec.value(node))
    size = size_of(sent)
    return size if size == size else float("inf")


def _seen(cursor: Cursor, node: Tensor, frames: tuple[int, ...]) -> Outcome:
    """The node looked at, and its neighbors."""
    places, state = cursor.places, replace(cursor.state, frames=frames)
    line = cursor.line
    amount, done, parts = line.arrived(node, state.position) if line.sent else (None, 0, 0)
    arrived = (
        f"gradient: norm {sized(amount)}"
        if done
        else "gradient: nothing yet"
        if parts
        else "no gradient"
    )
    lines = [
        f"{'frame' if frames else 'cursor'} #{places.number(node)} {made(node, places)}  {whereabouts(node)}",
        f"  {arrived if line.sent else 'value: norm ' + sized(cursor.rec.value(node))}, shape {node.shape}",
    ]
    lines += [source_line(cursor, node)] if node.source is not None else []
    above = [places.label(x) for x, _ in _consumers(cursor, node)]
    below = [places.label(x) for x, _ in _inputs(cursor, node)]
    lines.append(f"  up: {few(above) or 'the end'}; down: {few(below) or 'a leaf'}")
    data = {**node_data(node, places), "up": above, "down": below, "frame": len(frames)}
    return Outcome(state, lines, data)


@command("args", "a", group="look", example="args")
def args(cursor: Cursor, text: str) -> Outcome:
    """Show the inputs of the present node: shape, norm of the value, and of the gradient it sends to each."""
    node = cursor.moment.node
    sent = _sent(cursor, node)
    rows = []
    for slot, x in enumerate(node.inputs[:MOST]):
        shape = "x".join(map(str, x.shape)) or "number"
        goes = (
            "-" if sent is None else sized(sent[slot]) if sent[slot] is not None else "none needed"
        )
        rows.append([cursor.places.label(x), shape, number(size_of(cursor.rec.value(x))), goes])
    if not rows:
        return Outcome(
            lines=[f"{cursor.places.label(node)} is a leaf: it was computed from nothing"]
        )
    lines = [f"{made(node, cursor.places)}  {whereabouts(node)}"]
    lines += table(["input", "shape", "value norm", "is sent"], rows).splitlines()
    if len(node.inputs) > MOST:
        lines.append(f"and {len(node.inputs) - MOST:,} more inputs")
    return Outcome(lines=lines, data={"inputs": plain(rows)})


@command("longlist", "ll", group="look", example="ll")
def longlist(cursor: Cursor, text: str) -> Outcome:
    """Show all turns of the present time step; -> marks the present one."""
    line, position = cursor.line, min(cursor.state.position, len(cursor.line) - 1)
    starts = line.columns.starts
    at = int(starts.searchsorted(position, side="right"))
    low, high = int(starts[at - 1]), int(starts[at]) if at < len(starts) else len(line)
    first = max(low, min(position - MOST // 2, high - MOST))
    last = min(high, first + MOST)
    found = rows_of(cursor, first, last)
    if last - first < high - low:
        found.lines.append(f"turns {low + 1} to {high} are of this step; list A,B shows others")
    return found


@command("whatis", group="look", usage="whatis EXPR", example="whatis h[3].grad", takes="nodes")
def whatis(cursor: Cursor, text: str) -> Outcome:
    """Say in one line what an expression is: which operation, shape and type; print shows its value."""
    if not text:
        raise DebuggerError("what is what? For example: whatis h[3], whatis W_hh.grad")
    value = cursor.moment.value(text)
    if isinstance(value, Tensor):
        head = f"#{cursor.places.number(value)} {made(value, cursor.places)}  {whereabouts(value)}"
        value = cursor.rec.value(value)
        dtype = getattr(value, "dtype", type(value).__name__)
        return Outcome(lines=[f"{head}; {dtype}, shape {getattr(value, 'shape', ())}"])
    kind = getattr(value, "dtype", type(value).__name__)
    return Outcome(lines=[f"{text}: {kind}, {shown(value)[0]}"])
