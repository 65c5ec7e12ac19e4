"""Colour for the debugger's text: a few words that matter, or none at all."""

from __future__ import annotations

import re

from viz.ansi import dyed

#: What is painted, and how: the first group of each match, else all of it.
RULES = (
    (re.compile(r"^(?:pullback|node) \d[\d,]* of \d[\d,]*:", re.M), "bold"),
    (re.compile(r"^(?:temporary )?breakpoint \d+", re.M), "yellow"),
    (re.compile(r"^watch \d+", re.M), "magenta"),
    (re.compile(r"^display \d+", re.M), "blue"),
    (re.compile(r"^->.*$", re.M), "green"),
    (re.compile(r"\b(?:NaN|nan|inf|WRONG)\b"), "red"),
    (re.compile(r"\bexactly 0\b"), "magenta"),
    (re.compile(r"\bt=\d+"), "cyan"),
)


def painted(text: str) -> str:
    """The debugger's text with its words coloured.

    >>> painted("gradient: norm NaN")
    'gradient: norm \\x1b[31mNaN\\x1b[0m'
    """
    for pattern, colour in RULES:
        text = pattern.sub(lambda match, colour=colour: dyed(match[0], colour), text)  # type: ignore[misc]
    return text
