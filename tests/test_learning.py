"""The experiments of benchmarks/learning.py run, in a tiny form, and its stored table has them all."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

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
        (["--quick", "--write"], "--quick measures nothing worth storing"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: list[str], said: str) -> None:
    run = command(*arguments)
    assert run.returncode == 2
    assert said in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert run.stdout == ""


def test_the_stored_table_has_every_experiment(part: Any) -> None:
    first, *_ = (BENCHMARKS / "learning.md").read_text(encoding="utf-8").split("\n## ")
    lines = first.splitlines()
    for name, experiment in part("").EXPERIMENTS.items():
        rows = [line for line in lines if line.startswith(f"| {name} |")]
        stored = part("stored").Stored(BENCHMARKS / "learning.json", reading=True, writing=False)
        found = stored.results(experiment)
        assert found is not None, f"{name} has not been measured with its settings"
        assert len(rows) == len(experiment.rows(found))


def test_the_stored_table_is_that_of_the_stored_figures(part: Any) -> None:
    stored = part("stored").Stored(BENCHMARKS / "learning.json", reading=True, writing=False)
    written = (BENCHMARKS / "learning.md").read_text(encoding="utf-8")
    assert written == part("page").page(part("").EXPERIMENTS, stored), (
        "run `python benchmarks/learning.py --write --resume`"
    )


def test_a_run_replaces_that_of_its_seed_only(part: Any, tmp_path: Path) -> None:
    stored, frame = part("stored"), part("frame")
    path = tmp_path / "learning.json"
    one = frame.Experiment("one", "", {"a": 1}, {"x": {}}, lambda **_: {}, lambda _: [])

    def run(seed: int, value: float | None, a: int = 1) -> Any:
        return stored.Run("one", "x", seed, {"a": a}, {"value": value}, 1.0, "")

    first = stored.Stored(path, reading=True, writing=True)
    for made in (run(0, 1.0), run(1, None), run(2, 3.0, a=2), run(0, 2.0)):
        first.add(made)
    again = stored.Stored(path, reading=True, writing=False)
    assert again.results(one) == {"x": [{"value": 2.0}, {"value": None}]}, "others had a = 2"
    assert again.has("one", "x", 1, {"a": 1})
    assert not again.has("one", "x", 2, {"a": 1})
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 3


def test_an_interruption_loses_nothing(
    part: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # what the program sets is unset again after
    learning = importlib.import_module("learning")
    asked = []

    def measure(seed: int) -> dict[str, float]:
        asked.append(seed)
        if seed == 1 and asked.count(1) == 1:
            raise KeyboardInterrupt
        return {"value": float(seed)}

    row = part("frame").Row("values", "any", "some", True)
    one = part("frame").Experiment("one", "", {}, {"x": {}}, measure, lambda _: [row], seeds=3)
    monkeypatch.setattr(learning, "EXPERIMENTS", {"one": one})
    assert learning.main(["--write"], tmp_path) == 130
    assert "--resume goes on" in capsys.readouterr().err
    assert "| one | values | any | some | as expected |" in (tmp_path / "learning.md").read_text()
    assert learning.main(["--write", "--resume"], tmp_path) == 0
    assert asked == [0, 1, 1, 2]


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
