"""A recording of PyTorch has PyTorch's loss and gradients, and says where they were computed."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; .ci/run has it")

from pytorch.models import MODELS  # noqa: E402

import micrornn.torch as mt  # noqa: E402
from micrornn import flow  # noqa: E402
from micrornn.diagnose import diagnose  # noqa: E402
from micrornn.recording import RecordingError, load_recording  # noqa: E402
from micrornn.tasks import source  # noqa: E402

# PyTorch says so for every such layer in float32.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")


def recorded(name: str, dtype: Any) -> Any:
    torch.manual_seed(0)
    step = MODELS[name](dtype)
    with mt.recording() as rec:
        loss = step()
        loss.backward()
    return rec, loss


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", MODELS)
def test_loss_and_gradients_are_those_of_pytorch(name: str, dtype: Any) -> None:
    """`recording` compares every gradient and raises; the loss is compared here once more."""
    rec, loss = recorded(name, dtype)
    assert float(rec.passes[0].out._value) == pytest.approx(loss.item(), rel=1e-5)
    assert rec.parameters and all(rec.gradient(p) is not None for p in rec.parameters)


@pytest.fixture
def char_rnn() -> Any:
    return recorded("char_rnn", torch.float64)[0]


def test_names_are_the_modules_and_the_users() -> None:
    rec, _ = recorded("word_language_model", torch.float64)
    names = [p.name for p in rec.parameters]
    assert names[0] == "encoder.weight" and "rnn.weight_hh_l1" in names and len(names) == 10
    rec, _ = recorded("from_scratch", torch.float64)
    assert {p.name for p in rec.parameters} == {"W_xh", "W_hh", "b_h", "W_hq", "b_q"}


def test_a_fused_layer_is_seen_by_steps_layers_directions_and_gates() -> None:
    rec, _ = recorded("packed_sentiment", torch.float64)
    scopes = {node.scope for node in rec.nodes}
    assert {"lstm.0", "lstm.0.reverse", "lstm.1", "lstm.1.reverse", "lstm.0.both"} <= scopes
    own = [n for n in rec.nodes if n.scope == "lstm.1" and n.name == "f"]
    assert [n.step for n in own] == [1, 2, 3, 4, 5, 6]
    assert [n.shape[0] for n in own] == [4, 4, 3, 3, 2, 1]  # the lengths are 6, 5, 4, 2
    back = [n for n in rec.nodes if n.scope == "lstm.1.reverse" and n.name == "f"]
    assert [n.step for n in back] == [6, 5, 4, 3, 2, 1]


def test_calls_that_carry_a_state_count_on() -> None:
    rec, _ = recorded("char_rnn", torch.float64)
    assert rec.steps == list(range(9))
    rec, _ = recorded("seq2seq_with_attention", torch.float64)
    decoder = [n.step for n in rec.nodes if n.scope == "decoder/gru.0" and n.name == "h"]
    assert decoder[0] == 6 and decoder[-1] == 10  # after the encoder's six steps


def test_loops_get_their_steps() -> None:
    for name, steps in (("loop_of_cells", 11), ("from_scratch", 6), ("forecaster_in_place", 7)):
        rec, _ = recorded(name, torch.float64)
        assert rec.steps == list(range(steps + 1)) and rec.inferred, name


def test_the_source_line_is_the_users() -> None:
    rec, _ = recorded("loop_of_cells", torch.float64)
    files = {node.source[0] for node in rec.nodes if node.source and node.inputs}
    assert len(files) == 1 and files.pop().endswith("models.py")


def test_readers_read_it() -> None:
    rec, _ = recorded("tagger_both_ways", torch.float64)
    ledger = flow.ledger(rec, "lstm.weight_hh_l0")
    assert ledger.shares.sum() == pytest.approx(1.0)
    assert str(flow.why(rec, "h[1]"))
    assert diagnose(rec)


def test_an_unknown_operation_is_opaque_with_pytorchs_gradient(tmp_path: Any) -> None:
    rec, _ = recorded("min_gru", torch.float64)
    assert rec.opaque == ["torch logcumsumexp"]
    assert rec.gradient("to_hidden_and_gate.weight") is not None
    rec.save(tmp_path / "run.mrn")
    loaded = load_recording(tmp_path / "run.mrn")
    assert loaded.opaque == rec.opaque
    np.testing.assert_array_equal(
        loaded.gradient("to_hidden_and_gate.weight"), rec.gradient("to_hidden_and_gate.weight")
    )


def test_a_wrong_rule_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import micrornn as mr
    from micrornn.torch.operations import RULES

    x = torch.ones(3, requires_grad=True)
    monkeypatch.setitem(RULES, "sin", lambda x: mr.mul(x, 0.5))
    with (
        pytest.raises(mt.TorchRecordingError, match=r"mul.* other values than PyTorch"),
        mt.recording(),
    ):
        torch.sin(x).sum().backward()
    monkeypatch.setitem(RULES, "sin", lambda x: mr.add(mr.sin(x.detach()), mr.mul(x, 0.0)))
    with pytest.raises(mt.TorchRecordingError, match="gradient of x differs"), mt.recording():
        torch.sin(x).sum().backward()


def test_several_passes_and_updates_in_one_recording() -> None:
    torch.manual_seed(0)
    net = torch.nn.GRU(3, 4).double()
    optimizer = torch.optim.Adam(net.parameters())
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    with mt.recording() as rec:
        for _ in range(3):
            optimizer.zero_grad()
            net(x)[0].pow(2).mean().backward()
            optimizer.step()
    assert len(rec.passes) == 3


def test_what_is_not_recorded() -> None:
    net = torch.nn.Linear(2, 2)
    with mt.recording() as rec:
        with torch.no_grad():
            hidden = net(torch.ones(2))
        (net(hidden) * net(hidden).detach()).sum().backward()
    assert sum(node.primitive is not None and bool(node.inputs) for node in rec.nodes) < 6
    before = net(torch.ones(2)).sum()
    with pytest.raises(mt.TorchRecordingError, match="not computed inside"), mt.recording():
        before.backward()
    with pytest.raises(RecordingError, match="no backward pass ran"), mt.recording():
        net(torch.ones(2))
    assert torch.autograd.backward.__module__ == "torch.autograd"


def test_half_precision_is_recorded_with_its_values() -> None:
    torch.manual_seed(0)
    net, x = (
        torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)),
        torch.randn(3, 4),
    )
    with mt.recording() as rec:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = net(x).float().pow(2).mean()
        loss.backward()
    assert float(rec.passes[0].out._value) == pytest.approx(loss.item())


def test_a_function_is_recorded_with_or_without_its_own_backward() -> None:
    w = torch.tensor(2.0, requires_grad=True)

    def trains() -> Any:
        for _ in range(3):
            w.grad = None
            loss = (w * w).sum()
            loss.backward()
        return loss

    assert len(mt.record(trains).passes) == 1
    assert mt.record(lambda: w * 3.0).gradient("w") == 3.0
    with pytest.raises(RecordingError, match=r"returned None; return the loss"):
        mt.record(lambda: None)
    with pytest.raises(RecordingError, match=r"shape \(2,\); return the loss"):
        mt.record(lambda: w * torch.ones(2))


def test_a_training_is_watched(tmp_path: Any) -> None:
    torch.manual_seed(0)
    net, head = torch.nn.LSTM(2, 4), torch.nn.Linear(4, 1)
    optimizer = torch.optim.Adam([*net.parameters(), *head.parameters()])
    x, y = torch.randn(5, 3, 2), torch.randn(3, 1)
    watch = mt.Watch(tmp_path, every=3)
    for _ in range(7):
        with watch:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(head(net(x)[0][-1]), y).backward()
            optimizer.step()
    assert flow.read_trend(tmp_path).norms.shape == (5, 3)


def test_a_jump_records_the_steps_from_there_on(tmp_path: Any) -> None:
    torch.manual_seed(0)
    net, watch = torch.nn.GRU(2, 3), mt.Watch(tmp_path, every=100, keep=2)
    for i in range(1, 13):
        with watch:
            loss = net(torch.randn(5, 1, 2))[0].pow(2).mean() * (1e6 if i == 9 else 1)
            watch.note(loss)
            loss.backward()
    assert [line["iteration"] for line in watch.lines()] == [1, 9, 10, 11]
    saved = sorted(path.name for path in tmp_path.glob("broke-*"))
    assert saved == ["broke-00000010.mrn", "broke-00000011.mrn"]
    assert flow.read_trend(tmp_path).iterations == [1, 9, 10, 11]


def test_a_small_gradient_added_to_a_large_one_is_not_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    net, x = torch.nn.Linear(2, 1), torch.randn(4, 2)
    (net(x).pow(2).mean() * 1e6).backward()
    with mt.recording() as rec:
        net(x).pow(2).mean().backward()
    assert rec.gradient("weight") is not None
    monkeypatch.setattr("micrornn.torch.compare._ADDED", 0.0)
    with pytest.raises(mt.TorchRecordingError, match="differs from PyTorch's"), mt.recording():
        net(x).pow(2).mean().backward()


def test_an_infinite_loss_is_recorded_without_warnings_of_numpy(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\n\nw = torch.zeros(2, requires_grad=True)\n\n\n"
        "def loss():\n    return torch.log(w * 0.0).sum()\n",
        encoding="utf-8",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = source.recorded(f"{tmp_path / 'net.py'}:loss")
        source.watched(f"{tmp_path / 'net.py'}:loss")
    assert np.isinf(run.recording.losses[0].data)
