"""docs/course.md: every fact and every mistake has a lesson, and each command that it names runs."""

from __future__ import annotations

import re
import shlex
import wave
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import Result

from micrornn.course import LESSONS
from micrornn.course.ideas import IDEAS
from viz.metrics import text_width
from viz.mindmap import HEIGHT, WIDTH, draw

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


def test_the_map_is_the_table_of_ideas() -> None:
    listed = {
        name: [
            f"{idea.text} ([{idea.number}](../micrornn/course/{idea.lesson.name}.md#{idea.section}), "
            f"`{idea.command}`)"
            for idea in ideas
        ]
        for name, ideas in IDEAS.items()
    }
    for name, ideas in listed.items():
        assert f"- **{name}**: {', '.join(ideas)}\n" in PAGE
    drawn = draw(lambda idea: f"../../micrornn/course/{idea.lesson.name}.md#{idea.section}")
    assert drawn == (ROOT / "docs" / "pictures" / "map.svg").read_text(encoding="utf-8")


def test_nothing_on_the_map_overlaps() -> None:
    tree = ElementTree.fromstring(draw(lambda idea: "#"))
    boxes = list(map(box_of, tree.iter("{http://www.w3.org/2000/svg}text")))
    assert len(boxes) > 60
    assert all(0 <= a.left and a.right <= WIDTH and a.bottom <= HEIGHT for a in boxes)
    for a, b in combinations(boxes, 2):
        apart = a.right <= b.left or b.right <= a.left or a.bottom <= b.top or b.bottom <= a.top
        assert apart, f"{a.text} and {b.text} overlap"


class TextBox(NamedTuple):
    """A line of text and where it stands."""

    text: str
    left: float
    right: float
    top: float
    bottom: float


def box_of(element: ElementTree.Element) -> TextBox:
    """The box of a line of text, as wide as its letters."""
    x, y, size = (float(element.attrib[name]) for name in ("x", "y", "font-size"))
    text = element.text or ""
    width = text_width(text, size) * (1.12 if "font-weight" in element.attrib else 1)
    left = x - width * {"middle": 0.5, "end": 1.0}.get(element.attrib.get("text-anchor", ""), 0.0)
    return TextBox(text, left, left + width, y - 0.75 * size, y + 0.2 * size)


def test_the_command_draws_it(folder: Path, run: Run) -> None:
    result = run("course", "--map", "map.svg", "--start", ".")
    assert result.exit_code == 0
    links = re.findall(r'href="([^"#]+)#([^"]+)"', (folder / "map.svg").read_text(encoding="utf-8"))
    assert len(links) == sum(map(len, IDEAS.values()))
    assert all((folder / name).is_file() for name, _ in links)
    assert run("course", "--map", "map.png").exit_code == 0
    assert (folder / "map.png").read_bytes().startswith(b"\x89PNG")
    assert run("course", "--map", "map.gif").exit_code == 2


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
    words = [re.sub(r"^iterations=\d+$", "iterations=2", word) for word in words]
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    assert result.output.strip()


IN_LESSONS = sorted(
    {
        (one.number, command)
        for one in LESSONS
        for command in re.findall(r"`(micrornn \w+ [^`\n]+)`", one.text)
    }
)


@pytest.mark.parametrize(("lesson", "command"), IN_LESSONS)
def test_what_the_text_of_a_lesson_names_runs(
    lesson: int, command: str, run: Run, folder: Path
) -> None:
    """Trainings are cut short, nothing is opened, and a file to fill in is graded as it is."""
    _, *words = shlex.split(command)
    if words[0] == "grade" and "--start" not in words:
        assert run("grade", "--start", words[1]).exit_code == 0
    more = {"train": ["--iterations", "2", "-q"], "view": ["--no-open", "-o", "a.html"]}
    more |= {"debug": ["--batch"], "sweep": ["--set", "iterations=2", "-q"]}
    result = run(*words, *more.get(words[0], []))
    assert result.exit_code == (words[0] == "grade" and "--start" not in words), result.stderr


def test_the_programs_it_names_are_there_and_all_are_named() -> None:
    named = set(re.findall(r"examples/(\w+)\.py", PAGE))
    there = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert named <= there
    assert there - named <= {"stop_and_go_on"}
