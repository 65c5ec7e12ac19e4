"""Where and when: the scope path and the time step that every new node carries.

The current context lives in one ContextVar, so threads and asyncio tasks do not see each other's. It is
read once per operation, which is why everything that an operation has to know is in one object.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from micrornn.backward import Pullback
    from micrornn.tensor import Tensor


class Place:
    """Where a node was made: a scope path such as ``lstm.0/forget gate``, and a time step or None."""

    __slots__ = ("scope", "step")

    def __init__(self, scope: str = "", step: int | None = None) -> None:
        self.scope = scope
        self.step = step

    def __repr__(self) -> str:
        step = "" if self.step is None else f"t={self.step}"
        return " ".join(part for part in (self.scope, step) if part) or "no scope"


class Observer(Protocol):
    """Someone who is told of every node as it is made and of every pullback as it has run."""

    def on_node(self, node: Tensor) -> None: ...

    def on_pullback(self, pullback: Pullback) -> None: ...


class Context:
    """What an operation must know of its surroundings; immutable."""

    __slots__ = ("observers", "place", "recording")

    def __init__(
        self, place: Place, recording: bool = True, observers: tuple[Observer, ...] = ()
    ) -> None:
        self.place = place
        self.recording = recording
        self.observers = observers


_CONTEXT: ContextVar[Context] = ContextVar("micrornn", default=Context(Place()))  # noqa: B039
current = _CONTEXT.get


class scope:
    """Name the place of the nodes made inside: a scope, a time step, or both.

    Scopes nest into a path; the innermost step holds. Steps count from 1; 0 is the initial state.

    >>> import micrornn as mr
    >>> with mr.scope("lstm.0"), mr.scope("forget gate", t=3):
    ...     y = mr.tanh(mr.Value(0.5))
    >>> y.scope, y.step
    ('lstm.0/forget gate', 3)
    """

    __slots__ = ("_name", "_step", "_token")

    def __init__(self, name: str | None = None, t: int | None = None) -> None:
        self._name = name
        self._step = t
        self._token: Any = None  # what undoes the entry, and the same of an entry around it

    def __enter__(self) -> Place:
        outer = current()
        place, name = outer.place, self._name
        path = place.scope
        if name:
            path = f"{path}/{name}" if path else name
        place = Place(path, place.step if self._step is None else self._step)
        token = _CONTEXT.set(Context(place, outer.recording, outer.observers))
        self._token = token, self._token
        return place

    def __exit__(self, *_: object) -> None:
        token, self._token = self._token
        _CONTEXT.reset(token)


@contextmanager
def outside_steps() -> Iterator[None]:
    """Make nodes without a step, whatever the step around: what holds for all steps, such as a part of a
    weight.

    >>> import micrornn as mr
    >>> with mr.scope("gru", t=3), outside_steps():
    ...     y = mr.tanh(mr.Value(0.5))
    >>> y.scope, y.step
    ('gru', None)
    """
    outer = current()
    place = Place(outer.place.scope)
    token = _CONTEXT.set(Context(place, outer.recording, outer.observers))
    try:
        yield
    finally:
        _CONTEXT.reset(token)


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: results inside have no inputs and want no gradient.

    >>> import micrornn as mr
    >>> with mr.no_grad():
    ...     y = mr.Value(2.0) * 3.0
    >>> y.requires_grad
    False
    """
    outer = current()
    token = _CONTEXT.set(Context(outer.place, False, outer.observers))
    try:
        yield
    finally:
        _CONTEXT.reset(token)


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Tell ``observer`` of every node made and every pullback run inside."""
    outer = current()
    token = _CONTEXT.set(Context(outer.place, outer.recording, (*outer.observers, observer)))
    try:
        yield
    finally:
        _CONTEXT.reset(token)
