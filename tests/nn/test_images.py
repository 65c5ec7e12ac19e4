"""Convolution, pooling, LayerNorm, activations: PyTorch's numbers, ties, and what does not fit."""

import numpy as np
import pytest
from reference.compare import module_differences
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.nn import functional as F
from micrornn.nn.windows import fold, windows

CASES = load("images")
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_outputs_and_gradients_are_pytorchs(case):
    module = getattr(nn, case.arguments["module"])(**case.arguments["options"])
    names = [name for name, _ in module.named_parameters()]
    assert names == list(case["parameters"])
    assert module_differences(case, module, lambda x: {"y": module(x)}) == {}


POOLED = [case for case in CASES if "indices" in case.arrays]


@pytest.mark.parametrize("case", POOLED, ids=lambda case: case.name)
def test_where_the_largest_stood_is_where_pytorch_found_it(case):
    module = nn.MaxPool2d(**case.arguments["options"], return_indices=True)
    y, indices = module(case["inputs"]["x"])
    assert indices.shape == y.shape and indices.dtype.kind == "i"
    assert (indices == case["indices"]["indices"]).all()


def test_groups_do_not_see_each_other():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, 4, 5)), rng.normal(size=(6, 2, 3))
    whole = F.conv1d(x, w, groups=2).data
    parts = [F.conv1d(x[:, 2 * g : 2 * g + 2], w[3 * g : 3 * g + 3]).data for g in (0, 1)]
    assert np.abs(whole - np.concatenate(parts, 1)).max() < 1e-12


def test_windows_and_fold_are_each_others_transpose():
    about = {"size": (6, 5), "kernel": (3, 2), "stride": (2, 1), "padding": (1, 1)}
    about["dilation"] = (1, 2)
    x = RNG.normal(size=(2, 3, 6, 5))
    y = windows(x, **about)
    other = RNG.normal(size=y.shape)
    assert abs((y * other).sum() - (x * fold(other, **about)).sum()) < 1e-12


def test_all_derivatives_of_convolution():
    leaves = [
        mr.tensor(RNG.normal(size=shape), requires_grad=True)
        for shape in ((1, 2, 4, 3), (2, 2, 2, 2), (2,))
    ]

    def f(x, w, b):
        return mr.tanh(F.conv2d(x, w, b, stride=(2, 1), padding=1))

    assert mr.gradcheck(f, leaves) < 1e-7
    slope = lambda *xs: mr.grad(mr.sum(f(*xs)), xs[0], create_graph=True)  # noqa: E731
    assert mr.gradcheck(slope, leaves) < 1e-6
    d = RNG.normal(size=leaves[1].shape)
    out = mr.sum(f(*leaves))
    assert abs(mr.jvp(out, leaves[1], d) - (mr.grad(out, leaves[1]) * d).sum()) < 1e-12


def test_of_equal_ones_the_first_gets_the_gradient():
    x = mr.tensor(np.ones((1, 2, 2)), requires_grad=True)
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[1, 0], [0, 0]]]


def test_nothing_beyond_the_edge_is_ever_chosen():
    x = mr.tensor(np.full((1, 1, 2, 2), -np.inf), requires_grad=True)
    assert (F.max_pool2d(x, 2, 1, 1).data == -np.inf).all()
    F.max_pool2d(x, 2, 1, 1).sum().backward()
    assert x.grad.sum() == 9
    nan = np.array([[[1.0, np.nan]]])
    assert np.isnan(F.max_pool2d(nan, (1, 2)).data).all()


def test_a_constant_vector_is_no_division_by_zero():
    x = mr.tensor(np.full((2, 3), 7.0), requires_grad=True)
    with mr.trap_nonfinite():
        y = nn.LayerNorm(3)(x)
        (y * y).sum().backward()
    assert (y.data == 0).all()


def test_a_small_network_learns_what_is_where():
    net = nn.Sequential(
        *(nn.Conv2d(1, 4, 3, padding=1, rng=0), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        nn.Linear(16, 2, rng=1),
    )
    x = RNG.normal(size=(32, 1, 4, 4))
    y = (x[:, 0, :2].max((1, 2)) > x[:, 0, 2:].max((1, 2))).astype(int)
    optimizer = mr.optim.Adam(net.parameters(), lr=0.03)
    for _ in range(80):
        loss = F.cross_entropy(net(x), y)
        net.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    scopes = {n.scope for n in mr.Graph(loss).nodes}
    assert {"0", "2", "4"} <= scopes


def test_what_passes_through_keeps_the_name_it_has_not():
    x = mr.tensor(RNG.normal(size=(1, 4, 4)), requires_grad=True) * 2.0
    for module in (nn.Tanh(), nn.MaxPool2d(2), nn.LayerNorm(4), nn.Flatten(), nn.Softmax()):
        module(x)
    assert x.name is None
    assert nn.Tanh()([1, 0]).dtype == nn.Tanh()(mr.tensor([True])).dtype == float


def test_repr_and_dtypes():
    assert repr(nn.Conv2d(1, 4, 3)) == "Conv2d(1, 4, kernel_size=(3, 3))"
    conv = nn.Conv2d(1, 2, (1, 2), stride=2, bias=False, dtype=np.float32)
    assert repr(conv) == "Conv2d(1, 2, kernel_size=(1, 2), stride=(2, 2), bias=False)"
    x = mr.tensor(RNG.normal(size=(1, 1, 4, 4)).astype(np.float32), requires_grad=True)
    y = nn.LayerNorm(2, dtype=np.float32)(nn.MaxPool2d((2, 1))(conv(x)))
    y.sum().backward()
    assert y.dtype == x.grad.dtype == conv.weight.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nn.Conv2d(0, 1, 3), "in_channels=0"),
        (lambda: nn.Conv2d(1, 1, 0), "kernel_size=0; give an integer from 1 up"),
        (lambda: nn.Conv2d(1, 1, (1, 2, 3)), "two: down, across"),
        (lambda: nn.Conv2d(1, 1, 3, stride=0), "stride=0"),
        (lambda: nn.Conv2d(1, 1, 3, padding=-1), "padding=-1"),
        (lambda: nn.Conv2d(1, 1, 3)(np.ones((1, 2, 5, 5))), r"input of shape \(1, 2, 5, 5\)"),
        (lambda: nn.Conv2d(1, 1, 3)(np.ones((5, 5))), r"\(N, C, H, W\)"),
        (lambda: nn.Conv2d(1, 1, 3)(np.ones((1, 2, 5))), "does not fit into an image"),
        (lambda: nn.MaxPool2d(3)(np.ones((1, 2, 5))), "does not fit into an image"),
        (lambda: nn.MaxPool2d(3, padding=2)(np.ones((1, 5, 5))), "more than half"),
        (lambda: nn.MaxPool2d(3)(np.ones((5, 5))), r"give \(N, C, H, W\)"),
        (lambda: nn.LayerNorm(3)(np.ones((2, 4))), r"\(..., 3\) expected"),
        (lambda: nn.LayerNorm(()), "lengths from 1 up"),
        (lambda: nn.Flatten()(np.ones(3)), "has no axes 1 to -1"),
    ],
)
def test_what_does_not_fit_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
