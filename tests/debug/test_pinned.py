"""`export pytest`: the test that is written passes, and fails when the gradient has changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import micrornn as mr
from micrornn.debug.errors import DebuggerError
from micrornn.debug.origin import Origin
from micrornn.debug.session import Session
from micrornn.recording import record
from micrornn.tasks.source import recorded
from viz.terminal.effects import perform

PROGRAM = """
import numpy as np
import micrornn as mr

w = mr.tensor([0.5, 0.25], dtype=np.{dtype}, requires_grad=True, name="w")

def loss():
    h = mr.tensor([1.0, 2.0], dtype=np.{dtype}, name="h")
    for t in (1, 2, 3):
        with mr.scope("loop", t=t):
            h = mr.tanh(w * h)
            h.name = "h"
    return {loss}
"""


def ran(path: Path) -> subprocess.CompletedProcess[str]:
    """The written test, run by pytest."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path.name]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)


def exported(session: Session, *lines: str) -> None:
    for line in lines:
        for effect in session.execute(line).effects:
            perform(session, effect)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_pinned_gradient_passes_until_it_changes(
    dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "net.py"
    program.write_text(PROGRAM.format(dtype=dtype, loss="h.sum()"))
    session = Session(recorded("net.py:loss").recording, origin=Origin("net.py:loss"))
    exported(session, "goto h[2]", "export pytest", "export pytest test_w.py w")
    for name in ("test_h_2.py", "test_w.py"):
        found = ran(tmp_path / name)
        assert found.returncode == 0, found.stdout
    program.write_text(PROGRAM.format(dtype=dtype, loss="(h * h).sum()"))
    for name in ("test_h_2.py", "test_w.py"):
        found = ran(tmp_path / name)
        assert found.returncode == 1
        assert "close(rec.gradient(node)" in found.stdout.replace("close(\n        ", "close(")


def test_from_another_folder_and_with_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    options = {"cell": "lstm"}
    session = Session(recorded("hello", options).recording, origin=Origin("hello", options))
    exported(session, "until sigmoid", "save run.mrn", "export pytest tests/test_gate.py")
    saved = Session(recorded("run.mrn").recording, origin=Origin("run.mrn"))
    exported(saved, "export pytest tests/test_saved.py W_hh")
    for name in ("test_gate.py", "test_saved.py"):
        found = ran(tmp_path / "tests" / name)
        assert found.returncode == 0, found.stdout
    other = recorded("hello", {"cell": "lstm", "seed": 1}).recording
    other.save("run.mrn")
    assert ran(tmp_path / "tests" / "test_saved.py").returncode == 1


def test_a_run_that_no_source_makes_again_is_kept_beside_the_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with np.errstate(all="ignore"):
        rec = record(mr.log(mr.tensor([0.0, 1.0], requires_grad=True, name="w") * 1.0).sum())
    exported(Session(rec), "goto end", "export pytest test_nan.py w")
    assert (tmp_path / "test_nan.mrn").exists()
    assert 'float("-inf")' not in (tmp_path / "test_nan.py").read_text()
    assert 'float("inf")' in (tmp_path / "test_nan.py").read_text()
    assert ran(tmp_path / "test_nan.py").returncode == 0


def test_what_cannot_be_pinned_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DebuggerError, match="no node has its turn"):
        exported(session, "goto end", "export pytest")
    with pytest.raises(DebuggerError, match="write export pytest"):
        exported(session, "export pytest a.py b.py")
    (tmp_path / "test_own.py").write_text("def test_mine(): ...\n")
    with pytest.raises(DebuggerError, match=r"test_own\.py is not a test of the debugger's"):
        exported(session, "export pytest test_own.py h[1]")
    with pytest.raises(DebuggerError, match="branch1 is a what-if"):
        exported(session, "goto start", "set grad h[2] = 0", "export pytest test_h.py h[1]")
