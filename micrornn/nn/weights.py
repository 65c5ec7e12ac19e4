"""Weights in safetensors files, the format that PyTorch, JAX and others share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from micrornn.arrays import as_array
from micrornn.files import written_whole


def save_file(
    tensors: Mapping[str, Any],
    filename: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Save a state, such as `Module.state_dict` returns, to a safetensors file.

    Args:
        tensors: from name to array.
        filename: the file; an older one is replaced when the new one is whole.
        metadata: text to store with the arrays.

    Raises:
        ModuleNotFoundError: the package safetensors is missing.
        TypeError: a name is not text, or a value is not made of real numbers.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> from micrornn import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save_file(nn.Linear(2, 1).state_dict(), f"{folder}/linear.safetensors")
    ...     sorted(nn.load_file(f"{folder}/linear.safetensors"))
    ['bias', 'weight']
    """
    if not isinstance(tensors, Mapping):
        raise TypeError(
            f"save_file: a state of type {type(tensors).__name__} was given; give module.state_dict()"
        )
    for words in (tensors, *(metadata or {}).items()):
        if not all(isinstance(word, str) for word in words):
            raise TypeError(f"save_file: names and metadata must be text, not {list(words)!r}")
    arrays = {name: as_array(x, name).copy(order="C") for name, x in tensors.items()}
    content = _safetensors().save(arrays, None if metadata is None else dict(metadata))
    with written_whole(filename) as file:
        file.write(content)


def load_file(filename: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """Load the arrays of a safetensors file by name, for `Module.load_state_dict`.

    Raises:
        ModuleNotFoundError: the package safetensors is missing.
        FileNotFoundError: there is no such file.
        ValueError: it is not a safetensors file, is damaged, or holds a dtype that NumPy does not have.
    """
    library = _safetensors()
    content = Path(filename).read_bytes()
    try:
        arrays: dict[str, np.ndarray[Any, Any]] = library.load(content)
    except Exception as error:  # the library's own errors, and those of NumPy
        raise ValueError(
            f"{filename} is not a safetensors file, is damaged, or holds a dtype that NumPy does not have "
            f"({error})"
        ) from error
    return arrays


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "safetensors files need the package safetensors: pip install 'micrornn[safetensors]'"
        ) from error
    return safetensors.numpy
