"""A function of a user's file that computes with PyTorch, run and recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from micrornn.diagnose.watch import Enough, Training
from micrornn.recording import Recording, RecordingError
from micrornn.tasks.userfile import SourceError, UserFile


def uses_torch(file: UserFile) -> bool:
    """Whether a file imported PyTorch, or something of it."""
    return "torch" in sys.modules and any(
        _package(value) == "torch" for value in vars(file.module).values()
    )


def _package(value: Any) -> str:
    name = getattr(value, "__module__", None) or getattr(value, "__name__", "")
    return name.partition(".")[0] if isinstance(name, str) else ""


def record_torch(file: UserFile, name: str) -> Recording:
    """The recording of a function that computes a loss with PyTorch; see `micrornn.torch.record`.

    Raises:
        SourceError: it is no function, returns no loss, fails, or was not recorded faithfully; says why.
    """
    from micrornn.torch import record

    function = _function(file, name)
    try:
        with np.errstate(all="ignore"):  # of NaN, the recording says more than NumPy
            return record(lambda: file.call(name, function))
    except RecordingError as error:
        raise SourceError(f"{file.path}:{name}: {error}") from error


def watch_torch(file: UserFile, name: str) -> Training:
    """The first iterations of a function that trains with PyTorch.

    Raises:
        SourceError: as `record_torch`.
    """
    from micrornn.torch import watch

    function = _function(file, name)
    try:
        with np.errstate(all="ignore"):
            return watch(lambda: file.call(name, function, Enough))
    except RecordingError as error:
        raise SourceError(f"{file.path}:{name}: {error}") from error


def _function(file: UserFile, name: str) -> Callable[[], Any]:
    function = file.get(name)
    if not isinstance(function, FunctionType):
        raise SourceError(
            f"{file.path}:{name} is an object of type {type(function).__name__}. Give a function without "
            "arguments that computes the loss of one training step, and returns it"
        )
    return function
