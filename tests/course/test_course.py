"""The lessons: all parts are there, they are notebooks, and the command shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cli
from micrornn.course import LESSONS, Lesson, lesson, notebook

PARTS = ("**Question.**", "## Predict first", "## Exercises", "## What people do in practice")


def run(*words: str) -> Any:
    return CliRunner().invoke(cli.main, words)


@pytest.mark.parametrize("one", LESSONS, ids=lambda one: one.name)
def test_a_lesson_has_its_parts(one: Lesson) -> None:
    assert all(part in one.text for part in PARTS)
    assert ">>> " in one.text
    assert one.question.endswith("?") or "?" in one.question
    assert one.name.startswith(f"{one.number:02}-")


@pytest.mark.parametrize("one", LESSONS, ids=lambda one: one.name)
def test_a_lesson_is_a_notebook_that_runs(one: Lesson) -> None:
    cells = json.loads(notebook(one))["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and not source.startswith("!"):
            exec(compile(source, one.name, "exec"), names)
    text = "".join("".join(c["source"]) for c in cells)
    assert ">>>" not in text and "```" not in text


def test_the_command(tmp_path: Path) -> None:
    listed = run("course").stdout
    assert [line.split()[0] for line in listed.splitlines() if line[:2].strip().isdigit()] == [
        str(n) for n in range(1, len(LESSONS) + 1)
    ]
    assert run("course", "4").stdout == lesson(4).text
    assert run("course", "14").exit_code == 2
    folder = tmp_path / "lessons"
    assert run("course", "--start", str(folder)).exit_code == 0
    assert len(list(folder.glob("*.ipynb"))) == len(LESSONS)
    mine = folder / "exercise_rnn.py"
    mine.write_text("mine", encoding="utf-8")
    run("course", "--start", str(folder))
    assert mine.read_text(encoding="utf-8") == "mine"


def test_the_quiz() -> None:
    from micrornn.course.quiz import LETTERS, QUESTIONS

    for question in QUESTIONS:
        assert question.right in LETTERS and len(set(question.choices)) == 4
        assert 1 <= question.lesson <= len(LESSONS)
    listed = run("quiz").stdout
    assert listed.count("   A  ") == len(QUESTIONS) and "Lesson" not in listed
    right = run("quiz", "4", "--answer", "B")
    assert (
        right.exit_code == 0 and "Right. B" in right.stdout and "2^50 = 1.1259e+15" in right.stdout
    )
    wrong = run("quiz", "4", "--answer", "A")
    assert wrong.exit_code == 1 and "Not right. B" in wrong.stdout
    assert run("quiz", "--answers").stdout.count("Lesson") == len(QUESTIONS)
    assert run("quiz", "--answer", "A").exit_code == 2
