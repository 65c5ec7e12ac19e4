"""Looking: where one is, what is around, and any value or gradient."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from micrornn.core.tensor import Tensor
from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import Outcome, command
from micrornn.debug.report import (
    made,
    node_data,
    plain,
    recomputed,
    short_path,
    shown,
    sized,
    turn_data,
    turn_lines,
    whereabouts,
)


@command("where", "w", "bt", "backtrace", group="look", example="where")
def where(cursor: Cursor, text: str) -> Outcome:
    """Show where the cursor is: step, scopes from the outermost in, and your source lines.

    At the end of a run that an exception ended: the stack of the program, as pdb shows it.
    """
    line, position, places = cursor.line, cursor.state.position, cursor.places
    lines = turn_lines(line, places, position)
    data = turn_data(line, places, position)
    if position >= len(line):
        if cursor.failure is not None:
            lines = failed_here(cursor)
        return Outcome(lines=lines, data=data)
    node = line.nodes[position]
    frames = node.scope.split("/") if node.scope else []
    depth = [f"  step {node.step}"] if node.step is not None else ["  outside all steps"]
    depth += [f"  {'  ' * i}in {part}" for i, part in enumerate(frames, 1)]
    data["stack"] = ([] if node.step is None else [f"step {node.step}"]) + frames
    return Outcome(lines=[*lines[:1], *depth, source_line(cursor, node), *lines[1:]], data=data)


def failed_here(cursor: Cursor) -> list[str]:
    """The stop at the end of a run that an exception ended."""
    assert cursor.failure is not None
    word = "pullbacks had run" if cursor.line.sent else "nodes had been computed"
    return [
        *("the program failed here:", *cursor.failure.lines(cursor.source_line)),
        f"{len(cursor.line):,} {word} in this iteration: rs goes back over them, info error has local names",
    ]


def source_line(cursor: Cursor, node: Tensor) -> str:
    """The line of the user's program that made a node, as far as it is known."""
    if node.source is None:
        return "  source line not recorded (it is, where the forward pass runs under the debugger)"
    file, number = node.source
    text = cursor.source_line(file, number)
    return f"  {short_path(file)}:{number}" + (f": {text.strip()}" if text and text.strip() else "")


@command("list", "l", "ls", group="look", usage="list [N | A,B]", example="list 20")
def list_(cursor: Cursor, text: str) -> Outcome:
    """Show the turns around the cursor, or around number N, or from A to B; -> marks the present one."""
    line, position = cursor.line, cursor.state.position
    if match := re.fullmatch(r"(\d+)\s*[,:-]\s*(\d+)", text):
        low, high = int(match[1]) - 1, int(match[2])
    elif not text or text.isdecimal():
        middle = position if not text else int(text) - 1
        low, high = middle - 5, middle + 6
    else:
        raise DebuggerError(f"list {text}: write list, list 20 or list 10,30")
    low, high = max(low, 0), min(high, len(line))
    if low >= high:
        raise DebuggerError(f"there are turns 1 to {len(line)}")
    return rows_of(cursor, low, high)


def rows_of(cursor: Cursor, low: int, high: int) -> Outcome:
    """The turns from ``low`` up to ``high``, one in a line."""
    line, places, position = cursor.line, cursor.places, cursor.state.position
    lines, rows = [], []
    wide = max((len(node.scope) for node in line.nodes[low:high]), default=0)
    for i in range(low, high):
        node = line.nodes[i]
        mark = "->" if i == position else "  "
        step = "" if node.step is None else f"t={node.step}"
        size = sized(line.amounts[i])
        done = "*" if i < position else " "
        label = made(node, places) + recomputed(node, places)
        lines.append(
            f"{mark}{i + 1:5}{done} {size:>10}  {step:5} {node.scope:{wide}} {label}".rstrip()
        )
        rows.append({"turn": i + 1, "now": i == position, "norm": size, **node_data(node, places)})
    if position >= len(line) and high == len(line):
        lines.append("-> the end")
    return Outcome(lines=lines, data={"turns": rows})


