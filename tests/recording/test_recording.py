"""Recording a run: what is kept, and that saving and loading keep all of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from well_formed import verify

import micrornn as mr
from micrornn import fast, nn, optim
from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.cotangent import Product, Unwritten
from micrornn.recording import Recording, RecordingError, load_recording, record, recording


def lstm_loss(gates: str = "stacked", steps: int = 4) -> tuple[nn.LSTM, Tensor]:
    model = nn.LSTM(3, 2, num_layers=2, bidirectional=True, gates=gates, rng=0)
    readout = nn.Linear(4, 5, rng=1)
    x = np.random.default_rng(2).normal(size=(steps, 2, 3))
    outputs, _ = model([*x])
    logits = nn.each_step(readout, outputs)
    _, total = nn.sequence_loss(logits, [[1, 2]] * steps)
    return model, total


def same(a: Recording, b: Recording) -> None:
    assert len(a.nodes) == len(b.nodes)
    place = {node.number: i for i, node in enumerate(a.nodes)}
    other = {node.number: i for i, node in enumerate(b.nodes)}
    for m, n in zip(a.nodes, b.nodes):
        assert m.primitive is n.primitive
        assert [place[x.number] for x in m.inputs] == [other[x.number] for x in n.inputs]
        assert (m.scope, m.step, m.name, m.requires_grad) == (
            n.scope,
            n.step,
            n.name,
            n.requires_grad,
        )
        assert (m.source is None) == (n.source is None)
        np.testing.assert_array_equal(a.value(m), b.value(n))
        assert type(a.value(m)) is type(b.value(n)) and m.dtype == n.dtype
        for v, w in zip(m.values, n.values):
            np.testing.assert_array_equal(v, w)
        assert repr(m.params).replace(str(m.params.get("cut")), "") == repr(n.params).replace(
            str(n.params.get("cut")), ""
        )
    assert len(a.passes) == len(b.passes)
    for p, q in zip(a.passes, b.passes):
        assert len(p.pullbacks) == len(q.pullbacks)
        for one, two in zip(p.pullbacks, q.pullbacks):
            assert place[one.node.number] == other[two.node.number]
            np.testing.assert_array_equal(one.gradient, two.gradient)
            for c, d in zip(one.contributions, two.contributions):
                assert type(c) is type(d) or not isinstance(c, Unwritten)
                if c is not None:
                    np.testing.assert_array_equal(dense(c), dense(d))
    assert [place[x.number] for x in a.losses] == [other[x.number] for x in b.losses]
    assert {place[n]: k for n, k in a.recomputed.items()} == {
        other[n]: k for n, k in b.recomputed.items()
    }


@pytest.mark.parametrize("gates", ["stacked", "separate"])
def test_saved_and_loaded_it_is_the_same(tmp_path: Path, gates: str) -> None:
    with recording() as rec:
        model, loss = lstm_loss(gates)
        loss.backward()
    rec.save(tmp_path / "run.mrn")
    back = load_recording(tmp_path / "run.mrn")
    same(rec, back)
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(rec.gradient(parameter), parameter.grad, rtol=1e-12)
        np.testing.assert_array_equal(rec.gradient(name), back.gradient(name))
    verify(back.graph)
    back.losses[0].backward()  # what was loaded is a graph like any other
    assert str(back).partition(" from ")[0] == str(rec).partition(" from ")[0]


def test_what_checkpoints_computed_again_is_saved(tmp_path: Path) -> None:
    model = nn.RNN(2, 3, rng=0, checkpoint=1)
    with recording() as rec:
        model(np.ones((4, 1, 2)))[1].sum().backward()
    rec.save(tmp_path / "run.mrn")
    back = load_recording(tmp_path / "run.mrn")
    same(rec, back)
    assert sorted(set(back.recomputed.values())) == [1, 2, 3]
    assert "nodes computed again by checkpoints" in str(back)


def test_same_run_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with recording() as rec:
            lstm_loss()[1].backward()
        rec.save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    load_recording(tmp_path / "one").save(tmp_path / "three")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "three").read_bytes()


def test_every_pullback_is_kept_with_its_contributions() -> None:
    _, loss = lstm_loss()
    rec = record(loss)
    expected = list(mr.pullbacks(loss))
    assert len(rec.passes) == 1 and rec.passes[0].out is loss
    for kept, run in zip(rec.passes[0].pullbacks, expected, strict=True):
        assert kept.node is run.node
        np.testing.assert_array_equal(kept.gradient, run.gradient)
    assert all(p.grad is None for p in rec.parameters)


@pytest.mark.skipif(
    "rules" in fast.PLAIN, reason="contributions are written out without micrornn.fast"
)
def test_a_weights_contribution_stays_factored(tmp_path: Path) -> None:
    _, loss = lstm_loss()
    rec = record(loss)
    rec.save(tmp_path / "run.mrn")
    for each in (rec, load_recording(tmp_path / "run.mrn")):
        weight = each.node("weight_hh_l0")
        sent = [p.contributions[slot] for p, slot in each.passes[0].received[weight.number]]
        assert len(sent) == 4 and all(isinstance(c, Product) for c in sent)


def test_source_lines_are_the_users() -> None:
    with recording() as rec:
        lstm_loss()[1].backward()
    files = {Path(node.source[0]).name for node in rec.nodes if node.source}
    assert files == {"test_recording.py"}


def test_several_losses_are_several_passes_also_where_graphs_end_in_turn() -> None:
    w = mr.Value(0.5, "w")
    with recording() as rec:
        h: Tensor = mr.tensor(1.0)
        losses = []
        for t in (1, 2, 3):
            with mr.scope(t=t):
                h = mr.tanh(w * h.detach())
                losses.append(h * h)
        for loss in reversed(losses):  # each graph lies below the one before, and does not touch it
            loss.backward()
    assert [run.out for run in rec.passes] == losses[::-1]
    assert rec.losses == losses
    np.testing.assert_allclose(rec.gradient(w), w.grad)


def test_a_pass_from_an_inner_node_begins_anew() -> None:
    w = mr.Value(0.5, "w")
    with recording() as rec:
        inner = mr.tanh(w)
        loss = inner * inner
        loss.backward()
        inner.backward()
    assert [len(run.pullbacks) for run in rec.passes] == [2, 1]
    np.testing.assert_allclose(rec.gradient(w), w.grad)


def test_a_pass_after_one_that_was_left_half_way() -> None:
    w = mr.Value(0.5, "w")
    with recording() as rec:
        a = mr.tanh(w)
        other = mr.tanh(w)
        next(mr.pullbacks(mr.tanh(a)))  # a is waiting, and its turn never comes
        other.backward()
        a.backward()
    assert [len(run.pullbacks) for run in rec.passes] == [1, 1, 1]
    assert [run.out for run in rec.passes][1:] == [other, a]


def test_a_named_loss_of_a_step_is_one_however_it_was_made() -> None:
    w = mr.Value(0.5, "w")
    losses = []
    for t in (1, 2):
        with mr.scope("loss", t=t):
            losses.append(w * w + mr.tanh(w))
        losses[-1].name = "loss"
    rec = record((losses[0] + losses[1]) * 0.5)
    assert rec.losses == losses
    rec = record(mr.stack(losses).mean())
    assert rec.losses == losses


def test_losses_go_back_together() -> None:
    w = mr.Value(0.5, "w")
    losses = [w * w, mr.tanh(w)]
    rec = record(losses)
    assert rec.losses == losses and len(rec.passes) == 1
    np.testing.assert_allclose(rec.gradient(w), mr.grad(losses[0], w) + mr.grad(losses[1], w))


def test_the_single_losses_are_found_in_a_total() -> None:
    _, loss = lstm_loss()
    rec = record(loss)
    assert [(x.name, x.step) for x in rec.losses] == [("loss", t) for t in (1, 2, 3, 4)]


def test_a_trained_parameter_keeps_the_value_it_was_used_with(tmp_path: Path) -> None:
    w = mr.tensor([0.5, 2.0], requires_grad=True, name="w")
    with recording() as rec:
        (w * w).sum().backward()
        optim.SGD([w], lr=0.1).step()
        (w * w).sum().backward()
    rec.save(tmp_path / "run.mrn")
    for each in (rec, load_recording(tmp_path / "run.mrn")):
        np.testing.assert_array_equal(each.value("w"), [0.5, 2.0])
        second = each.passes[1].pullbacks[-1].node
        np.testing.assert_allclose(second.values[0], [0.4, 1.6])


def test_a_cut_keeps_the_node_it_was_cut_from(tmp_path: Path) -> None:
    w = mr.Value(0.5, "w")
    with recording() as rec:
        h = w * 2.0
        h.name = "h"
        (h.detach() * w).backward()
    rec.save(tmp_path / "run.mrn")
    back = load_recording(tmp_path / "run.mrn")
    cut = next(n for n in back.nodes if "cut" in n.params)
    assert back.by_number[cut.params["cut"]].primitive.name == "mul"  # type: ignore[union-attr]


def test_recorded_backward_is_recorded_in_numbers(tmp_path: Path) -> None:
    x = mr.Value(3.0, "x")
    with recording() as rec:
        first = mr.grad(x * x * x, x, create_graph=True)
        first.backward()
    rec.save(tmp_path / "run.mrn")
    for each in (rec, load_recording(tmp_path / "run.mrn")):
        np.testing.assert_allclose(each.passes[-1].gradient(each.node("x")), 18.0)


def test_odd_values_survive(tmp_path: Path) -> None:
    x = mr.tensor(np.array([[np.nan, np.inf, -0.0], [1e-320, 2.0, 3.0]]), requires_grad=True)
    index = (Ellipsis, None, np.array([0, 2, 2]))
    with recording() as rec:
        y = mr.clip(x[index], None, 2.5)
        y = mr.where(np.array([True, False, True]), y, 0) * 2
        mr.pad(y[0], ((0, 1), (0, 0))).sum(axis=(0, 1)).backward()
    rec.save(tmp_path / "run.mrn")
    same(rec, load_recording(tmp_path / "run.mrn"))


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_dtypes_survive(tmp_path: Path, dtype: str) -> None:
    x = mr.tensor(np.ones((2, 3), dtype), requires_grad=True, name="x")
    rec = record(lambda: (x * 2).sum())
    rec.save(tmp_path / "run.mrn")
    back = load_recording(tmp_path / "run.mrn")
    assert back.node("x").dtype == dtype and back.gradient("x").dtype == dtype


def test_names_find_nodes() -> None:
    with recording() as rec:
        lstm_loss()[1].backward()
    assert rec.node("lstm.0/h[2]").place.scope == "lstm.0"
    assert rec.node("h[2]").place.scope.startswith("lstm.1")
    assert rec.node("weight_hh_l1_reverse").shape == (8, 2)
    assert rec.node(rec.nodes[3].number) is rec.nodes[3]
    with pytest.raises(RecordingError, match=r"no node 'q\[3\]'.*weight_hh_l0.*steps 0 to"):
        rec.node("q[3]")
    with pytest.raises(RecordingError, match="not in this recording"):
        rec.node(mr.Value(1.0))


def test_asked_too_early_or_without_a_run_it_says_so() -> None:
    w = mr.Value(0.5, "w")
    with recording() as rec:
        _ = w * w
        with pytest.raises(RecordingError, match="still running"):
            _ = rec.nodes
        with pytest.raises(RecordingError, match="still running"):
            rec.gradient("w")
    assert str(rec) == "recording of 2 nodes, 1 parameter; backward has not run"
    with pytest.raises(RecordingError, match="nothing was recorded"), recording():
        pass
    with pytest.raises(TypeError, match="wants a loss"):
        record(3.0)  # type: ignore[arg-type]


def test_an_error_inside_passes_through_and_leaves_no_observer() -> None:
    with pytest.raises(ZeroDivisionError), recording():
        raise ZeroDivisionError
    node = mr.Value(1.0) * 2.0
    assert node.source is None
