"""``micrornn sweep`` and ``micrornn sweep report`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli

GRID = ("--set", "cell=lstm,gru", "--set", "steps=3,4", "--set", "iterations=3")


def invoke(*words: str) -> Result:
    """Run the command in this process, on no cluster."""
    return CliRunner().invoke(cli.main, ["sweep", *words])


@pytest.fixture
def swept(tmp_path: Path) -> str:
    """The file of a small sweep."""
    path = str(tmp_path / "s.db")
    done = invoke("recall", *GRID, "--seeds", "2", "-o", path, "--workers", "0")
    assert done.exit_code == 0, done.output
    assert "8 trials done" in done.stderr
    return path


def test_a_sweep_and_its_report(swept: str) -> None:
    text = invoke("report", swept).stdout
    assert "iterations=3" in text and "cross-entropy is lowest with cell=" in text
    assert [line.split()[:3] for line in text.splitlines() if line.startswith("gru")] == [
        ["gru", "3", "2"],
        ["gru", "4", "2"],
    ]
    data = json.loads(invoke("report", swept, "--json").stdout)
    assert len(data["rows"]) == 4
    assert len(data["rows"][0]["figures"]["accuracy"]["values"]) == 2
    table = invoke("report", swept, "-T", "csv").stdout.splitlines()
    assert table[0] == "iterations,cell,steps,metric,value" and len(table) == 1 + 4 * 2 * 2


@pytest.mark.parametrize("view", ["lines", "map", "curves"])
def test_figures(swept: str, tmp_path: Path, view: str) -> None:
    path = tmp_path / f"{view}.svg"
    done = invoke("report", swept, "--view", view, "-o", str(path))
    assert done.exit_code == 0, done.output
    svg = path.read_text()
    assert "cross-entropy is lowest" in svg
    assert ("iteration" if view == "curves" else "steps") in svg


def test_the_same_command_again_runs_nothing(swept: str) -> None:
    again = invoke("recall", *GRID, "--seeds", "2", "-o", swept, "--workers", "0")
    assert "8 of 8 trials are done already" in again.stderr


def test_a_failed_trial_is_kept_and_retried(tmp_path: Path) -> None:
    file, path = tmp_path / "net.py", str(tmp_path / "s.db")
    file.write_text(
        "def train(lr=1):\n    if lr > 1:\n        raise ValueError('too large')\n    return lr\n"
    )
    words = (f"{file}:train", "--set", "lr=1,2", "-o", path, "--workers", "0")
    failed = invoke(*words)
    assert failed.exit_code == 1 and "1 failed" in failed.stderr
    assert "line 3" in invoke("report", path).stdout
    file.write_text("def train(lr=1):\n    return lr\n")
    assert invoke(*words).exit_code == 1  # it is not run again by itself
    assert invoke(*words, "--retry").exit_code == 0


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["recall", "--set", "cel=lstm"], "no setting 'cel'; did you mean 'cell'?"),
        (["recall", "--set", "cell=lsmt"], "did you mean 'lstm'?"),
        (["recall", "--set", "hidden=0"], "give an integer from 1"),
        (["recall", "--set", "seed=1,2"], "--seeds"),
        (["recall", "--set", "lr=0.1..1"], "has no step"),
        (["recall", "--search", "tpe"], "--trials"),
        (["recal"], "did you mean 'recall'?"),
        (["vanishing"], "not a task to train"),
        (["recall", "--workers", "2", "--scheduler", "tcp://localhost:1"], "exclude each other"),
        (["none.py:train"], "none.py"),
        (["report", "missing.db"], "there is no file missing.db"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, words: list[str], answer: str) -> None:
    output = () if words[0] == "report" else ("-o", str(tmp_path / "s.db"))
    done = invoke(*words, *output)
    assert done.exit_code == 2, done.output
    assert answer in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_seeds_of_a_function_without_a_seed(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("def train(lr=1):\n    return lr\n")
    done = invoke(f"{file}:train", "--seeds", "3", "-o", str(tmp_path / "s.db"))
    assert done.exit_code == 2 and "takes no seed" in done.stderr
    wrong = invoke(f"{file}:train", "--set", "rate=3", "-o", str(tmp_path / "s.db"))
    assert wrong.exit_code == 2 and "no argument 'rate'; it takes lr" in wrong.stderr


def test_the_examples_of_the_help_are_understood() -> None:
    sweep = cli.main.commands["sweep"]
    for words in ((), ("report",)):
        shown = CliRunner().invoke(cli.main, ["sweep", *words, "--help"]).stdout
        lines = [line.split()[2:] for line in shown.splitlines() if "  micrornn sweep " in line]
        assert len(lines) >= 4
        for line in lines:
            assert sweep.make_context("sweep", line).params


def test_a_search(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    words = ("recall", "--set", "lr=1e-3..1e-1:log", "--set", "iterations=2", "--set", "steps=3")
    done = invoke(*words, "--search", "random", "--trials", "4", "-o", path, "--workers", "0")
    assert done.exit_code == 0, done.output
    assert len(json.loads(invoke("report", path, "--json").stdout)["rows"]) == 4
