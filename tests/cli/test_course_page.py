"""docs/course.md: every fact and every mistake has a lesson, and each command that it names runs."""

from __future__ import annotations

import re
import shlex
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from micrornn.course import LESSONS

Run = Callable[..., Result]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(micrornn [^`\n]+)`", PAGE)))
LESSON = r"\[\d+\]\(\.\./micrornn/course/[\w-]+\.md#[\w-]+\)"
SHOWN = r"`micrornn |`examples/|\]\("

# The letters of the parts of the course, and how many rows each has.
ROWS = {"A": 13, "B": 10, "C": 10, "D": 12, "E": 8, "F": 12, "G": 11, "H": 13}


@pytest.mark.parametrize("part", ROWS)
def test_every_fact_has_a_lesson_and_is_shown_by_something(part: str) -> None:
    rows = re.findall(rf"^\| ({part}\d+) \| [^|]+ \| ({LESSON}) \| (.+) \|$", PAGE, re.MULTILINE)
    assert [row for row, _, _ in rows] == [f"{part}{n}" for n in range(1, ROWS[part] + 1)]
    assert all(re.search(SHOWN, shown) for _, _, shown in rows)


def test_every_mistake_is_put_right_and_has_a_lesson() -> None:
    cell = r"(?:[^|]|\\\|)+"
    rows = re.findall(rf"^\| (\d+) \| {cell} \| {cell} \| {LESSON} \| (.+) \|$", PAGE, re.MULTILINE)
    assert [int(row) for row, _ in rows] == list(range(1, 24))
    assert all(re.search(SHOWN, shown) for _, shown in rows)


def test_every_lesson_teaches_a_fact() -> None:
    linked = set(re.findall(r"micrornn/course/([\w-]+)\.md", PAGE))
    assert linked == {one.name for one in LESSONS}


@pytest.fixture
def files(folder: Path, run: Run) -> Path:
    """The files that the page's commands read: small, and of the forms that docs/tasks.md writes."""
    (folder / "book.txt").write_text("to be, or not to be. " * 60, encoding="utf-8")
    hours = "".join(
        f"{h % 24},{(h % 24) ** 2},{'day' if 6 < h % 24 < 18 else 'night'}\n" for h in range(240)
    )
    (folder / "plant.csv").write_text(f"wind,power,state\n{hours}", encoding="utf-8")
    reviews = "".join(f"good,clever and moving {n}\nbad,dull {n}\n" for n in range(20))
    (folder / "reviews.csv").write_text(f"label,text\n{reviews}", encoding="utf-8")
    (folder / "names.conll").write_text("Ada B-PER\nflew O\n\n" * 20, encoding="utf-8")
    reports = "".join(f"the pump of plant {n} failed\tpump failed\n" for n in range(20))
    (folder / "reports.tsv").write_text(reports, encoding="utf-8")
    np.savez(folder / "clips.npz", frames=np.ones((20, 3, 2)), labels=np.arange(20) % 2)
    for n in range(20):
        sound = folder / "sounds" / f"{n % 2}" / f"{n}.wav"
        sound.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(sound), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(1000 + n))
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
    assert result.output.strip()


def test_the_programs_it_names_are_there_and_all_are_named() -> None:
    named = set(re.findall(r"examples/(\w+)\.py", PAGE))
    there = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert named <= there
    assert there - named <= {"stop_and_go_on"}
