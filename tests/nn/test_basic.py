"""Linear, Identity, Dropout, and the helper that goes step by step."""

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.nn import functional as F


def test_linear_works_in_a_scope_named_after_its_attribute():
    net = nn.Module()
    net.readout = nn.Linear(3, 2, rng=0)
    assert nn.Linear(3, 2)(np.ones(3)).scope == "linear"
    with mr.scope("model", t=4):
        y = net.readout(np.ones(3))
    assert (y.scope, y.step) == ("model/readout", 4)
    with pytest.raises(ValueError, match=r"'readout': x of shape \(4,\) .*\(..., 3\) expected"):
        net.readout(np.ones(4))
    with pytest.raises(ValueError, match="Linear: x of shape"):
        nn.Linear(3, 2)(1.0)


def test_linear_takes_integers_in_its_own_dtype():
    y = nn.Linear(3, 2, dtype=np.float32)(np.eye(3, dtype=int))
    assert y.dtype == np.float32


def test_identity_names_a_node_of_its_own():
    x = mr.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = nn.Identity("features")(x)
    assert (x.name, y.name) == ("x", "features")
    (y * y).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]
    assert repr(nn.Identity("features")) == "Identity('features')"


@pytest.mark.parametrize("p", [0.0, 0.25, 0.9, 1.0])
def test_dropout_keeps_the_mean_and_drops_the_share(p):
    x = mr.tensor(np.ones((200, 200)), requires_grad=True)
    y = nn.Dropout(p, rng=0)(x)
    kept = y.numpy() != 0
    assert kept.mean() == pytest.approx(1 - p, abs=0.01)
    assert y.numpy()[kept] == pytest.approx(1 / (1 - p) if p < 1 else 0)
    y.sum().backward()
    assert (x.grad == y.data).all()  # the gradient goes where the value went


def test_dropout_rows_and_columns_are_independent():
    mask = F.dropout(np.ones((300, 300)), 0.5, generator=1).numpy() > 0
    for axis in (0, 1):
        assert mask.mean(axis).std() == pytest.approx(0.5 / np.sqrt(300), rel=0.15)


def test_dropout_rests_outside_training_and_repeats_by_seed():
    x = np.ones((5, 5))
    assert (nn.Dropout(0.5).eval()(x).data == 1).all()
    assert (F.dropout(x, 0.5, training=False).data == 1).all()
    one, two = nn.Dropout(0.5, rng=3), nn.Dropout(0.5, rng=3)
    first = one(x).data
    assert (first == two(x).data).all() and (first != one(x).data).any()
    assert F.dropout(np.ones(3, np.float32), 0.5).dtype == np.float32
    for make in (nn.Dropout, lambda p: F.dropout(x, p)):
        with pytest.raises(ValueError, match="give a number from 0 to 1"):
            make(1.5)


def test_each_step_tags_what_is_made():
    seen = nn.each_step(lambda a, b: mr.tensor(a) * b, [1.0, 2.0], [3.0, 4.0])
    assert [(y.item(), y.step) for y in seen] == [(3.0, 1), (8.0, 2)]
    with pytest.raises(ValueError, match="sequences of 1 and 2 steps"):
        nn.each_step(lambda a, b: a, [1.0], [1.0, 2.0])


@pytest.mark.parametrize(("sizes", "shape"), [((0, 1), (2, 0)), ((1, 0), (2, 1)), ((0, 2), (0,))])
def test_a_sum_of_nothing_is_the_bias(sizes, shape):
    net = nn.Linear(*sizes)
    assert (net.bias.data == 0).all() or sizes[0]  # as PyTorch begins it
    net.bias.data = np.ones(sizes[1])
    x = mr.tensor(np.ones(shape), requires_grad=True)
    y = net(x)
    assert y.shape == (*shape[:-1], sizes[1]) and (y.data == 1).all()
    y.sum().backward()
    assert net.weight.grad.shape == net.weight.shape and x.grad.shape == shape
    assert net.bias.grad.tolist() == [len(x.data) if len(shape) == 2 else 1.0] * sizes[1]
    for wrong in ((-1, 1), (1, 2.0), (True, 1)):
        with pytest.raises(ValueError, match=r"features=.*; give an integer from 0 up"):
            nn.Linear(*wrong)
