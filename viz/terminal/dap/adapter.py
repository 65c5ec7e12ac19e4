"""From the protocol's requests to the debugger's commands, and back."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from micrornn.debug import breakpoints
from micrornn.debug.breakpoints import Breakpoint
from micrornn.debug.complete import completions
from micrornn.debug.errors import DebuggerError
from micrornn.debug.session import Session
from viz.terminal.dap.variables import Variables, stack
from viz.terminal.effects import perform

Body = dict[str, Any]

CAPABILITIES: Body = {
    "supportsConfigurationDoneRequest": True,
    "supportsStepBack": True,
    "supportsRestartRequest": True,
    "supportsTerminateRequest": True,
    "supportsConditionalBreakpoints": True,
    "supportsFunctionBreakpoints": True,
    "supportsDataBreakpoints": True,
    "supportsEvaluateForHovers": True,
    "supportsCompletionsRequest": True,
    "exceptionBreakpointFilters": [
        {"filter": "nan", "label": "NaN or infinity", "description": "where one is born"}
    ],
}

#: What each request for a move is, as a command.
MOVES = {
    **{"continue": "continue", "reverseContinue": "reverse-continue", "next": "next"},
    **{"stepIn": "step", "stepOut": "finish", "stepBack": "reverse-step", "restart": "restart"},
}


class Adapter:
    """One editor's session.

    Args:
        opened: makes the session on launch.
        token: what launch or attach must bring, or None.
    """

    def __init__(self, opened: Callable[[], Session], token: str | None) -> None:
        self.done = False
        self._opened = opened
        self._token = token
        self._session: Session | None = None
        self._variables: Variables | None = None
        self._events: list[Body] = []
        self._configured = False
        self._stop_on_entry = True

    @property
    def session(self) -> Session:
        """The session, once launched.

        Raises:
            DebuggerError: it is not.
        """
        if self._session is None:
            raise DebuggerError("nothing is being debugged yet; send launch or attach first")
        return self._session

    def answer(self, request: Body) -> Iterator[Body]:
        """The response to one request, and the events that follow from it."""
        command = str(request.get("command"))
        response: Body = {"type": "response", "request_seq": request.get("seq"), "command": command}
        arguments = request.get("arguments") or {}
        try:
            if command in MOVES:
                body = self._move(MOVES[command])
            else:
                handler = getattr(self, f"on_{command}", None)
                if handler is None:
                    raise DebuggerError(f"the request {command!r} is not supported")
                body = handler(arguments if isinstance(arguments, dict) else {})
        except (ValueError, OSError, KeyError, TypeError, RuntimeError) as error:
            words = (
                f"{command}: {error!r}" if isinstance(error, (KeyError, TypeError)) else str(error)
            )
            self._events.clear()
            failure = {"error": {"id": 1, "format": words, "showUser": True}}
            yield {**response, "success": False, "message": words, "body": failure}
            return
        yield {**response, "success": True, "body": body or {}}
        events, self._events = self._events, []
        yield from events

    def _event(self, event: str, **body: Any) -> None:
        self._events.append({"type": "event", "event": event, "body": body})

    def _stopped(self, reason: str, text: str = "", hits: list[int] | None = None) -> None:
        self._variables = Variables(self.session)
        body: Body = {"reason": reason, "threadId": 1, "allThreadsStopped": True}
        if text:
            body["description"] = body["text"] = text
        if hits:
            body["hitBreakpointIds"] = hits
        self._event("stopped", **body)

    def _move(self, command: str) -> Body:
        outcome = self.session.execute(command)
        reasons = outcome.data["reasons"]
        watched = [one for one in reasons if "watch" in one]
        hits = [one.get("breakpoint", one.get("watch")) for one in reasons]
        kind = "data breakpoint" if watched else "breakpoint" if reasons else "step"
        if command == "restart":
            kind = "entry"
        over = outcome.data["over"]
        self._stopped("pause" if over and not reasons else kind, outcome.lines[0], hits)
        return {"allThreadsContinued": True} if "continue" in command else {}

    # -- the life of a session -----------------------------------------------------------------------

    def on_initialize(self, arguments: Body) -> Body:
        """What this adapter can do."""
        return CAPABILITIES

    def on_launch(self, arguments: Body) -> None:
        """Open the session; ``token`` is asked for on a port, ``stopOnEntry`` is true by default."""
        given = str(arguments.get("token", ""))
        if self._token is not None and not hmac.compare_digest(
            given.encode(), self._token.encode()
        ):
            self.done = True
            raise DebuggerError("the token is wrong; give the one that was printed on starting")
        self._stop_on_entry = bool(arguments.get("stopOnEntry", True))
        self._session = self._opened()
        self._variables = Variables(self._session)
        self._event("initialized")

    on_attach = on_launch

    def on_configurationDone(self, arguments: Body) -> None:
        """Breakpoints are set: stop at the beginning, or run to the first of them."""
        self._configured = True
        if self._stop_on_entry:
            self._stopped("entry", self.session.title)
        else:
            self._move("run")

    def on_disconnect(self, arguments: Body) -> None:
        """Leave."""
        self.done = True
        self._event("terminated")

    on_terminate = on_disconnect

    def on_threads(self, arguments: Body) -> Body:
        """There is one: the pass."""
        return {"threads": [{"id": 1, "name": f"{self.session.state.direction} pass"}]}

    # -- breakpoints ---------------------------------------------------------------------------------

    def _replace(
        self, old: Callable[[Breakpoint], bool], texts: list[str], make: Any
    ) -> list[Body]:
        """Put new breakpoints in the place of the old ones; one that is refused says why."""
        session = self.session
        kept = tuple(one for one in session.state.stops if not old(one))
        session.state = replace(session.state, stops=kept)
        found: list[Body] = []
        for text in texts:
            number = session.state.made[0] + 1
            try:
                new: Breakpoint = make(text, number)
                count = len(new.turns(session.line))
            except DebuggerError as error:
                found.append({"verified": False, "message": str(error)})
                continue
            session.state = session.state.with_stop(new)
            found.append({"id": number, "verified": True, "message": f"{new.words}: {count} turns"})
        return found

    def _parsed(self, text: str, number: int) -> Breakpoint:
        return breakpoints.parse(text, self.session.line, self.session.places, number, False)

    def on_setBreakpoints(self, arguments: Body) -> Body:
        """Those on the source lines of one file."""
        file = str(arguments["source"]["path"])
        wanted = arguments.get("breakpoints") or []
        texts = [f"{file}:{one['line']}" + _condition(one) for one in wanted]
        found = self._replace(
            lambda one: one.kind == "line" and one.target[0] == file, texts, self._parsed
        )
        for body, one in zip(found, wanted):
            body["line"] = one["line"]
        return {"breakpoints": found}

    def on_setFunctionBreakpoints(self, arguments: Body) -> Body:
        """Those by name: whatever ``break`` takes, an operation, a scope, ``t=3``, ``vanish 1e-6``."""
        texts = [str(one["name"]) + _condition(one) for one in arguments.get("breakpoints") or []]
        others = ("line", "watch", "born")
        return {
            "breakpoints": self._replace(lambda one: one.kind not in others, texts, self._parsed)
        }

    def on_setExceptionBreakpoints(self, arguments: Body) -> Body:
        """Where a NaN or an infinity is born."""
        texts = ["nan"] if "nan" in (arguments.get("filters") or []) else []
        return {"breakpoints": self._replace(lambda one: one.kind == "born", texts, self._parsed)}

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
        texts = [str(one["dataId"]) + _condition(one) for one in arguments.get("breakpoints") or []]
        found = self._replace(
            lambda one: one.kind == "watch",
            texts,
            lambda text, number: breakpoints.watch(text, self.session.places, number),
        )
        return {"breakpoints": found}

    # -- looking -------------------------------------------------------------------------------------

    def on_stackTrace(self, arguments: Body) -> Body:
        """The scope path, innermost first."""
        frames = stack(self.session)
        first = int(arguments.get("startFrame") or 0)
        count = int(arguments.get("levels") or 0) or len(frames)
        return {"stackFrames": frames[first : first + count], "totalFrames": len(frames)}

    def on_scopes(self, arguments: Body) -> Body:
        """This pullback, and the parameters."""
        assert self._variables is not None
        return {"scopes": self._variables.scopes()}

    def on_variables(self, arguments: Body) -> Body:
        """What is below a reference."""
        self.session  # noqa: B018 - refuses before launch
        assert self._variables is not None
        return {"variables": self._variables.below(int(arguments["variablesReference"]))}

    def on_evaluate(self, arguments: Body) -> Body:
        """In the console any command of the debugger; elsewhere an expression."""
        text, session = str(arguments["expression"]), self.session
        if arguments.get("context") != "repl":
            return {
                "result": "\n".join(session.execute(f"print {text}").lines),
                "variablesReference": 0,
            }
        before = session.state
        outcome = session.execute(text)
        outcome.lines += [one for effect in outcome.effects for one in perform(session, effect)]
        if session.state != before:
            self._stopped("step" if outcome.kind == "stop" else "pause")
        return {"result": outcome.text, "variablesReference": 0}

    def on_completions(self, arguments: Body) -> Body:
        """What can be written next in the console."""
        text = str(arguments["text"])[: int(arguments.get("column") or 1) - 1]
        word = text.rpartition(" ")[2]
        found = completions(self.session, text)
        start = len(text) - len(word)
        return {"targets": [{"label": one, "start": start, "length": len(word)} for one in found]}


def _condition(one: Body) -> str:
    return f" if {one['condition']}" if one.get("condition") else ""
