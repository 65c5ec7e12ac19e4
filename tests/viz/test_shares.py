"""What a picture says of shared weights is what gradient flow says: sums by step, shares that add to 1."""

from __future__ import annotations

import math

import nets
import numpy as np
import pytest

import micrornn as mr
from micrornn import flow, nn
from viz.build import build

KINDS = ("rnn", "lstm", "gru")
WAYS = ("stacked", "separate")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gates", WAYS)
@pytest.mark.parametrize("detail", ["cell", "op"])
def test_the_shares_of_a_weight_add_up_to_one(kind: str, gates: str, detail: str) -> None:
    scene = build(mr.Graph(nets.unrolled(kind, gates=gates, steps=4)), detail)
    totals: dict[str, float] = {}
    for unit in scene.units:
        for mark in unit.marks:
            assert mark.share is not None
            name = mark.parameter.name or ""
            totals[name] = totals.get(name, 0.0) + mark.share
    assert len(totals) >= 6
    assert totals == pytest.approx(dict.fromkeys(totals, 1.0), abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gates", WAYS)
def test_the_sums_by_step_are_those_of_the_ledger(kind: str, gates: str) -> None:
    loss = nets.unrolled(kind, gates=gates, steps=4)
    recorded = mr.record(loss)
    scene = build(mr.Graph(loss), "op")
    for entry in scene.ledger:
        ledger = flow.ledger(recorded, entry.parameter.name or "")
        norms = {t: float(n) for t, n in zip(ledger.steps, ledger.norms) if t is not None}
        assert {t: f.norm for t, f in entry.by_step.items()} == pytest.approx(norms, rel=1e-12)


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
@pytest.mark.parametrize("gates", WAYS)
def test_a_cell_has_the_marks_and_the_ledger_of_a_layer(kind: str, gates: str) -> None:
    """The parts of its weights are cut anew at every step, but belong to none: only their uses do."""
    layer = getattr(nn, kind)(2, 3, gates=gates, rng=0)
    cell = getattr(nn, f"{kind}Cell")(2, 3, gates=gates, rng=0)
    xs = np.random.default_rng(1).normal(size=(4, 2))
    h, states = None, []
    for t, x in enumerate(xs, 1):
        with mr.scope(f"{kind.lower()}.0", t=t):
            h = cell(x, h)
        states.append(h if kind == "GRU" else h[0])
    losses = [mr.sum(mr.stack(s) ** 2) for s in (layer([*xs])[0], states)]
    ledgers = [flow.ledgers(mr.record(loss)) for loss in losses]
    for name, own in ledgers[0].items():
        of_cell = ledgers[1][name.removesuffix("_l0")]
        assert of_cell.steps == own.steps == [1, 2, 3, 4]
        np.testing.assert_allclose(of_cell.shares, own.shares, rtol=1e-12)
    marks = []
    for loss in losses:
        scene = build(mr.Graph(loss), "op")
        found = [(unit.role, unit.step, mark) for unit in scene.units for mark in unit.marks]
        marks.append([(role, step, m.label, round(m.share or 0.0, 12)) for role, step, m in found])
    assert marks[0] == marks[1]
    assert len(marks[0]) >= 16


def test_a_weight_without_gradient_has_no_shares() -> None:
    w = mr.tensor([[1.0]], requires_grad=True, name="W")
    with mr.scope(t=1):
        h = mr.linear(mr.tensor([0.0]), w)
    scene = build(mr.Graph(h.sum()), "op")
    shares = [mark.share for unit in scene.units for mark in unit.marks]
    assert shares == [None]
    assert math.isclose(scene.ledger[0].flow.norm, 0.0)
