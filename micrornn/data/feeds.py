"""Feeds: where training gets its batches from, with a position that can be saved and returned to.

A batch is a list of time steps. Three feeds make them: `Stream` cuts one long sequence, `Shuffled` walks
through a set of sequences in a new order each epoch, `Drawn` makes up new ones for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Batch:
    """What one iteration reads: inputs and targets with time as their first axis.

    Attributes:
        inputs: T steps, each (B, ...).
        targets: what is wanted: T of them, or whatever the task's loss takes.
        fresh: whether the sequences begin here; if not, they go on where the last batch ended, and so
            does the state.
        extra: what else a task needs, such as lengths.

    >>> batch = Batch(np.zeros((6, 2, 1)), np.ones((6, 2)))
    >>> [len(part.inputs) for part in batch.cut(4)], [part.fresh for part in batch.cut(4)]
    ([4, 2], [True, False])
    """

    inputs: Any
    targets: Any
    fresh: bool = True
    extra: Any = None

    def __len__(self) -> int:
        return len(self.inputs)

    def cut(self, steps: int) -> list[Batch]:
        """The same batch in chunks of so many steps; all but the first go on where the one before ended.

        Raises:
            ValueError: there is not one target for each step, so that a part has no loss of its own.
        """
        if np.ndim(self.targets) == 0 or len(self.targets) != len(self.inputs):
            raise ValueError(
                "this loss is of the whole sequence, so the sequence cannot be cut into chunks that "
                "have a loss each; train by full BPTT"
            )
        parts = []
        for a in range(0, len(self.inputs), steps):
            part = self.inputs[a : a + steps], self.targets[a : a + steps]
            parts.append(
                replace(self, inputs=part[0], targets=part[1], fresh=self.fresh and a == 0)
            )
        return parts


class Feed(Protocol):
    """A source of batches whose position can be saved."""

    @property
    def per_epoch(self) -> int:
        """How many batches are one pass over the data."""
        ...

    def next(self) -> Batch:
        """The next batch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """The position, in numbers, texts and arrays."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a position."""
        ...


