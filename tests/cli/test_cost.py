"""`micrornn cost`: what is measured follows the formulas, in bytes, on any machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from micrornn.cost import Cost, Setting, costs, in_own_process, layer_of, unit_of, ways
from micrornn.cost.measure import measured
from viz.plots.cost import figure

Run = Callable[..., Result]
SETTING = Setting("adding", {"cell": "lstm", "hidden": 16}, chunk=20, slots=10)


def test_memory_is_what_the_formulas_say() -> None:
    unit = unit_of(SETTING)
    names = ["full", "truncated", "sqrt", "slots"]
    found = {(c.way, c.steps): c for c in costs(SETTING, names, (50, 400), unit)}
    for one in found.values():
        assert one.bytes and one.expected_bytes and one.seconds
        assert 0.5 < one.bytes / one.expected_bytes < 2.0, one
    assert found["full", 400].bytes > 7 * found["full", 50].bytes  # type: ignore[operator]
    assert found["truncated", 400].bytes < 2 * found["truncated", 50].bytes  # type: ignore[operator]
    for exact in ("sqrt", "slots"):
        assert 3 * found[exact, 400].bytes < found["full", 400].bytes  # type: ignore[operator]


def test_online_memory_does_not_grow_with_the_steps() -> None:
    for name in ("rtrl", "uoro"):
        few, many = (measured(SETTING, name, steps)[1] for steps in (5, 40))
        assert many < 1.3 * few + 20_000
    assert layer_of("adding", {"hidden": 16}).hidden_size == 16


def test_a_compiled_program_is_measured_after_it_is_written() -> None:
    seconds, peak, once, _ = in_own_process(measured, SETTING, "compiled", 50)
    assert once > seconds > 0 and peak > 50 * unit_of(SETTING).arrays


def test_what_takes_too_long_is_not_run_and_the_formula_stays() -> None:
    unit = unit_of(SETTING)
    first, second = costs(SETTING, ["rtrl"], (2, 100_000), unit, limit=1.0)
    assert first.bytes and second.bytes is None and second.why == "over 1 s"
    assert second.expected_bytes == ways()["rtrl"].bytes(100_000, unit)


def test_the_table_has_a_row_for_each_and_json_the_same(run: Run, folder: Path) -> None:
    given = ("cost", "hello", "--steps", "20,40", "--ways", "full,sqrt", "--hidden", "4")
    result = run(*given, "-o", "cost.svg")
    assert result.exit_code == 0, result.stderr
    rows = [line for line in result.stdout.splitlines() if line.startswith(("full", "checkp"))]
    assert len(rows) == 4 + 2 and "T k + 2 √T g" in result.stdout
    assert "of the memory of full BPTT" in result.stderr and "wrote cost.svg" in result.stderr
    svg = (folder / "cost.svg").read_text(encoding="utf-8")
    assert "checkpoints, √T" in svg and "RTRL" not in svg
    data = json.loads(run(*given, "--json", "-q").stdout)
    assert [(c["way"], c["steps"]) for c in data["costs"]] == [
        *(("full", 20), ("full", 40), ("sqrt", 20), ("sqrt", 40)),
    ]
    assert data["network"] == "RNN(4, 4), batch of 1" and data["step"]["graph"] > 0


def test_layers_of_a_file_and_what_has_none(run: Run, folder: Path) -> None:
    (folder / "layers.py").write_text(
        "from micrornn import nn\n\nboth = nn.GRU(2, 3, bidirectional=True, rng=0)\n"
        "linear = nn.Linear(2, 3)\n\n\ndef made():\n    return nn.Sequential(nn.LSTM(2, 3, rng=0))\n",
        encoding="utf-8",
    )
    text = run("cost", "layers.py:both", "--steps", "20", "--ways", "full,rtrl", "-q").stdout
    assert "a layer that reads from both ends has no last state" in text
    assert run("cost", "layers.py:made", "--steps", "20", "--ways", "slots").exit_code == 0
    for source in ("layers.py:linear", "vanishing"):
        result = run("cost", source, "--ways", "full")
        assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1
    assert "has no recurrent layers" in run("cost", "layers.py:linear").stderr


@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_the_figure_shows_what_has_no_formula_too(format: str) -> None:
    found = [Cost("full", 9, 1.0, 100, 1.1, 90.0), Cost("compiled", 9, 0.1, 50, None, 20.0)]
    assert len(figure([*found, Cost("rtrl", 9, why="over 1 s")], ways(), "RNN", format)) > 1000
