"""What if: a gradient is changed, and the rest of backward runs with it, beside the original."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.debug.branch import Change, Edit, rerun
from micrornn.debug.columns import size_of
from micrornn.debug.cursor import Branch, Cursor
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import Outcome, command
from micrornn.debug.report import plain, sized
from micrornn.debug.timeline import BACKWARD, Timeline
from micrornn.flow.series import table

if TYPE_CHECKING:
    from micrornn.core.tensor import Tensor


@command(
    "set", group="change", usage="set grad NAME = VALUE", example="set grad h[3] = 0", takes="nodes"
)
def set_(cursor: Cursor, text: str) -> Outcome:
    """Give a node another gradient and let the rest of backward run with it, in a branch of its own.

    The original stays as it was: `switch main` goes back to it, `diff` compares the two.
    """
    match = re.fullmatch(r"grad\s+([^=]+?)(?:\s*=\s*|\s+)([^=]+)", text)
    if match is None:
        raise DebuggerError("write set grad NAME = VALUE, for example set grad h[3] = 0")
    return _branch(cursor, match[1], "set", match[2], "{} = {}")


@command(
    "scale",
    group="change",
    usage="scale grad NAME by FACTOR",
    example="scale grad h[3] by 10",
    takes="nodes",
)
def scale(cursor: Cursor, text: str) -> Outcome:
    """Multiply the gradient that arrives at a node by a factor, and continue with it in a branch."""
    match = re.fullmatch(r"(?:grad\s+)?(.+?)\s+(?:by\s+)?(\S+)", text)
    if match is None:
        raise DebuggerError("write scale grad NAME by FACTOR, for example scale grad h[3] by 10")
    return _branch(cursor, match[1], "scale", match[2], "{} times {}")


@command(
    "clip",
    group="change",
    usage="clip grad NAME to NORM",
    example="clip grad h[3] to 0.1",
    takes="nodes",
)
def clip(cursor: Cursor, text: str) -> Outcome:
    """Shorten the gradient that arrives at a node to a norm, where it is longer, in a branch."""
    match = re.fullmatch(r"(?:grad\s+)?(.+?)\s+(?:to\s+)?(\S+)", text)
    if match is None:
        raise DebuggerError("write clip grad NAME to NORM, for example clip grad h[3] to 0.1")
    return _branch(cursor, match[1], "clip", match[2], "{} clipped to {}")


def _branch(cursor: Cursor, name: str, verb: str, amount: str, words: str) -> Outcome:
    value: Any = cursor.moment.value(amount)
    if not isinstance(value, (float, int, np.ndarray, np.generic)):
        raise DebuggerError(f"{amount!r} is no number")
    return changed(
        cursor, cursor.places.node(name.removesuffix(".grad")), verb, value, words, amount
    )


def changed(
    cursor: Cursor, node: Tensor, verb: str, value: Any, words: str, amount: str
) -> Outcome:
    """A branch in which the gradient that arrives at a node is set, scaled or clipped.

    Args:
        verb: set, scale or clip.
        value: to what, by what.
        words: how the change is called, with places for the gradient and the amount.
        amount: the value as it was written.

    Raises:
        DebuggerError: there is no gradient to change, or not to this.
    """
    state = cursor.state
    if state.direction != BACKWARD:
        raise DebuggerError("gradients are changed in backward; write: direction backward")
    label = cursor.places.label(node)
    if verb == "clip" and not np.all(np.asarray(value) > 0):
        raise DebuggerError(f"{amount} is no norm to clip to; give a number above 0")
    if node.is_leaf:
        raise DebuggerError(f"{label} is a leaf: it sends nothing on, so change a node before it")
    line = cursor.line
    turn = line.turn_of(node, state.position)
    if turn is None:
        raise DebuggerError(
            f"no gradient arrives at {label}, so there is none to change; ask why {label}"
        )
    if turn < state.position:
        raise DebuggerError(f"{label} has had its turn; go back to it first: goto {label}")
    edit = Edit(node, verb, value, words.format(f"{label}.grad", amount))
    try:
        edit(line.amounts[turn])
    except ValueError:
        raise DebuggerError(
            f"a gradient of {label} has shape {node.shape}, not {np.shape(value)}"
        ) from None
    parent = cursor.branches[state.branch]
    run = line.run(turn)
    passes = list(line.passes)
    passes[run] = rerun(passes[run], turn - line.start(turn), edit, _later(parent.edits, turn))
    number = len(cursor.branches)
    new = Branch(
        f"branch{number}",
        Timeline(cursor.rec, BACKWARD, passes),
        (*parent.edits, (turn, edit)),
        parent.name,
    )
    cursor.branches[new.name] = new
    was, now = line.amounts[turn], new.line.amounts[turn]
    lines = [
        f"{new.name}: {edit.words}; norm {sized(was)} -> {sized(now)}, at pullback {turn + 1}",
        f"  the rest of backward has run with it; {parent.name} is as it was (switch {parent.name}, diff)",
    ]
    data = {"branch": new.name, "edit": edit.words, "pullback": turn + 1, "parent": parent.name}
    return Outcome(replace(state, branch=new.name), lines, data)


def _later(edits: tuple[tuple[int, Edit], ...], turn: int) -> dict[int, Change]:
    """The changes already made at nodes whose turn comes later, each node's in their order."""
    found: dict[int, Change] = {}
    for at, edit in edits:
        if at > turn:
            found[edit.node.number] = _after(found.get(edit.node.number), edit)
    return found


