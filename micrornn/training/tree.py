"""A tree of dictionaries, lists, numbers, strings and arrays in one file: the format of checkpoints.

The file is NumPy's ``.npz``. An array is named by its path in the tree, and ``meta`` is a JSON text that
holds the rest and refers to the arrays. Nothing is pickled, so reading a file runs no code; nothing is
compressed, so a file takes no more memory than its size.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from micrornn.archive import ArchiveError, members, new_member, read_array
from micrornn.files import opened

Array = np.ndarray[Any, Any]
FORMAT = "micrornn checkpoint"
VERSION = 2
LIMIT = 4 * 2**30  # bytes
EXPECTED = "a checkpoint that training saved"
# What reading a tree raises where something in it is not what it should be.
UNFIT = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, resumed from, or written to."""


def write(file: IO[bytes], tree: dict[str, Any]) -> None:
    """Write a tree of dictionaries, lists, numbers, strings and arrays."""
    arrays: dict[str, Array] = {}
    meta = {"format": FORMAT, "version": VERSION, "tree": _encode(tree, arrays, "")}
    every = {"meta": np.array(json.dumps(meta)), **arrays}
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in every.items():
            with new_member(archive, f"{name}.npy") as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def read(path: str | Path) -> tuple[int, dict[str, Any]]:
    """The version of the format, and the tree that `write` wrote; ``-`` is standard input.

    Raises:
        CheckpointError: the file is not a checkpoint, or is damaged.
        FileNotFoundError: there is no such file.
    """
    if Path(path).is_dir():
        raise CheckpointError(f"{path} is a folder; give {EXPECTED}")
    with opened(path, EXPECTED) as file:
        whole = file if file.seekable() else io.BytesIO(file.read(LIMIT))
        first = whole.read(2)
        if first != b"PK":
            what = "not a checkpoint" if first else "empty"
            raise CheckpointError(f"{path} is {what}; give {EXPECTED}")
        try:
            with zipfile.ZipFile(whole) as archive:
                return _read(archive, size=whole.seek(0, os.SEEK_END))
        except CheckpointError as error:
            raise CheckpointError(f"{path} {error}") from None
        except Exception as error:  # a damaged archive fails in countless ways
            words = in_words(error) or type(error).__name__
            raise CheckpointError(
                f"{path} is damaged ({words}); give another checkpoint"
            ) from error


def _read(archive: zipfile.ZipFile, size: int) -> tuple[int, dict[str, Any]]:
    found = members(archive, min(size, LIMIT))
    if "meta.npy" not in found:
        raise CheckpointError(f"is an archive, but not a checkpoint; give {EXPECTED}")
    if any(member.compress_type != zipfile.ZIP_STORED for member in found.values()):
        raise ArchiveError("it is compressed, which a checkpoint never is")
    try:
        meta = json.loads(str(read_array(archive, found.pop("meta.npy"))))
        version = meta["version"] if meta["format"] == FORMAT else None
    except UNFIT:
        version = None
    if version is None:
        raise CheckpointError(f"has arrays, but is not a checkpoint; give {EXPECTED}")
    if version not in (1, VERSION):
        raise CheckpointError(
            f"has version {version} of the format, and this micrornn reads versions 1 to {VERSION}; use the "
            "micrornn that wrote it"
        )
    named: set[str] = set()
    arrays = {name.removesuffix(".npy"): member for name, member in found.items()}

    def array(name: str) -> Array:
        named.add(name)
        return read_array(archive, arrays[name])

    tree: dict[str, Any] = _decode(meta["tree"], array)
    if foreign := set(arrays) - named:
        raise ArchiveError(f"its member {min(foreign)} belongs to no part of it")
    return version, tree


def _encode(value: Any, arrays: dict[str, Array], path: str) -> Any:
    """A value in JSON's terms; anything else becomes a dictionary with one key that starts with ``$``."""

    def inside(key: object, item: Any) -> Any:
        return _encode(item, arrays, f"{path}.{key}" if path else str(key))

    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, np.generic):
        value = value.item() if value.dtype.kind in "biuf" and value.itemsize <= 8 else value
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":  # objects would be pickled
        while path in arrays or path == "meta":
            path += "_"
        arrays[path] = value
        return {"$array": path}
    if isinstance(value, list):
        return [inside(i, item) for i, item in enumerate(value)]
    if isinstance(value, tuple):
        return {"$tuple": [inside(i, item) for i, item in enumerate(value)]}
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: inside(key, item) for key, item in value.items()}
        return {"$dict": [[inside("key", k), inside(k, item)] for k, item in value.items()]}
    raise TypeError(
        f"a checkpoint holds numbers, strings and arrays, not {type(value).__name__}; convert it first"
    )


def _decode(value: Any, array: Callable[[str], Array]) -> Any:
    if isinstance(value, list):
        return [_decode(item, array) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((kind, inner),) = value.items()
        if kind == "$array":
            return array(inner)
        if kind == "$float":
            return float(inner)
        if kind == "$tuple":
            return tuple(_decode(item, array) for item in inner)
        if kind == "$dict":
            return {_decode(k, array): _decode(v, array) for k, v in inner}
    return {key: _decode(item, array) for key, item in value.items()}


def in_words(error: Exception) -> str:
    """An error in words; for a missing key, more than its name."""
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)
