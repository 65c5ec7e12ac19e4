"""What PyTorch's users type: it works as there, by torch 2.13's own figures, or says what to use instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrornn as mr

A = [[1.0, 2.0, 0.0], [3.0, 0.0, 4.0]]
B = [[0.5, 1.5], [2.0, -1.0], [1.0, 3.0]]
PICKED = [[0, 0, 2], [1, 2, 1]]

# What is computed, from which numbers, torch's value, and its gradients for the cotangent 1, 2, 3, ...
FIGURES: dict[str, tuple[Callable[..., Any], list[Any], Any, list[Any]]] = {
    "prod": (lambda x: x.prod(dim=1), [A], [0, 0], [[[0, 0, 2], [0, 24, 0]]]),
    "prod of all": (lambda x: mr.prod(x).view(1), [[[1.0, 2.0, 3.0]]], [6], [[[6, 3, 2]]]),
    "std": (
        lambda x: x.std(dim=1, correction=0),
        [A],
        [0.816496580927726, 1.699673171197595],
        [
            [
                [0.0, 0.40824829046386296, -0.40824829046386296],
                [0.26148818018424536, -0.9152086306448589, 0.6537204504606134],
            ]
        ],
    ),
    "norm": (
        lambda x: x.norm(dim=1),
        [A],
        [2.23606797749979, 5.0],
        [[[0.4472135954999579, 0.8944271909999159, 0.0], [1.2, 0.0, 1.6]]],
    ),
    "norm at 0": (lambda x: mr.norm(x).view(1), [[0.0, 0.0]], [0], [[0, 0]]),
    "outer": (
        *(mr.outer, [[1.0, 2.0], [3.0, 4.0, 5.0]], [[3, 4, 5], [6, 8, 10]]),
        [[26, 62], [9, 12, 15]],
    ),
    "tensordot": (
        *(lambda a, b: mr.tensordot(a, b, 1), [A, B], [[4.5, -0.5], [5.5, 16.5]]),
        [[[3.5, 0, 7], [7.5, 2, 15]], [[10, 14], [2, 4], [12, 16]]],
    ),
    "roll": (
        lambda x: x.roll(2, 1),
        [A],
        [[2, 0, 1], [0, 4, 3]],
        [[[3, 1, 2], [6, 4, 5]]],
    ),
    "gather": (
        *(lambda x: x.gather(1, PICKED), [A], [[1, 1, 0], [0, 4, 0]]),
        [[[3, 0, 3], [0, 10, 5]]],
    ),
    "flatten": (lambda x: x.flatten(), [A], [1, 2, 0, 3, 0, 4], [[[1, 2, 3], [4, 5, 6]]]),
    "clamp by tensors": (
        lambda x, low, high: x.clamp(low, high),
        [[-2.0, 0.5, 2.0, 1.0], [0.0, 0.0, 0.0, 3.0], [1.0, 1.0, 1.0, 2.0]],
        [0, 0.5, 1, 2],
        [[0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 3, 4]],
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_gives_what_torch_gives(name: str) -> None:
    f, values, expected, gradients = FIGURES[name]
    leaves = [mr.tensor(v, requires_grad=True) for v in values]
    y = f(*leaves)
    np.testing.assert_allclose(y.data, expected, rtol=1e-14)
    cotangent = np.arange(1.0, y.size + 1).reshape(y.shape)
    for g, e in zip(mr.grad(y, leaves, cotangent), gradients, strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-13, atol=1e-15)
    if "clamp" not in name and "at 0" not in name:
        mr.gradcheck(f, leaves)
        mr.gradgradcheck(f, leaves)


INF, NAN = np.inf, np.nan
POWERS = [  # a, b, a^b, and its gradients with respect to a and to b
    *((0.0, -1.0, INF, -INF, -INF), (0.0, -2.0, INF, -INF, -INF), (0.0, -0.5, INF, -INF, -INF)),
    *(
        (-0.0, -1.0, -INF, -INF, INF),
        (0.0, 0.0, 1.0, 0.0, 0.0),
        (2.0, -1.0, 0.5, -0.25, 0.5 * np.log(2)),
    ),
    *((-2.0, 2.0, 4.0, -4.0, NAN), (-2.0, -1.0, -0.5, -0.25, NAN)),
]


@pytest.mark.parametrize(("a", "b", "value", "to_a", "to_b"), POWERS)
@pytest.mark.parametrize("kind", ["number", "array", "float32", "0-d"])
def test_powers_at_the_edges(
    a: float, b: float, value: float, to_a: float, to_b: float, kind: str
) -> None:
    make = {
        "number": mr.Value,
        "array": lambda x: mr.tensor([x], requires_grad=True),
        "float32": lambda x: mr.tensor(np.float32(x), requires_grad=True),
        "0-d": lambda x: mr.tensor(np.array(x), requires_grad=True),
    }[kind]
    with np.errstate(all="ignore"):
        x, y = make(a), make(b)
        z = x**y
        np.testing.assert_allclose(z.data, [value] if kind == "array" else value)
        for leaf, other, expected in ((x, make(a) ** b, to_a), (y, a ** make(b), to_b)):
            both = mr.grad(z, leaf, np.ones(z.shape))
            (own,) = mr.Graph(other).parameters
            alone = mr.grad(other, own, np.ones(other.shape))
            np.testing.assert_allclose([np.ravel(both)[0], np.ravel(alone)[0]], expected, rtol=1e-6)


def x() -> mr.Tensor:
    return mr.tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)


def test_shapes() -> None:
    shapes = {
        "view": x().view(6, 4),
        "view as a tuple": x().view((6, -1)),
        "permute": x().permute(2, 0, 1).view(4, 6),
        "unsqueeze": x().unsqueeze(0)[0].view(6, 4),
        "flatten": mr.flatten(x(), 0, 1),
        "cat": mr.cat([x(), x()], dim=0)[1:3].view(6, 4),
        "stack": mr.stack([x(), x()], dim=0)[1].view(6, 4),
    }
    assert {name: y.shape for name, y in shapes.items()} == {
        name: (4, 6) if name == "permute" else (6, 4) for name in shapes
    }
    assert all(y.requires_grad for y in shapes.values())
    assert x().size == 24 and x().size() == (2, 3, 4) and x().size(-1) == 4 and x().dim() == 3
    assert [part.shape[2] for part in x().chunk(3, dim=2)] == [2, 2]
    assert x()[:, :1].expand(2, 3, -1).shape == (2, 3, 4) and x().mT.shape == (2, 4, 3)


def test_dim_and_keepdim_are_axis_and_keepdims() -> None:
    for f in ("sum", "mean", "var", "std", "prod", "logsumexp", "norm"):
        ours, theirs = getattr(x() + 1.0, f), getattr(x() + 1.0, f)
        np.testing.assert_array_equal(ours(axis=1).data, theirs(dim=1).data)
        assert theirs(dim=1, keepdim=True).shape == (2, 1, 4)
        np.testing.assert_array_equal(
            getattr(mr, f)(x(), dim=-1).data, getattr(mr, f)(x(), axis=-1).data
        )
    for f in ("softmax", "log_softmax", "cumsum"):
        np.testing.assert_array_equal(getattr(x(), f)(dim=1).data, getattr(x(), f)(axis=1).data)
    with pytest.raises(TypeError, match="axes"):
        x().sum(axes=1)


def test_extremes_along_a_dim_come_with_their_indices() -> None:
    values, indices = x().max(dim=1)
    assert values.requires_grad and values.shape == (2, 4) and (indices == 2).all()
    assert x().min(dim=1, keepdim=True).values.shape == (2, 1, 4)
    assert isinstance(x().max(axis=1), mr.Tensor) and x().max().item() == 23.0
    assert x().argmax(dim=2).tolist() == [[3, 3, 3], [3, 3, 3]] and x().argmin() == 0


def test_dtypes_and_leaves() -> None:
    single = x().float()
    assert single.dtype == np.float32 and single.double().dtype == np.float64
    leaf = x()
    (leaf.float() * 2.0).sum().backward()
    assert leaf.grad.dtype == np.float64 and (leaf.grad == 2.0).all()
    plain = mr.zeros(2, 3)
    assert plain.requires_grad_().requires_grad and mr.ones((2,), requires_grad=True).requires_grad
    assert mr.randn(2, 3, rng=0).data.tolist() == mr.randn((2, 3), rng=0).data.tolist()
    with pytest.raises(ValueError, match="was computed"):
        (plain * 2.0).requires_grad_()
    with pytest.raises(TypeError, match="floating-point"):
        mr.arange(3).requires_grad_()
    with pytest.raises(TypeError, match="int64 has no gradient"):
        plain.astype(int)


def test_dlpack_gives_a_copy() -> None:
    leaf = x()
    out = np.from_dlpack(leaf)
    assert out.shape == (2, 3, 4) and not np.shares_memory(out, leaf.data)


def test_backward_and_grad_take_what_torch_takes() -> None:
    w, unused = mr.tensor([1.0, 2.0], requires_grad=True), mr.Value(1.0)
    y = w * w
    y.backward(gradient=[1.0, 1.0], retain_graph=True)
    assert w.grad.tolist() == [2.0, 4.0]
    y.sum().backward(inputs=[w])
    assert w.grad.tolist() == [4.0, 8.0]
    assert mr.grad(y, w, grad_outputs=[1.0, 0.0]).tolist() == [2.0, 0.0]
    assert mr.grad(y.sum(), [w, unused], allow_unused=True)[1] is None
    with pytest.raises(ValueError, match="no path leads"):
        mr.grad(y.sum(), unused, allow_unused=False)
    with pytest.raises(ValueError, match=r"mr\.grad"):
        y.sum().backward(create_graph=True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *(("cuda", "on the CPU"), ("add_", "not changed in place"), ("grad_fn", "x.primitive")),
        *(
            ("split", "mr.split"),
            ("reshap", "did you mean \\.reshape"),
            ("qwertz", "has no qwertz$"),
        ),
    ],
)
def test_a_tensor_says_what_a_name_is_called(name: str, words: str) -> None:
    with pytest.raises(AttributeError, match=words):
        getattr(x(), name)
    assert not hasattr(x(), name)


@pytest.mark.parametrize(
    ("name", "words"),
    [("from_numpy", "mr.tensor"), ("Tanh", r"mr\.tanh"), ("qwertz", "has no qwertz$")],
)
def test_the_package_says_what_a_name_is_called(name: str, words: str) -> None:
    with pytest.raises(AttributeError, match=words):
        getattr(mr, name)