def _after(first: Change | None, second: Change) -> Change:
    return second if first is None else lambda g: second(first(g))


@command("branches", group="change", example="branches")
def branches(cursor: Cursor, text: str) -> Outcome:
    """List the what-ifs: what was changed in each."""
    lines, data = [], []
    for branch in cursor.branches.values():
        mark = "*" if branch.name == cursor.state.branch else " "
        edits = "; ".join(edit.words for _, edit in branch.edits) or "the run as it was recorded"
        lines.append(f"{mark} {branch.name:9} {edits}")
        data.append({"name": branch.name, "edits": edits, "parent": branch.parent})
    return Outcome(lines=lines, data={"branches": data})


def _known(cursor: Cursor, name: str) -> str:
    if name not in cursor.branches:
        have = ", ".join(cursor.branches)
        raise DebuggerError(f"there is no branch {name!r}; there are: {have}")
    return name


@command("switch", group="change", usage="switch BRANCH", example="switch main", takes="branches")
def switch(cursor: Cursor, text: str) -> Outcome:
    """Go over to another branch, at the same pullback."""
    if not text:
        raise DebuggerError(f"switch to which? There are: {', '.join(cursor.branches)}")
    name = _known(cursor, text)
    line = cursor.branches[name].line
    position = min(cursor.state.position, len(line))
    state = replace(cursor.state, branch=name, direction=BACKWARD, position=position)
    return Outcome(
        state, [f"on {name}, before pullback {min(position + 1, len(line))}"], {"branch": name}
    )


@command("diff", group="change", usage="diff [BRANCH]", example="diff main", takes="branches")
def diff(cursor: Cursor, text: str) -> Outcome:
    """Compare the parameters' gradients of this branch with another's (by default the one it began from)."""
    here = cursor.branches[cursor.state.branch]
    other = _known(cursor, text or here.parent or _newest(cursor))
    there = cursor.branches[other]
    rows = []
    for parameter in cursor.rec.parameters:
        a, b = _final(there.line, parameter), _final(here.line, parameter)
        if a is None and b is None:
            continue
        change = size_of(
            np.asarray(b if b is not None else 0.0) - np.asarray(a if a is not None else 0.0)
        )
        rows.append([cursor.places.label(parameter), sized(a), sized(b), change])
    head = ["gradient of", other, here.name, "norm of the difference"]
    first = next(
        (
            i
            for i, (x, y) in enumerate(zip(there.line.amounts, here.line.amounts))
            if not _same(x, y)
        ),
        None,
    )
    lines = table(head, rows).splitlines()
    lines.append("they are the same" if first is None else f"they part at pullback {first + 1}")
    return Outcome(lines=lines, data={"parameters": plain(rows), "first": first})


def _newest(cursor: Cursor) -> str:
    others = [name for name in cursor.branches if name != cursor.state.branch]
    if not others:
        raise DebuggerError("there is only one branch; set grad h[3] = 0 makes another")
    return others[-1]


def _final(line: Timeline, parameter: Tensor) -> Any:
    return line.arrived(parameter, len(line))[0]


def _same(x: Any, y: Any) -> bool:
    return x is y or np.array_equal(np.asarray(x), np.asarray(y), equal_nan=True)
