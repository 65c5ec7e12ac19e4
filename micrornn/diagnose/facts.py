"""What the checks of a run share: its data, its parameters, and what stands before and behind a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.activation import bounds
from micrornn.recording import Recording
from micrornn.recording.losses import kind_of

Array = np.ndarray[Any, Any]


class Asked(NamedTuple):
    """What one loss of classes asks for: (time step, targets, where they count, classes, node)."""

    step: int | None
    targets: Array
    counts: Array
    classes: int
    node: Tensor


class Facts:
    """A recording, and what several checks ask of it."""

    def __init__(self, rec: Recording) -> None:
        self.rec = rec

    @cached_property
    def data(self) -> list[Tensor]:
        """The leaves that need no gradient and hold floats: inputs, targets, masks, initial states."""
        return [n for n in self.rec.nodes if n.is_leaf and not n.requires_grad and _floats(n)]

    @cached_property
    def inputs(self) -> list[Tensor]:
        """The data that weights multiply: what the network reads, not its initial states."""
        found = []
        for node in self.data:
            users = self.rec.users.get(node.number, ())
            weighed = any(
                kind_of(user) == "product" and any(_weight(x) for x in user.inputs)
                for user, _ in users
            )
            if weighed and np.any(node._value) and node.step != 0:
                found.append(node)
        return found

    def value(self, node: Tensor) -> Array:
        """The value of a node as an array of float64."""
        return np.asarray(self.rec.value(node), dtype=float)

    def before(self, node: Tensor) -> Tensor:
        """What a node shows: through views, back to what was computed."""
        while kind_of(node) == "view" and node.inputs:
            node = node.inputs[0]
        return node

    def behind(self, node: Tensor) -> Iterator[tuple[Tensor, int]]:
        """The uses of a node, through views."""
        waiting = [node]
        while waiting:
            for user, slot in self.rec.users.get(waiting.pop().number, ()):
                if kind_of(user) == "view" and "index" not in user.params:
                    waiting.append(user)
                else:
                    yield user, slot

    def squared(self, node: Tensor) -> bool:
        """Whether a node is squared, as the error of a squared loss is."""
        for user, slot in self.behind(node):
            same = len({x.number for x in user.inputs}) == 1
            if kind_of(user) == "scaling" and same:
                return True
            other = user.inputs[1 - slot] if len(user.inputs) == 2 and slot < 2 else None
            # A power, told by its value: the other input is the number 2.
            if other is not None and other.is_leaf and other.size == 1 and other._value == 2:
                value, square = self.value(node), self.value(user)
                if square.shape == value.shape and np.allclose(square, value * value):
                    return True
        return False

    @cached_property
    def _last(self) -> set[int]:
        """The nodes behind which no parameter comes in before the loss."""
        rec = self.rec
        found: set[int] = set()
        for node in reversed(rec.nodes):
            users = [user for user, _ in rec.users.get(node.number, ())]
            weighed = any(x.requires_grad and x.is_leaf for user in users for x in user.inputs)
            if not weighed and all(user.number in found for user in users):
                found.add(node.number)
        return found

    def final(self, node: Tensor) -> bool:
        """Whether a node belongs to the loss: no parameter comes in behind it."""
        return node.number in self._last

    def probabilities(self, node: Tensor) -> Array | None:
        """The targets of a binary cross-entropy, where they meet what was predicted."""
        if kind_of(node) != "scaling" or len(node.inputs) != 2 or not self.final(node):
            return None
        for slot in (0, 1):
            target, other = node.inputs[slot], node.inputs[1 - slot]
            data = target.is_leaf and not target.requires_grad and target.size == node.size > 1
            if data and other.requires_grad and (self._is_log(other) or self._has_softplus(other)):
                return self.value(target)
        return None

    def _is_log(self, node: Tensor) -> bool:
        """Whether a node is the logarithm of probabilities, perhaps cut off far below."""
        for x in (node, *node.inputs[:1]):
            if len(x.inputs) >= 1 and x.inputs[0].shape == x.shape:
                value, before = self.value(x), self.value(x.inputs[0])
                if (value <= 0).all() and np.allclose(np.exp(value), before, atol=1e-6):
                    return True
        return False

    def _has_softplus(self, node: Tensor) -> bool:
        """Whether a node also goes through a softplus, as the logits of a binary cross-entropy do."""
        for user, _ in (*self.behind(node), *self.behind(self.before(node))):
            p = user.primitive
            smooth = kind_of(user) == "activation" and not np.any(self.value(user) == 0)
            if smooth and p is not None and bounds(p) == (0.0, np.inf) and user.size == node.size:
                return True
        return False

    @cached_property
    def asked(self) -> list[Asked]:
        """The targets of all losses of classes, oldest first."""
        found = []
        for node in self.rec.nodes:
            index, axis = node.params.get("index"), node.params.get("axis")
            if picks(node) and kind_of(self.before(node.inputs[0])) == "log distribution":
                axis = _picked_axis(node)  # log-probabilities, of which the target's are picked
            elif kind_of(node) != "loss" or index is None or axis is None:
                continue
            parts = index if isinstance(index, tuple) else (index,)
            axis = axis % node.inputs[0].ndim
            if axis >= len(parts):
                continue
            targets = np.atleast_1d(np.asarray(parts[axis]))
            counts = np.broadcast_to(np.asarray(node.params.get("amount", 1.0)) != 0, targets.shape)
            step = node.step if node.step is not None else node.inputs[0].step
            found.append(Asked(step, targets, counts, node.inputs[0].shape[axis], node))
        steps = [t for t in self.rec.steps if 0 < t <= len(found)]
        if len(found) == len(steps) > 1 and all(a.step is None for a in found):
            return [a._replace(step=t) for t, a in zip(steps, found)]  # one for each step, in order
        return found

    def first(self, test: Callable[[Tensor], bool]) -> Tensor | None:
        """The oldest node that passes a test."""
        return next((node for node in self.rec.nodes if test(node)), None)


def _floats(node: Tensor) -> bool:
    return np.asarray(node._value).dtype.kind == "f"


def _weight(node: Tensor) -> bool:
    return node.requires_grad and node.ndim >= 2 and node.is_leaf


def telling(value: Array) -> bool:
    """Whether a value is not equal to another by chance."""
    if value.size == 1:
        x = float(value.ravel()[0])
        return np.isfinite(x) and x != round(x, 4)
    return len(np.unique(value.ravel()[:64])) > 2 and not (value == np.round(value, 4)).all()


def picks(node: Tensor) -> bool:
    """Whether a node picks single elements along its input's last axis, as a loss picks the target's."""
    index = node.params.get("index")
    if index is None or not node.inputs:
        return False
    parts = index if isinstance(index, tuple) else (index,)
    last = parts[-1] if len(parts) == node.inputs[0].ndim else None
    return isinstance(last, (int, np.integer)) or (
        isinstance(last, np.ndarray) and last.dtype.kind in "iu"
    )


def _picked_axis(node: Tensor) -> int:
    """The axis along which single elements are picked: the others are counted through."""
    index = node.params["index"]
    parts = index if isinstance(index, tuple) else (index,)
    counted = [isinstance(p, np.ndarray) and _counts(p) for p in parts]
    return counted.index(False) if counted.count(False) == 1 else -1


def _counts(part: Array) -> bool:
    """Whether an index is 0, 1, 2, ... along one axis."""
    return bool(
        max(part.shape, default=0) == part.size and (part.ravel() == np.arange(part.size)).all()
    )


def place(node: Tensor) -> str:
    """Where a node was made: its source line, or its scope."""
    if node.source:
        return f"{node.source[0]}, line {node.source[1]}"
    return f"in {node.scope}" if node.scope else "outside all scopes"
