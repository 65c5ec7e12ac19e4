"""An exception of the program's own: the failing line, the stack, and what this iteration had computed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import micrornn as mr
from micrornn.debug.capture import capture
from micrornn.debug.failure import failure_of

PROGRAM = """\
import numpy as np

import micrornn as mr
from micrornn import nn

cell, readout = nn.RNNCell(2, 3, rng=0), nn.Linear(3, 1, rng=1)
x = [np.ones(2), np.ones(2), np.ones(3)]


def step(h, t):
    with mr.scope("rnn", t=t):
        return cell(mr.tensor(x[t - 1]), h)


def loss(steps=3):
    h = mr.tensor(np.zeros(3), name="h")
    for t in range(1, steps + 1):
        h = step(h, t)
    return readout(h).sum()


def main():
    for iteration in range(1, 4):
        loss(2 if iteration < 3 else 3).backward()


def nothing():
    raise RuntimeError("before anything")


def in_backward():
    loss(2).backward()
    {}["missing"]


if __name__ == "__main__":
    with mr.debugging():
        main()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the program is."""
    (tmp_path / "net.py").write_text(PROGRAM)
    return tmp_path


def ran(folder: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """A command, with what is typed through a pipe."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def debugged(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return ran(folder, "-c", "import cli; cli.main(prog_name='micrornn')", "debug", *words)


def test_debug_opens_where_the_program_failed(folder: Path) -> None:
    found = debugged(folder, "net.py:loss", "--batch", "-ex", "info error", "-ex", "rs")
    assert found.returncode == 1, found.stderr
    assert found.stdout.startswith("net.py:loss failed: ValueError\n")
    assert (
        "  net.py:18, in loss: h = step(h, t)\n> net.py:12, in step: return cell(" in found.stdout
    )
    assert "raised in micrornn/nn/cells.py:" in found.stdout
    assert "ValueError: RNNCell: x of shape (3,) was given" in found.stdout
    assert "8 nodes had been computed" in found.stdout
    assert "  t = 3\n" in found.stdout
    assert "node 8 of 8: h[2] = tanh(add[2])" in found.stdout
    assert "Traceback" not in found.stdout + found.stderr


def test_as_json_too(folder: Path) -> None:
    found = debugged(folder, "net.py:loss", "--batch", "--json", "-ex", "info error")
    first, second = map(json.loads, found.stdout.splitlines())
    assert any("ValueError: RNNCell" in line for line in first["failed"])
    assert [frame[2] for frame in second["data"]["stack"]] == ["loss", "step"]
    assert second["data"]["names"]["h"] == "h[2], a tensor of shape (3,)"


def test_of_a_training_this_iteration_is_kept(folder: Path) -> None:
    found = debugged(
        folder, "net.py:main", "--post-mortem", "--batch", "-ex", "where", "-ex", "list"
    )
    assert found.returncode == 1, found.stderr
    assert "steps 0 to 2, backward has not run" in found.stdout
    assert "8 nodes had been computed in this iteration" in found.stdout
    assert "> net.py:12, in step" in found.stdout
    again = debugged(folder, "net-failed.mrn", "--batch", "-ex", "goto h[2]")
    assert again.returncode == 0
    assert "h[2] = tanh(add[2])" in again.stdout


def test_after_backward_the_pass_is_kept(folder: Path) -> None:
    found = debugged(folder, "net.py:in_backward", "--post-mortem", "--batch")
    assert "pullbacks had run in this iteration" in found.stdout
    assert "KeyError: 'missing'" in found.stdout


def test_where_nothing_was_computed_it_is_one_line(folder: Path) -> None:
    for words in (["net.py:nothing"], ["net.py:nothing", "--post-mortem"]):
        found = debugged(folder, *words, "--batch")
        assert (found.returncode, found.stdout) == (2, "")
        assert "net.py, line 28, in nothing: RuntimeError: before anything" in found.stderr


def test_debugging_reads_commands_from_a_pipe_and_lets_the_error_go_on(folder: Path) -> None:
    found = ran(folder, "net.py", typed="where\nrs\nprint value.norm\n")
    assert found.returncode == 1
    assert found.stdout.startswith("the program failed: ValueError\n")
    assert "  net.py:38, in <module>: main()\n  net.py:24, in main: loss(" in found.stdout
    assert "(debug forward) rs\nnode 8 of 8: h[2]" in found.stdout
    assert "value.norm = " in found.stdout
    assert found.stderr.rstrip().endswith("by input_size=2")
    unheard = ran(folder, "net.py")  # where nobody types, the error alone is told
    assert (unheard.returncode, unheard.stdout) == (1, "")
    assert unheard.stderr.rstrip().endswith("by input_size=2")
    assert "no terminal" not in unheard.stderr


def test_what_nothing_holds_any_longer_is_not_kept() -> None:
    w = mr.Value(1.0, "w")
    with pytest.raises(ZeroDivisionError), capture(keep_all=False) as caught:
        for _ in range(25_000):
            mr.tanh(w * 1.0)
        y = mr.tanh(w * 2.0)
        1 / 0  # noqa: B018
    assert len(caught._iteration) <= 10_001
    assert caught.recording().nodes[-1] is y


def test_a_value_whose_repr_fails_does_not_hide_the_failure() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no words for it")

    def fails(odd: Any, long: str) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full") as caught:
        fails(Odd(), "x" * 500)
    found = failure_of(caught.value)
    assert found.words == "OSError: disk full"
    assert found.frames[-1].function == "fails"
    names = dict(found.names)
    assert names["odd"] == "an object of type Odd"
    assert len(names["long"]) == 60


def test_nodes_of_one_line_share_where_it_is() -> None:
    w = mr.tensor(0.5, requires_grad=True)
    with capture() as caught:
        made = [w * 2.0 for _ in range(3)]
    assert caught.made == made
    assert len({id(node.source) for node in made}) == 1
