"""Post mortem: run a training, and keep the step that failed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from micrornn.core.backward import pullbacks
from micrornn.core.tensor import Tensor
from micrornn.debug.capture import Caught, capture
from micrornn.debug.errors import DebuggerError
from micrornn.recording import Recording
from micrornn.tasks.source import check_marks, execute, marks_of
from micrornn.tasks.userfile import SourceError


class Failed(NamedTuple):
    """A run that failed.

    Attributes:
        rec: the step that failed, as far as it came.
        error: what went wrong; a NonFiniteError knows the node.
        kept: the file that it was saved to.
    """

    rec: Recording
    error: Exception
    kept: Path


def post_mortem(source: str, options: Mapping[str, Any]) -> Failed | None:
    """Run a source, stop where a NaN or an infinity is born or an error is raised, and keep that step.

    Returns:
        What failed, or None where nothing did.

    Raises:
        SourceError: the source is none, or it failed before anything was computed.
    """
    caught: Caught | None = None
    try:
        with capture(trap=True, keep_all=False) as caught:
            execute(source, options, _backward)
    except SourceError as error:
        if caught is None or not isinstance(error.__cause__, Exception):
            raise
        caught.error = error.__cause__
        return _failed(source, caught, error)
    if not isinstance(caught.error, Exception):
        return None
    return _failed(source, caught, caught.error)


def broken_off(source: str, caught: Caught, error: Exception) -> Recording:
    """What a program had computed when an exception ended it.

    Raises:
        SourceError: it had computed nothing, or gave what it computed unusable names or steps.
    """
    try:
        with marks_of(source):
            rec = caught.recording()
    except DebuggerError:
        raise error from None
    check_marks(source, rec.nodes)
    return rec


def _failed(source: str, caught: Caught, error: Exception) -> Failed:
    rec = broken_off(source, caught, error)
    name = source.rpartition(":")[0] if ".py" in source else source
    kept = Path(f"{Path(name).stem}-failed.mrn")
    rec.save(kept)
    cause = caught.error
    return Failed(rec, cause if isinstance(cause, Exception) else error, kept)


def _backward(loss: Tensor) -> None:
    if loss.requires_grad and loss.size == 1:
        for _ in pullbacks(loss):
            pass
