"""Where an editor wants to stop: lines, names, data and NaN, as breakpoints of the debugger."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from micrornn.debug import breakpoints
from micrornn.debug.breakpoints import Breakpoint
from micrornn.debug.errors import DebuggerError

if TYPE_CHECKING:
    from micrornn.debug.session import Session
    from viz.terminal.dap.variables import Variables

Body = dict[str, Any]


class Stops:
    """The requests that set breakpoints."""

    _variables: Variables | None

    def __init__(self) -> None:
        self._placed: dict[Hashable, set[int]] = {}  # numbers of breakpoints, by what set them

    @property
    def session(self) -> Session:
        """The session, once launched."""
        raise NotImplementedError

    def _replace(
        self,
        owner: Hashable,
        wanted: list[tuple[str, Body]],
        make: Callable[[str, int], Breakpoint],
    ) -> list[Body]:
        """Put new breakpoints in the place of the old ones; one that is refused says why.

        What was typed in the console stays.

        Args:
            owner: the list of the editor that is replaced.
            wanted: the text of each new one, and what the editor said of it.
            make: from a text and a number.
        """
        session = self.session
        old = self._placed.pop(owner, set())
        kept = tuple(one for one in session.state.stops if one.number not in old)
        session.state = replace(session.state, stops=kept)
        placed = self._placed[owner] = set()
        found: list[Body] = []
        for text, asked in wanted:
            number = session.state.made[0] + 1
            try:
                new = _refined(make(text + _condition(asked), number), asked)
                count = len(new.turns(session.line))
            except DebuggerError as error:
                found.append({"verified": False, "message": str(error)})
                continue
            session.state = session.state.with_stop(new)
            placed.add(number)
            found.append(
                {"id": number, "verified": True, "message": f"{new.words}: {count} pullbacks"}
            )
        return found

    def _parsed(self, text: str, number: int) -> Breakpoint:
        return breakpoints.parse(text, self.session.line, self.session.places, number, False)

    def on_setBreakpoints(self, arguments: Body) -> Body:
        """Those on the source lines of one file."""
        file = str(arguments["source"]["path"])
        wanted = arguments.get("breakpoints") or []
        found = self._replace(
            ("lines", file),
            [(f"{file}:{one['line']}", one) for one in wanted],
            self._parsed,
        )
        for body, one in zip(found, wanted):
            body["line"] = one["line"]
        return {"breakpoints": found}

    def on_setFunctionBreakpoints(self, arguments: Body) -> Body:
        """Those by name: whatever ``break`` takes, an operation, a scope, ``t=3``, ``vanish 1e-6``."""
        wanted = [(str(one["name"]), one) for one in arguments.get("breakpoints") or []]
        return {"breakpoints": self._replace("names", wanted, self._parsed)}

    def on_setExceptionBreakpoints(self, arguments: Body) -> Body:
        """Where a NaN or an infinity is born."""
        wanted = [("nan", Body())] if "nan" in (arguments.get("filters") or []) else []
        return {"breakpoints": self._replace("exceptions", wanted, self._parsed)}

    def on_dataBreakpointInfo(self, arguments: Body) -> Body:
        """Whether the gradient of a variable can be watched."""
        name = str(arguments["name"])
        if arguments.get("variablesReference") and self._variables is not None:
            name = self._variables.node_name(int(arguments["variablesReference"]), name)
        try:
            words = breakpoints.watch(name, self.session.places, 0).words
        except DebuggerError as error:
            return {"dataId": None, "description": str(error)}
        data_id = name.removesuffix(".grad")
        return {"dataId": data_id, "description": words, "accessTypes": ["write"]}

    def on_setDataBreakpoints(self, arguments: Body) -> Body:
        """Watches: on every contribution to a gradient."""
        found = self._replace(
            "data",
            [(str(one["dataId"]), one) for one in arguments.get("breakpoints") or []],
            lambda text, number: breakpoints.watch(text, self.session.places, number),
        )
        return {"breakpoints": found}


def _refined(one: Breakpoint, asked: Body) -> Breakpoint:
    """With the count of hits and the message that an editor gave.

    Raises:
        DebuggerError: it is no count.
    """
    if message := str(asked.get("logMessage") or ""):
        one = replace(one, log=message)
    text = str(asked.get("hitCondition") or "").strip()
    if not text:
        return one
    match = re.fullmatch(r"(>=|>|==|=|%)?\s*([1-9]\d{0,8})", text)
    if match is None:
        raise DebuggerError(
            f"{text!r} is no count of hits; give 3 (the third), >= 3 (from the third on) or % 3 (every third)"
        )
    sign, count = match[1], int(match[2])
    if sign == "%":
        return replace(one, each=count)
    if sign in (">", ">="):
        return replace(one, ignore=count - (sign == ">="))
    return replace(one, ignore=count - 1, temporary=True)


def _condition(one: Body) -> str:
    return f" if {one['condition']}" if one.get("condition") else ""
