"""The figures in words and numbers: for a terminal, a screen reader, a spreadsheet."""

from __future__ import annotations

import json
import re
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
        figure = answer.figure()
        parts = figure.subfigs[0].subfigs if view == "all" else [figure]
        title = " ".join(parts[0].get_suptitle().split())
        assert title.lower() == answer.finding.lower()


def test_a_map_too_wide_for_numbers_is_drawn_in_characters(recorded: Any) -> None:
    text = viz.plots.read("credit", recorded("hello", steps=20)).text()
    rows = re.findall(r"^ *loss\[(\d+)\] ([▁▂▃▄▅▆▇█]+)$", text, re.MULTILINE)
    assert [(int(t), len(marks)) for t, marks in rows] == [(t, t + 1) for t in range(1, 21)]
    last = rows[-1][1]
    assert last[0] == "▁" and last[-1] == "█" and list(last) == sorted(last)
    long = viz.plots.read("credit", recorded("hello", steps=130)).text()
    assert "the largest of 5 losses and 3 steps each" in " ".join(long.split())


def test_bars_of_several_runs_share_one_scale(cells: Cells) -> None:
    text = viz.plots.read("credit", cells).text()
    bars = re.findall(r"^ +\d+ +(\S+)  (#+)$", text, re.MULTILINE)
    sizes = [(float(norm), len(bar)) for norm, bar in bars]
    assert len(bars) > len(cells) and "one scale for all" in text
    assert all(a[1] <= b[1] for a, b in zip(sorted(sizes), sorted(sizes)[1:]))


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
