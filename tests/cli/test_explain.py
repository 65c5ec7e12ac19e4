"""`micrornn explain`: what it prints, what it writes, and how it answers a backward pass by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Run = Callable[..., Result]


def test_numpy_that_runs(run: Run, folder: Path) -> None:
    result = run("explain", "net.py:loss")
    assert result.exit_code == 0
    assert "for t in reversed(range(3)):" in result.stdout
    space: dict[str, object] = {}
    exec(result.stdout, space)
    assert callable(space["loss_and_gradients"])


def test_formulas_in_a_file(run: Run, folder: Path) -> None:
    result = run("explain", "hello", "--cell", "gru", "--as", "latex", "-o", "bptt.tex")
    assert (result.exit_code, result.stderr) == (0, "wrote bptt.tex\n")
    assert (folder / "bptt.tex").read_text(encoding="utf-8").startswith("\\begin{align*}")


def test_a_backward_pass_by_hand(run: Run, folder: Path) -> None:
    right = "def backward(w):\n    return {'w': w}\n"
    (folder / "own.py").write_text(right, encoding="utf-8")
    result = run("explain", "net.py:loss", "--compare", "own.py:backward")
    assert result.exit_code == 1
    assert result.stdout.startswith("dL/d w differs by ")
    result = run("explain", "net.py:loss", "--compare", "own.txt")
    assert result.exit_code == 2 and "your own: FILE.py:NAME" in result.stderr
    (folder / "own.py").write_text("backward = 3\n", encoding="utf-8")
    result = run("explain", "net.py:loss", "--compare", "own.py:backward")
    assert result.exit_code == 2 and "is not a function" in result.stderr
    (folder / "own.py").write_text("def backward(w):\n    return 1 / 0\n", encoding="utf-8")
    result = run("explain", "net.py:loss", "--compare", "own.py:backward")
    assert result.exit_code == 2 and "own.py" in result.stderr and "Traceback" not in result.stderr


def test_errors_are_one_line(run: Run) -> None:
    for words in (
        ("net.py:fails",),
        ("helo",),
        ("hello", "--as", "fortran"),
        ("hello", "-o", "no/x.py"),
    ):
        result = run("explain", *words)
        assert result.exit_code == 2 and result.stderr.count("\n") == 1, words
