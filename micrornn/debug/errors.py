"""What the debugger refuses, in words for the one who typed it."""

from __future__ import annotations


class DebuggerError(ValueError):
    """A command that cannot be carried out: what was given, what was expected, what to do."""
