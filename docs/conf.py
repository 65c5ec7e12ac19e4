"""How Sphinx builds the site: ``python -m sphinx -W -c docs . build/site``.

The documents are those of the repository, where they are, so that a link in them leads to the same place on
the site. A lesson is read as the notebook that it is, executed, and ends in the questions of the quiz on it.
"""

from __future__ import annotations

import os
import re
import sys
from html import escape
from pathlib import Path
from typing import Any

from micrornn.course import LESSONS, myst
from micrornn.course.quiz import LETTERS, QUESTIONS, Question
from viz.mindmap import draw

project = "micrornn"
author = "the micrornn authors"
root_doc = "docs/index"
extensions = ["myst_nb"]

include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md"]
include_patterns += ["micrornn/course/*.md", "benchmarks/*.md", "editors/vscode/README.md"]
# Folders that hold no document are not walked through.
exclude_patterns = [
    ".*",
    "build",
    "dist",
    "**/node_modules",
    "examples",
    "tests",
    "viz",
    "*.egg-info",
]

myst_heading_anchors = 4
nb_execution_mode = "force"  # a change of the library changes what is printed
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

html_theme = "furo"
html_title = "micrornn"
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "to-the-index.html"}
templates_path = ["templates"]
pygments_style = "default"

_MAP = re.compile(r"^!\[[^\]]*\]\(pictures/map\.svg\)$", re.MULTILINE)
_HOME = Path(__file__).resolve().parent.parent


def setup(app: Any) -> None:
    """Connect what the documents need; called by Sphinx."""
    # The commands of a lesson are those of this environment, activated or not.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    app.connect("source-read", _read)


def _read(app: Any, name: str, source: list[str]) -> None:
    """A lesson as a notebook with its questions; everywhere, a map to click on, and no links to folders."""
    text = _MAP.sub(lambda _: _map(name), _without_links_to_folders(name, source[0]))
    for lesson in LESSONS:
        if name == f"micrornn/course/{lesson.name}":
            asked = [question for question in QUESTIONS if question.lesson == lesson.number]
            text = myst(text) + _questions(asked)
    source[0] = text


def _without_links_to_folders(name: str, text: str) -> str:
    """On the site a folder has no page, so what a link to one says stands there alone."""

    def said(link: re.Match[str]) -> str:
        return link[1] if (_HOME / name).parent.joinpath(link[2]).is_dir() else link[0]

    return re.sub(r"(?<!!)\[([^\]\n]+)\]\((?!\w+:)([^)#\s]+)\)", said, text)


def _map(name: str) -> str:
    """The map of the course, drawn into a page, so that its ideas are links."""
    up = "../" * name.count("/")
    picture = draw(lambda idea: f"{up}micrornn/course/{idea.lesson.name}.html#{idea.section}")
    return f'<div class="map">\n{picture}</div>'


def _questions(asked: list[Question]) -> str:
    return "\n## Questions\n\n" + "\n".join(map(_question, asked)) if asked else ""


def _question(question: Question) -> str:
    """A question, its choices, and the answer with the number behind it, folded."""
    choices = "\n".join(
        f"- {letter}: {choice}" for letter, choice in zip(LETTERS, question.choices)
    )
    number = question.number()
    return f"""\
**{question.text}**

{choices}

<details><summary>Answer</summary>

**{question.right}.** {escape(question.because)}

Computed: {escape(number)}.

</details>
"""
