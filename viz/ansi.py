"""Color in a terminal: a few styles as ANSI codes, and whether they are wanted."""

from __future__ import annotations

import os
from typing import TextIO

CODES = {
    **{"bold": "1", "faint": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34"},
    **{"magenta": "35", "cyan": "36"},
}


def wants_color(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that can show colors, and NO_COLOR is not set.

    >>> import io
    >>> wants_color(io.StringIO())
    False
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream is not None and stream.isatty()


def dyed(text: str, style: str) -> str:
    """A text in a style, by ANSI codes.

    >>> dyed("no", "red")
    '\\x1b[31mno\\x1b[0m'
    """
    return f"\x1b[{CODES[style]}m{text}\x1b[0m"
