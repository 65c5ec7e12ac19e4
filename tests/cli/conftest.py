"""What the tests of the command share: running it, and a stand-in for the drawing."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cli

ROOT = Path(cli.__file__).resolve().parent
Run = Callable[..., Result]

NET = """
import micrornn as mr

w = mr.tensor([0.5, -0.3], requires_grad=True, name="w")


def loss():
    h = mr.tensor([1.0, 1.0])
    for t in range(1, 4):
        with mr.scope(t=t):
            h = mr.tanh(w * h)
    return h.sum()


def cut():
    return (w * w.detach()).sum()


def fails():
    return w + mr.tensor([1.0, 2.0, 3.0])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with one file: net.py."""
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "net", raising=False)
    monkeypatch.delenv("MICRORNN_TRACEBACK", raising=False)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    """``run("render", "hello")`` runs the command in this process."""

    # Older versions of click mix stderr into stdout unless told not to, newer ones never do.
    old = "mix_stderr" in inspect.signature(CliRunner).parameters
    runner = CliRunner(**({"mix_stderr": False} if old else {}))

    def invoke(*arguments: str, input: bytes | None = None) -> Result:
        return runner.invoke(cli.main, list(arguments), input=input, prog_name="micrornn")

    return invoke


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Draw nothing: what was to be drawn is noted, the picture is one word."""
    import viz

    calls: list[dict[str, Any]] = []

    def render(thing: Any, path: Path | None = None, **options: Any) -> str | bytes:
        calls.append({"thing": thing, "path": path, **options})
        picture = f"<{options['format']} picture>\n"
        if path is not None:
            Path(path).write_text(picture, encoding="utf-8")
        return picture.encode() if options["format"] in ("png", "pdf") else picture

    monkeypatch.setattr(viz, "render", render)
    return calls


@pytest.fixture
def process(folder: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """``process("render", "hello")`` starts the command as a program of its own."""

    def start(*arguments: str, **settings: Any) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings.pop("env", {})}
        program = [sys.executable, "-c", "import cli; cli.main(prog_name='micrornn')", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
        return subprocess.Popen(program, cwd=folder, env=environment, **pipes)

    return start
