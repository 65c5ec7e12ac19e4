"""Facts about every turn, one array each: what a breakpoint is compared with.

Each column is worked out when a condition first names it, and then `continue` is a look-up: over 100,000
turns no Python runs for those that do not match.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.cotangent import Product
from micrornn.flow.ledger import use_shares
from micrornn.flow.series import norm
from micrornn.recording import Recording

Array = np.ndarray[Any, Any]


def size_of(x: Any) -> float:
    """The Euclidean norm, of a number, an array or an unwritten contribution.

    >>> size_of(np.array([3.0, -4.0])), size_of(-2.0), size_of(float("nan"))
    (5.0, 2.0, nan)
    """
    if type(x) is float:
        return abs(x)
    if type(x) is Product and x.left.ndim == 1:  # an outer product: no need to write it out
        return size_of(x.left) * size_of(x.right)
    return norm(dense(x))


def finite(x: Any) -> bool:
    """Whether there is neither a NaN nor an infinity in a contribution."""
    if type(x) is Product:
        return finite(x.left) and finite(x.right) and bool(np.isfinite(x.dense()).all())
    return bool(np.isfinite(dense(x)).all())


def sign_of(x: Any) -> str:
    """``+`` or ``-`` where no element has the other sign, ``±`` where both occur, ``0``, or ``nan``.

    >>> sign_of(np.array([1.0, -2.0])), sign_of(3.0), sign_of(np.zeros(2))
    ('±', '+', '0')
    """
    array = np.asarray(dense(x))
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    if low != low or high != high:
        return "nan"
    if low == high == 0:
        return "0"
    return "+" if low >= 0 else "-" if high <= 0 else "±"


class Turns(Protocol):
    """What the columns are about: a `Timeline`."""

    rec: Recording
    direction: str
    nodes: list[Tensor]
    amounts: list[Any]
    sent: list[Sequence[Any]]

    def __len__(self) -> int: ...

    @property
    def received(self) -> dict[int, list[tuple[int, int]]]: ...

    def feeders(self, turn: int) -> list[int]: ...

    def arrived(self, node: Tensor, position: int) -> tuple[Any, int, int]: ...


class Columns:
    """The columns of one timeline, each of shape (turns,)."""

    def __init__(self, timeline: Turns) -> None:
        self._line = timeline

    @cached_property
    def norm(self) -> Array:
        """The norm of the gradient that arrived (forward: of the value)."""
        with np.errstate(all="ignore"):
            return np.array([size_of(x) for x in self._line.amounts], dtype=float)

    @cached_property
    def max(self) -> Array:
        """The largest element, by magnitude."""
        amounts = self._line.amounts
        return np.array([float(np.max(np.abs(x))) if np.size(x) else 0.0 for x in amounts])

    @cached_property
    def sign(self) -> Array:
        """``+``, ``-``, ``±``, ``0`` or ``nan``."""
        return _words([sign_of(x) for x in self._line.amounts])

    @cached_property
    def t(self) -> Array:
        """The time step; nan for a node without one, which no comparison matches."""
        steps = [node.place.step for node in self._line.nodes]
        return np.array([math.nan if t is None else t for t in steps], dtype=float)

    @cached_property
    def recomputed(self) -> Array:
        """Whether a checkpoint computed the node again."""
        again = self._line.rec.recomputed
        return np.array([node.number in again for node in self._line.nodes], dtype=bool)

    @cached_property
    def starts(self) -> Array:
        """The turns at which another time step begins, ascending; the first turn is one."""
        t = np.where(np.isnan(self.t), -np.inf, self.t)
        return np.flatnonzero(np.r_[len(t) > 0, t[1:] != t[:-1]])

    @cached_property
    def op(self) -> Array:
        """The operation that made the node."""
        return _words([n.primitive.name if n.primitive else "leaf" for n in self._line.nodes])

    @cached_property
    def scope(self) -> Array:
        """The scope path."""
        return _words([node.place.scope for node in self._line.nodes])

    @cached_property
    def name(self) -> Array:
        """The node's name, or nothing."""
        return _words([node.name or "" for node in self._line.nodes])

    @cached_property
    def nan(self) -> Array:
        """Whether it holds a NaN."""
        return np.array([bool(np.isnan(x).any()) for x in self._line.amounts])

    @cached_property
    def inf(self) -> Array:
        """Whether it holds an infinity."""
        return np.array([bool(np.isinf(x).any()) for x in self._line.amounts])

    @cached_property
    def zero(self) -> Array:
        """Whether it is exactly zero."""
        return np.array([not np.any(x) for x in self._line.amounts])

    @cached_property
    def share(self) -> Array:
        """The share of a parameter's gradient that this turn sends; of several, the largest; else 0."""
        found: dict[int, float] = {}
        rec = self._line.rec
        for parameter in rec.parameters if rec.passes else ():
            for number, share in use_shares(rec, parameter):
                if abs(share) > abs(found.get(number, 0.0)):
                    found[number] = share
        return np.array([found.get(node.number, 0.0) for node in self._line.nodes])

    @cached_property
    def born(self) -> Array:
        """Whether a NaN or an infinity is born in this turn: what came in was finite."""
        line = self._line
        bad = ~np.isfinite(self.norm)
        # A norm may overflow where every number is finite.
        bad[bad] = [not finite(line.amounts[i]) for i in np.flatnonzero(bad)]
        found = np.zeros(len(line), dtype=bool)
        for i in np.flatnonzero(bad).tolist():
            if line.direction == "forward":
                found[i] = _born_of(line.amounts[i], line.nodes[i].values)
                continue
            feeders = line.feeders(i)
            if not any(bad[feeders]):
                culprits = [k for k in feeders if not _sends_finite(line, k)]
                found[culprits or [i]] = True
        leaves = {x.number: x for n in line.nodes for x in n.inputs if not x.inputs}
        for number, senders in line.received.items():
            if number in leaves:
                g = line.arrived(leaves[number], len(line))[0]
                if not finite(g):  # one look at the sum spares a look at every part of it
                    culprits = [k for k, slot in senders if not finite(line.sent[k][slot])]
                    found[[k for k in culprits if not bad[k]]] = True
        return found

    def crossing(self, over: Array) -> Array:
        """The turns that are ``over`` while one that they came from was not."""
        found = np.zeros(len(over), dtype=bool)
        for i in np.flatnonzero(over).tolist():
            feeders = self._line.feeders(i)
            found[i] = not feeders or not all(over[feeders])
        return found


def _born_of(value: Any, inputs: Sequence[Any]) -> bool:
    """Whether a value that is not finite was made of finite ones, or a NaN of infinities."""
    if all(finite(x) for x in inputs):
        return True
    return bool(np.isnan(value).any()) and not any(np.isnan(x).any() for x in inputs)


def _sends_finite(line: Turns, i: int) -> bool:
    return all(c is None or finite(c) for c in line.sent[i])


def _words(words: list[str]) -> Array:
    found = np.empty(len(words), dtype=object)
    found[:] = words
    return found
