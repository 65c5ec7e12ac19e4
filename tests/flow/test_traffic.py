"""What passes between a loss and a node: read from the recorded passes, it is what the rules give anew."""

from __future__ import annotations

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.core.tensor import Tensor
from micrornn.debug.session import Session
from micrornn.flow.ledger import ledgers, use_shares
from micrornn.flow.traffic import Traffic
from micrornn.flow.why import why
from micrornn.recording import Recording, record


def run(kind: str) -> Recording:
    rng = np.random.default_rng(0)
    layer = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind]
    net, readout = layer(2, 3, rng=rng), nn.Linear(3, 2, rng=rng)

    def loss() -> Tensor:
        outputs, _ = net([*rng.normal(size=(5, 2))])
        with mr.scope("loss", t=5):
            return nn.functional.cross_entropy(readout(outputs[-1]), 1) + (outputs[2] * 0.5).sum()

    return record(loss)


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("target", ["h[1]", "h[0]", "weight_hh_l0", "x[2]", "h[5]"])
def test_what_was_recorded_is_what_the_rules_give(
    kind: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rec = run(kind)
    node = rec.node(target)
    read = Traffic(rec, node)
    monkeypatch.setattr(Traffic, "_read", Traffic._run_anew)
    anew = Traffic(rec, node)
    assert read.gradients.keys() == anew.gradients.keys()
    for number, g in anew.gradients.items():
        assert np.allclose(read.gradients[number], g, rtol=1e-12, atol=0), number
    assert {n: len(s) for n, s in read.senders.items()} == {
        n: len(s) for n, s in anew.senders.items()
    }
    for number, senders in anew.senders.items():
        for one, other in zip(read.senders[number], senders):
            assert (one.node, one.slot) == (other.node, other.slot)
            assert np.allclose(one.value(), other.value(), rtol=1e-12, atol=0)


def test_a_pass_that_broke_off_is_run_anew() -> None:
    rec = run("rnn")
    rec.passes[0].pullbacks = list(rec.passes[0].pullbacks)[:9]
    assert Traffic(rec, rec.node("h[1]")).gradient is not None


def test_why_of_a_what_if_speaks_of_the_what_if() -> None:
    session = Session(run("rnn"))
    session.execute("set grad h[3] = 0")
    assert why(session.recording, "h[2]").norm == 0
    session.execute("switch main")
    assert why(session.recording, "h[2]").norm


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_the_shares_of_uses_are_those_of_the_ledger(kind: str) -> None:
    rec = run(kind)
    for name, own in ledgers(rec).items():
        found = sorted(share for _, share in use_shares(rec, rec.node(name)))
        assert np.allclose(found, sorted(use.share for use in own.uses), atol=1e-12)
