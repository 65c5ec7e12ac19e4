"""The debugger of backward passes: a state machine and its command language. It neither prints nor reads."""

from micrornn.debug.entry import debug, debugging
from micrornn.debug.errors import DebuggerError

__all__ = ["DebuggerError", "debug", "debugging"]
