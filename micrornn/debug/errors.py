"""What the debugger refuses, in words for the one who typed it."""

from __future__ import annotations


class DebuggerError(ValueError):
    """A command that cannot be carried out: what was given, what was expected, what to do."""


def brief(text: str, longest: int = 60) -> str:
    """What was typed, in quotation marks; a long text is cut.

    >>> brief("h[9]"), brief("9" * 100, 3)
    ("'h[9]'", "'999…'")
    """
    return repr(text if len(text) <= longest else text[:longest] + "…")
