"""Losses against PyTorch, at the extremes, and step by step."""

import math
import tracemalloc

import numpy as np
import pytest
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.nn import functional as F

CASES = load("losses")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_values_and_gradients(case):
    inputs = {key: mr.tensor(value, requires_grad=True) for key, value in case["inputs"].items()}
    options = dict(case.arguments["options"])
    targets = [options.pop("target")] if "target" in options else []
    loss = getattr(F, case.arguments["function"])(*inputs.values(), *targets, **options)
    expected = case["outputs"]["loss"]
    assert loss.shape == expected.shape
    np.testing.assert_allclose(loss.data, expected, rtol=1e-12, atol=1e-10)
    (loss * case["cotangents"]["loss"]).sum().backward()
    for key, leaf in inputs.items():
        np.testing.assert_allclose(leaf.grad, case["gradients"][key], rtol=1e-12, atol=1e-10)


def test_gradient_is_probabilities_minus_one_hot():
    x = mr.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 0.0]], requires_grad=True)
    F.cross_entropy(x, [2, 0], reduction="sum").backward()
    expected = x.detach().softmax().data - F.one_hot([2, 0], 3)
    assert np.abs(x.grad - expected).max() < 1e-15


def test_it_is_one_node():
    logits = mr.tensor([[0.0, 1.0]], requires_grad=True)
    for options, name in (({}, "cross_entropy"), ({"label_smoothing": 0.1}, "soft_cross_entropy")):
        loss = F.cross_entropy(logits, [1], **options)
        assert loss.primitive.name == name and loss.inputs[0] is logits


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("soft", [True, False])
def test_all_derivatives_of_cross_entropy(soft, reduction):
    rng = np.random.default_rng(0)
    leaves = [mr.tensor(rng.normal(size=(2, 3)), requires_grad=True)]
    if soft:
        leaves.append(mr.tensor(rng.uniform(size=(2, 3)), requires_grad=True))

    def f(x, target=(2, 0)):
        weight = None if soft else [1.0, 2.0, 3.0]
        return F.cross_entropy(x, target, weight, reduction=reduction)

    assert mr.gradcheck(f, leaves) < 1e-7

    def slope(x, *target):  # second derivatives: the rules are written in operations that record
        return mr.grad(mr.sum(f(x, *target)), [x], create_graph=True)[0]

    assert mr.gradcheck(slope, leaves) < 1e-7
    for leaf in leaves:
        ways = [mr.jacobian(f(*leaves), leaf, mode=mode) for mode in ("forward", "reverse")]
        assert np.abs(ways[0] - ways[1]).max() < 1e-14


@pytest.mark.parametrize("size", [1e4, -1e4, 1e300])
def test_extreme_logits_neither_warn_nor_overflow(size):
    x = mr.tensor([[size, 0.0, 0.0]], requires_grad=True)
    loss = F.cross_entropy(x, [1])
    loss.backward()
    assert math.isfinite(loss.item()) and np.isfinite(x.grad).all()


def test_a_class_that_is_ruled_out_costs_nothing():
    x = mr.tensor([0.0, -math.inf, 0.0], requires_grad=True)
    loss = F.cross_entropy(x, 0)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert x.grad.tolist() == [-0.5, 0.0, 0.5]
    soft = F.cross_entropy(x, [0.5, 0.0, 0.5])
    assert soft.item() == pytest.approx(math.log(2))


