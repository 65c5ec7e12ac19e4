"""A lesson as a notebook: text cells, and a code cell for each block of examples.

In two forms: the JSON of Jupyter, and the Markdown of MyST, which jupytext opens as a notebook and from
which the site is built.
"""

from __future__ import annotations

import doctest
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from micrornn.course.lessons import Lesson

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_RESULT = re.compile(
    r" -o (\S+\.(?:svg|png|gif|html))"
)  # what a command writes and a notebook can show

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_FRONT = """\
---
jupytext:
  formats: ipynb,md:myst
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""


class Cell(NamedTuple):
    """A cell: ``markdown`` or ``code``, its source, and its tags."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()


def cells(text: str) -> Iterator[Cell]:
    """The cells of a lesson; what its examples should print is left for the reader to see.

    A cell ends with an example that prints, because a notebook shows the last value of a cell only. Commands
    for the shell become cells that begin with an exclamation mark, and what they draw is shown by a cell
    below (of which the site shows the picture only). Programs that only a clone of the project has stay text.

    >>> [cell.source for cell in cells("```sh\\nmicrornn render hello -o a.svg\\n```\\n")]
    ['!micrornn render hello -o a.svg', 'from viz.notebook import show\\n\\nshow("a.svg")']
    """
    prose, end = "", 0
    for block in _BLOCK.finditer(text):
        prose += text[end : block.start()]
        end = block.end()
        found = list(_code_cells(block[1], block[2]))
        if not found:
            prose += block[0]
            continue
        if prose.strip():
            yield Cell("markdown", prose.strip())
        prose = ""
        yield from found
    if (prose + text[end:]).strip():
        yield Cell("markdown", (prose + text[end:]).strip())


def _code_cells(language: str, block: str) -> Iterator[Cell]:
    if language == "python":
        source = ""
        examples = doctest.DocTestParser().get_examples(block)
        for example in examples:
            source += example.source
            if example.want or example is examples[-1]:
                yield Cell("code", source.rstrip("\n"))
                source = ""
    elif language == "sh":
        lines = block.strip().splitlines()
        if all(line.startswith("micrornn ") for line in lines):
            for line in lines:
                yield Cell("code", f"!{line}")
                for name in _RESULT.findall(line):
                    shown = f'from viz.notebook import show\n\nshow("{name}")'
                    yield Cell("code", shown, ("remove-input",))


def notebook(lesson: Lesson) -> str:
    """The notebook of a lesson, as JSON.

    >>> from micrornn.course.lessons import LESSONS
    >>> made = json.loads(notebook(LESSONS[0]))
    >>> made["nbformat"], {cell["cell_type"] for cell in made["cells"]} == {"markdown", "code"}
    (4, True)
    """
    document = {
        "cells": [
            _as_json(cell, f"lesson-{lesson.number}-{number}")
            for number, cell in enumerate(cells(lesson.text), 1)
        ],
        "metadata": {
            "jupytext": {"formats": "ipynb,md:myst"},
            "kernelspec": _KERNEL,
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _as_json(cell: Cell, name: str) -> dict[str, object]:
    made: dict[str, object] = {
        "cell_type": cell.kind,
        "id": name,
        "metadata": {"tags": list(cell.tags)} if cell.tags else {},
        "source": cell.source.splitlines(keepends=True),
    }
    return made | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {})


def myst(text: str) -> str:
    """The notebook of a lesson's text, as Markdown: the form of jupytext and MyST-NB.

    >>> from micrornn.course.lessons import LESSONS
    >>> made = myst(LESSONS[0].text)
    >>> made.startswith("---\\njupytext:"), made.count("```{code-cell}") > 3, ">>>" in made
    (True, True, False)
    """
    return _FRONT + "\n".join(map(_as_myst, cells(text)))


def _as_myst(cell: Cell) -> str:
    if cell.kind == "markdown":
        return f"{cell.source}\n"
    tags = f":tags: [{', '.join(cell.tags)}]\n\n" if cell.tags else ""
    return f"```{{code-cell}} ipython3\n{tags}{cell.source}\n```\n"
