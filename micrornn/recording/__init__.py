"""A run kept whole: the graph, its values, and every pullback; saved and loaded without pickle."""

from typing import TYPE_CHECKING

from micrornn.recording.observe import record, recording
from micrornn.recording.passes import Pass, RecordingError
from micrornn.recording.run import Recording

if TYPE_CHECKING:
    from micrornn.recording.load import load_recording

__all__ = ["Pass", "Recording", "RecordingError", "load_recording", "record", "recording"]


def __getattr__(name: str) -> object:
    """`load_recording`, loaded when a file is to be read."""
    if name == "load_recording":
        from micrornn.recording.load import load_recording

        return load_recording
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
