"""What a picture says of shared weights is what gradient flow says: sums by step, shares that add to 1."""

from __future__ import annotations

import math

import nets
import pytest

import micrornn as mr
from micrornn import flow
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


def test_a_weight_without_gradient_has_no_shares() -> None:
    w = mr.tensor([[1.0]], requires_grad=True, name="W")
    with mr.scope(t=1):
        h = mr.linear(mr.tensor([0.0]), w)
    scene = build(mr.Graph(h.sum()), "op")
    shares = [mark.share for unit in scene.units for mark in unit.marks]
    assert shares == [None]
    assert math.isclose(scene.ledger[0].flow.norm, 0.0)
