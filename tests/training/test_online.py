"""RTRL is BPTT; UORO is BPTT on average."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from micrornn import nn
from micrornn.data.feeds import Batch
from micrornn.tasks.network import Network
from micrornn.training.objective import Computed, by_step
from micrornn.training.online import RTRL, UORO, OnlineGradient

CELLS = ("rnn", "lstm", "gru")


class Carrying(Network):
    """The network of the small tasks, its readout included, that carries its state."""

    def forward(self, steps: Any, state: Any = None) -> Any:
        outputs, state = getattr(self, self.cell)(list(steps), state)
        return nn.each_step(self.readout, outputs), state


def problem(cell: str, steps: int, hidden: int = 3, layers: int = 1) -> tuple[Any, Any, Batch]:
    rng = np.random.default_rng(5)
    model = Carrying(cell, 2, 2, hidden=hidden, layers=layers, seed=3)
    batch = Batch(rng.normal(size=(steps, 1, 2)), rng.normal(size=(steps, 1, 2)))
    return model, by_step(model, nn.functional.mse_loss, "sum"), batch


def row(model: nn.Module) -> np.ndarray[Any, Any]:
    found = np.concatenate([np.ravel(p.grad) for p in model.parameters()])
    model.zero_grad()
    return found


def online(method: OnlineGradient, model: nn.Module, batch: Batch) -> np.ndarray[Any, Any]:
    method.begin()
    for step in batch.cut(1):
        method.observe(step)
    return row(model)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_rtrl_is_bptt(cell: str, layers: int) -> None:
    model, objective, batch = problem(cell, steps=12, layers=layers)
    objective(batch, None).total.backward()
    by_bptt = row(model)
    found = online(RTRL(objective, list(model.parameters())), model, batch)
    assert np.abs(found - by_bptt).max() < 1e-12 * max(1.0, np.abs(by_bptt).max())


def test_rtrl_is_bptt_for_several_sequences_at_once() -> None:
    rng = np.random.default_rng(5)
    model = Carrying("gru", 2, 2, hidden=3, seed=3)
    objective = by_step(model, nn.functional.mse_loss, "sum")
    batch = Batch(rng.normal(size=(6, 4, 2)), rng.normal(size=(6, 4, 2)))
    objective(batch, None).total.backward()
    by_bptt = row(model)
    found = online(RTRL(objective, list(model.parameters())), model, batch)
    np.testing.assert_allclose(found, by_bptt, atol=1e-12)


def test_each_step_adds_the_gradient_of_its_own_loss() -> None:
    model, objective, batch = problem("lstm", steps=5)
    computed = objective(batch, None)
    rtrl = RTRL(objective, list(model.parameters()))
    rtrl.begin()
    for loss, step in zip(computed.losses, batch.cut(1), strict=True):
        loss.backward()
        expected = row(model)
        rtrl.observe(step)
        np.testing.assert_allclose(row(model), expected, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_uoro_is_bptt_on_average(cell: str) -> None:
    model, objective, batch = problem(cell, steps=4, hidden=2)
    objective(batch, None).total.backward()
    by_bptt = row(model)
    method = UORO(objective, list(model.parameters()), seed=1)
    found = np.array([online(method, model, batch) for _ in range(400)])
    error = found.std(axis=0) / np.sqrt(len(found))
    off = np.abs(found.mean(axis=0) - by_bptt) / np.maximum(error, 1e-12)
    assert off[error > 1e-12].max() < 4.5, "the mean is further off than chance allows"
    noisy = error > 1e-12
    assert noisy.sum() > by_bptt.size / 3, "there should be noise to average out"
    np.testing.assert_allclose(found.mean(axis=0)[~noisy], by_bptt[~noisy], atol=1e-12)


def test_a_biased_estimate_would_be_noticed() -> None:
    """What the test above finds when the past is left out, as by truncation to one step."""
    model, objective, batch = problem("rnn", steps=4, hidden=2)
    objective(batch, None).total.backward()
    by_bptt = row(model)
    uoro = UORO(objective, list(model.parameters()), seed=1)
    found = np.array([online(uoro, model, batch) for _ in range(100)])
    error = found.std(axis=0) / np.sqrt(400)
    forgetful = sum_of_single_steps(model, objective, batch)
    assert (np.abs(forgetful - by_bptt) / np.maximum(error, 1e-12)).max() > 4.5


def sum_of_single_steps(model: Any, objective: Any, batch: Batch) -> np.ndarray[Any, Any]:
    state = None
    for step in batch.cut(1):
        computed: Computed = objective(step, state)
        computed.total.backward()
        state = computed.state
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
    return row(model)


@pytest.mark.parametrize("method", [RTRL, UORO])
def test_going_on_from_a_saved_state(method: type[OnlineGradient]) -> None:
    model, objective, batch = problem("lstm", steps=6)
    steps = batch.cut(1)
    one = method(objective, list(model.parameters()))
    one.begin()
    for step in steps[:3]:
        one.observe(step)
    two = method(objective, list(model.parameters()))
    two.load_state_dict(one.state_dict())
    model.zero_grad()
    for step in steps[3:]:
        one.observe(step)
    expected = row(model)
    for step in steps[3:]:
        two.observe(step)
    assert (row(model) == expected).all()


def test_several_steps_at_once_are_refused() -> None:
    model, objective, batch = problem("rnn", steps=2)
    with pytest.raises(ValueError, match="one step at a time, not 2"):
        RTRL(objective, list(model.parameters())).observe(batch)
