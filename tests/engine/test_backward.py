"""Backward as a stream: what arrives, what is sent, and that it all adds up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn.core.backward import dense, gradients


def leaf(*shape: int, seed: int = 0) -> mr.Tensor:
    values = np.random.default_rng(seed).normal(size=shape)
    return mr.tensor(values, requires_grad=True)


def unrolled(steps: int = 4) -> tuple[mr.Tensor, dict[str, mr.Tensor]]:
    """A small tanh network with a loss at every step."""
    weights = {"w": leaf(3, 2), "u": leaf(3, 3, seed=1), "b": leaf(3, seed=2), "v": leaf(1, 3)}
    w, u, b, v = weights.values()
    h: Any = mr.tensor(np.zeros(3))
    total: Any = 0.0
    for t in range(1, steps + 1):
        with mr.scope(t=t):
            x = mr.tensor(np.random.default_rng(t).normal(size=2))
            h = mr.tanh(mr.linear(x, w, b) + u @ h)
            total = total + (mr.linear(h, v) ** 2).sum()
    return total, weights


# -- .grad --------------------------------------------------------------------------------------------


def test_gradients_accumulate_until_they_are_cleared() -> None:
    x = leaf(3)
    y = (x * x).sum()
    y.backward()
    once = x.grad.copy()
    y.backward()
    np.testing.assert_array_equal(x.grad, 2 * once)
    x.grad = None
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad, once)


def test_only_leaves_keep_a_gradient_unless_asked() -> None:
    x = leaf(3)
    y = x * 2.0
    z = y * 3.0
    z.sum().backward()
    assert y.grad is None and z.grad is None
    y.retain_grad()
    loss = z.sum()
    loss.retain_grad()
    loss.backward()
    np.testing.assert_array_equal(y.grad, [3.0] * 3)
    assert loss.grad == 1.0
    loss.backward()
    np.testing.assert_array_equal(y.grad, [6.0] * 3)
    with pytest.raises(ValueError, match="none to retain"):
        mr.tensor(1.0).retain_grad()


def test_a_retained_node_that_is_gone_is_forgotten() -> None:
    from micrornn.core.tensor import RETAINED

    before = len(RETAINED)
    x = leaf(3)
    y = (x * 2.0).retain_grad()
    loss = (y * y).sum()
    assert len(RETAINED) == before + 1
    del y
    loss.backward()  # the graph still holds it
    del loss
    assert len(RETAINED) == before
    (x * x).sum().backward()


def test_retaining_in_one_graph_does_not_touch_another() -> None:
    x = leaf(3)
    y = (x * 2.0).retain_grad()
    (x * 3.0).sum().backward()
    assert y.grad is None


def test_gradients_of_two_leaves_are_two_arrays() -> None:
    a, b = leaf(3), leaf(3, seed=1)
    y = a + b
    y.retain_grad()
    seed = np.ones(3)
    y.backward(seed)
    arrays = [seed, a.grad, b.grad, y.grad]
    for i, p in enumerate(arrays):
        assert p.flags.writeable and p.flags.owndata
        assert not any(np.shares_memory(p, q) for q in arrays[:i])
    a.grad *= 5.0  # as clipping may do
    np.testing.assert_array_equal(b.grad, np.ones(3))
    again = a.grad
    y.backward(seed)
    np.testing.assert_array_equal(again, 5.0 * np.ones(3))


def test_backward_from_a_leaf_and_from_an_array() -> None:
    a = mr.Value(3.0)
    a.backward()
    assert a.grad == 1.0
    x = leaf(2)
    x.backward([1.0, 2.0])
    assert x.grad.tolist() == [1.0, 2.0]
    one = leaf(1, 1)
    (one * 2.0).backward()  # one element has one gradient, whatever its shape
    assert one.grad.tolist() == [[2.0]]


def test_frozen_leaves_get_none() -> None:
    a, b = leaf(3), mr.tensor(np.ones(3))
    (a * b).sum().backward()
    assert b.grad is None
    assert mr.grad((a * b).sum(), a).shape == (3,)


# -- errors -------------------------------------------------------------------------------------------


def test_what_backward_refuses() -> None:
    x = leaf(2, 3)
    with pytest.raises(ValueError, match=r"from mul #\d+ of shape \(2, 3\): only a scalar.*sum"):
        (x * 2.0).backward()
    with pytest.raises(
        ValueError, match=r"gradient of shape \(3,\) for mul #\d+ of shape \(2, 3\)"
    ):
        (x * 2.0).backward(np.ones(3))
    with pytest.raises(ValueError, match="nothing to go back through: leaf"):
        mr.tensor(1.0).backward()
    with pytest.raises(ValueError, match="nothing to go back through"):
        mr.pullbacks(mr.tensor(1.0))  # at once, not at the first turn
    with pytest.raises(ValueError, match=r"gradient with respect to leaf .* does not require"):
        mr.grad((x * 2.0).sum(), mr.tensor(1.0))


def test_an_input_without_a_path_gets_none() -> None:
    x, y = leaf(2), leaf(2)
    assert mr.grad((x * 2.0).sum(), [x, y])[1] is None
    assert mr.grad((x * 2.0).sum(), y) is None
    later = x * 3.0
    assert mr.grad((x * 2.0).sum(), later) is None


# -- grad ---------------------------------------------------------------------------------------------


def test_grad_leaves_no_trace() -> None:
    loss, weights = unrolled()
    inner = loss.inputs[0].retain_grad()
    first = mr.grad(loss, list(weights.values()))
    assert all(w.grad is None for w in weights.values()) and inner.grad is None
    loss.backward()
    for g, w in zip(first, weights.values()):
        np.testing.assert_array_equal(g, w.grad)


def test_grad_with_respect_to_nodes_on_the_way() -> None:
    x = leaf(3)
    y = mr.tanh(x)
    z = y * y
    loss = z.sum()
    assert mr.grad(loss, loss) == 1.0
    np.testing.assert_array_equal(mr.grad(loss, z), np.ones(3))
    np.testing.assert_array_equal(mr.grad(loss, y), 2.0 * y.data)
    one, both = mr.grad(loss, y), mr.grad(loss, [x, y, y])
    np.testing.assert_array_equal(both[1], one)
    np.testing.assert_array_equal(both[2], one)
    assert not np.shares_memory(both[1], both[2])


# -- the stream ---------------------------------------------------------------------------------------


def test_pullbacks_come_newest_first_and_add_up() -> None:
    loss, weights = unrolled()
    arrived: dict[int, Any] = {loss.number: 1.0}
    numbers = []
    for pullback in mr.pullbacks(loss):
        node = pullback.node
        numbers.append(node.number)
        # what arrives is the sum of what was sent
        np.testing.assert_allclose(pullback.gradient, arrived.pop(node.number), rtol=1e-12)
        assert np.shape(pullback.gradient) == node.shape
        assert len(pullback.contributions) == len(node.inputs)
        for i, x in enumerate(node.inputs):
            sent = pullback.contribution(i)
            assert (sent is None) == (not x.requires_grad)
            if sent is not None:
                assert np.shape(sent) == x.shape
                arrived[x.number] = arrived.get(x.number, 0.0) + sent
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == len([n for n in mr.Graph(loss) if n.requires_grad and n.inputs])
    assert set(arrived) == {w.number for w in weights.values()}
    for w, g in zip(weights.values(), mr.grad(loss, list(weights.values()))):
        np.testing.assert_allclose(arrived[w.number], g, rtol=1e-12)


def test_the_shares_of_the_steps_add_up_to_the_gradient() -> None:
    loss, weights = unrolled(6)
    shares: dict[tuple[int, int], Any] = {}
    for pullback in mr.pullbacks(loss):
        for x, c in zip(pullback.node.inputs, pullback.contributions):
            if c is not None and x.is_leaf:
                key = x.number, pullback.node.step or 0
                shares[key] = shares.get(key, 0.0) + dense(c)
    for w, g in zip(weights.values(), mr.grad(loss, list(weights.values()))):
        parts = [shares[w.number, t] for t in range(1, 7) if (w.number, t) in shares]
        np.testing.assert_allclose(sum(parts), g, rtol=1e-12)


def test_the_stream_may_be_left_and_begun_again() -> None:
    loss, weights = unrolled()
    stream = mr.pullbacks(loss)
    first = next(stream)
    assert first.node is loss and first.gradient == 1.0
    whole = [p.node.number for p in mr.pullbacks(loss)]
    assert [first.node.number, *[p.node.number for p in stream]] == whole
    assert all(w.grad is None for w in weights.values())


def test_a_node_with_many_users_waits_for_all_of_them() -> None:
    x = mr.Value(0.5)
    a = mr.tanh(x)
    late = a * 2.0
    for _ in range(5):
        late = late * 1.5
    y = late + a + a * a + mr.sin(a)
    turns = [p for p in mr.pullbacks(y) if p.node is a]
    assert len(turns) == 1
    mr.gradcheck(lambda x: _many(x), x)


def _many(x: mr.Tensor) -> mr.Tensor:
    a = mr.tanh(x)
    late = a * 2.0
    for _ in range(5):
        late = late * 1.5
    return late + a + a * a + mr.sin(a)


def test_gradients_are_those_of_the_leaves_and_of_what_is_wanted() -> None:
    loss, _ = unrolled()
    middle = loss.inputs[0]
    found = {node.number: g for node, g in gradients(loss, 1.0, [middle.number])}
    assert found[middle.number] == 1.0
    assert set(found) == {middle.number, *[x.number for x in mr.Graph(loss).parameters]}


# -- old graphs, new values ---------------------------------------------------------------------------


def test_a_new_value_does_not_reach_an_old_graph() -> None:
    loss, weights = unrolled()
    expected = mr.grad(loss, list(weights.values()))
    old = [w.data.copy() for w in weights.values()]
    direction = [np.ones(w.shape) for w in weights.values()]
    slope = mr.jvp(loss, list(weights.values()), direction)
    for w in weights.values():
        w.data = w.data + 1.0
    for g, e in zip(mr.grad(loss, list(weights.values())), expected):
        np.testing.assert_array_equal(g, e)
    assert mr.jvp(loss, list(weights.values()), direction) == slope
    with pytest.raises(ValueError, match=r"leaf #\d+ was given a new value after .* had used it"):
        mr.grad(loss, list(weights.values()), create_graph=True)
    fresh, again = unrolled()
    assert [w.data.tolist() for w in again.values()] == [w.tolist() for w in old]
    assert fresh.item() == loss.item()


def test_constants_may_change_as_well() -> None:
    x, c = leaf(3), mr.tensor(np.ones(3))
    y = (x * c).sum()
    c.data = np.zeros(3)
    np.testing.assert_array_equal(mr.grad(y, x), np.ones(3))


def test_training_steps_one_after_another() -> None:
    w = leaf(3)
    target = np.array([1.0, -1.0, 0.5])
    for _ in range(100):
        error = w - target
        loss = (error * error).sum()
        w.grad = None
        loss.backward()
        w.data -= 0.1 * w.grad
    np.testing.assert_allclose(w.data, target, atol=1e-8)
