"""The figures in words and numbers: for a terminal, a screen reader, a spreadsheet."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import viz.plots
from micrornn import flow
from micrornn.recording import Recording
from viz.text.plain import columns

Cells = dict[str, Recording]
Golden = Callable[[str, str], None]


@pytest.mark.parametrize("view", viz.plots.VIEWS)
def test_text_of_one_run(recorded: Any, golden: Golden, view: str) -> None:
    golden(f"flow/lstm-{view}.txt", viz.plots.read(view, recorded("hello", cell="lstm")).text())


@pytest.mark.parametrize("view", ["ledger", "credit", "jacobian", "paths"])
def test_text_of_several_runs(cells: Cells, golden: Golden, view: str) -> None:
    golden(f"flow/cells-{view}.txt", viz.plots.read(view, cells).text())


def test_text_of_the_other_reading(recorded: Any, golden: Golden) -> None:
    text = viz.plots.read("ledger", recorded("hello"), "W_hh", "losses").text()
    golden("flow/rnn-ledger-losses.txt", text)


@pytest.mark.parametrize("source", ["vanishing", "nan", "detached", "saturated", "hello", "stocks"])
@pytest.mark.parametrize("view", viz.plots.VIEWS)
def test_text_is_plain_and_narrow(recorded: Any, source: str, view: str) -> None:
    text = viz.plots.read(view, recorded(source)).text()
    assert text.endswith("\n") and "\x1b" not in text and "\t" not in text
    assert [line for line in text.splitlines() if columns(line) > 80] == []


def test_text_and_figure_have_the_same_finding(cells: Cells) -> None:
    for view in viz.plots.VIEWS:
        answer = viz.plots.read(view, cells)
        words = " ".join(answer.text().split())
        assert words.startswith(" ".join(answer.finding.split()))
        assert " ".join(answer.figure().get_suptitle().split()) == answer.finding


def test_a_map_too_wide_for_text_says_where_to_see_it(recorded: Any) -> None:
    text = viz.plots.read("credit", recorded("hello", steps=20)).text()
    assert "The map of all 20 losses and 21 steps is wider than 80 columns" in text


@pytest.mark.parametrize("source", ["hello", "nan", "detached"])
@pytest.mark.parametrize("view", viz.plots.VIEWS)
def test_json_holds_no_nan(recorded: Any, source: str, view: str) -> None:
    data = viz.plots.read(view, recorded(source)).as_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == json.loads(json.dumps(data))


def test_numbers_of_the_ledger(recorded: Any) -> None:
    rec = recorded("hello", cell="lstm")
    cells = list(viz.plots.read("ledger", rec, "W_hh").cells())
    book = flow.ledger(rec, "weight_hh_l0")
    assert [c.value for c in cells if c.quantity == "norm"] == book.norms.tolist()
    gates = [c.value for c in cells if c.quantity == "share of forget gate"]
    assert gates == book.gate_shares[:, book.gates.index("forget gate")].tolist()


def test_numbers_of_the_credit_map(recorded: Any) -> None:
    rec = recorded("hello")
    own = flow.credit(rec)
    cells = {(c.t, c.k): c.value for c in viz.plots.read("credit", rec).cells()}
    assert len(cells) == 14, "what is not applicable is no number"
    assert all(
        own.norms[t - 1, k] == value for (t, k), value in cells.items() if t and k is not None
    )


def test_numbers_of_the_rest(recorded: Any) -> None:
    rec = recorded("hello", cell="lstm")
    for view in ("jacobian", "gates", "paths", "all"):
        values = [c.value for c in viz.plots.read(view, rec).cells()]
        assert values and not np.isinf(values).any()
