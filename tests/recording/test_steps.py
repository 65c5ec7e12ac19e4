"""Steps of unmarked loops: found where there is time, and only there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.core.tensor import Tensor
from micrornn.diagnose import diagnose
from micrornn.flow import credit
from micrornn.flow.series import series
from micrornn.recording import Recording, load_recording, record

T = 6
RNG = np.random.default_rng(0)
XS = RNG.normal(size=(T, 4))


def weight(*shape: int) -> Tensor:
    """A parameter."""
    return mr.tensor(RNG.normal(size=shape) * 0.5, requires_grad=True)


def zeros() -> Tensor:
    """An initial state."""
    return mr.tensor(np.zeros(4))


def plain() -> Tensor:
    w, u, b, v, h = weight(4, 4), weight(4, 4), weight(4), weight(4, 3), zeros()
    for x in XS:
        h = mr.tanh(x @ w + h @ u + b)
    return (h @ v).sum()


def with_losses() -> Tensor:
    w, u, v, h, total = weight(4, 4), weight(4, 4), weight(4, 3), zeros(), mr.tensor(0.0)
    for x in XS:
        h = mr.tanh(mr.tensor(x) @ w + h @ u)
        total = total + ((h @ v - 1.0) ** 2).mean()
    return total


def lstm() -> Tensor:
    w, u, b, h, c = weight(4, 16), weight(4, 16), weight(16), zeros(), zeros()
    for x in XS:
        a = mr.tensor(x) @ w + h @ u + b
        i, f, g, o = mr.sigmoid(a[:4]), mr.sigmoid(a[4:8]), mr.tanh(a[8:12]), mr.sigmoid(a[12:])
        c = f * c + i * g
        h = o * mr.tanh(c)
    return h.sum()


def cells() -> Tensor:
    cell, h, c = nn.LSTMCell(4, 4, rng=0), mr.tensor(np.zeros((1, 4))), mr.tensor(np.zeros((1, 4)))
    for x in XS:
        h, c = cell(mr.tensor(x[None]), (h, c))
    return h.sum()


def layers_inside() -> Tensor:
    weights = [(weight(4, 4), weight(4, 4)) for _ in range(2)]
    states = [zeros() for _ in weights]
    below = zeros()
    for x in XS:
        below = mr.tensor(x)
        for i, (w, u) in enumerate(weights):
            states[i] = mr.tanh(below @ w + states[i] @ u)
            below = states[i]
    return below.sum()


def layers_outside() -> Tensor:
    inputs = [mr.tensor(x) for x in XS]
    for w, u in [(weight(4, 4), weight(4, 4)) for _ in range(2)]:
        h, outputs = zeros(), []
        for x in inputs:
            h = mr.tanh(x @ w + h @ u)
            outputs.append(h)
        inputs = outputs
    return inputs[-1].sum()


def encoder_and_decoder() -> Tensor:
    w, u, a, v, h, total = (
        weight(4, 4),
        weight(4, 4),
        weight(4, 4),
        weight(4, 3),
        zeros(),
        mr.tensor(0.0),
    )
    for x in XS:
        h = mr.tanh(mr.tensor(x) @ w + h @ u)
    for _ in range(4):
        h = mr.tanh(h @ a)
        total = total + ((h @ v) ** 2).sum()
    return total


def several_sequences() -> Tensor:
    w, u, total = weight(4, 4), weight(4, 4), mr.tensor(0.0)
    for _ in range(3):
        h = zeros()
        for x in XS:
            h = mr.tanh(mr.tensor(x) @ w + h @ u)
        total = total + h.sum()
    return total


@pytest.mark.parametrize("make", [plain, with_losses, lstm, cells, layers_inside, layers_outside])
def test_a_loop_over_time_gets_its_steps(make: Callable[[], Tensor]) -> None:
    rec = record(make)
    assert rec.steps == list(range(T + 1))
    assert f"a loop of {T} iterations" in rec.inferred and "test_steps.py, line" in rec.inferred
    states = [node for node in series(rec, "h") if node.step]
    assert len(states) == T
    assert "(inferred)" in str(rec)


def test_states_inputs_and_losses_have_their_names() -> None:
    rec = record(lstm)
    assert {n.name for n in rec.nodes if n.name} == {"h", "c", "x"}
    assert [n.step for n in series(rec, "x")] == list(range(1, T + 1))
    assert [n.step for n in series(rec, "c")] == list(range(T + 1))
    assert [loss.step for loss in record(with_losses).losses] == list(range(1, T + 1))


def test_layers_are_told_apart() -> None:
    for make in (layers_inside, layers_outside):
        scopes = {n.scope for n in record(make).nodes if n.name == "h" and n.step}
        assert len(scopes) == 2, scopes


def test_a_decoder_goes_on_from_its_encoder() -> None:
    rec = record(encoder_and_decoder)
    assert rec.steps == list(range(T + 5))
    assert [loss.step for loss in rec.losses] == [7, 8, 9, 10]


def test_each_of_several_sequences_begins_at_one() -> None:
    rec = record(several_sequences)
    assert rec.inferred.count("a loop of 6 iterations") == 3
    assert rec.steps == list(range(T + 1))


# -- what is not time ---------------------------------------------------------------------------------


def deep() -> Tensor:
    h = mr.tensor(XS[0])
    for w in [weight(4, 4) for _ in range(5)]:
        h = mr.tanh(h @ w)
    return h.sum()


def samples() -> Tensor:
    w, v, total = weight(4, 4), weight(4, 3), mr.tensor(0.0)
    for x in XS:
        total = total + ((mr.tanh(mr.tensor(x) @ w) @ v - 1.0) ** 2).mean()
    return total


def batch() -> Tensor:
    return (mr.tanh(mr.tensor(XS) @ weight(4, 4)) ** 2).sum()


def micrograd() -> Tensor:
    """An MLP of scalars over samples, as in micrograd."""
    w = [[mr.Value(float(n)) for n in RNG.normal(size=3)] for _ in range(4)]
    total: Any = 0.0
    for row in XS[:, :3]:
        hidden = [sum(a * float(b) for a, b in zip(unit, row)).tanh() for unit in w]  # type: ignore[union-attr]
        total = total + (sum(hidden[1:], hidden[0]) - 1.0) ** 2.0
    return total  # type: ignore[no-any-return]


@pytest.mark.parametrize("make", [deep, samples, batch, micrograd])
def test_layers_samples_and_sums_are_not_time(make: Callable[[], Tensor]) -> None:
    rec = record(make)
    assert rec.steps == [] and rec.inferred == ""


def test_marked_steps_are_left_alone() -> None:
    w, h = mr.Value(0.5), mr.tensor(1.0)
    for t in (5, 6, 7):
        with mr.scope(t=t):
            h = w * h
    rec = record(h)
    assert rec.steps == [5, 6, 7] and rec.inferred == ""


# -- what it is for -----------------------------------------------------------------------------------


def marked() -> Recording:
    """`plain` as its author would mark it."""
    rng = np.random.default_rng(1)
    w, u, h = (mr.tensor(rng.normal(size=(4, 4)), requires_grad=True) for _ in range(3))
    with mr.scope(t=0):
        h = mr.tensor(np.zeros(4), name="h")
    for t, x in enumerate(XS, 1):
        with mr.scope(t=t):
            h = mr.tanh(x @ w + h @ u)
            h.name = "h"
    return record(h.sum())


def test_readers_say_the_same_as_of_a_marked_loop() -> None:
    rng = np.random.default_rng(1)

    def unmarked() -> Tensor:
        w, u, h = (mr.tensor(rng.normal(size=(4, 4)), requires_grad=True) for _ in range(3))
        h = mr.tensor(np.zeros(4))
        for x in XS:
            h = mr.tanh(x @ w + h @ u)
        return h.sum()

    rec, other = record(unmarked), marked()
    np.testing.assert_array_equal(credit(rec).norms, credit(other).norms)
    assert diagnose(rec).names == diagnose(other).names


def test_the_mark_is_saved(tmp_path: Path) -> None:
    rec = record(plain)
    rec.save(tmp_path / "run.mrn")
    loaded = load_recording(tmp_path / "run.mrn")
    assert loaded.inferred == rec.inferred and loaded.steps == rec.steps
