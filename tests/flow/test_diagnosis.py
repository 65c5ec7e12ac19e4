"""The diagnosis names what is wrong with each classic failure, and nothing where nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.diagnose import diagnose
from micrornn.flow import FAILURES, diff, record_failure
from micrornn.flow.failures import forgetful
from micrornn.recording import Recording, RecordingError, load_recording, record, recording

ANSWERS = {
    "vanishing": ["vanishing"],
    "exploding": ["exploding"],
    "forgetful": ["forgetful"],
    "nan": ["not finite"],
    "detached": ["detached"],
    "saturated": ["unscaled input"],
}


def network(kind: Any = nn.LSTM, steps: int = 6, **options: Any) -> Recording:
    model, readout = kind(2, 6, rng=0, **options), nn.Linear(6, 2, rng=1)
    x = np.random.default_rng(0).normal(size=(steps, 2))

    def forward() -> mr.Tensor:
        outputs, _ = model([*x])
        _, total = nn.sequence_loss(nn.each_step(readout, outputs), [1] * steps)
        return total

    return record(forward)


def test_every_failure_has_an_answer() -> None:
    assert set(ANSWERS) == set(FAILURES)


@pytest.mark.parametrize("name", FAILURES)
def test_built_in_failures(name: str, tmp_path: Path) -> None:
    rec = record_failure(name)
    found = diagnose(rec)
    assert found.names == ANSWERS[name], str(found)
    assert all(p.advice and p.evidence for p in found.problems)
    rec.save(tmp_path / "run.mrn")
    assert diagnose(load_recording(tmp_path / "run.mrn")).names == found.names


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_nothing_wrong(kind: Any) -> None:
    assert str(diagnose(network(kind))).count("Nothing wrong found. Checked: ")


def test_an_open_forget_gate_cures_forgetting() -> None:
    assert diagnose(record(lambda: forgetful(20, 5.0).loss)).names == []


def test_truncation() -> None:
    cell, readout = nn.RNNCell(2, 3, rng=0), nn.Linear(3, 1, rng=0)
    with recording() as rec:
        h = None
        for t in range(1, 10):
            with mr.scope("rnn", t=t):
                h = cell(np.ones(2), h.detach() if t in (4, 7) else h)
        readout(h).sum().backward()
    found = diagnose(rec)
    assert found.names == ["truncation bias"]
    assert "after the steps 3, 6" in found.problems[0].evidence[0]


def test_dead_units() -> None:
    model = nn.RNN(2, 4, nonlinearity="relu", rng=0)
    dict(model.named_parameters())["bias_ih_l0"].data = np.array([1.0, -50.0, 1.0, 1.0])
    rec = record(lambda: sum(h.sum() for h in model([np.ones(2)] * 4)[0]))
    found = diagnose(rec)
    assert "dead units" in found.names
    assert "1 of 4 relu units in rnn.0" in str(found)


def test_saturated_gates() -> None:
    model = nn.LSTM(2, 4, rng=0)
    bias = dict(model.named_parameters())["bias_ih_l0"]
    bias.data = np.concatenate([np.full(4, -8.0), np.zeros(12)])
    rec = record(lambda: sum(h.sum() for h in model([np.ones(2)] * 4)[0]))
    found = diagnose(rec)
    assert "saturated gates" in found.names and "input gate of lstm.0" in str(found)


def test_losses_at_one_end() -> None:
    model = nn.RNN(2, 4, rng=0)
    x = np.random.default_rng(0).normal(size=(12, 2))

    def forward() -> list[mr.Tensor]:
        outputs, _ = model([*x])
        losses = []
        for t in (1, 2, 3):
            with mr.scope("loss", t=t):
                losses.append((outputs[t - 1] * 1.5).sum())
        _ = [h * 1.0 for h in outputs]
        return losses

    assert "loss at one end only" in diagnose(record(forward)).names


def test_clipping() -> None:
    rec = network()
    assert diagnose(rec, norms=[5.0] * 20, max_norm=1.0).names == ["clipping always on"]
    assert diagnose(rec, norms=[0.5] * 20, max_norm=1.0).names == []


def test_without_a_backward_pass_it_says_so() -> None:
    with recording() as rec:
        _ = mr.Value(0.5) * 2.0
    with pytest.raises(RecordingError, match="backward has not run"):
        diagnose(rec)


# -- two runs, and many ----------------------------------------------------------------------------


def test_a_run_equals_itself_and_its_file(tmp_path: Path) -> None:
    one, two = network(), network()
    one.save(tmp_path / "run.mrn")
    for other in (one, two, load_recording(tmp_path / "run.mrn")):
        found = diff(one, other)
        assert found.equal and found.exit_code == 0, str(found)
        assert all(d.ratio in (1.0, None) for d in found.entries)


def test_the_first_divergence() -> None:
    model, readout = nn.RNN(2, 6, rng=0), nn.Linear(6, 2, rng=1)
    x = np.random.default_rng(0).normal(size=(6, 2))
    other = x.copy()
    other[3] += 1e-3

    def forward(given: Any) -> mr.Tensor:
        outputs, _ = model([*given])
        _, total = nn.sequence_loss(nn.each_step(readout, outputs), [1] * 6)
        return total

    found = diff(record(lambda: forward(x)), record(lambda: forward(other)))
    assert not found.equal and found.exit_code == 1
    assert found.first is not None and (found.first.step, found.first.role) == (4, "x")
    assert str(found).startswith("first difference at x[4]: the values differ by up to 0.001")
    loose = diff(record(lambda: forward(x)), record(lambda: forward(other)), atol=1.0)
    assert loose.equal


def test_different_cells_and_lengths() -> None:
    found = diff(network(nn.LSTM, 6), network(nn.GRU, 8))
    assert not found.equal
    assert set(found.ratios("h")) == {0, 1, 2, 3, 4, 5, 6}
    assert (6, "forget gate") in found.only[0] and (7, "h") in found.only[1]
    assert "; only in the first: c[0] and 26 more; only in the second: x[7] and" in str(found)


def test_only_the_gradients_differ() -> None:
    w = mr.Value(0.5, "w")

    def forward(t: int) -> Recording:
        with recording() as rec:
            h = mr.tensor(1.0)
            states = []
            for step in (1, 2):
                with mr.scope(t=step):
                    h = w * h
                    h.name = "h"
                    states.append(h)
            states[t].backward()
        return rec

    found = diff(forward(0), forward(1))
    assert not found.equal and found.first is not None
    assert (found.first.step, found.first.value_off) == (1, 0.0)


def test_a_state_without_a_layer_is_named_alone() -> None:
    rng = np.random.default_rng(0)
    w = mr.tensor(rng.normal(size=(3, 3)) * 0.1, requires_grad=True, name="W")
    h = mr.tensor(rng.normal(size=3))
    for _ in range(12):
        h = mr.tanh(h @ w)
    found = {problem.name: problem for problem in diagnose(record((h * h).sum())).problems}
    assert found["vanishing"].evidence[0].startswith("|dL/dh[0]| = ")
