"""Loops that run strip by strip: the same loss and gradients, whatever the strips are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from tests.compiled import alike

F = nn.functional
rng = np.random.default_rng(0)


@pytest.fixture(autouse=True, params=[1, 3, 4])
def strips(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strips of 1, 3 or 4 steps, of arrays of any size."""
    for name, value in {"WORTH": 1, "BYTES": 1, "SHORTEST": request.param, "MOST": 100}.items():
        monkeypatch.setattr(f"micrornn.compiler.strips.{name}", value)
    monkeypatch.setattr("micrornn.compiler.again.LEAST", 1)


def strips_of(step: Any) -> list[str]:
    """The heads of the loops over strips, which are those that stand outermost."""
    lines = step.text().splitlines()
    return [line for line in lines if line.startswith("    for ") and "_of_strips" in line]


@pytest.mark.parametrize("steps", [8, 13, 24])  # strips that are all alike, and not
@pytest.mark.parametrize(
    "layer",
    [
        lambda: nn.RNN(3, 4, rng=0),
        lambda: nn.LSTM(3, 4, rng=0),
        lambda: nn.GRU(3, 4, rng=0),
        lambda: nn.LSTM(3, 4, num_layers=2, rng=0),
        lambda: nn.GRU(3, 4, bidirectional=True, rng=0),
    ],
    ids=["rnn", "lstm", "gru", "two layers", "both ways"],
)
def test_layers(layer: Callable[[], nn.Module], steps: int) -> None:
    network = layer()
    width = 8 if getattr(network, "bidirectional", False) else 4
    readout = nn.Linear(width, 5, rng=1)

    def loss(x: Any, y: Any) -> Any:
        return F.cross_entropy(readout(network(x)[0]).reshape((steps * 2, 5)), y)

    def data() -> tuple[Any, Any]:
        return rng.normal(size=(steps, 2, 3)), rng.integers(5, size=steps * 2)

    step = alike(loss, data, [*network.parameters(), *readout.parameters()])
    assert len(strips_of(step)) >= 2  # there and back


def test_a_loss_at_every_step_and_a_state_that_is_returned() -> None:
    cell, readout = nn.RNNCell(3, 4, rng=0), nn.Linear(4, 5, rng=1)

    def loss(xs: Any, ys: Any) -> Any:
        h, total, states = mr.tensor(np.zeros(4)), 0.0, []
        for x, y in zip(xs, ys):
            h = cell(x, h)
            states.append(h)
            total = total + F.cross_entropy(readout(h), y)
        return total * (1.0 / len(states)), states

    def data() -> tuple[Any, Any]:
        return rng.normal(size=(17, 3)), rng.integers(5, size=17)

    step = mr.compile(loss)
    parameters = [*cell.parameters(), *readout.parameters()]
    for _ in range(3):
        given = data()
        for run in (step, loss):
            for p in parameters:
                p.grad = None
            total, states = run(*given)
            if run is step:
                ours = [total.item(), *[h.data for h in states], *[p.grad for p in parameters]]
            else:
                total.backward()
                theirs = [total.item(), *[h.data for h in states], *[p.grad for p in parameters]]
        for a, b in zip(ours, theirs):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    assert len(strips_of(step)) == 2


def test_a_sequence_that_is_read_from_its_end() -> None:
    cell = nn.GRUCell(3, 4, rng=0)

    def loss(xs: Any) -> Any:
        h, total = mr.tensor(np.zeros((2, 4))), 0.0
        for k in range(14):
            h = cell(xs[13 - k], h)
            total = total + (h * h).sum()
        return total

    step = alike(loss, lambda: (rng.normal(size=(14, 2, 3)),), list(cell.parameters()))
    assert strips_of(step)
