"""The command in a terminal: color, unless it is not wanted, and a bar while something takes long."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pexpect = pytest.importorskip("pexpect", reason="plays the person at a terminal")

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 300  # seconds, on a busy machine
COLOR = re.compile(r"\x1b\[[0-9;]*[1-9][0-9;]*m")

SLOW = """
import time

import micrornn as mr

w = mr.Value(0.5, "w")


def loss():
    time.sleep(2.5)
    return mr.tanh(w)
"""

Terminal = Callable[..., str]


@pytest.fixture
def terminal(folder: Path) -> Terminal:
    """``terminal("list")`` is all that the command writes to a terminal."""

    def run(*arguments: str, **environment: str) -> str:
        unwanted = {"NO_COLOR", "FORCE_COLOR", "COLORTERM"}
        kept = {name: value for name, value in os.environ.items() if name not in unwanted}
        program = ["-c", "import cli; cli.main(prog_name='micrornn')", *arguments]
        return str(
            pexpect.run(
                shlex.join([sys.executable, *program]),
                timeout=LIMIT,
                cwd=str(folder),
                encoding="utf-8",
                env={**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment},
            )
        )

    return run


RED, BOLD, GREEN = "\x1b[31m", "\x1b[1m", "\x1b[32m"
COLORED = [
    ("--help", BOLD, "See a gradient"),
    ("render --help", BOLD, "Network"),
    ("list", BOLD, "hello"),
    ("render helo", RED, "micrornn:"),
    ("check hello", GREEN, "correct"),
    ("train hello -q --iterations 60", GREEN, "yes"),
]


@pytest.mark.parametrize(("command", "color", "word"), COLORED)
def test_color_marks_what_matters(terminal: Terminal, command: str, color: str, word: str) -> None:
    shown = terminal(*command.split())
    assert re.search(rf"{re.escape(color)}(\x1b\[1m)?[^\x1b]*{word}", shown), shown


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("command", [command for command, *_ in COLORED])
def test_no_color_where_none_is_wanted(
    terminal: Terminal, command: str, environment: dict[str, str]
) -> None:
    shown = terminal(*command.split(), **environment)
    assert shown.strip()
    assert not COLOR.search(shown), shown


def test_a_bar_is_shown_while_something_takes_long(terminal: Terminal, folder: Path) -> None:
    (folder / "slow.py").write_text(SLOW, encoding="utf-8")
    assert "running slow.py:loss" in terminal("diagnose", "slow.py:loss")
    assert "running" not in terminal("diagnose", "slow.py:loss", "-q")


def test_no_bar_is_shown_for_what_is_done_at_once(terminal: Terminal) -> None:
    assert "━" not in terminal("diagnose", "net.py:loss")
