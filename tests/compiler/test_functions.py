"""Functions of all kinds, compiled, equal the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from compiled import alike

import micrornn as mr
from micrornn import nn

F = nn.functional
rng = np.random.default_rng(0)


def translator(attention: str = "dot") -> nn.Seq2Seq:
    encoder = nn.Encoder(30, 3, 4, rng=0)
    decoder = nn.Decoder(12, 3, 4, attention=attention, rng=1)
    return nn.Seq2Seq(encoder, decoder, 0, 1, rng=2)


def pairs() -> tuple[Any, Any, Any]:
    return rng.integers(2, 30, (6, 4)), rng.integers(1, 12, (5, 4)), rng.integers(1, 7, 4)


@pytest.mark.parametrize("attention", ["dot", "scaled", "general", "additive"])
@pytest.mark.parametrize("share", [1.0, 0.0])
def test_attention_fed_the_truth_or_running_freely(attention: str, share: float) -> None:
    net = translator(attention)

    def loss(source: Any, target: Any, lengths: Any) -> Any:
        said = net(source, target, lengths=lengths, teacher_forcing=share)
        return nn.sequence_loss(said.logits, target)[1]

    step = alike(loss, pairs, list(net.parameters()))
    assert step.programs == 1


def test_draws_are_made_anew_at_every_call_from_the_functions_own_generator() -> None:
    drops = [nn.Dropout(0.5, rng=3), nn.Dropout(0.5, rng=3)]
    weight = nn.Parameter(rng.normal(size=(5,)))
    losses = []
    for drop in drops:

        def loss(x: Any, drop: Any = drop) -> Any:
            total = 0.0
            for row in x:
                total = total + (drop(row * weight) ** 2).sum()
            return total

        x = np.arange(20.0).reshape(4, 5)
        step = mr.compile(loss) if drop is drops[0] else loss
        losses.append([step(x + k).item() for k in range(4)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_labels_without_alignment() -> None:
    net, readout = nn.GRU(4, 6, bidirectional=True, rng=0), nn.Linear(12, 5, rng=0)

    def loss(x: Any, labels: Any) -> Any:
        states, _ = net(x)
        return F.ctc_loss(mr.log_softmax(readout(states), -1), labels)

    def data() -> tuple[Any, Any]:
        return rng.normal(size=(12, 3, 4)), rng.integers(1, 5, (3, 3))

    alike(loss, data, [*net.parameters(), *readout.parameters()])


def test_truncation_cuts_the_program_too() -> None:
    cell = nn.RNNCell(3, 4, rng=0)

    def loss(x: Any) -> Any:
        h, total = mr.tensor(np.zeros(4)), 0.0
        for t, now in enumerate(x):
            h = cell(now, h.detach() if t % 4 == 0 else h)
            total = total + (h * h).sum()
        return total

    alike(loss, lambda: (rng.normal(size=(12, 3)),), list(cell.parameters()))


def test_what_the_network_says_is_its_next_input() -> None:
    cell, readout = nn.GRUCell(5, 8, rng=0), nn.Linear(8, 5, rng=0)

    def loss(x: Any, targets: Any) -> Any:
        h, total = mr.tensor(np.zeros((3, 8))), 0.0
        for target in targets:
            h = cell(x, h)
            logits = readout(h)
            total, x = total + F.cross_entropy(logits, target), mr.softmax(logits)
        return total

    def data() -> tuple[Any, Any]:
        return rng.normal(size=(3, 5)), rng.integers(5, size=(7, 3))

    step = alike(loss, data, [*cell.parameters(), *readout.parameters()])
    assert step.text().count("for ") == 2  # there and back


def test_scalars_of_many_points_become_arrays_over_points() -> None:
    w = [mr.Value(float(v), f"w{k}") for k, v in enumerate(rng.normal(size=3))]

    def loss(points: Any, labels: Any) -> Any:
        total: Any = 0.0
        for (a, b), label in zip(points, labels):
            total = total + (1.0 + -label * (w[0] * a + w[1] * b + w[2])).relu()
        return total * (1.0 / len(points)) + 1e-3 * sum(p * p for p in w)

    def data() -> tuple[Any, Any]:
        return rng.normal(size=(20, 2)), np.where(rng.random(20) < 0.5, 1.0, -1.0)

    step = alike(loss, data, w)
    assert "for " not in step.text()  # no point depends on another


def test_kinks_extremes_and_every_kind_of_loss() -> None:
    layer = nn.Linear(4, 4, rng=0)

    def loss(x: Any, y: Any, k: Any) -> Any:
        o = layer(x)
        total = F.mse_loss(o, y) + F.l1_loss(o, y) + F.huber_loss(o, y) + F.smooth_l1_loss(o, y)
        total = total + F.binary_cross_entropy_with_logits(o, (y > 0) * 1.0)
        total = total + F.cross_entropy(o, k, label_smoothing=0.1) + F.cross_entropy(o, k)
        total = total + F.nll_loss(mr.log_softmax(o), k) + o.max() + o.min() + mr.norm(o)
        total = total + mr.maximum(o, 0.1).sum() + o.max(axis=1).sum() + mr.clip(o, -0.5, 0.5).sum()
        return total + (o.abs() + 1e-3).log().sum() + mr.where(o > 0.0, o, 0.1 * o).sum()

    def data() -> tuple[Any, Any, Any]:
        return rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), rng.integers(4, size=5)

    alike(loss, data, list(layer.parameters()))


def test_windows_and_masked_losses() -> None:
    conv, net, readout = nn.Conv1d(3, 4, 3, rng=0), nn.LSTM(4, 4, rng=0), nn.Linear(4, 5, rng=0)

    def loss(x: Any, targets: Any, lengths: Any) -> Any:
        seen = conv(x).transpose((2, 0, 1))
        states, _ = net(seen, lengths=lengths)
        outputs = [readout(h) for h in states]
        return nn.masked_sequence_loss(outputs, list(targets), lengths, "per_token")[1]

    def data() -> tuple[Any, Any, Any]:
        return rng.normal(size=(3, 3, 8)), rng.integers(5, size=(6, 3)), rng.integers(1, 7, 3)

    alike(loss, data, [*conv.parameters(), *net.parameters(), *readout.parameters()])


def test_several_results_come_back_as_values() -> None:
    cell = nn.RNNCell(3, 4, rng=0)

    def loss(x: Any) -> Any:
        h, losses = mr.tensor(np.zeros(4)), []
        for now in x:
            h = cell(now, h)
            losses.append((h * h).sum())
        return mr.stack(losses).mean(), {"losses": losses, "state": h}

    step, x = mr.compile(loss), rng.normal(size=(6, 3))
    for _ in range(3):
        (total, about), (expected, theirs) = step(x), loss(x)
        assert total.item() == pytest.approx(expected.item(), rel=1e-12)
        assert not about["state"].requires_grad
        np.testing.assert_allclose(about["state"].data, theirs["state"].data, rtol=1e-12)
        assert [one.item() for one in about["losses"]] == pytest.approx(
            [one.item() for one in theirs["losses"]], rel=1e-12
        )


def test_a_loop_multiplies_a_batch_by_a_weight_that_is_laid_out_once() -> None:
    def program(batch: int, steps: int) -> str:
        rnn = nn.RNN(2, 3, rng=0)
        step = mr.compile(lambda x: (rnn(x)[0] ** 2.0).mean())
        step(np.random.default_rng(0).normal(size=(steps, batch, 2)))
        before, loop = step.text().split("    for ", 1)
        assert "np.dot" in loop
        return before

    assert "weight_hh_l0_T" in program(batch=4, steps=20)
    assert "weight_hh_l0_T" not in program(batch=1, steps=20)  # no faster
    assert "weight_hh_l0_T" not in program(batch=4, steps=5)  # not worth a copy


@pytest.mark.parametrize("scan", [False, True])
@pytest.mark.parametrize("kind", ["MinGRU", "MinLSTM", "LRU", "S6"])
def test_linear_recurrences_by_a_loop_and_at_once(kind: str, scan: bool) -> None:
    net = getattr(nn, kind)(3, 4, rng=0, scan=scan)
    rng = np.random.default_rng(1)
    step = alike(
        lambda x: (net(x)[0] ** 2.0).mean(),
        lambda: (rng.normal(size=(12, 2, 3)),),
        list(net.parameters()),
    )
    assert not step.eager and ("for " in step.text()) != scan
