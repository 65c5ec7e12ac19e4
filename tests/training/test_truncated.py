"""Truncated BPTT against its definition: the last k1 losses, through the last k2 steps, and no further."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.data.feeds import Batch
from micrornn.training.objective import Computed, by_step
from micrornn.training.truncated import Truncation, chunks, detached

T, B, WIDTH, H = 12, 2, 3, 4
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def problem(cell: str, layers: int = 1) -> tuple[nn.Module, Callable[..., Computed], Batch]:
    rng = np.random.default_rng(1)
    model = CELLS[cell](WIDTH, H, layers, rng=0)
    batch = Batch(rng.normal(size=(T, B, WIDTH)), rng.normal(size=(T, B, H)))
    return model, by_step(model, nn.functional.mse_loss, "sum"), batch


def gradients(model: nn.Module) -> np.ndarray[Any, Any]:
    """All gradients as one row, which are then forgotten."""
    row = np.concatenate([np.ravel(p.grad) for p in model.parameters()])
    model.zero_grad()
    return row


def by_definition(model: Any, batch: Batch, t: int, k1: int, k2: int) -> np.ndarray[Any, Any]:
    """What the update after step t is made of, from one graph that begins k2 steps before."""
    begin = max(0, t - k2)
    state = detached(model(list(batch.inputs[:begin]))[1]) if begin else None
    outputs, _ = model(list(batch.inputs[begin:t]), state)
    losses, _ = nn.sequence_loss(outputs, batch.targets[begin:t], nn.functional.mse_loss)
    total = losses[-k1]
    for loss in losses[len(losses) - k1 + 1 :]:
        total = total + loss
    total.backward()
    return gradients(model)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("k1", "k2"),
    [
        *((1, 1), (1, 3), (3, 3), (3, 6), (2, 12), (12, 12), (5, 10)),
        *((2, 3), (3, 5), (3, 7), (4, 6), (4, 9), (2, 7), (5, 9), (7, 12)),
    ],
)
def test_every_update_is_what_the_definition_says(cell: str, k1: int, k2: int) -> None:
    model, objective, batch = problem(cell)
    ends = [min(t, T) for t in range(k1, T + k1, k1)]
    for end, _ in zip(ends, chunks(objective, batch, None, Truncation(k1, k2)), strict=True):
        found = gradients(model)
        if end % k1 == 0:  # the last chunk of 5, 5, 2 is shorter, and so is its window
            np.testing.assert_allclose(found, by_definition(model, batch, end, k1, k2), atol=1e-13)


@pytest.mark.parametrize(("k1", "k2"), [(3, 6), (3, 7), (4, 6)])
def test_the_losses_are_the_objectives_own(k1: int, k2: int) -> None:
    """A mean over the steps of a chunk stays one, however the window is cut."""
    model, _, batch = problem("gru")
    objective = by_step(model, nn.functional.mse_loss, "mean")
    ends = range(k1, T + 1, k1)
    for end, chunk in zip(ends, chunks(objective, batch, None, Truncation(k1, k2)), strict=True):
        found = gradients(model)
        assert len(chunk.computed.losses) == k1
        np.testing.assert_allclose(found, by_definition(model, batch, end, k1, k2) / k1, atol=1e-13)


@pytest.mark.parametrize("cell", CELLS)
def test_a_window_over_the_whole_sequence_loses_nothing(cell: str) -> None:
    model, objective, batch = problem(cell, layers=2)
    objective(batch, None).total.backward()
    whole = gradients(model)
    for _ in chunks(objective, batch, None, Truncation(1, T)):
        pass  # the gradients of the updates add up, because no step is taken
    np.testing.assert_allclose(gradients(model), whole, atol=1e-12)


def test_a_shorter_window_loses_something() -> None:
    model, objective, batch = problem("lstm")
    objective(batch, None).total.backward()
    whole = gradients(model)
    for _ in chunks(objective, batch, None, Truncation(3, 3)):
        pass
    assert np.linalg.norm(gradients(model) - whole) > 0.01 * np.linalg.norm(whole)


def test_the_state_is_carried_across_every_cut() -> None:
    _, objective, batch = problem("gru")
    whole = [loss.item() for loss in objective(batch, None).losses]
    parts = chunks(objective, batch, None, Truncation(4, 4))
    cut = [loss.item() for chunk in parts for loss in chunk.computed.losses]
    assert cut == pytest.approx(whole, abs=1e-15)


def test_the_cut_is_a_node_that_says_where_it_was_cut_from() -> None:
    _, objective, batch = problem("rnn")
    earlier = None
    for chunk in chunks(objective, batch, None, Truncation(4, 8)):
        cuts = [
            node
            for node in mr.Graph(chunk.computed.total)
            if node.primitive is not None and node.primitive.name == "detach"
        ]
        if earlier is None:
            assert cuts == []
        else:
            (cut,) = cuts
            assert cut.params["cut"] == earlier.number
            assert cut.is_leaf
        earlier = chunk.computed.state


def test_weights_may_change_between_chunks() -> None:
    """The graph behind a cut keeps the values it was computed with."""
    model, objective, batch = problem("lstm")
    optimizer = mr.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(30):
        last = 0.0
        for chunk in chunks(objective, batch, None, Truncation(3, 9)):
            optimizer.step()
            optimizer.zero_grad()
            last = chunk.computed.total.item()
        losses.append(last)
    assert losses[-1] < losses[0]


def test_weights_may_change_where_the_oldest_chunk_is_cut() -> None:
    """What is read once more is read before the weights change, so the states agree."""
    model, objective, batch = problem("lstm")
    optimizer = mr.optim.SGD(model.parameters(), lr=0.1)
    for chunk in chunks(objective, batch, None, Truncation(3, 7)):
        for one, two in zip(chunk.oldest, chunk.computed.state):
            np.testing.assert_allclose(one.numpy(), two.numpy(), atol=1e-15)
        optimizer.step()
        optimizer.zero_grad()


@pytest.mark.parametrize("text", ["", "0:5", "5:", "a:b", "1:2:3", "-1:5", "6:3"])
def test_what_is_no_truncation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="truncation"):
        Truncation.parse(text)


def test_one_number_is_both() -> None:
    assert Truncation.parse("7") == (7, 7)


def test_a_loss_of_the_whole_sequence_cannot_be_truncated() -> None:
    _, objective, batch = problem("rnn")
    with pytest.raises(ValueError, match=r"of the whole sequence.*full BPTT"):
        next(chunks(objective, Batch(batch.inputs, [1.0]), None, Truncation(2, 2)))


def test_a_model_without_a_state_cannot_be_truncated() -> None:
    _, objective, batch = problem("rnn")

    def stateless(part: Batch, state: Any) -> Computed:
        return objective(part, state)._replace(state=None)

    with pytest.raises(ValueError, match="carries no state"):
        next(chunks(stateless, batch, None, Truncation(2, 2)))
