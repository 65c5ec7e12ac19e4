"""A run kept whole: the graph, its values, and every pullback; saved and loaded without pickle."""

from micrornn.recording.observe import record, recording
from micrornn.recording.run import Pass, Recording, RecordingError
from micrornn.recording.storage import load_recording

__all__ = ["Pass", "Recording", "RecordingError", "load_recording", "record", "recording"]
