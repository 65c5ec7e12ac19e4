"""``micrornn quiz``: questions, and the number behind each answer."""

from __future__ import annotations

import click

from viz.commands.console import emit_text
from viz.commands.help import Command, option
from viz.commands.options import Integer, OneOf

WIDTH = 80


@click.command(cls=Command)
@click.argument("number", type=Integer(1, 15), required=False)
@option("--answer", type=OneOf(tuple("ABCD")), help="Your answer to question NUMBER.")
@option("--answers", is_flag=True, help="Print all answers.")
def quiz(number: int | None, answer: str | None, answers: bool) -> int:
    """Ask the questions of the course, or answer question NUMBER.

    Each answer comes with its reason and a number that a small network computes. The exit code is 1 for a
    wrong answer.

    \b
    Examples:
      micrornn quiz
      micrornn quiz 4 --answer B
      micrornn quiz --answers
    """
    from micrornn.course.quiz import LETTERS, QUESTIONS

    if answer and number is None:
        raise ValueError(
            "--answer needs the number of a question, as in micrornn quiz 4 --answer B"
        )
    chosen = range(1, len(QUESTIONS) + 1) if number is None else [number]
    wrong = False
    for n in chosen:
        question = QUESTIONS[n - 1]
        lines = [f"{n}. {question.text}"]
        lines += [f"   {letter}  {choice}" for letter, choice in zip(LETTERS, question.choices)]
        if answer or answers:
            wrong = answer is not None and answer != question.right
            said = "" if answer is None else "Not right. " if wrong else "Right. "
            lines += [
                f"   {said}{question.right}: {question.because}",
                f"   Computed: {question.number()}.",
            ]
            lines += [f"   Lesson {question.lesson}: micrornn course {question.lesson}"]
        emit_text("\n".join(lines) + ("\n" if n != chosen[-1] else ""), WIDTH)
    return int(wrong)
