"""The course: thirteen lessons, each a page of text whose examples are run by the tests.

A lesson is Markdown with doctest examples: readable as it is, printable in a terminal, and a notebook by
`notebook`.
"""

from micrornn.course.lessons import LESSONS, Lesson, lesson
from micrornn.course.notebook import myst, notebook

__all__ = ["LESSONS", "Lesson", "lesson", "myst", "notebook"]