class Stream:
    """One long sequence, in lanes side by side, a batch being the next few steps of every lane.

    At the end it begins again, with a fresh state. What is left over at the end of the lanes, less than a
    batch, is not read.

    Args:
        inputs: (N, ...), in order of time.
        targets: (N, ...), one for each.
        steps: T, how many steps a batch has.
        lanes: B, into how many equal pieces the sequence is cut, to be read side by side.

    Raises:
        ValueError: the sequence is too short for one batch.

    >>> stream = Stream(np.arange(10), np.arange(1, 11), steps=2, lanes=2)
    >>> stream.next().inputs
    array([[0, 5],
           [1, 6]])
    >>> stream.next().fresh, stream.next().fresh
    (False, True)
    """

    def __init__(self, inputs: Array, targets: Array, steps: int, lanes: int = 1) -> None:
        if steps < 1 or lanes < 1:
            raise ValueError(f"steps={steps}, lanes={lanes}; give at least 1 of each")
        length = len(inputs) // lanes
        if len(inputs) != len(targets):
            raise ValueError(f"{len(inputs)} inputs and {len(targets)} targets; give one for each")
        if length < steps:
            raise ValueError(
                f"a sequence of {len(inputs)} steps is too short for {lanes} lanes of {steps} steps; "
                f"give at least {lanes * steps}, or fewer steps or lanes"
            )
        self.steps, self.lanes, self.length = steps, lanes, length
        self._inputs, self._targets = inputs, targets
        self.position = 0
        self.epoch = 0

    def next(self) -> Batch:
        """The next steps of every lane."""
        if self.position + self.steps > self.length:
            self.position = 0
            self.epoch += 1
        a, b = self.position, self.position + self.steps
        self.position = b
        rows = np.arange(self.lanes) * self.length + np.arange(a, b)[:, np.newaxis]
        return Batch(self._inputs[rows], self._targets[rows], fresh=a == 0)

    @property
    def per_epoch(self) -> int:
        """How many batches the sequence has."""
        return self.length // self.steps

    def state_dict(self) -> dict[str, Any]:
        """The position, and what tells this sequence from another."""
        return {
            "position": self.position,
            "epoch": self.epoch,
            "cut": [self.steps, self.lanes],
            "data": fingerprint(self._inputs, self._targets),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a position in the same sequence.

        Raises:
            ValueError: it was another sequence, or was cut otherwise.
        """
        _same_data(state, fingerprint(self._inputs, self._targets), [self.steps, self.lanes])
        self.position, self.epoch = state["position"], state["epoch"]


class Shuffled:
    """A set of sequences, some at a time, in a new order in each epoch.

    Args:
        items: the sequences, as `collate` takes them.
        size: B, how many are in a batch; the last of an epoch may have fewer.
        collate: makes a batch of a list of items.
        seed: for the order.

    Raises:
        ValueError: there are no items.

    >>> feed = Shuffled([1, 2, 3], 2, lambda items: Batch(items, items), seed=0)
    >>> first = feed.next().inputs + feed.next().inputs
    >>> sorted(first), feed.per_epoch
    ([1, 2, 3], 2)
    """

    def __init__(
        self,
        items: Sequence[Any],
        size: int,
        collate: Callable[[list[Any]], Batch],
        seed: int = 0,
    ) -> None:
        if not len(items):
            raise ValueError("there is nothing to train on; give at least one sequence")
        if size < 1:
            raise ValueError(f"batches of {size}; give at least 1")
        self.items, self.size, self._collate = items, size, collate
        self._rng = np.random.default_rng(seed)
        self._order = self._rng.permutation(len(items))
        self.position = 0
        self.epoch = 0

    def next(self) -> Batch:
        """The next few, in this epoch's order."""
        if self.position >= len(self.items):
            self._order = self._rng.permutation(len(self.items))
            self.position = 0
            self.epoch += 1
        chosen = self._order[self.position : self.position + self.size]
        self.position += self.size
        return self._collate([self.items[i] for i in chosen])

    @property
    def per_epoch(self) -> int:
        """How many batches make an epoch."""
        return -(-len(self.items) // self.size)

    def state_dict(self) -> dict[str, Any]:
        """The position in this epoch, its order, and the generator of the next ones."""
        return {
            "position": self.position,
            "epoch": self.epoch,
            "order": self._order,
            "random": self._rng.bit_generator.state,
            "cut": [len(self.items), self.size],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a position among the same items.

        Raises:
            ValueError: there were more or fewer of them.
        """
        _same_data(state, None, [len(self.items), self.size])
        self.position, self.epoch = state["position"], state["epoch"]
        self._order = state["order"]
        self._rng.bit_generator.state = state["random"]


class Drawn:
    """Batches that are made up, each a new one.

    >>> feed = Drawn(lambda rng: Batch(rng.random((2, 1)), [1, 1]), seed=0)
    >>> saved = feed.state_dict()
    >>> first = feed.next().inputs
    >>> feed.load_state_dict(saved)
    >>> bool((feed.next().inputs == first).all())
    True
    """

    def __init__(self, make: Callable[[Generator], Batch], seed: int = 0) -> None:
        self._make = make
        self._rng = np.random.default_rng(seed)
        self.epoch = 0

    def next(self) -> Batch:
        """A new one."""
        return self._make(self._rng)

    @property
    def per_epoch(self) -> int:
        """Made-up batches have no epochs; a hundred are called one."""
        return 100

    def state_dict(self) -> dict[str, Any]:
        """The generator's state."""
        return {"random": self._rng.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a state of the generator."""
        self._rng.bit_generator.state = state["random"]


def fingerprint(*arrays: Array) -> str:
    """A short text that differs where the data differ."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _same_data(state: dict[str, Any], data: str | None, cut: list[int]) -> None:
    if state.get("data") != data:
        raise ValueError(
            "the data are not those that were trained on; give the same, or begin a new checkpoint"
        )
    if list(state.get("cut", ())) != cut:
        raise ValueError(
            f"the data were cut into {state.get('cut')} before and into {cut} now; train with the same "
            "number of steps and size of batches"
        )
