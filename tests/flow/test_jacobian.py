"""Jacobians against finite differences and separate walks, and what the bound may say."""

from __future__ import annotations

import numpy as np
import pytest
from flow.random_graphs import run
from hypothesis import settings

import micrornn as mr
from micrornn import nn
from micrornn.core.tensor import Tensor
from micrornn.flow import jacobian
from micrornn.flow.jacobian import jacobian_strip, largest, states_in_order
from micrornn.recording import RecordingError, load_recording, record

quick = settings(max_examples=25, deadline=None)
CLOSE = {"rtol": 1e-9, "atol": 1e-11}


def jacobian_of(out: Tensor, wrt: Tensor) -> np.ndarray:
    """By forward mode; an initial state is data, and is asked about all the same."""
    wanted, wrt.requires_grad = wrt.requires_grad, True
    try:
        return mr.jacobian(out, wrt, mode="forward")
    finally:
        wrt.requires_grad = wanted


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm", "stacked", "residual"])
def test_one_step_and_their_product(kind: str) -> None:
    drawn = run(kind, 5, 3, 2, "stacked", "sum", np.random.default_rng(1))
    strip = jacobian_strip(drawn.rec)
    states = states_in_order(drawn.rec, strip.layer)
    assert strip.steps == [1, 2, 3, 4, 5]
    first, last = states[0], states[-1]
    blocks = [
        [jacobian_of(last[a], first[b]).reshape(6, 6) for b in strip.states] for a in strip.states
    ]
    np.testing.assert_allclose(strip.running[0], np.linalg.norm(np.block(blocks), 2), **CLOSE)
    np.testing.assert_allclose(strip.running[-1], strip.sigma[-1], **CLOSE)


def test_the_reverse_direction_runs_backwards() -> None:
    drawn = run("bidirectional", 4, 2, 1, "stacked", "sum", np.random.default_rng(1))
    assert jacobian_strip(drawn.rec, "lstm.0.reverse").steps == [4, 3, 2, 1]
    assert jacobian_strip(drawn.rec, "lstm.0").steps == [1, 2, 3, 4]


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("scale", [0.3, 2.0])
def test_the_bound_holds_and_says_no_more_than_it_can(nonlinearity: str, scale: float) -> None:
    rnn = nn.RNN(2, 4, nonlinearity=nonlinearity, rng=0)
    rnn.load_state_dict({k: v * scale for k, v in rnn.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(10, 2))
    rec = record(lambda: rnn([*x])[0][-1].sum())
    strip = jacobian_strip(rec)
    (w,) = strip.weights
    np.testing.assert_allclose(w.matrix, dict(rnn.named_parameters())["weight_hh_l0"].data)
    assert w.gamma == 1.0
    assert strip.bound is not None and (strip.running <= strip.bound * (1 + 1e-12)).all()
    if w.sigma_max < 1:
        assert "sufficient for vanishing" in strip.verdict
    else:
        assert "necessary for exploding, not sufficient" in strip.verdict


@pytest.mark.parametrize("gates", ["stacked", "separate"])
def test_a_gated_layer_has_a_matrix_for_each_gate_and_no_bound(gates: str) -> None:
    lstm = nn.LSTM(2, 3, gates=gates, rng=0)
    rec = record(lambda: lstm(np.ones((4, 2)))[0][-1].sum())
    strip = jacobian_strip(rec)
    assert strip.bound is None and "plain RNN" in strip.verdict
    whole = dict(lstm.named_parameters())["weight_hh_l0"].data
    by_gate = {w.gate: w for w in strip.weights}
    assert set(by_gate) == {"input gate", "forget gate", "candidate", "output gate"}
    np.testing.assert_allclose(by_gate["forget gate"].matrix, whole[3:6])
    assert by_gate["forget gate"].gamma == 0.25 and by_gate["candidate"].gamma == 1.0


def test_power_iteration_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        matrix = rng.normal(size=(30, 30))
        exact = largest(matrix)
        with monkeypatch.context() as patch:
            patch.setattr(jacobian, "EXACT", 1)
            np.testing.assert_allclose(largest(matrix), exact, rtol=1e-8)
    assert largest(np.zeros((2, 2))) == 0.0
    assert largest(np.array([[3e-200]])) == 3e-200


def test_saved_and_loaded(tmp_path: object) -> None:
    drawn = run("lstm", 4, 2, 1, "separate", "sum", np.random.default_rng(1))
    path = f"{tmp_path}/run.mrn"
    drawn.rec.save(path)
    back = load_recording(path)
    np.testing.assert_array_equal(jacobian_strip(back).running, jacobian_strip(drawn.rec).running)


def test_nothing_over_time_is_an_error() -> None:
    rec = record(mr.Value(0.5, "w") * 2.0)
    with pytest.raises(RecordingError, match="nothing named 'h' over time"):
        jacobian_strip(rec)
