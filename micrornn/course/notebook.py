"""A lesson as a Jupyter notebook: text cells, and a code cell for each block of examples."""

from __future__ import annotations

import doctest
import json
import re

from micrornn.course.lessons import Lesson


def notebook(lesson: Lesson) -> str:
    """The notebook of a lesson, as JSON; what the examples should print is left for the reader to see.

    Commands for the shell become code cells that begin with an exclamation mark.

    >>> from micrornn.course.lessons import LESSONS
    >>> made = json.loads(notebook(LESSONS[0]))
    >>> made["nbformat"], {cell["cell_type"] for cell in made["cells"]} == {"markdown", "code"}
    (4, True)
    """
    cells = []
    for i, part in enumerate(re.split(r"^```(\w+)\n(.*?)^```\n", lesson.text, flags=re.M | re.S)):
        kind = i % 3
        if kind == 0 and part.strip():
            cells.append(_cell("markdown", part.strip()))
        elif kind == 1:
            language = part
        elif kind == 2:
            cells.append(_cell("code", _code(part) if language == "python" else _shell(part)))
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"lesson-{lesson.number}-{number}"
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _code(block: str) -> str:
    examples = doctest.DocTestParser().get_examples(block)
    return "".join(example.source for example in examples).rstrip("\n")


def _shell(block: str) -> str:
    return "\n".join(f"!{line}" for line in block.strip().splitlines())


def _cell(kind: str, text: str) -> dict[str, object]:
    cell: dict[str, object] = {
        "cell_type": kind,
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell
