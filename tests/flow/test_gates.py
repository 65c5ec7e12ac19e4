"""Gates over time: the values are the run's own, and so are the gradients."""

from __future__ import annotations

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.flow.gates import gates
from micrornn.recording import Recording, RecordingError, record

CLOSE = {"rtol": 1e-12, "atol": 1e-15}


def recorded(kind: type, way: str, scale: float = 1.0) -> Recording:
    model = kind(2, 3, rng=0, gates=way)
    model.load_state_dict({k: v * scale for k, v in model.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(4, 2, 2))
    return record(lambda: sum(h.sum() for h in model([*x])[0]))


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_both_ways_of_computing_gates_read_the_same(kind: type) -> None:
    stacked, separate = (gates(recorded(kind, way)) for way in ("stacked", "separate"))
    assert set(stacked) == set(separate)
    for role, one in stacked.items():
        two = separate[role]
        assert one.steps == two.steps == [1, 2, 3, 4]
        for name in ("mean", "low", "high", "shut", "open", "multiplies", "arrived", "sent"):
            np.testing.assert_allclose(
                getattr(one, name), getattr(two, name), err_msg=name, **CLOSE
            )


def test_what_a_gate_sends_on_is_what_its_activation_was_seen_to_send() -> None:
    rec = recorded(nn.LSTM, "separate")
    trace = gates(rec)["forget gate"]
    for i, node in enumerate(rec.find("f", exact=True)):
        np.testing.assert_allclose(trace.arrived[i], np.linalg.norm(rec.gradient(node)), **CLOSE)
        before = node.inputs[0]
        np.testing.assert_allclose(trace.sent[i], np.linalg.norm(rec.gradient(before)), **CLOSE)
        np.testing.assert_allclose(trace.multiplies[i], np.mean(node._value), **CLOSE)
    assert ((trace.passed[1:] > 0) & (trace.passed[1:] <= 0.25)).all()


def test_large_weights_saturate() -> None:
    calm, wild = (gates(recorded(nn.LSTM, "stacked", s))["input gate"] for s in (0.1, 50.0))
    assert calm.saturated == 0.0 and wild.saturated > 0.6
    assert "0% shut, 0% open" in str(calm)


def test_a_plain_rnn_has_its_state_for_a_gate() -> None:
    trace = gates(recorded(nn.RNN, "stacked"))["state"]
    h = recorded(nn.RNN, "stacked").find("h", exact=True)
    slopes = [np.mean(1 - n._value**2) for n in h if n.step]
    np.testing.assert_allclose(trace.multiplies, slopes, **CLOSE)


def test_gates_are_known_by_their_scopes_alone() -> None:
    w = mr.tensor([0.5], requires_grad=True, name="w")

    def forward() -> mr.Tensor:
        c = mr.tensor([1.0])
        for t in (1, 2):
            with mr.scope("own", t=t):
                with mr.scope("forget gate"):
                    f = mr.sigmoid(w * c)
                c = f * c
        return c.sum()

    trace = gates(record(forward))["forget gate"]
    assert trace.layer == "own" and trace.steps == [1, 2]


def test_without_a_cell_it_says_what_is_missing() -> None:
    rec = record(mr.Value(0.5, "w") * 2.0)
    with pytest.raises(RecordingError, match="no cell over time"):
        gates(rec)
    with pytest.raises(RecordingError, match=r"no layer 'x'; there are: lstm.0"):
        gates(recorded(nn.LSTM, "stacked"), "x")
