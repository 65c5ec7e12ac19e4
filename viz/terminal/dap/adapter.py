"""From the protocol's requests to the debugger's commands, and back."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from typing import Any

from micrornn.debug.commands.look import where
from micrornn.debug.complete import completions
from micrornn.debug.errors import DebuggerError
from micrornn.debug.report import made
from micrornn.debug.session import Session
from viz.terminal.dap.changes import Changes
from viz.terminal.dap.output import printing
from viz.terminal.dap.stops import Stops
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
    "supportsHitConditionalBreakpoints": True,
    "supportsLogPoints": True,
    "supportsSetVariable": True,
    "supportsSetExpression": True,
    "supportsGotoTargetsRequest": True,
    "supportsExceptionInfoRequest": True,
    "supportsEvaluateForHovers": True,
    "supportsCompletionsRequest": True,
    "exceptionBreakpointFilters": [
        {"filter": "nan", "label": "NaN or infinity", "description": "where one is born"}
    ],
}

MOST_TARGETS = 100  # on one line

#: What each request for a move is, as a command.
MOVES = {
    **{"continue": "continue", "reverseContinue": "reverse-continue", "next": "next"},
    **{"stepIn": "step", "stepOut": "finish", "stepBack": "reverse-step", "restart": "restart"},
}
JUMPS = {"restart": "entry", "goto": "goto"}  # moves that pass nothing on their way, as stops


class Adapter(Stops, Changes):
    """One editor's session.

    Args:
        opened: makes the session on launch.
        token: what launch or attach must bring, or None.
        send: takes an event that cannot wait for the response, such as what the program prints.

    Attributes:
        done: whether the editor has left, or brought a wrong token.
    """

    def __init__(
        self, opened: Callable[[], Session], token: str | None, send: Callable[[Body], None]
    ) -> None:
        super().__init__()
        self.done = False
        self._opened = opened
        self._send = send
        self._invalidates = False  # whether the editor can be told to ask for variables again
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
        number = request.get("seq")
        response: Body = {"type": "response", "command": command}
        response["request_seq"] = number if isinstance(number, int) else 0
        arguments = request.get("arguments") or {}
        try:
            if command in MOVES:
                body = self._move(MOVES[command])
            else:
                handler = getattr(self, f"on_{command}", None)
                if handler is None:
                    raise DebuggerError(f"the request {command!r} is not supported")
                body = handler(arguments if isinstance(arguments, dict) else {})
        except Exception as error:  # whatever goes wrong is an answer, and ends nothing
            told = isinstance(error, (ValueError, OSError)) and str(error)
            words = str(error) if told else f"{command}: {error!r}"
            self._events.clear()
            shown = command != "evaluate"  # the console shows it; a hover over any word fails often
            failure = {"error": {"id": 1, "format": words, "showUser": shown}}
            yield {**response, "success": False, "message": words, "body": failure}
            return
        yield {**response, "success": True, "body": body or {}}
        events, self._events = self._events, []
        yield from events

    def _event(self, event: str, **body: Any) -> None:
        self._events.append({"type": "event", "event": event, "body": body})

    def _say(self, category: str, text: str) -> None:
        self._send(
            {"type": "event", "event": "output", "body": {"category": category, "output": text}}
        )

    def _changed(self) -> None:
        """Variables have other values at the same place."""
        if self._invalidates:
            self._variables = Variables(self.session)
            self._event("invalidated", areas=["variables", "stacks"])
        else:
            self._stopped("pause", stay=True)

    def _stopped(
        self, reason: str, why: str = "", hits: list[int] | None = None, stay: bool = False
    ) -> None:
        """Tell where the cursor is, and why; with ``stay``, the input keeps the focus."""
        self._variables = Variables(self.session)
        body: Body = {"reason": reason, "threadId": 1, "allThreadsStopped": True}
        if stay:
            body["preserveFocusHint"] = True
        here = where(self.session, "").lines[0]
        body["description"] = here
        body["text"] = why or here
        if hits:
            body["hitBreakpointIds"] = hits
        self._event("stopped", **body)

    def _move(self, command: str) -> Body:
        born = {one.number for one in self.session.state.stops if one.kind == "born"}
        outcome = self.session.execute(command)
        for message in outcome.data.get("logged", ()):
            self._say("console", f"{message}\n")
        reasons = outcome.data["reasons"]
        watched = [one for one in reasons if "watch" in one]
        hits = [one.get("breakpoint", one.get("watch")) for one in reasons]
        kind = "data breakpoint" if watched else "breakpoint" if reasons else "step"
        if born & set(hits):
            kind = "exception"
        jump = JUMPS.get(command.partition(" ")[0])
        if jump:
            kind = jump
            self._event("continued", threadId=1)  # else VS Code keeps what it said of the last stop
        over = outcome.data["over"]
        self._stopped("pause" if over and not reasons else kind, outcome.lines[0], hits)
        return {"allThreadsContinued": True} if "continue" in command else {}

    # -- the life of a session -----------------------------------------------------------------------

    def on_initialize(self, arguments: Body) -> Body:
        """What this adapter can do."""
        self._invalidates = bool(arguments.get("supportsInvalidatedEvent"))
        return CAPABILITIES

    def on_launch(self, arguments: Body) -> None:
        """Open the session; a port needs the ``token``, ``stopOnEntry`` is true by default."""
        if self._session is not None:
            raise DebuggerError("a pass is being debugged already; restart begins it again")
        given = str(arguments.get("token", ""))
        if self._token is not None and not hmac.compare_digest(
            given.encode(), self._token.encode()
        ):
            self.done = True
            raise DebuggerError("the token is wrong; give the one that was printed on starting")
        self._stop_on_entry = bool(arguments.get("stopOnEntry", True))
        with printing(self._say):
            self._session = self._opened()
        self._variables = Variables(self._session)
        self._say(
            "console", f"{self._session.summary()}; help lists the commands of this console\n"
        )
        self._event("initialized")

    on_attach = on_launch

    def on_configurationDone(self, arguments: Body) -> None:
        """Breakpoints are set: stop at the beginning, or run to the first of them."""
        self._configured = True
        if self._stop_on_entry:
            self._stopped("entry")
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

    # -- other places ---------------------------------------------------------------------------------

    def on_pause(self, arguments: Body) -> None:
        """Moves take no time, so the pass always stands."""
        self.session  # noqa: B018 - refuses before launch
        self._stopped("pause")

    def on_gotoTargets(self, arguments: Body) -> Body:
        """The pullbacks of the nodes that were made on a source line."""
        file, number = str(arguments["source"]["path"]), int(arguments["line"])
        session = self.session
        here = self._parsed(f"{file}:{number}", 0).turns(session.line)
        targets = []
        for turn in here.tolist()[:MOST_TARGETS]:
            node = session.line.nodes[turn]
            words = f"pullback {turn + 1}: {made(node, session.places)}"
            targets.append({"id": turn + 1, "label": words, "line": number})
        return {"targets": targets}

    def on_goto(self, arguments: Body) -> None:
        """Jump to a pullback."""
        self._move(f"goto {int(arguments['targetId'])}")

    def on_exceptionInfo(self, arguments: Body) -> Body:
        """What is known of the NaN or infinity at which the pass stands."""
        line, position = self.session.line, self.session.state.position
        if position >= len(line) or not line.columns.born[position]:
            raise DebuggerError("no NaN or infinity is born here")
        words = "\n".join(self.session.execute("where").lines)
        return {
            "exceptionId": "NaN or infinity",
            "description": made(line.nodes[position], self.session.places),
            "breakMode": "always",
            "details": {"message": "a NaN or an infinity is born here", "stackTrace": words},
        }

    # -- looking -------------------------------------------------------------------------------------

    def on_stackTrace(self, arguments: Body) -> Body:
        """The scope path, innermost first."""
        frames = stack(self.session)
        first = int(arguments.get("startFrame") or 0)
        count = int(arguments.get("levels") or 0) or len(frames)
        return {"stackFrames": frames[first : first + count], "totalFrames": len(frames)}

    def on_scopes(self, arguments: Body) -> Body:
        """This pullback, and the parameters."""
        self.session  # noqa: B018 - refuses before launch
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
        if outcome.leave:
            self.on_disconnect({})
        elif session.state != before:
            self._event("continued", threadId=1)  # as above
            self._stopped("step" if outcome.kind == "stop" else "pause", stay=True)
        return {"result": outcome.text, "variablesReference": 0}

    def on_completions(self, arguments: Body) -> Body:
        """What can be written next in the console."""
        text = str(arguments["text"])[: int(arguments.get("column") or 1) - 1]
        word = text.rpartition(" ")[2]
        found = completions(self.session, text)
        start = len(text) - len(word)
        return {"targets": [{"label": one, "start": start, "length": len(word)} for one in found]}
