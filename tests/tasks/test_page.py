"""docs/tasks.md: every task is on it, and every command and program that it names is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import cli
from micrornn.tasks import SOURCES
from micrornn.tasks.problem import TASKS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")

NAMED = sorted(
    {match for match in re.findall(r"`(micrornn [^`\n]+)`", PAGE) if "TASK" not in match}
)


def fault(command: str) -> str | None:
    """What is wrong with a command that a page names, as far as one can tell without running it."""
    _, name, *words = shlex.split(command)
    if name not in cli.main.commands:
        return f"there is no command {name}"
    if name == "train" and words and words[0] not in TASKS:
        return f"there is no task {words[0]}"
    if name == "render" and words[0] not in SOURCES:
        return f"there is no source {words[0]}"
    return None


def test_every_task_has_its_line() -> None:
    lines = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(lines) == sorted(TASKS)


@pytest.mark.parametrize("command", NAMED)
def test_what_it_names_is_there(command: str) -> None:
    assert fault(command) is None


def test_the_programs_it_names_are_there_and_all_are_named() -> None:
    named = set(re.findall(r"examples/(\w+)\.py", PAGE))
    there = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert named <= there
    assert there - named <= {"stop_and_go_on", "exploding_and_clipped"}


def test_a_wrong_name_would_be_found() -> None:
    assert fault("micrornn train nothing") == "there is no task nothing"
    assert fault("micrornn render nothing") == "there is no source nothing"
    assert fault("micrornn dance") == "there is no command dance"
