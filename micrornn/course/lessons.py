"""The lessons by number."""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple


class Lesson(NamedTuple):
    """A lesson.

    Attributes:
        number: from 1.
        title: its heading, without the number.
        question: what it answers.
        name: of its file, without the ending.
        text: all of it, as Markdown.
    """

    number: int
    title: str
    question: str
    name: str
    text: str


def _lessons() -> tuple[Lesson, ...]:
    found = []
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".md"):
            text = file.read_text(encoding="utf-8")
            head, question = text.splitlines()[0], text.partition("**Question.** ")[2]
            number, _, title = head.removeprefix("# ").partition(". ")
            question = " ".join(question.partition("\n\n")[0].split())
            found.append(Lesson(int(number), title, question, file.name.removesuffix(".md"), text))
    return tuple(found)


LESSONS = _lessons()


def lesson(number: int) -> Lesson:
    """The lesson of a number.

    Raises:
        ValueError: there is none.

    >>> lesson(4).title
    'BPTT by hand'
    """
    if not 1 <= number <= len(LESSONS):
        raise ValueError(f"no lesson {number}; choose one from 1 to {len(LESSONS)}")
    return LESSONS[number - 1]
