"""The value of an expression at the present moment: values, gradients, and arithmetic on them."""

from __future__ import annotations

import operator
import re
from typing import Any

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.debug.columns import sign_of, size_of
from micrornn.debug.errors import DebuggerError
from micrornn.debug.grammar import Tree, parse_index, parse_value
from micrornn.debug.places import Places
from micrornn.debug.timeline import Timeline
from micrornn.messages import nearest

ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
MEASURES = ("norm", "max", "min", "mean", "sum", "abs", "shape", "sign", "dtype")
OF_NODES = ("grad", "value", "data", "sent", "name", "op", "scope", "t", "step", "number", "source")
HERE = ("node", "grad", "value", "data", "sent")


class Moment:
    """One position of one timeline, for looking at; perhaps at another node than the one whose turn it is."""

    def __init__(
        self, line: Timeline, places: Places, position: int, frame: Tensor | None = None
    ) -> None:
        self.line = line
        self.places = places
        self.position = position
        self.frame = frame

    @property
    def node(self) -> Tensor:
        """The node that `up` and `down` chose, or else the one whose turn is next.

        Raises:
            DebuggerError: the end is reached.
        """
        if self.frame is not None:
            return self.frame
        if self.position >= len(self.line):
            raise DebuggerError(
                "the pass is over: no node has its turn now. Name one: print W_hh.grad; or go back: rs"
            )
        return self.line.nodes[self.position]

    def value(self, text: str) -> Any:
        """What an expression means here: a number, an array, a word, or a node.

        Raises:
            DebuggerError: it is not understood, or names something that is not there (yet).
        """
        with np.errstate(all="ignore"):
            return self._of(parse_value(text))

    def gradient(self, node: Tensor) -> Any:
        """The gradient that has arrived at a node by now.

        Raises:
            DebuggerError: none has, and why.
        """
        label = self.places.label(node)
        if not self.line.sent:
            if not self.line.rec.passes:
                raise DebuggerError(
                    f"{label} has no gradient: backward has not run in this recording. Record with "
                    "loss.backward() inside `with recording()`, or with record(loss)"
                )
            raise DebuggerError(
                f"{label} has no gradient yet: this is the forward pass (`direction backward`)"
            )
        amount, done, parts = self.line.arrived(node, self.position)
        if parts == 0:
            reason = (
                "needs no gradient"
                if not node.requires_grad
                else "has no path to the loss; see `why`"
            )
            raise DebuggerError(f"{label} gets no gradient: it {reason}")
        if done == 0:
            raise DebuggerError(
                f"nothing has arrived at {label} yet; `until {label}` goes where it has"
                if node.inputs
                else f"nothing has arrived at {label} yet; `watch {label}.grad` and `continue`"
            )
        return amount

    # -- the tree ----------------------------------------------------------------------------------

    def _of(self, tree: Tree) -> Any:
        kind, *parts = tree
        if kind == "number":
            return parts[0]
        if kind == "negative":
            return -_numeric(self._plain(parts[0]))
        if kind == "arithmetic":
            return self._arithmetic(*parts)
        if kind == "call":
            return measure(self._plain(parts[1]), parts[0])
        node = self._node(tree)
        if node is not None:
            return node
        if kind == "place":
            return self._here(parts[0])
        inner = self._of(parts[0])
        if kind == "index":
            return self._indexed(inner, parts[1])
        return self._attribute(inner, parts[1])

    def _node(self, tree: Tree) -> Tensor | None:
        """The node that a place, perhaps with a step, means; None where it is something else."""
        kind, *parts = tree
        if kind == "index" and parts[0][0] == "place":
            try:
                return self.places.node(f"{parts[0][1]}[{parts[1]}]")
            except DebuggerError as error:
                if not re.fullmatch(r"\d+", parts[1]) or "has the steps" in str(error):
                    if "has the steps" in str(error):
                        raise
                    return None
                return None
        if kind != "place":
            return None
        text, quoted = parts
        if text == "node" and not quoted:
            return self.node
        try:
            return self.places.node(text)
        except DebuggerError:
            if text in HERE or "." in text:
                return None
            raise

    def _here(self, text: str) -> Any:
        """``grad``, ``value``, ``sent`` of the present node; or a name with attributes behind dots."""
        if text in HERE:
            return self._attribute(self.node, text)
        before, _, attribute = text.rpartition(".")
        if attribute not in (*OF_NODES, *MEASURES) and before not in HERE:
            try:
                self.places.node(before)
            except DebuggerError:
                self.places.node(text)  # which says what may have been meant by the whole
        return self._attribute(self._of(("place", before, False)), attribute)

    def _attribute(self, inner: Any, name: str) -> Any:
        if isinstance(inner, Tensor) and name in OF_NODES:
            return self._of_node(inner, name)
        if name in MEASURES:
            return measure(inner._value if isinstance(inner, Tensor) else inner, name)
        known = [*OF_NODES, *MEASURES] if isinstance(inner, Tensor) else MEASURES
        raise DebuggerError(f"there is no .{name} here; {nearest(name, known)}")

    def _of_node(self, node: Tensor, name: str) -> Any:
        if name == "grad":
            return self.gradient(node)
        if name in ("value", "data"):
            return self.line.rec.value(node)
        if name == "sent":
            turn = self.line.turn_of(node, self.position)
            if turn is None or not self.line.sent:
                raise DebuggerError(f"{self.places.label(node)} sends nothing in this direction")
            return [None if c is None else dense(c) for c in self.line.sent[turn]]
        if name == "source":
            return "unknown" if node.source is None else "{}:{}".format(*node.source)
        if name == "number":
            return float(self.places.number(node))
        if name == "op":
            return node.primitive.name if node.primitive else "leaf"
        if name in ("t", "step"):
            return "none" if node.step is None else float(node.step)
        return str(getattr(node, name) or "")

    def _indexed(self, inner: Any, text: str) -> Any:
        value = self.line.rec.value(inner) if isinstance(inner, Tensor) else inner
        index = parse_index(text)
        try:
            return value[index] if isinstance(value, list) else np.asarray(value)[index]
        except (IndexError, TypeError) as error:
            shape = f"{len(value)} items" if isinstance(value, list) else f"shape {np.shape(value)}"
            raise DebuggerError(f"[{text}] of {shape}: {error}") from None

    def _plain(self, tree: Tree) -> Any:
        found = self._of(tree)
        return self.line.rec.value(found) if isinstance(found, Tensor) else found

    def _arithmetic(self, sign: str, left: Tree, right: Tree) -> Any:
        a, b = _numeric(self._plain(left)), _numeric(self._plain(right))
        try:
            return ARITHMETIC[sign](a, b)
        except ZeroDivisionError:
            return float(np.divide(a, b))
        except ValueError as error:
            raise DebuggerError(
                f"shapes {np.shape(a)} and {np.shape(b)} do not fit: {error}"
            ) from None


def measure(x: Any, what: str) -> Any:
    """One of `MEASURES` of a number or an array.

    >>> measure(np.array([3.0, -4.0]), "norm"), measure(2.0, "shape")
    (5.0, ())
    """
    x = _numeric(x)
    if what == "norm":
        return size_of(x)
    if what == "sign":
        return sign_of(x)
    if what == "shape":
        return np.shape(x)
    if what == "dtype":
        return str(np.asarray(x).dtype)
    if what == "max" and not np.size(x):
        raise DebuggerError("the largest of no numbers")
    found = getattr(np, what)(x)
    return found if np.ndim(found) else float(found)


def _numeric(x: Any) -> Any:
    if x is None:
        raise DebuggerError("there is nothing here: no gradient is sent to this input")
    if isinstance(x, (str, list, tuple)):
        raise DebuggerError(
            f"{x if isinstance(x, str) else 'a list'} is no number; take one part: sent[0]"
        )
    return x
