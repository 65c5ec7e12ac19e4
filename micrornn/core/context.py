"""Where and when: the scope path and the time step that every new node carries.

The current context lives in one ContextVar, so threads and asyncio tasks do not see each other's. An
operation reads it once, which is why everything that it has to know is in one object.
"""

from __future__ import annotations

import operator
from contextlib import ContextDecorator, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where a node was made: a scope path such as ``lstm.0/forget gate``, and a time step or None."""

    scope: str = ""
    step: int | None = None

    def __repr__(self) -> str:
        step = "" if self.step is None else f"t={self.step}"
        return " ".join(part for part in (self.scope, step) if part) or "no scope"


@dataclass(slots=True, eq=False)
class Context:
    """What an operation reads from its surroundings; immutable."""

    place: Place
    recording: bool = True
    observers: tuple[Any, ...] = ()  # told of every new node and every pullback
    outer: Any = None  # the context around it
    change: Any = None  # the `with` block that made this context
    number: Any = count(1).__next__  # gives the next node its number


_CONTEXT: ContextVar[Context] = ContextVar("micrornn", default=Context(Place()))  # noqa: B039
current = _CONTEXT.get


class Change(ContextDecorator):
    """A `with` block that changes the context inside."""

    def inside(self, outer: Context) -> Context:
        """The context inside the block, given the one around it."""
        raise NotImplementedError

    def __enter__(self) -> Place:
        context = self.inside(current())
        _CONTEXT.set(context)
        return context.place

    def __exit__(self, *_: object) -> None:
        # A generator may leave its block while blocks that were entered later are still open: undo its own
        # change, and apply theirs again.
        context, later = current(), []
        while context.change not in (self, None):
            later.append(context.change)
            context = context.outer
        if context.change is self:
            context = context.outer
            for change in reversed(later):
                context = change.inside(context)
            _CONTEXT.set(context)


class scope(Change):
    """Name the place of the nodes made inside: a scope, a time step, or both.

    Scopes nest into a path; the innermost step holds. Steps count from 1; 0 is the initial state.

    Raises:
        TypeError: the name is not text, or the step is not an integer.

    >>> import micrornn as mr
    >>> with mr.scope("lstm.0"), mr.scope("forget gate", t=3):
    ...     y = mr.tanh(mr.Value(0.5))
    >>> y.scope, y.step
    ('lstm.0/forget gate', 3)
    """

    def __init__(self, name: str | None = None, t: int | None = None) -> None:
        if not (name is None or isinstance(name, str)):
            raise TypeError(f"scope name {name!r}: give text, and the time step as t=")
        try:
            self._step = None if t is None else operator.index(t)
        except TypeError:
            raise TypeError(f"time step t={t!r}: give an integer, counted from 1") from None
        self._name = name

    def inside(self, outer: Context) -> Context:
        path, step = outer.place.scope, outer.place.step
        if self._name:
            path = f"{path}/{self._name}" if path else self._name
        place = Place(path, step if self._step is None else self._step)
        return Context(place, outer.recording, outer.observers, outer, self, outer.number)


class no_grad(Change):
    """Compute without recording: results inside have no inputs and need no gradient.

    >>> import micrornn as mr
    >>> with mr.no_grad():
    ...     y = mr.Value(2.0) * 3.0
    >>> y.requires_grad
    False
    """

    def inside(self, outer: Context) -> Context:
        return Context(outer.place, False, outer.observers, outer, self, outer.number)


class observed(Change):
    """Call an observer's ``on_node(node)`` and ``on_pullback(pullback)`` for all that happens inside."""

    def __init__(self, observer: Any) -> None:
        self._observer = observer

    def inside(self, outer: Context) -> Context:
        observers = (*outer.observers, self._observer)
        return Context(outer.place, outer.recording, observers, outer, self, outer.number)


long_loop: Any = nullcontext  # around loops over graphs; `fast` pauses the garbage collector inside