@command(
    *("print", "p", "pp"),
    group="look",
    usage="print EXPR",
    example="print h[3].grad[0]",
    takes="nodes",
)
def print_(cursor: Cursor, text: str) -> Outcome:
    """Show a value: of a node by name and step, by number, or of the present one.

    h[3]  h[3].grad  W_hh.grad.norm  #12.value  grad  value  sent[0]  norm(h[1].grad) / norm(h[4].grad)
    lstm.0/h[3].grad[:4]  'readout/y'[2].value
    """
    if not text:
        raise DebuggerError(
            "print what? For example: print h[3].grad, print W_hh.grad.norm, print grad"
        )
    value = cursor.moment.value(text)
    if isinstance(value, Tensor):
        return described(cursor, value)
    head, *rest = shown(value)
    head += _so_far(cursor, text)
    data = {"expression": text, "value": plain(value)}
    if not rest and "\n" not in head:
        return Outcome(lines=[f"{text} = {head}"], data=data)
    return Outcome(lines=[f"{text}: {head}", *rest], data=data)


def _so_far(cursor: Cursor, text: str) -> str:
    """How much of a gradient has arrived, where that is not all of it."""
    if not text.endswith((".grad", ".grad.norm")):
        return ""
    try:
        node = cursor.places.node(text.removesuffix(".norm").removesuffix(".grad"))
    except DebuggerError:
        return ""
    _, done, parts = cursor.line.arrived(node, cursor.state.position)
    return f" ({done} of {parts} parts so far)" if done < parts else ""


def described(cursor: Cursor, node: Tensor) -> Outcome:
    """A node whole: how it was made, its value, its gradient at this moment, its source line."""
    places = cursor.places
    head, *rest = shown(cursor.rec.value(node))
    lines = [
        f"#{places.number(node)} {made(node, places)}  {whereabouts(node)}{recomputed(node, places)}",
        f"  value: {head}",
        *(f"    {one}" for one in rest),
    ]
    data: dict[str, Any] = node_data(node, places)
    data["value"] = plain(cursor.rec.value(node))
    try:
        gradient = cursor.moment.gradient(node)
        head, *rest = shown(gradient)
        _, done, parts = cursor.line.arrived(node, cursor.state.position)
        far = "" if done == parts else f" ({done} of {parts} parts so far)"
        lines += [f"  gradient{far}: {head}", *(f"    {one}" for one in rest)]
        data["gradient"] = plain(gradient)
    except DebuggerError as error:
        lines.append(f"  gradient: {error}")
        data["gradient"] = None
    if node.source is not None:
        lines.append(source_line(cursor, node))
    return Outcome(lines=lines, data=data)


@command(
    "display", group="look", usage="display [EXPR]", example="display W_hh.grad.norm", takes="nodes"
)
def display(cursor: Cursor, text: str) -> Outcome:
    """Print an expression at every stop; without one, list those there are."""
    state = cursor.state
    if not text:
        lines = [f"{number:3}  {expression}" for number, expression in state.displays]
        return Outcome(lines=lines or ["no displays yet; for example: display grad.norm"])
    from micrornn.debug.grammar import parse_value

    parse_value(text)
    number = state.made[1] + 1
    new = replace(state, displays=(*state.displays, (number, text)), made=(state.made[0], number))
    from micrornn.debug.stops import displayed

    *_, (_, value, lines) = displayed(cursor, new)
    return Outcome(
        new, lines, {"display": number, "expression": text, "value": plain(value_of(value))}
    )


def value_of(value: Any) -> Any:
    """A node's value in place of the node."""
    return value._value if isinstance(value, Tensor) else value


@command("undisplay", group="look", usage="undisplay [N ...]", example="undisplay 1")
def undisplay(cursor: Cursor, text: str) -> Outcome:
    """Stop displaying; all of them without a number."""
    state = cursor.state
    known = [number for number, _ in state.displays]
    words: Sequence[str] = text.split()
    wrong = [word for word in words if not word.isdecimal() or int(word) not in known]
    if wrong:
        raise DebuggerError(f"there is no display {wrong[0]}; there are: {known or 'none yet'}")
    gone = [int(word) for word in words] or known
    left = tuple(one for one in state.displays if one[0] not in gone)
    what = ", ".join(map(str, gone)) or "none"
    return Outcome(replace(state, displays=left), [f"no longer displayed: {what}"])


@command("history", group="look", usage="history [N]", example="history 5")
def history(cursor: Cursor, text: str) -> Outcome:
    """Show the commands so far (the last N), with the position that each led to."""
    if text and not text.isdecimal():
        raise DebuggerError(f"history {text}: write history or history N")
    found = cursor.history[-int(text) :] if text else cursor.history
    lines = [f"{i:4}  {words:30} -> {at + 1}" for i, (words, at) in enumerate(found, 1)]
    return Outcome(lines=lines or ["nothing yet"], data={"history": [list(one) for one in found]})
