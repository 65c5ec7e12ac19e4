"""The full screen in a real terminal, tmux, at three sizes; skipped where tmux is not installed.

To look at it yourself: ``tmux new -x 80 -y 24 micrornn debug hello --tui``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("textual")
pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 40.0  # seconds, for a busy machine

Tmux = Callable[..., str]


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    """A tmux server of the test's own: ``tmux("send-keys", ...)``."""
    socket = str(tmp_path / "tmux")

    def call(*words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", socket, "-f", "/dev/null", *words], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield call
    subprocess.run(["tmux", "-S", socket, "kill-server"], capture_output=True, check=False)


def until(tmux: Tmux, *wanted: str) -> list[str]:
    """The lines of the screen, once they show all that is wanted."""
    end = time.monotonic() + PATIENCE
    while True:
        screen = tmux("capture-pane", "-p")
        if all(one in screen for one in wanted):
            return screen.rstrip("\n").split("\n")
        assert time.monotonic() < end, f"no {wanted} in\n{screen}"
        time.sleep(0.2)


def typed(tmux: Tmux, words: str) -> None:
    tmux("send-keys", "-l", words)
    tmux("send-keys", "Enter")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=str)
def test_the_full_screen_in_a_terminal(tmux: Tmux, tmp_path: Path, size: tuple[int, int]) -> None:
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); import cli; cli.main(prog_name='micrornn')"
    program = [sys.executable, "-c", start, str(ROOT), "debug", "hello", "--cell", "lstm", "--tui"]
    settings = [
        "env",
        "-u",
        "COLUMNS",
        "-u",
        "LINES",
        f"XDG_STATE_HOME={tmp_path}",
        "TERM=xterm-256color",
    ]
    tmux("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), *settings, *program)
    lines = until(tmux, "122 nodes", "->    1", "F11 step", "a command; help lists them")
    assert len(lines) == size[1]
    typed(tmux, "goto h[2]")
    until(tmux, "->   53", "value: shape (8,)", "gradient: shape (8,)", "pullback 53 of 110")
    typed(tmux, "help")
    until(tmux, "moving (each with its mirror", "what if:")
    tmux("send-keys", "Up")
    until(tmux, "\nhelp")
    tmux("send-keys", "C-c")
    until(tmux, "a command; help lists them")
    tmux("resize-window", "-x", "100", "-y", "30")
    lines = until(tmux, "\n" + "─" * 100 + "\nmoving")
    assert len(lines) == 30
    typed(tmux, "tutorial")
    until(tmux, "This run multiplies a number", "try: where", "h[50] = mul")
    typed(tmux, "q")
    until(tmux, "back in your own run", "->   53")
