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
from micrornn.debug.pinned import OPENING
from micrornn.debug.registry import Effect
from micrornn.debug.report import plain
from micrornn.debug.session import Session
from micrornn.files import check_writable, read_whole
from viz.render import write_whole

MOST_FILES = 10  # of commands, each named by the one before


def source_line(file: str, number: int) -> str | None:
    """The text of a source line, or None where the file is not there."""
    return linecache.getline(file, number).rstrip("\n") or None


def perform(session: Session, effect: Effect, depth: int = 0) -> list[str]:
    """Do what a command asked for; the answer has what there is to say beyond the command's own.

    Raises:
        DebuggerError: it cannot be done; says why.
    """
    path = Path(effect.path)
    try:
        if effect.kind == "source":
            return _sourced(session, path, depth)
        check_writable(path)
        if effect.kind == "save":
            session.recording.save(path)
        elif effect.kind == "write":
            _check_ours(path)
            write_whole(path, effect.data)
        elif effect.kind == "export":
            write_whole(path, _table(session, path.suffix))
        elif effect.kind == "render":
            from viz.terminal.picture import picture

            write_whole(path, picture(session, path.suffix[1:].lower()))
        elif effect.kind == "page":
            from viz.page.player import player

            write_whole(path, player({"": session.rec}))
    except DebuggerError:
        raise
    except Exception as error:  # a picture that fails is an answer, and ends no session
        strerror = getattr(error, "strerror", None)
        raise DebuggerError(f"{path}: {strerror.lower()}" if strerror else str(error)) from error
    return []


def _check_ours(path: Path) -> None:
    """Refuse to replace a test that somebody wrote."""
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(OPENING):
        raise DebuggerError(f"{path} is not a test of the debugger's; give another name")


def _sourced(session: Session, path: Path, depth: int) -> list[str]:
    """Carry out the commands in a file; what they answer."""
    if depth >= MOST_FILES:
        raise DebuggerError(
            f"{path}: {MOST_FILES} files of commands inside each other; does one of them name itself?"
        )
    lines: list[str] = []
    for number, command in enumerate(commands_in(path), 1):
        try:
            outcome = session.execute(command) if command.strip() else None
            if outcome is not None:
                lines += outcome.lines
                lines += [
                    x for effect in outcome.effects for x in perform(session, effect, depth + 1)
                ]
        except DebuggerError as error:
            lines.append(f"{path}, line {number}: {error}")
            return lines
    return lines


def commands_in(path: str | Path) -> list[str]:
    """The lines of a file of debugger commands.

    Raises:
        DebuggerError: it is not there, or is not text.
    """
    try:
        return read_whole(str(path), "a file of debugger commands").decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise DebuggerError(f"{path} is not text; give a file of debugger commands") from None
    except (OSError, ValueError) as error:
        raise DebuggerError(str(error)) from error


def _table(session: Session, suffix: str) -> str:
    if suffix.lower() == ".json":
        found: list[Any] = [dict(zip(HEAD, plain(row))) for row in rows(session)]
        return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(["" if x is None else x for x in row] for row in rows(session))
    return text.getvalue()
