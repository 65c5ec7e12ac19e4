"""docs/tasks.md: every task is on it, and its picture says what its command draws."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from click.testing import Result

from micrornn.tasks import TASKS

Run = Callable[..., Result]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")


def test_every_task_has_its_line() -> None:
    lines = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(lines) == sorted(name for name, task in TASKS.items() if task.module)


def test_the_picture_on_the_page_says_what_its_command_draws(run: Run, folder: Path) -> None:
    (command,) = re.findall(r"^(micrornn render .* -o translate\.svg)$", PAGE, re.MULTILINE)
    assert run(*shlex.split(command)[1:]).exit_code == 0
    stored = (ROOT / "docs" / "pictures" / "translate.svg").read_text(encoding="utf-8")
    drawn = (folder / "translate.svg").read_text(encoding="utf-8")
    assert words(drawn) == words(stored)


def words(picture: str) -> list[str]:
    return [text.strip() for text in ElementTree.fromstring(picture).itertext() if text.strip()]
