"""The debugger as people see it: the line debugger, the full screen, and the protocol of editors."""

from viz.terminal.start import open_debugger

__all__ = ["open_debugger"]
