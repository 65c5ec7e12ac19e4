"""Grading a file with `forward` and `backward` of a student, and the exercises to begin with."""

from __future__ import annotations

from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from micrornn.grade.compare import Grade, GradeError, grade
from micrornn.grade.problem import CELLS
from micrornn.tasks.userfile import UserFile


def grade_file(path: str, cell: str | None = None) -> Grade:
    """Grade a Python file that defines ``backward``, and perhaps ``forward`` and ``CELL``.

    Args:
        cell: rnn, lstm or gru; by default CELL of the file, or rnn.

    Raises:
        GradeError: it defines no backward, or a function returns something unusable.
        SourceError: it cannot be run.
    """
    file = UserFile(path)
    own = vars(file.module)
    cell = cell or own.get("CELL", "rnn")
    if cell not in CELLS:
        raise GradeError(f"{path}: CELL = {cell!r}; give one of {', '.join(CELLS)}")
    if not callable(own.get("backward")):
        raise GradeError(
            f"{path} has no function backward(weights, xs, targets, states); micrornn grade --start FILE.py "
            "writes a file to begin with"
        )
    forward: Any = own.get("forward")
    return grade(own["backward"], cell, forward if callable(forward) else None)


def check(path: str, cell: str | None = None) -> None:
    """Fail with the grade as the message, for a test of a class: ``def test_it(): check("rnn.py")``.

    Raises:
        AssertionError: a number differs.
    """
    result = grade_file(path, cell)
    assert result.right, str(result)


def exercise(cell: str) -> str:
    """The file that a student begins with."""
    return (resources("micrornn.grade") / "exercises" / f"{cell}.py.txt").read_text(
        encoding="utf-8"
    )


def start(path: Path, cell: str) -> None:
    """Write the exercise of a cell to a new file.

    Raises:
        GradeError: the file exists.
    """
    if path.exists():
        raise GradeError(f"{path} exists; give a new file")
    path.write_text(exercise(cell), encoding="utf-8")
