"""The views of a run as a system that moves: figure, text, JSON and table say the same."""

import json
from typing import Any

import pytest

import viz.plots
from viz.text.plain import columns


@pytest.mark.parametrize("view", viz.plots.DYNAMICS)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "mlstm"])
def test_a_view_is_drawn_read_and_saved(recorded: Any, view: str, cell: str) -> None:
    answer = viz.plots.read(view, recorded("hello", cell=cell))
    text = answer.text()
    assert " ".join(text.split()).startswith(" ".join(answer.finding.split()))
    assert [line for line in text.splitlines() if columns(line) > 80] == []
    title = " ".join(answer.figure().get_suptitle().split())
    assert title.lower() == " ".join(answer.finding.lower().split())
    assert answer.file("svg")[:5] == b"<?xml"
    data = answer.as_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert all(one.view == view for one in answer.cells())


@pytest.mark.parametrize("view", viz.plots.DYNAMICS)
def test_several_runs_are_compared(recorded: Any, view: str) -> None:
    cells = {cell: recorded("hello", cell=cell) for cell in ("rnn", "gru")}
    answer = viz.plots.read(view, cells)
    assert "rnn" in answer.finding and "gru" in answer.finding
    axes = answer.figure().axes
    assert len(axes) >= 2
    assert {one.run for one in answer.cells()} == {"rnn", "gru"}
