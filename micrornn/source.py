"""Where in the user's program a node was made, and what else happens there."""

from __future__ import annotations

import os
import sys
from typing import Any

from micrornn.core.context import current

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep

# Models that come with the package are programs of their own: their lines are worth showing.
_MODELS = (_PACKAGE + "tasks" + os.sep, _PACKAGE + os.path.join("flow", "failures.py"))

_HIDDEN: list[str] = []  # folders of packages through which a program calls us

_lines: dict[tuple[str, int], tuple[str, int]] = {}  # nodes of one line share it: a loop makes many

_ours: dict[str, bool] = {}  # by file, because every new node looks it up


def _is_ours(file: str) -> bool:
    ours = _ours[file] = (
        file.startswith(_PACKAGE) and not file.startswith(_MODELS)
    ) or file.startswith(tuple(_HIDDEN))
    return ours


def hide(folder: str) -> None:
    """Do not count the files of a folder as the user's program."""
    _HIDDEN.append(folder)
    _ours.clear()


def calling_line() -> tuple[str, int] | None:
    """File and line of the nearest caller outside the engine: the user's line.

    >>> calling_line()
    ('<doctest ...>', 1)
    """
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        ours = _ours.get(file)
        if not (_is_ours(file) if ours is None else ours):
            line = file, frame.f_lineno
            return _lines.setdefault(line, line)
        frame = frame.f_back  # type: ignore[assignment]
    return None  # type: ignore[unreachable]


def note(what: str, *values: Any) -> None:
    """Tell the observers that listen, by ``on_note(what, *values)``, of something that is no node."""
    for observer in current().observers:
        if hasattr(observer, "on_note"):
            observer.on_note(what, *values)
