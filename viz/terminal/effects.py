"""What a session asks for and may not do itself: files written, pictures drawn."""

from __future__ import annotations

import csv
import io
import json
import linecache
from pathlib import Path
from typing import Any

from micrornn.debug.commands.out import HEAD, rows
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import Effect
from micrornn.debug.report import plain
from micrornn.debug.session import Session
from micrornn.files import check_writable
from viz.render import write_whole


def source_line(file: str, number: int) -> str | None:
    """The text of a source line, or None where the file is not there."""
    return linecache.getline(file, number).rstrip("\n") or None


def perform(session: Session, effect: Effect) -> None:
    """Do what a command asked for.

    Raises:
        DebuggerError: the file cannot be written; says why.
    """
    path = Path(effect.path)
    try:
        check_writable(path)
        if effect.kind == "save":
            session.recording.save(path)
        elif effect.kind == "export":
            write_whole(path, _table(session, path.suffix))
        elif effect.kind == "render":
            from viz.terminal.picture import picture

            write_whole(path, picture(session, path.suffix[1:].lower()))
    except (OSError, ValueError, RuntimeError) as error:
        strerror = getattr(error, "strerror", None)
        raise DebuggerError(f"{path}: {strerror.lower()}" if strerror else str(error)) from error


def _table(session: Session, suffix: str) -> str:
    if suffix.lower() == ".json":
        found: list[Any] = [dict(zip(HEAD, plain(row))) for row in rows(session)]
        return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(["" if x is None else x for x in row] for row in rows(session))
    return text.getvalue()
