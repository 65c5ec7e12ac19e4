"""What is read from the data, by step and by sequence, and where each row of it lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Array
from micrornn.diagnose.origin import NONE
from micrornn.recording.losses import kind_of

ROWS = 1 << 20  # more than a batch has: a mark is (number of a state) * ROWS + row


@dataclass
class Sequence:
    """What one weight reads over the steps.

    Attributes:
        weight: what multiplies it.
        values: by step, the vectors (B, F) that are read.
        symbols: by step, the symbols (B,) that they stand for, where each is one of a vocabulary.
        products: by step, where it is read.
    """

    weight: Tensor
    values: dict[int, Array] = field(default_factory=dict)
    symbols: dict[int, Array] = field(default_factory=dict)
    products: dict[int, Tensor] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The first step; a carried state goes on counting."""
        return min(self.products)

    @property
    def last(self) -> int:
        """The last step."""
        return max(self.products)

    @cached_property
    def read(self) -> dict[int, Array]:
        """By step, (B,) symbols or (B, F) vectors."""
        return self.symbols if set(self.symbols) == set(self.products) else self.values


def stepped_product(node: Tensor) -> bool:
    """Whether a node is a product of a time step."""
    return kind_of(node) == "product" and bool(node.step)


def known(marks: Array) -> Array:
    """Along the last axis, the one mark there is, beside what comes from elsewhere."""
    most = marks.max(-1)
    return np.where(((marks == NONE) | (marks == most[..., None])).all(-1), most, NONE)


def place_of(node: Tensor) -> Array | None:
    """Where the data begins: each row of a table that is looked up, each vector of an array."""
    ids = looked_up(node)
    if ids is not None and ids.size < ROWS:
        at = np.arange(ids.size).reshape(ids.shape)[..., None]
        return node.number * ROWS + np.broadcast_to(at, node.shape)
    floats = np.asarray(node._value).dtype.kind == "f"
    data = node.is_leaf and not node.requires_grad and node.step != 0 and "cut" not in node.params
    if data and floats and node.ndim >= 2:
        size = int(np.prod(node.shape[:-1]))
        if 0 < size < ROWS:
            at = np.arange(size).reshape(node.shape[:-1])[..., None]
            return node.number * ROWS + np.broadcast_to(at, node.shape)
    return None


def looked_up(node: Tensor) -> Array | None:
    """The symbols whose rows a node takes from a table."""
    index = node.params.get("index")
    if isinstance(index, tuple) and len(index) == 1:
        index = index[0]
    if not isinstance(index, (int, np.ndarray, np.integer)) or isinstance(index, bool):
        return None
    ids = np.asarray(index)
    if node.inputs:
        table = node.inputs[0]
        fits = table.is_leaf and table.ndim == 2 and node.shape == (*ids.shape, table.shape[1])
    else:  # of a table of constants, only the rows are known
        fits = ids.ndim > 0 and ids.size > 0 and node.shape[:-1] == ids.shape
    return ids if fits and ids.dtype.kind in "iu" else None
