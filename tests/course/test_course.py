"""The lessons: all parts are there, they are notebooks, and the command shows them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cli
from micrornn.course import LESSONS, Lesson, lesson, myst, notebook
from micrornn.course.notebook import cells

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
def test_a_lesson_is_a_notebook_that_runs(
    one: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = json.loads(notebook(one))["cells"]
    names: dict[str, Any] = {}
    for cell in made:
        source = "".join(cell["source"])
        if source.startswith("!micrornn "):
            assert run(*source.split()[1:]).exit_code == 0
        elif cell["cell_type"] == "code":
            exec(compile(source, one.name, "exec"), names)
    text = "".join("".join(c["source"]) for c in made)
    assert ">>>" not in text and "```python" not in text


@pytest.mark.parametrize("one", LESSONS, ids=lambda one: one.name)
def test_both_forms_of_a_notebook_have_the_same_cells(one: Lesson) -> None:
    fence = re.compile(
        r"^```\{code-cell\} ipython3\n(?::tags: [^\n]*\n\n)?(.*?)\n```$", re.M | re.S
    )
    made = json.loads(notebook(one))["cells"]
    code = ["".join(cell["source"]) for cell in made if cell["cell_type"] == "code"]
    assert fence.findall(myst(one.text)) == code


def test_a_cell_ends_with_what_it_prints() -> None:
    """A notebook shows the last value only."""
    text = "```python\n>>> a = 1\n>>> a\n1\n>>> a + 1\n2\n>>> b = a\n```\n"
    assert [cell.source for cell in cells(text)] == ["a = 1\na", "a + 1", "b = a"]


def test_programs_of_a_clone_stay_text() -> None:
    text = "One.\n\n```sh\npython examples/a.py\n```\n\nTwo.\n"
    assert [cell.kind for cell in cells(text)] == ["markdown"]


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
    mine = [folder / "exercise_rnn.py", next(folder.glob("06*.ipynb")), next(folder.glob("06*.md"))]
    for file in mine:
        file.write_text("mine", encoding="utf-8")
    next(folder.glob("07*.md")).unlink()
    again = run("course", "--start", str(folder))
    assert {file.read_text(encoding="utf-8") for file in mine} == {"mine"}
    assert again.stderr.startswith("wrote 1 file to ")


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
    assert run("quiz", str(len(QUESTIONS)), "--answer", "A").exit_code < 2
    assert run("quiz", str(len(QUESTIONS) + 1)).exit_code == 2
