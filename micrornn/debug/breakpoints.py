"""What the debugger stops at: one place, state or event, perhaps under a condition."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.debug import conditions
from micrornn.debug.errors import DebuggerError, brief
from micrornn.debug.places import Places
from micrornn.debug.timeline import BACKWARD, Timeline
from micrornn.messages import nearest

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Breakpoint:
    """A breakpoint or a watch.

    Attributes:
        number: counted from 1.
        kind: node, uses, op, scope, line, born, vanish, explode, any (a condition alone), or watch.
        target: what of that kind, as written; a node by its number.
        words: how it is called in lists.
        condition: what must hold as well; empty for nothing.
        temporary: gone after its first stop.
        enabled: whether it stops at all.
        ignore: how many stops are still passed over.
        hits: how often it was reached.
        commands: what is carried out at every stop.
        each: it counts only every so many times.
        log: what is said there in place of stopping, with expressions in braces.
    """

    number: int
    kind: str
    target: Any
    words: str
    condition: str = ""
    temporary: bool = False
    enabled: bool = True
    ignore: int = 0
    hits: int = 0
    commands: tuple[str, ...] = ()
    each: int = 1
    log: str = ""

    def turns(self, line: Timeline) -> Array:
        """The turns it matches, ascending; worked out once for each timeline."""
        key = self.kind, self.target, self.condition
        found = line.matches.get(key)
        if found is None:
            column = _column(line, self.kind, self.target)
            if self.condition:
                column = column & conditions.matches(line, self.condition)
            found = line.matches[key] = np.flatnonzero(column)
        return found

    @property
    def after(self) -> bool:
        """Whether it stops after the turn that it matches, not before: a watch, which saw a change."""
        return self.kind == "watch"


def _column(line: Timeline, kind: str, target: Any) -> Array:
    columns = line.columns
    if kind == "any":
        return np.ones(len(line), dtype=bool)
    if kind == "op":
        return np.asarray(columns.op == target, dtype=bool)
    if kind == "t":
        return np.asarray(columns.t == target)
    if kind == "scope":
        pattern = re.compile(rf"(.*/)?{re.escape(target)}([ /].*)?")
        fits = {scope: bool(pattern.fullmatch(scope)) for scope in set(columns.scope)}
        return np.array([fits[scope] for scope in columns.scope], dtype=bool)
    if kind == "line":
        return np.array([_made_at(node.source, *target) for node in line.nodes], dtype=bool)
    if kind == "born":
        return columns.born
    if kind == "vanish":
        return columns.crossing(columns.norm < target)
    if kind == "explode":
        return columns.crossing(~(columns.norm <= target))
    found = np.zeros(len(line), dtype=bool)
    if kind == "watch" and line.direction != BACKWARD:
        return found  # what is watched are contributions to a gradient
    if kind == "node":
        found[line.turns.get(target, [])] = True
    elif kind == "name":
        found = np.asarray(columns.name == target, dtype=bool)
    elif line.direction == BACKWARD:  # uses of a leaf, and a watch: who sends to it
        found[[turn for turn, _ in line.received.get(target, ())]] = True
    else:
        found[:] = [any(x.number == target for x in node.inputs) for node in line.nodes]
    return found


def _made_at(source: tuple[str, int] | None, file: str, number: int) -> bool:
    if source is None or source[1] != number:
        return False
    return (
        source[0].endswith(os.sep + file)
        or source[0] == file
        or (os.path.realpath(source[0]) == os.path.realpath(file))
    )


def parse(text: str, line: Timeline, places: Places, number: int, temporary: bool) -> Breakpoint:
    """The breakpoint that ``break TEXT`` means.

    Raises:
        DebuggerError: nothing in this run is called so; suggests what may have been meant.
    """
    text = text.strip()
    where, _, condition = f" {text}".partition(" if ")
    where, condition = where.strip(), condition.strip()
    if condition:
        conditions.check(condition)
    kind, target, words = _target(where, line, places)
    if kind == "any" and where:
        condition = f"({where}) and ({condition})" if condition else where
        words = condition
    elif not where:
        if not condition:
            raise DebuggerError(
                "break where? An operation (tanh), a step (t=3), a scope, a name (h[3], W_hh), a line "
                "(FILE.py:42), nan, norm < 1e-6, vanish 1e-6, explode 1e3; see `help break`"
            )
        words = condition
    elif condition:
        words += f" if {condition}"
    return Breakpoint(number, kind, target, words, condition, temporary)


def _target(where: str, line: Timeline, places: Places) -> tuple[str, Any, str]:
    if not where:
        return "any", None, ""
    if where in ("nan", "inf"):
        return "born", None, "a NaN or an infinity is born"
    if match := re.fullmatch(r"(vanish|explode)(?:\s+(\S+))?", where):
        limit = _positive(match[2] or {"vanish": "1e-6", "explode": "1e3"}[match[1]])
        way = "below" if match[1] == "vanish" else "above"
        return (
            match[1],
            limit,
            f"the norm falls {way} {limit:g}".replace("falls above", "rises above"),
        )
    if match := re.fullmatch(r"t\s*==?\s*(\d+)", where):
        steps = sorted({n.step for n in line.nodes if n.step is not None})
        if int(match[1]) not in steps:
            have = f"steps {steps[0]} to {steps[-1]}" if steps else "no steps"
            raise DebuggerError(f"nothing takes a turn at t={match[1]}; this run has {have}")
        return "t", int(match[1]), f"t={match[1]}"
    if re.fullmatch(r"\d+", where):
        return _line_alone(where, line)
    if match := re.fullmatch(r"(.+):(\d+)", where):
        return "line", (match[1], int(match[2])), _known_line(where, match[1], line)
    if where in set(line.columns.op):
        return "op", where, where
    if re.search(r"[<>=!]|\b(and|or|not)\b", where) or where in conditions.FLAGS:
        conditions.check(where)
        return "any", None, where
    return _named(where.strip("'\""), line, places)


def own_file(number: int, file: str, line: Timeline) -> str:
    """``FILE:number`` where that file made nodes on that line, else nothing."""
    found = any(n.source == (file, number) for n in line.nodes)
    return f"{file}:{number}" if found else ""


def _line_alone(where: str, line: Timeline) -> tuple[str, Any, str]:
    """A line number without its file, where only one file has made nodes on that line."""
    number = int(where[:9])
    files = {n.source[0] for n in line.nodes if n.source and n.source[1] == number}
    if len(files) != 1:
        what = "several files have" if files else "no node was made on"
        raise DebuggerError(f"{what} a line {number}; write break FILE.py:{number}")
    file = os.path.basename(files.pop())
    return "line", (file, number), f"{file}:{number}"


def _named(where: str, line: Timeline, places: Places) -> tuple[str, Any, str]:
    scopes = places.scopes()
    pattern = re.compile(rf"(.*/)?{re.escape(where)}([ /].*)?")
    if any(pattern.fullmatch(scope) for scope in scopes):
        return "scope", where, f"scope {where}"
    try:
        node = places.node(where)
    except DebuggerError as error:
        if " may be " in str(error):
            raise
        known = [
            *sorted(set(line.columns.op)),
            *scopes,
            *places.names(),
            "vanish",
            "explode",
            "nan",
        ]
        close = nearest(where, known)
        listed = "`info ops`, `info scopes` and `info params` list what there is"
        raise DebuggerError(
            f"nothing in this run is called {brief(where)}; {close if close[0] == 'd' else listed}"
        ) from None
    if node.is_leaf:
        return "uses", node.number, f"a use of {places.label(node)}"
    if "[" not in where and not where.startswith("#") and node.name and node.step is not None:
        return "name", node.name, f"{node.name} at any step"
    return "node", node.number, places.label(node)


def watch(text: str, places: Places, number: int) -> Breakpoint:
    """The watch that ``watch TEXT`` means: on every contribution to a gradient.

    Raises:
        DebuggerError: there is no such node, or it needs no gradient.
    """
    what, _, condition = text.partition(" if ")
    if condition.strip():
        conditions.check(condition)
    if not what.strip():
        raise DebuggerError("watch whose gradient? For example: watch W_hh.grad")
    node = places.node(what.strip().removesuffix(".grad"))
    if not node.requires_grad:
        raise DebuggerError(
            f"{places.label(node)} needs no gradient, so nothing is ever sent to it"
        )
    words = f"{places.label(node)}.grad"
    words += f" if {condition.strip()}" if condition.strip() else ""
    return Breakpoint(number, "watch", node.number, words, condition.strip())


def _positive(text: str) -> float:
    try:
        limit = float(text)
    except ValueError:
        limit = -1.0
    if not limit > 0:
        raise DebuggerError(f"{text!r} is no limit; give a number above 0, such as 1e-6")
    return limit


def _known_line(where: str, file: str, line: Timeline) -> str:
    sources = {node.source for node in line.nodes if node.source}
    if not sources:
        raise DebuggerError(
            "no source lines were recorded: the forward pass must run under the debugger "
            "(micrornn debug FILE.py:NAME, or `with mr.debugging()`)"
        )
    number = int(where.rpartition(":")[2])
    here = sorted({n for f, n in sources if _made_at((f, n), file, n)})
    if number not in here:
        files = sorted({os.path.basename(f) for f, _ in sources})
        have = (
            f"lines {', '.join(map(str, here))} of it do" if here else f"files: {', '.join(files)}"
        )
        raise DebuggerError(f"{where} made no node; {have}")
    return where
