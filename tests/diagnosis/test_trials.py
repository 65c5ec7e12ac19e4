"""What the diagnosis says it tried is what a run with the change gives."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from diagnosis.faulty_micrornn import F, series, text

import micrornn as mr
from micrornn import nn, optim
from micrornn.diagnose import diagnose, watch
from micrornn.diagnose.replay import Replay


def _lstm(opened: float = 0.0) -> Any:
    x, y = series(T=30, seed=32)
    lstm, head = nn.LSTM(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    nn.init.forget_bias_(lstm, opened - 1.0)
    return F.mse_loss(head(lstm(x)[0][-1])[:, 0], y[-1])


def _tried(program: Any, name: str) -> str:
    problems = [p for p in diagnose(watch(program)).problems if p.name == name]
    assert problems and problems[0].tried
    return problems[0].tried


def _numbers(sentence: str) -> list[float]:
    return [float(x) for x in re.findall(r"\d+\.?\d*(?:e[-+]\d+)?", sentence)]


def test_a_run_that_is_computed_again_is_the_same() -> None:
    rec = mr.record(_lstm)
    again = Replay(rec).run()
    assert again.loss == float(rec.passes[0].out._value)
    for p in rec.parameters:
        found = again.gradient(p)
        assert found is not None
        np.testing.assert_array_equal(found, rec.gradient(p))


def test_a_forget_bias_that_was_tried_does_what_was_said() -> None:
    sentence = _tried(_lstm, "forgetful")
    norms = [
        float(np.linalg.norm(mr.record(lambda b=b: _lstm(b)).gradient("c[1]"))) for b in (0, 1)
    ]
    first, _, chrono = sentence.partition(". With ")
    _, _, times, before, now = _numbers(first)
    np.testing.assert_allclose([before, now], norms, rtol=0.01)
    np.testing.assert_allclose(times, norms[1] / norms[0], rtol=0.01)

    def spread() -> Any:
        x, y = series(T=30, seed=32)
        lstm, head = nn.LSTM(2, 8, rng=0), nn.Linear(8, 1, rng=1)
        nn.init.forget_bias_(lstm, -1.0)
        bias = lstm.bias_ih_l0.numpy().copy()
        u = np.log(np.random.default_rng(0).uniform(1.0, 29.0, 8))
        bias[:8] -= u
        bias[8:16] += u
        lstm.bias_ih_l0.data = bias
        return F.mse_loss(head(lstm(x)[0][-1])[:, 0], y[-1])

    *_, before, now = _numbers(chrono)
    norms[1] = float(np.linalg.norm(mr.record(spread).gradient("c[1]")))
    np.testing.assert_allclose([before, now], norms, rtol=0.01)


def test_orthogonal_weights_that_were_tried_do_what_was_said() -> None:
    def net(orthogonal: bool = False) -> Any:
        x, y = series(T=30, seed=30)
        rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
        weight = rnn.weight_hh_l0.data * 0.3
        left, _, right = np.linalg.svd(weight)
        rnn.weight_hh_l0.data = left @ right if orthogonal else weight
        return F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])

    *_, before, now = _numbers(_tried(net, "vanishing"))
    norms = [float(np.linalg.norm(mr.record(lambda o=o: net(o)).gradient("h[1]"))) for o in (0, 1)]
    np.testing.assert_allclose([before, now], norms, rtol=0.01)


def test_the_graph_without_its_cuts_has_the_gradient_of_a_run_without_them() -> None:
    def loop(cut: bool = True) -> Any:
        ids, x = text(seed=7)
        cell, head, h = nn.GRUCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), mr.zeros((4, 8))
        for t in range(10):
            with mr.scope("gru", t=t + 1):
                h = cell(x[t], h.detach() if cut else h)
        return F.cross_entropy(head(h), ids[-1])

    size = float(np.linalg.norm(mr.record(lambda: loop(False)).gradient("h[1]")))
    np.testing.assert_allclose(_numbers(_tried(loop, "detached"))[0], size, rtol=0.01)


def test_a_descent_is_that_of_an_optimizer() -> None:
    x, y = series(seed=36)

    def train(steps: int = 0) -> list[Any]:
        rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
        optimizer = optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.1)
        losses = []
        for _ in range(steps + 1):
            optimizer.zero_grad()
            losses.append(F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1]))
            losses[-1].backward()
            optimizer.step()
        return losses

    found = Replay(mr.record(lambda: train()[0])).descend(0.1, 6)
    np.testing.assert_allclose(found, [loss.item() for loss in train(6)], rtol=1e-9)


def test_what_was_tried_is_printed_and_in_the_data() -> None:
    found = diagnose(watch(_lstm))
    assert f"   tried: {found.problems[0].tried}" in str(found)
    assert found.as_dict()["problems"][0]["tried"] == found.problems[0].tried


def test_a_run_with_another_loss_is_not_believed() -> None:
    rec = mr.record(_lstm)
    rec.passes[-1].out._value = np.array(5.0)
    assert not Replay(rec).possible
