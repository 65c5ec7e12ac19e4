"""What an editor changes: a gradient that has arrived, in a branch of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.backward import dense
from micrornn.debug.commands.change import changed
from micrornn.debug.errors import DebuggerError
from micrornn.debug.report import sized

if TYPE_CHECKING:
    from micrornn.core.tensor import Tensor
    from micrornn.debug.session import Session
    from viz.terminal.dap.variables import Variables

Body = dict[str, Any]


class Changes:
    """The requests that give a gradient another value."""

    _variables: Variables | None

    @property
    def session(self) -> Session:
        """The session, once launched."""
        raise NotImplementedError

    def on_setVariable(self, arguments: Body) -> Body:
        """Give the gradient of this pullback, or one number of it, another value."""
        self.session  # noqa: B018 - refuses before launch
        assert self._variables is not None
        name = str(arguments["name"])
        node, index = self._variables.settable(int(arguments["variablesReference"]), name)
        return self._set(node, index, str(arguments["value"]))

    def on_setExpression(self, arguments: Body) -> Body:
        """Give the gradient that an expression names another value: ``h[3].grad``."""
        expression = str(arguments["expression"]).strip()
        if not expression.endswith(".grad"):
            raise DebuggerError(
                f"{expression} cannot be set; a gradient can: {expression.split('.')[0]}.grad"
            )
        node = self.session.places.node(expression.removesuffix(".grad"))
        return self._set(node, (), str(arguments["value"]))

    def _set(self, node: Tensor, index: tuple[int, ...], text: str) -> Body:
        session = self.session
        value = session.moment.value(text)
        words = "{} = {}"
        if index:
            whole = np.array(dense(session.line.amounts[session.state.position]))
            if np.ndim(value):
                raise DebuggerError(f"{text} is an array; one number of a gradient is set")
            whole[index] = value
            value, words = whole, f"{{}}[{', '.join(map(str, index))}] = {{}}"
        outcome = changed(session, node, "set", value, words, text)
        assert outcome.state is not None
        session.state = outcome.state
        self._changed()
        self._say("console", outcome.text + "\n")
        turn = session.line.turn_of(node, session.state.position)
        assert turn is not None
        new = dense(session.line.amounts[turn])
        shown = np.asarray(new)[index] if index else np.asarray(new)
        return {"value": sized(shown) if shown.ndim else f"{float(shown):.6g}"}

    def _changed(self) -> None:
        raise NotImplementedError

    def _say(self, category: str, text: str) -> None:
        raise NotImplementedError
