"""A run kept whole: the graph, its values, and every pullback; saved and loaded without pickle."""

from micrornn.recording.load import load_recording
from micrornn.recording.observe import record, recording
from micrornn.recording.passes import Pass, RecordingError
from micrornn.recording.run import Recording

__all__ = ["Pass", "Recording", "RecordingError", "load_recording", "record", "recording"]
