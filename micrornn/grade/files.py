"""Grading a file with `forward` and `backward` of a student, and files to begin with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from micrornn.grade.called import GradeError
from micrornn.grade.compare import Grade, grade
from micrornn.grade.exercise import assignment, exercise
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
    if path.endswith(".ipynb"):
        raise GradeError(f"{path} is a notebook; run its last cell, or autograde it with nbgrader")
    file = UserFile(path, "FILE.py")
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


def check(student: str | Callable[..., Any], cell: str | None = None) -> None:
    """Fail with the grade as the message: for a test of a class, or the last cell of a notebook.

    Args:
        student: a file, or its function ``backward``.
        cell: rnn, lstm or gru; by default CELL of the file, or rnn.

    Raises:
        AssertionError: a number differs.

    >>> check(lambda weights, xs, targets, states: {"b_y": 0 * weights["b_y"]})
    Traceback (most recent call last):
    AssertionError: Backward: dL/db_y is zero; the graph's has norm 1.12...
    """
    result = (
        grade_file(student, cell) if isinstance(student, str) else grade(student, cell or "rnn")
    )
    assert result.right, str(result)


def start(path: Path, cell: str) -> None:
    """Write the exercise of a cell to a new file: a program, or a notebook if its name ends in ``.ipynb``.

    Raises:
        GradeError: the file exists.
    """
    if path.exists():
        raise GradeError(f"{path} exists; give a new file")
    text = assignment(cell) if path.suffix == ".ipynb" else exercise(cell)
    path.write_text(text, encoding="utf-8")
