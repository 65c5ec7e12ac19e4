"""`micrornn check`: 0 where the gradient is right, 1 where it is not, and what it prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


def test_a_right_gradient(run: Run) -> None:
    result = run("check", "net.py:loss")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "net.py:loss: correct, by calling loss: 2 numbers, largest difference "
    )


def test_a_wrong_gradient(run: Run) -> None:
    result = run("check", "net.py:cut")
    assert result.exit_code == 1
    assert result.stderr == ""
    line = "net.py:cut: wrong, by calling cut: gradcheck: input 0 (w), element [0]: analytic 0.5"
    assert result.stdout.startswith(line)


def test_a_pair_of_a_function_and_its_inputs(run: Run, folder: Path) -> None:
    net = "import micrornn as mr\nv = mr.Value(2.0)\npair = (lambda v: v * v, v)\n"
    (folder / "pair.py").write_text(net, encoding="utf-8")
    result = run("check", "pair.py:pair")
    assert result.exit_code == 0
    assert result.stdout.startswith("pair.py:pair: correct, by calling f: 1 number,")


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_built_in_sources(run: Run, cell: str) -> None:
    result = run("check", "hello", "--cell", cell, "--hidden", "2", "--loss", "last")
    assert result.exit_code == 0
    sizes = {"rnn": 28, "lstm": 76, "gru": 60}
    way = "correct, by rerunning the recorded operations"
    assert result.stdout.startswith(f"hello: {way}: {sizes[cell]} numbers, ")


def test_a_built_in_source_as_it_is(run: Run) -> None:
    result = run("check", "stocks")
    assert result.exit_code == 0 and ": 6 numbers, " in result.stdout


def test_how_much_is_allowed(run: Run) -> None:
    assert run("check", "net.py:loss", "--atol", "1e-20", "--rtol", "1e-20").exit_code == 1
    assert run("check", "net.py:cut", "--atol", "10").exit_code == 0
    assert run("check", "net.py:loss", "--eps", "0.5").exit_code == 1
