"""The experiments of benchmarks/learning.py run, in a tiny form, and its stored table has them all."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from micrornn.sweep.store import opened

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``part("page")`` is a module of the experiments; ``part("")`` is the package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name: str) -> ModuleType:
        return importlib.import_module(f"learning_experiments.{name}".rstrip("."))

    return load


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", str(BENCHMARKS / "learning.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_every_experiment_runs(part: Any) -> None:
    before = sorted(BENCHMARKS.glob("learning.*"))
    run = command("--quick")
    assert run.returncode == 0, run.stderr
    for name, experiment in part("").EXPERIMENTS.items():
        for variant in experiment.variants:
            assert f"{name}: {variant}, seed 0: " in run.stdout
    assert "not yet measured" not in run.stdout
    assert sorted(BENCHMARKS.glob("learning.*")) == before, "it leaves nothing behind"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "no experiment nosuch; there are adding, copy, "),
        (["adding", "--seeds", "0"], "--seeds 0: give at least 1"),
        (["adding", "--workers", "-1"], "--workers -1: give 0 or more"),
        (["adding", "-o", __file__], "give the file of a sweep, or a new one"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: list[str], said: str) -> None:
    run = command(*arguments)
    assert run.returncode == 2
    assert said in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert run.stdout == ""


@pytest.fixture
def kept(part: Any, tmp_path: Path) -> Iterator[Any]:
    """The runs of benchmarks/learning.db, read from a copy."""
    copy = shutil.copy(BENCHMARKS / "learning.db", tmp_path / "learning.db")
    with opened(copy) as store:
        yield part("stored").Stored(store)


def test_the_page_has_every_experiment(part: Any, kept: Any) -> None:
    first, *_ = (BENCHMARKS / "learning.md").read_text(encoding="utf-8").split("\n## ")
    lines = first.splitlines()
    for name, experiment in part("").EXPERIMENTS.items():
        rows = [line for line in lines if line.startswith(f"| {name} |")]
        results = kept.results(experiment)
        assert results is not None, f"{name} has not been measured with its settings"
        assert len(rows) == len(experiment.rows(results))
        assert all(len(runs) == experiment.seeds for runs in kept.of(experiment).values())


def test_the_page_is_that_of_the_trials(part: Any, kept: Any) -> None:
    written = (BENCHMARKS / "learning.md").read_text(encoding="utf-8")
    assert written == part("page").page(part("").EXPERIMENTS, kept), (
        "run `python benchmarks/learning.py`"
    )


def test_figures_come_back_from_numbers(part: Any) -> None:
    stored = part("stored")
    figures = {
        "never": None,
        "whole": 3,
        "half": 0.5,
        "by lag": {"5": 50, "10": 100},
        "all": [1, 2.5],
    }
    assert stored.nested(stored.flat(figures)) == figures


def test_an_interruption_loses_nothing_and_other_settings_are_measured_again(
    part: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # what the program sets is unset again after
    monkeypatch.chdir(tmp_path)  # and so is its folder
    learning = importlib.import_module("learning")
    asked = []

    def measure(seed: int, a: int) -> dict[str, float]:
        asked.append((seed, a))
        if asked == [(0, 1), (1, 1)]:
            raise KeyboardInterrupt
        return {"value": float(seed)}

    frame, experiments = part("frame"), part("").EXPERIMENTS
    row = frame.Row("values", "any", "some", True)
    for name in list(experiments):
        monkeypatch.delitem(experiments, name)
    file = tmp_path / "again.db"

    def measured(a: int) -> int:
        one = frame.Experiment("one", "", {"a": a}, {"x": {}}, measure, lambda _: [row])
        monkeypatch.setitem(experiments, "one", one)
        return int(learning.main(["-o", str(file)]))

    assert measured(1) == 130
    assert "the same command continues" in capsys.readouterr().err
    assert "| one | values | any | some | as expected |" in file.with_suffix(".md").read_text()
    assert measured(1) == 0
    assert asked == [(0, 1), (1, 1), (1, 1), (2, 1)]
    assert measured(2) == 0
    assert asked[4:] == [(0, 2), (1, 2), (2, 2)]


def test_the_derivatives_by_hand_are_right(part: Any) -> None:
    plain = part("plain_text")
    rng = np.random.default_rng(0)
    shapes = {"xh": (3, 4), "hh": (3, 3), "hy": (4, 3), "bh": (3,), "by": (4,)}
    weights = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    chunk = np.array([0, 3, 1]), np.array([3, 1, 2])
    h = rng.normal(size=3)
    _, gradients, _ = plain.loss_and_gradients(weights, *chunk, h)
    for name, value in weights.items():
        for place in np.ndindex(value.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = {**weights, name: value.copy()}
                moved[name][place] += step
                ends.append(plain.loss_and_gradients(moved, *chunk, h)[0])
            difference = (ends[0] - ends[1]) / 2e-5
            assert gradients[name][place] == pytest.approx(difference, rel=1e-6, abs=1e-8)


def test_median_and_range(part: Any) -> None:
    frame, never = part("frame"), float("inf")
    assert frame.spread([3.0, 1.0, 2.0]) == "2 (1 to 3)"
    assert frame.spread([800.0, never, 1200.0], ",.0f") == "1,200 (800 to never)"
    assert frame.spread([never, never]) == "never (2 seeds)"
    assert frame.spread([2.0]) == "2 (one seed)"
    assert frame.middle([1.0, 2.0]) == 1.5
