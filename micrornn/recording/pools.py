"""Where a recording's numbers are in its file: one flat array for each dtype, and references into it.

A reference is ``[dtype, offset, shape]``, with the dtype as its place in `NAMES` and null as the shape of
a Python number. An array that the run uses in several places is written once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from micrornn.core.tensor import Data
from micrornn.recording.passes import RecordingError

NAMES = (
    *("float64", "float32", "float16", "bool"),
    *("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"),
)
DTYPES = {name: np.dtype(name).newbyteorder("<") for name in NAMES}
_INDEX = {np.dtype(name): i for i, name in enumerate(NAMES)}
_DEEPEST = 32  # axes

Reference = list[Any]


class Writer:
    """Collects arrays and says where each will be."""

    def __init__(self) -> None:
        self._chunks: list[list[Any]] = [[] for _ in NAMES]
        self._sizes = [0] * len(NAMES)
        # By id, which stays an array's own because the array is held here too.
        self._known: dict[int, tuple[Any, Reference]] = {}

    def refer(self, value: Data) -> Reference:
        """The reference of a float, an int, or an array.

        Raises:
            RecordingError: it has a dtype that files do not hold.
        """
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        plain = type(value) is float or type(value) is int or type(value) is bool
        array = np.asarray(value)
        pool = _INDEX.get(array.dtype)
        if pool is None:
            raise RecordingError(
                f"an array of dtype {array.dtype} cannot be saved; use one of {', '.join(NAMES)}"
            )
        reference = [pool, self._sizes[pool], None if plain else list(array.shape)]
        self._sizes[pool] += array.size
        self._chunks[pool].append(array)
        self._known[id(value)] = value, reference
        return reference

    def pools(self) -> Iterator[tuple[str, int, Iterator[np.ndarray[Any, Any]]]]:
        """The dtypes in use, how many elements each has, and the arrays in their order."""
        for name, size, chunks in zip(NAMES, self._sizes, self._chunks):
            if chunks:
                yield name, size, (c.astype(DTYPES[name], order="C", copy=False) for c in chunks)


class Pools:
    """The flat arrays of a file, read by reference; what they give out is read-only."""

    def __init__(self, pools: dict[str, np.ndarray[Any, Any]]) -> None:
        self._pools = [
            pools[name].astype(name, copy=False) if name in pools else None for name in NAMES
        ]
        for pool in self._pools:
            if pool is not None:
                pool.setflags(write=False)
        self._known: dict[tuple[Any, ...], Data] = {}  # what was one array in the run is one again

    def get(self, reference: Any) -> Data:
        """The number or array that a reference means; a view, nothing is copied.

        Raises:
            RecordingError: it is no reference, or points outside its pool.
        """
        if type(reference) is not list or len(reference) != 3 or type(reference[1]) is not int:
            raise RecordingError(f"{_short(reference)} is no reference to an array")
        which, offset, shape = reference
        if type(which) is not int or not 0 <= which < len(NAMES):
            raise RecordingError(f"there is no dtype number {_short(which)}")
        pool = self._pools[which]
        if pool is None:
            raise RecordingError(f"an array of dtype {NAMES[which]} is missing")
        dims = shape_of(shape) if shape is not None else ()
        key = (which, offset, shape is None, dims)
        if key in self._known:
            return self._known[key]
        size = math.prod(dims)
        if not 0 <= offset <= len(pool) - size:
            raise RecordingError(
                f"an array of shape {dims} at {_short(offset)} of {NAMES[which]} lies outside the file"
            )
        value: Data
        if shape is None:
            value = pool[offset].item()
        elif not dims:
            value = pool[offset]
        else:
            value = pool[offset : offset + size].reshape(dims)
        self._known[key] = value
        return value


def shape_of(given: Any) -> tuple[int, ...]:
    """A shape from a file, checked.

    Raises:
        RecordingError: it is not a short list of integers from 0 up.
    """
    if (
        type(given) is not list
        or len(given) > _DEEPEST
        or not all(type(n) is int and n >= 0 for n in given)
    ):
        raise RecordingError(f"{_short(given)} is no shape")
    return tuple(given)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
