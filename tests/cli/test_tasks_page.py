"""docs/tasks.md: every task and every row of the course is on it, and each command that it names runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import Result

from micrornn.tasks import TASKS

Run = Callable[..., Result]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")

NAMED = sorted(
    {match for match in re.findall(r"`(micrornn [^`\n]+)`", PAGE) if "TASK" not in match}
)


def test_every_task_has_its_line() -> None:
    lines = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(lines) == sorted(name for name, task in TASKS.items() if task.module)


# The letters of the parts of the course, and how many rows each has.
ROWS = {"A": 13, "B": 10, "C": 10, "D": 12, "E": 8, "G": 11, "H": 13}


@pytest.mark.parametrize("part", ROWS)
def test_every_row_of_the_course_is_there_and_shown_by_something(part: str) -> None:
    found = dict(re.findall(rf"^\| ({part}\d+) \| [^|]+ \| (.+) \|$", PAGE, re.MULTILINE))
    assert list(found) == [f"{part}{number}" for number in range(1, ROWS[part] + 1)]
    for row, shown_by in found.items():
        assert re.search(r"`micrornn |`examples/|\]\(", shown_by), row


@pytest.fixture
def files(folder: Path, run: Run) -> Path:
    """The files that the page's commands read: a text, a table, pairs, and a trained model."""
    (folder / "book.txt").write_text("to be, or not to be. " * 60, encoding="utf-8")
    rows = "".join(f"{day},{100 + day % 7}\n" for day in range(90))
    (folder / "prices.csv").write_text(f"day,close\n{rows}", encoding="utf-8")
    pairs = "".join(f"{n}\t{str(n)[::-1]}\n" for n in range(100, 140))
    (folder / "pairs.tsv").write_text(pairs, encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", NAMED)
def test_what_it_names_runs(command: str, run: Run, files: Path) -> None:
    """Trainings are cut short; all else is run as it stands."""
    _, *words = shlex.split(command)
    if "book.npz" in words:
        begin = "train text --text book.txt --hidden 8 --iterations 2 --checkpoint book.npz -q"
        assert run(*begin.split()).exit_code == 0
    if words[0] == "train":
        words += ["--iterations", "2", "-q"]
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.strip()


def test_the_programs_it_names_are_there_and_all_are_named() -> None:
    named = set(re.findall(r"examples/(\w+)\.py", PAGE))
    there = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert named <= there
    assert there - named <= {"stop_and_go_on"}


def test_the_picture_on_the_page_says_what_its_command_draws(run: Run, folder: Path) -> None:
    (command,) = re.findall(r"^(micrornn render .* -o translate\.svg)$", PAGE, re.MULTILINE)
    assert run(*shlex.split(command)[1:]).exit_code == 0
    stored = (ROOT / "docs" / "pictures" / "translate.svg").read_text(encoding="utf-8")
    drawn = (folder / "translate.svg").read_text(encoding="utf-8")
    assert words(drawn) == words(stored)


def words(picture: str) -> list[str]:
    return [text.strip() for text in ElementTree.fromstring(picture).itertext() if text.strip()]