def test_float32_stays_float32():
    x = mr.tensor(np.zeros((2, 3), np.float32), requires_grad=True)
    for options in (
        {},
        {"label_smoothing": 0.1},
        {"weight": [1.0, 2.0, 3.0]},
        {"reduction": "none"},
    ):
        loss = F.cross_entropy(x, [0, 1], **options)
        assert loss.dtype == np.float32, options
        mr.sum(loss).backward()
        assert x.grad.dtype == np.float32, options
    y = x * np.float32(2)
    for target in ([0, 1], np.full((2, 3), 1 / 3)):
        for options in ({}, {"label_smoothing": 0.1}, {"weight": [1.0, 2.0, 3.0]}):
            loss = F.cross_entropy(y, target, **options)
            for pullback in mr.pullbacks(loss):
                assert pullback.gradient.dtype == np.float32, (target, options)
    assert F.mse_loss(x, np.ones((2, 3), np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: F.cross_entropy(mr.tensor(np.zeros((2, 3))), [0]), r"give shape \(2,\)"),
        (lambda: F.cross_entropy(mr.tensor(np.zeros((2, 3))), [0, 3]), "class 3 .* 0 to 2"),
        (lambda: F.cross_entropy(mr.tensor(np.zeros((2, 3))), [0, -1]), "give ignore_index=-1"),
        (lambda: F.cross_entropy(mr.tensor(np.zeros((2, 3))), [0.0, 1.0]), "integers of shape"),
        (lambda: F.cross_entropy(mr.tensor(np.zeros((1, 3))), [-100]), "no target is left"),
        (lambda: F.cross_entropy(mr.tensor(1.0), 0), "input is one number"),
        (
            lambda: F.cross_entropy(mr.tensor([1.0, 2.0]), 0, reduction="avg"),
            "'mean', 'sum', 'none'",
        ),
        (
            lambda: F.cross_entropy(mr.tensor([1.0, 2.0]), 0, label_smoothing=2),
            "a number from 0 to 1",
        ),
        (lambda: F.cross_entropy(mr.tensor([1.0, 2.0]), 0, [1.0]), "weight of shape"),
        (
            lambda: F.cross_entropy(mr.tensor([[1.0, 2.0, 0.0]]), [0], [-1, 1, 1]),
            "-1 in weight; give finite numbers, 0 or more",
        ),
        (lambda: F.cross_entropy(mr.tensor([1.0, 2.0]), 0, [1, math.nan]), "nan in weight"),
        (lambda: F.cross_entropy(mr.tensor([1.0, 2.0]), 0, [math.inf, 1]), "inf in weight"),
        (lambda: F.cross_entropy(mr.tensor([1.0, 2.0]), 0, [0, 1]), "or have weight 0"),
        (lambda: F.mse_loss(mr.tensor([1.0, 2.0]), [[1.0, 2.0]]), "reshape one of them"),
        (lambda: F.mse_loss(mr.tensor([1.0]), [1.0], "avg"), "'mean', 'sum', 'none'"),
        (lambda: F.one_hot([3], 3), "index 3"),
        (lambda: F.one_hot([0.5], 3), "astype"),
        (lambda: F.one_hot(np.zeros(0, int)), "give num_classes"),
        (lambda: F.one_hot([1], -2), "num_classes=-2; give .* or -1"),
        (lambda: F.one_hot(np.zeros(0, int), 0), "num_classes=0; give"),
        (lambda: nn.CrossEntropyLoss(reduction="avg"), "CrossEntropyLoss"),
        (lambda: nn.MSELoss(reduction="avg"), "MSELoss"),
    ],
)
def test_errors_say_what_to_do(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_modules_are_the_functions_with_a_name():
    x, target = mr.tensor([[0.0, 1.0], [2.0, 0.0]]), [1, 0]
    options = {"weight": [1.0, 3.0], "ignore_index": 0, "label_smoothing": 0.2, "reduction": "sum"}
    loss = nn.CrossEntropyLoss(**options)(x, target)
    assert loss.item() == F.cross_entropy(x, target, **options).item()
    assert loss.name == "loss"
    loss = nn.MSELoss("sum")(x, [[0.0, 0.0], [0.0, 0.0]])
    assert (loss.item(), loss.name) == (5.0, "loss")


def test_every_step_has_its_loss():
    outputs = [mr.tensor([float(t), 0.0], requires_grad=True) for t in range(3)]
    targets = [0, 1, 0]
    singles = [F.cross_entropy(y, k).item() for y, k in zip(outputs, targets, strict=True)]
    for reduction, factor in (("mean", 1 / 3), ("sum", 1.0)):
        losses, total = nn.sequence_loss(outputs, targets, reduction=reduction)
        assert [loss.item() for loss in losses] == singles
        assert [(loss.name, loss.step, loss.scope) for loss in losses] == [
            ("loss", t, "loss") for t in (1, 2, 3)
        ]
        assert (total.name, total.step) == ("loss", None)
        assert total.item() == pytest.approx(sum(singles) * factor)
        outputs[2].grad = None
        total.backward()
        expected = factor * (outputs[2].detach().softmax().data - [1.0, 0.0])
        assert np.abs(outputs[2].grad - expected).max() < 1e-15


def test_outputs_may_be_one_tensor_with_time_first():
    outputs = mr.tensor(np.arange(12.0).reshape(3, 2, 2), requires_grad=True)
    targets = np.array([[0, 1], [1, 1], [0, 0]])
    losses, total = nn.sequence_loss(outputs, targets)
    assert [loss.step for loss in losses] == [1, 2, 3]
    flat = F.cross_entropy(outputs.reshape(6, 2), targets.ravel())
    assert total.item() == pytest.approx(flat.item())


def test_weights_make_the_mean_one_over_tokens():
    rng = np.random.default_rng(0)
    outputs = mr.tensor(rng.normal(size=(3, 3, 4)), requires_grad=True)
    pad = -100
    targets = np.array([[0, 1, 1], [3, pad, pad], [pad, pad, pad]])
    losses, total = nn.sequence_loss(outputs, targets, weights=[3, 1, 0])
    by_token = F.cross_entropy(outputs.reshape(9, 4), targets.ravel())
    assert total.item() == pytest.approx(by_token.item(), abs=1e-14)
    assert losses[2].item() == 0.0 and losses[2].step == 3
    steps = F.cross_entropy(outputs[0], targets[0]), F.cross_entropy(outputs[1], targets[1])
    by_step = (steps[0] + steps[1]).item() / 2
    assert abs(total.item() - by_step) > 1e-3  # the mean of means is another number
    _, total = nn.sequence_loss(outputs, targets, reduction="sum", weights=[3, 1, 0])
    assert total.item() == pytest.approx(4 * by_token.item())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([mr.tensor([0.0, 1.0])], [0, 1]), "1 outputs, 2 targets"),
        (([], []), "no step counts"),
        (([mr.tensor([0.0, 1.0])], [0], F.cross_entropy, "avg"), "'mean', 'sum'"),
        (([mr.tensor([[0.0, 1.0]] * 2)], [[[0.0, 1.0]] * 2], lambda a, b: a - b), "one number"),
    ],
)
def test_sequence_loss_says_what_to_do(arguments, words):
    with pytest.raises(ValueError, match=words):
        nn.sequence_loss(*arguments)


def test_one_hot():
    assert F.one_hot([[0, 2]], 3).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert F.one_hot(mr.tensor(np.array([1])), dtype=np.float32).dtype == np.float32
    assert F.one_hot(np.zeros((2, 0), int), 3).shape == (2, 0, 3)


def test_one_hot_costs_what_it_returns_and_not_the_square_of_the_classes():
    tracemalloc.start()
    rows = F.one_hot([41_999], 50_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows.shape == (1, 50_000)
    assert peak < 3 * rows.nbytes
