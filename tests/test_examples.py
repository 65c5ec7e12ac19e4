"""Every program in examples/ runs, checks its own result, and is short enough to be a lesson."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from warm import Warm

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
LONGEST = 60  # lines


def faults(program: str) -> list[str]:
    """What a lesson should not be: long, without a first line that says what it shows, or unchecked."""
    tree = ast.parse(program)
    found = []
    if len(program.splitlines()) >= LONGEST:
        found.append(f"it has {LONGEST} lines or more")
    if not ast.get_docstring(tree):
        found.append("it does not say what it shows")
    last = [node for node in tree.body if isinstance(node, ast.Assert | ast.For | ast.Expr)][-2:]
    if not any(isinstance(inner, ast.Assert) for node in last for inner in ast.walk(node)):
        found.append("it does not end in a check")
    return found


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_it_runs_and_checks_itself(example: Path, tmp_path: Path, warm: Warm | None) -> None:
    assert faults(example.read_text(encoding="utf-8")) == []
    python = sys.executable
    if warm:
        python = f"{tmp_path}-python"
        warm.client(Path(python), "python")
    run = subprocess.run(
        [python, str(example)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout, "a lesson shows something"
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 9


def test_faults_are_found() -> None:
    assert faults('"""It shows."""\nx = 1\nassert x == 1\n') == []
    assert faults("x = 1\nprint(x)\n") == [
        "it does not say what it shows",
        "it does not end in a check",
    ]
    assert faults('"""It shows."""\n' + "x = 1\n" * 58 + "assert x\n") == [
        "it has 60 lines or more"
    ]
