"""Feeds: sources of training batches, with a position that can be saved and restored.

`Stream` cuts one long sequence, `Shuffled` goes through a set of sequences in a new order each epoch, `Drawn`
generates new sequences without end.
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
    """The data of one iteration: inputs and targets, time first.

    Attributes:
        inputs: T steps, each (B, ...).
        targets: one target for each step, or whatever the loss of the task takes.
        fresh: whether the sequences begin here; otherwise they continue the last batch, and its state.
        extra: further data of a task, such as lengths.

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
        """The batch in chunks of at most ``steps`` steps; each continues the one before it.

        Raises:
            ValueError: there is not one target for each step, so a chunk would have no loss.
        """
        if np.ndim(self.targets) == 0 or len(self.targets) != len(self.inputs):
            raise ValueError(
                "the loss of this task is of the whole sequence, so it cannot be cut into chunks with a "
                "loss each; train with full BPTT"
            )
        parts = []
        for a in range(0, len(self.inputs), steps):
            part = self.inputs[a : a + steps], self.targets[a : a + steps]
            parts.append(
                replace(self, inputs=part[0], targets=part[1], fresh=self.fresh and a == 0)
            )
        return parts


class Feed(Protocol):
    """A source of batches with a position."""

    @property
    def per_epoch(self) -> int:
        """The number of batches in one epoch."""
        ...

    def next(self) -> Batch:
        """The next batch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """The position, as numbers, strings and arrays."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a position."""
        ...


class Stream:
    """One long sequence in parallel lanes; a batch is the next few steps of every lane.

    At the end it starts again with a fresh state. The remainder of a lane, less than a batch, is not used.

    Args:
        inputs: (N, ...), in order of time.
        targets: (N, ...), one for each input.
        steps: T, the number of steps of a batch.
        lanes: B, the number of equal pieces that the sequence is cut into and that are read in parallel.

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
            raise ValueError(
                f"{len(inputs)} inputs and {len(targets)} targets; give one target for each input"
            )
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
        """The number of batches in the sequence."""
        return self.length // self.steps

    def state_dict(self) -> dict[str, Any]:
        """The position, and a fingerprint of the sequence."""
        return {
            "position": self.position,
            "epoch": self.epoch,
            "cut": [self.steps, self.lanes],
            "data": fingerprint(self._inputs, self._targets),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a position in the same sequence.

        Raises:
            ValueError: the state is of another sequence, or of other steps and lanes.
        """
        data = fingerprint(self._inputs, self._targets)
        _check_data(state, data, [self.steps, self.lanes], "steps and lanes")
        self.position, self.epoch = state["position"], state["epoch"]


class Shuffled:
    """A set of sequences in batches, in a new order each epoch.

    Args:
        items: the sequences, as ``collate`` takes them.
        size: B, the number of sequences in a batch; the last batch of an epoch may have fewer.
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
            raise ValueError("no sequences to train on; give at least one")
        if size < 1:
            raise ValueError(f"batch size {size}; give at least 1")
        self.items, self.size, self._collate = items, size, collate
        self._rng = np.random.default_rng(seed)
        self._order = self._rng.permutation(len(items))
        self.position = 0
        self.epoch = 0

    def next(self) -> Batch:
        """The next batch in the order of this epoch."""
        if self.position >= len(self.items):
            self._order = self._rng.permutation(len(self.items))
            self.position = 0
            self.epoch += 1
        chosen = self._order[self.position : self.position + self.size]
        self.position += self.size
        return self._collate([self.items[i] for i in chosen])

    @property
    def per_epoch(self) -> int:
        """The number of batches in an epoch."""
        return -(-len(self.items) // self.size)

    def state_dict(self) -> dict[str, Any]:
        """The position in this epoch, its order, and the state of the generator of orders."""
        return {
            "position": self.position,
            "epoch": self.epoch,
            "order": self._order,
            "random": self._rng.bit_generator.state,
            "cut": [len(self.items), self.size],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a position among the same items.

        Raises:
            ValueError: the state is of more or fewer items, or of another batch size.
        """
        _check_data(state, None, [len(self.items), self.size], "items and a batch size")
        self.position, self.epoch = state["position"], state["epoch"]
        self._order = state["order"]
        self._rng.bit_generator.state = state["random"]


class Drawn:
    """Generated batches, each a new one.

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
        """A new batch."""
        return self._make(self._rng)

    @property
    def per_epoch(self) -> int:
        """Generated batches have no epochs; a hundred of them count as one."""
        return 100

    def state_dict(self) -> dict[str, Any]:
        """The state of the generator."""
        return {"random": self._rng.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state of the generator."""
        self._rng.bit_generator.state = state["random"]


def fingerprint(*arrays: Array) -> str:
    """A digest of arrays: their values, shapes and dtypes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _check_data(state: dict[str, Any], data: str | None, cut: list[int], what: str) -> None:
    if state.get("data") != data:
        raise ValueError(
            "the data differ from those of the checkpoint; give the same data, or start a new checkpoint"
        )
    if list(state.get("cut", ())) != cut:
        raise ValueError(
            f"the checkpoint was trained with {what} of {state.get('cut')}, not {cut}; give the same options"
        )
