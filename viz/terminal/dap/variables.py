"""The present moment as an editor shows it: frames for scopes, variables for values and gradients."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.debug.errors import DebuggerError
from micrornn.debug.report import made, sized
from micrornn.debug.session import Session
from micrornn.debug.timeline import BACKWARD
from micrornn.flow.ledger import ledger

Body = dict[str, Any]
MOST = 100  # elements of an array that are listed


def stack(session: Session) -> list[Body]:
    """One frame for the node, then one for each scope around it, then one for the step.

    A scope and a step point at the line at which they began to compute something, as callers do.
    """
    line, position = session.line, session.state.position
    if position >= len(line):
        return [{"id": 1, "name": f"the {line.direction} pass is over", "line": 0, "column": 0}]
    node = line.nodes[position]
    parts = node.scope.split("/") if node.scope else []
    first = session.places.first_line
    places = [(made(node, session.places), node.source)]
    for scope in ("/".join(parts[:i]) for i in range(len(parts), 0, -1)):
        places.append((scope, first(scope, node.step)))
    if node.step is not None:
        places.append((f"step {node.step}", first("", node.step)))
    frames = []
    for i, (name, source) in enumerate(places, 1):
        frame: Body = {"id": i, "name": name, "line": 0, "column": 0}
        if source is not None:
            file, number = source
            frame |= {"line": number, "column": 1}
            frame["source"] = {"name": os.path.basename(file), "path": os.path.abspath(file)}
        frames.append(frame)
    return frames


class Variables:
    """The variables of one stop; references are good until the next."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._below: list[Callable[[], list[Body]]] = []
        self._nodes: dict[int, dict[str, str]] = {}
        self._settable: dict[tuple[int, str], tuple[Tensor, tuple[int, ...]]] = {}

    def scopes(self) -> list[Body]:
        """What a frame shows."""
        found = [("Pullback" if self.session.state.direction == BACKWARD else "Node", self._turn)]
        found.append(("Parameters", self._parameters))
        return [
            {"name": name, "variablesReference": self._keep(below), "expensive": False}
            for name, below in found
        ]

    def below(self, reference: int) -> list[Body]:
        """The variables under a reference.

        Raises:
            DebuggerError: it is none of this stop.
        """
        if not 1 <= reference <= len(self._below):
            raise DebuggerError(f"the reference {reference} is of an earlier stop")
        return self._below[reference - 1]()

    def node_name(self, reference: int, name: str) -> str:
        """The node that a variable stands for."""
        return self._nodes.get(reference, {}).get(name, name)

    def settable(self, reference: int, name: str) -> tuple[Tensor, tuple[int, ...]]:
        """The node whose gradient a variable is, and which number of it; () for all.

        Raises:
            DebuggerError: it is no gradient of this pullback.
        """
        found = self._settable.get((reference, name))
        if found is None:
            raise DebuggerError(
                f"{name} is as it was computed; only the gradient of this pullback can be set"
            )
        return found

    def _keep(self, below: Callable[[], list[Body]]) -> int:
        self._below.append(below)
        reference = len(self._below)

        def remembered() -> list[Body]:
            found = below()
            self._nodes[reference] = {
                one["name"]: one.pop("node") for one in found if "node" in one
            }
            for one in found:
                if "sets" in one:
                    self._settable[reference, one["name"]] = one.pop("sets")
                else:
                    one["presentationHint"] = {"attributes": ["readOnly"]}
            return found

        self._below[-1] = remembered
        return reference

    def _turn(self) -> list[Body]:
        line, position = self.session.line, self.session.state.position
        if position >= len(line):
            return []
        node = line.nodes[position]
        found = [self._array("value", node._value, node)]
        if line.sent:
            found.append(self._array("gradient", line.amounts[position], node, ()))
            for x, sent in zip(node.inputs, line.sent[position]):
                if sent is not None:
                    found.append(self._array(f"sent to {self.session.places.label(x)}", sent, x))
        for i, (x, value) in enumerate(zip(node.inputs, node.values)):
            found.append(self._array(f"input {i}: {self.session.places.label(x)}", value, x))
        return found

    def _parameters(self) -> list[Body]:
        found = []
        for parameter in self.session.rec.parameters:
            amount, done, parts = self.session.line.arrived(parameter, self.session.state.position)
            words = (
                f"gradient {sized(amount)} ({done} of {parts} parts)" if parts else "no gradient"
            )
            below = self._keep(lambda p=parameter: self._parameter(p))  # type: ignore[misc]
            label = self.session.places.label(parameter)
            found.append(
                {"name": label, "value": words, "variablesReference": below, "node": label}
            )
        return found

    def _parameter(self, parameter: Tensor) -> list[Body]:
        amount, done, _ = self.session.line.arrived(parameter, self.session.state.position)
        found = [self._array("value", self.session.rec.value(parameter), parameter)]
        if done:
            found.append(self._array("gradient", amount, parameter))
        if self.session.rec.passes:
            reference = self._keep(lambda: self._ledger(parameter))
            found.append(
                {"name": "ledger", "value": "shares by step", "variablesReference": reference}
            )
        return found

    def _ledger(self, parameter: Tensor) -> list[Body]:
        book = ledger(self.session.recording, parameter)
        rows = zip(book.steps, book.norms, book.shares)
        return [
            {"name": f"step {t}", "value": f"{s:+.1%}, norm {n:.3g}", "variablesReference": 0}
            for t, n, s in rows
        ]

    def _array(self, name: str, x: Any, node: Tensor, index: tuple[int, ...] | None = None) -> Body:
        """A variable; with an index it is that part of the gradient of this pullback, which can be set."""
        array = np.asarray(dense(x))
        found: Body = {
            "name": name,
            "variablesReference": 0,
            "node": self.session.places.label(node),
        }
        if index is not None and (not index or not array.ndim):
            found["sets"] = node, index
        if not array.ndim:
            found["value"] = f"{float(array):.6g}"
            return found
        found["value"] = f"shape {array.shape}, norm {sized(array)}"
        found["variablesReference"] = self._keep(lambda: self._elements(array, node, index))
        return found

    def _elements(self, array: Any, node: Tensor, index: tuple[int, ...] | None) -> list[Body]:
        found = []
        for i, part in enumerate(array[:MOST]):
            inside = None if index is None else (*index, i)
            found.append(self._array(f"[{i}]", part, node, inside))
        if len(array) > MOST:
            more = f"{len(array) - MOST} more; print them in the console: print NAME[{MOST}:]"
            found.append({"name": "...", "value": more, "variablesReference": 0})
        return found
