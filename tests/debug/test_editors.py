"""What an editor shows of a stop, and Neovim itself, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from micrornn.debug.session import Session
from micrornn.recording import record
from micrornn.recording.load import load_recording
from viz.terminal.dap.adapter import Adapter
from viz.terminal.dap.variables import stack

ROOT = Path(__file__).resolve().parent.parent.parent
NET = """import micrornn as mr


def gate(x):
    with mr.scope("gate"):
        return mr.sigmoid(x)


def loss():
    w, h = mr.Value(0.5, "w"), mr.tensor(1.0, name="h")
    for t in range(1, 3):
        with mr.scope(t=t):
            x = w * h
            with mr.scope("cell"):
                z = x + 1.0
                h = gate(z) * h
    return h
"""


@pytest.fixture
def session(tmp_path: Path) -> Session:
    program: dict[str, object] = {}
    exec(compile(NET, str(tmp_path / "net.py"), "exec"), program)
    record(program["loss"]).save(tmp_path / "run.mrn")  # type: ignore[arg-type]
    return Session(load_recording(tmp_path / "run.mrn"))


def test_a_scope_and_a_step_point_at_their_own_lines(session: Session) -> None:
    session.execute("goto sigmoid[2]")
    found = [(frame["name"], frame["line"]) for frame in stack(session)]
    assert found == [("sigmoid(add[2])", 6), ("cell/gate", 6), ("cell", 15), ("step 2", 13)]


def test_a_frame_without_a_line_has_no_file() -> None:
    import micrornn as mr

    with mr.scope("cell", t=1):
        out = mr.tanh(mr.Value(0.5, "w"))
    for frame in stack(Session(record(out))):
        assert frame["line"] == 0 and "source" not in frame


def test_a_jump_ends_the_stop_before_it(session: Session) -> None:
    adapter = Adapter(lambda: session, None, lambda message: None)
    for command in ("initialize", "launch", "configurationDone"):
        list(adapter.answer({"seq": 1, "command": command}))
    answer, *events = adapter.answer(
        {"seq": 2, "command": "goto", "arguments": {"threadId": 1, "targetId": 3}}
    )
    assert answer["success"]
    assert [one["event"] for one in events] == ["continued", "stopped"]
    assert events[1]["body"]["reason"] == "goto"
    assert "pullback 3" in events[1]["body"]["description"]


def test_neovim_plays_a_pass() -> None:
    """With nvim-dap, whose folder is named by NVIM_DAP; it is in no registry of packages."""
    nvim, plugin = shutil.which("nvim"), os.environ.get("NVIM_DAP")
    if nvim is None:
        pytest.skip("nvim is not installed: apt-get install neovim")
    if plugin is None:
        pytest.skip("NVIM_DAP names no clone of https://github.com/mfussenegger/nvim-dap")
    run = subprocess.run(
        [nvim, "--headless", "-u", "NONE", "-c", "luafile editors/nvim/check.lua"],
        cwd=ROOT,
        env={**os.environ, "PYTHON": sys.executable, "NVIM_DAP": plugin, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = run.stdout + run.stderr
    assert run.returncode == 0 and "nvim-dap: all is well" in said, said
