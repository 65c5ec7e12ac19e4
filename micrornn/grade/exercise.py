"""The exercises: a program to fill in, and the same as a notebook of nbgrader."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

POINTS = 10


def exercise(cell: str) -> str:
    """The file that a student begins with."""
    folder = files("micrornn.grade") / "exercises"
    return (folder / f"{cell}.py.txt").read_text(encoding="utf-8")


def assignment(cell: str) -> str:
    """The notebook of an exercise, as JSON: equations, the function to fill in, and a check for all points.

    The gap stands between the marks that nbgrader replaces by a line of its own, so that a teacher can write
    a solution there, which no student gets.

    >>> made = json.loads(assignment("lstm"))
    >>> [one["metadata"]["nbgrader"]["grade_id"] for one in made["cells"]]
    ['equations', 'backward', 'check']
    >>> print(*made["cells"][2]["source"], sep="")
    from micrornn.grade import check
    <BLANKLINE>
    check(backward, "lstm")
    """
    _, words, code = exercise(cell).split('"""')
    title, _, equations = words.partition("\n\n")
    head, _, body = code.partition(f'CELL = "{cell}"\n')
    gap = "### BEGIN SOLUTION\n        ...\n        ### END SOLUTION"
    program = head.strip() + "\n" + body.replace("...", gap).rstrip()
    text = f"# {title.partition('.  ')[0]}\n\n{equations.rstrip()}"
    test = f'from micrornn.grade import check\n\ncheck(backward, "{cell}")'
    document = {
        "cells": [
            _cell("markdown", text, "equations", locked=True),
            _cell("code", program, "backward", solution=True),
            _cell("code", test, "check", locked=True, grade=True),
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _cell(
    kind: str,
    text: str,
    name: str,
    locked: bool = False,
    solution: bool = False,
    grade: bool = False,
) -> dict[str, Any]:
    marks: dict[str, Any] = {
        "grade": grade,
        "grade_id": name,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if grade:
        marks["points"] = POINTS
    made: dict[str, Any] = {
        "cell_type": kind,
        "id": name,
        "metadata": {"nbgrader": marks},
        "source": text.splitlines(keepends=True),
    }
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})
