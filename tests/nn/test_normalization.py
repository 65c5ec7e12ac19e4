"""BatchNorm1d: PyTorch's numbers in training and in use, its running values, and what does not fit."""

import numpy as np
import pytest
from reference.compare import differences, leaves_of
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.nn import functional as F

CASES = [case for case in load("modules") if case.arguments.get("module") == "BatchNorm1d"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_outputs_gradients_and_buffers_are_pytorchs(case):
    module = nn.BatchNorm1d(**case.arguments["options"])
    found = module.load_state_dict(case["parameters"], strict=False)
    assert found.unexpected_keys == []
    inputs = leaves_of(case)
    outputs = {f"y{i}": module(inputs[f"x{i}"]) for i in range(3)}
    outputs["y3"] = module.eval()(inputs["x3"])
    leaves = {**dict(module.named_parameters()), **inputs}
    assert differences(case, outputs, leaves) == {}
    buffers = {name: buffer.data for name, buffer in module.named_buffers()}
    assert buffers.keys() == case["buffers"].keys()
    for name, expected in case["buffers"].items():
        assert np.abs(buffers[name] - expected).max() < 1e-12
    assert sorted(module.state_dict()) == sorted([*case["parameters"], *case["buffers"]])


def test_the_running_values_change_in_training_alone():
    module, x = nn.BatchNorm1d(2), np.array([[1.0, 2.0], [3.0, 6.0]])
    module.eval()(x)
    assert (
        module.running_mean.data.tolist() == [0.0, 0.0] and module.num_batches_tracked.item() == 0
    )
    module.train()(x)
    assert module.running_mean.data.round(12).tolist() == [0.2, 0.4]
    assert module.num_batches_tracked.item() == 1


def test_float32_stays_float32():
    module = nn.BatchNorm1d(2, dtype="float32")
    for _ in range(2):
        assert module(np.ones((3, 2), "float32")).dtype == np.float32
        module.eval()
    assert module.running_var.dtype == np.float32


def test_derivatives():
    rng = np.random.default_rng(0)
    leaves = [mr.tensor(rng.normal(size=s), requires_grad=True) for s in ((4, 2), (2,), (2,))]
    f = lambda x, w, b: mr.tanh(F.batch_norm(x, None, None, w, b, training=True))  # noqa: E731
    assert mr.gradcheck(f, leaves) < 1e-7
    slope = lambda *xs: mr.grad(mr.sum(f(*xs)), xs[0], create_graph=True)  # noqa: E731
    assert mr.gradcheck(slope, leaves) < 1e-6


X = np.ones((4, 3))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.BatchNorm1d(0), ValueError, "num_features=0; give an integer from 1 up"),
        (lambda: nn.BatchNorm1d(3, eps=-1), ValueError, "eps=-1"),
        (lambda: nn.BatchNorm1d(3, momentum=2), ValueError, "momentum=2; .* or None"),
        (lambda: nn.BatchNorm1d(3, affine=0), ValueError, "affine=0; give True or False"),
        (lambda: nn.BatchNorm1d(3)(np.ones((4, 2))), ValueError, r"\(B, 3\) or \(B, 3, L\)"),
        (lambda: nn.BatchNorm1d(3)(np.ones((1, 3))), ValueError, "one value per feature"),
        (lambda: nn.BatchNorm1d(3)(np.ones(3)), ValueError, r"input of shape \(3,\)"),
        (lambda: F.batch_norm(X, None, None), ValueError, "give running_mean and running_var"),
        (lambda: F.batch_norm(X, [0.0] * 3, None, training=True), ValueError, "None for both"),
        (lambda: F.batch_norm(X, [0.0], [1.0]), ValueError, "running_mean of another shape"),
        (
            lambda: F.batch_norm(X, [0.0] * 3, [1.0] * 3, training=True),
            TypeError,
            "give tensors, such as the buffers",
        ),
        (lambda: F.batch_norm(X, [0.0] * 3, [1.0] * 3, [1.0]), ValueError, "weight of shape"),
        (lambda: F.batch_norm(X, [0.0] * 3, [1.0] * 3, None, [[1.0]]), ValueError, "bias of shape"),
        (
            lambda: F.layer_norm(X, 3, [1.0]),
            ValueError,
            r"weight of shape \(1,\) .* \(3,\) expected",
        ),
        (lambda: F.layer_norm(X, 3, eps=-1.0), ValueError, "eps=-1.0"),
        (lambda: nn.LayerNorm(3, eps=np.nan), ValueError, "eps=nan"),
        (lambda: nn.LayerNorm(3.5), ValueError, "lengths from 1 up"),
        (lambda: nn.LayerNorm([3, True]), ValueError, "lengths from 1 up"),
        (lambda: nn.LayerNorm(3, bias=None), ValueError, "bias=None"),
    ],
)
def test_what_does_not_fit_is_said(call, error, words):
    with pytest.raises(error, match=words):
        call()
