"""Derivatives of derivatives, forward mode, Jacobians, Hessian times vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from well_formed import verify

import micrornn as mr


def leaf(*shape: int, seed: int = 0) -> mr.Tensor:
    return mr.tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


def test_derivatives_of_any_order() -> None:
    x = mr.Value(2.0)
    y, found = x**5, []
    for _ in range(5):
        y = mr.grad(y, x, create_graph=True)
        found.append(y.item())
    assert found == [80.0, 160.0, 240.0, 240.0, 120.0]
    assert mr.grad(y, x) in (0.0, None)


def test_third_derivative_of_tanh() -> None:
    x = leaf(4)
    y: Any = mr.tanh(x)
    for _ in range(3):
        y = mr.grad(y.sum(), x, create_graph=True)
    t = np.tanh(x.data)
    np.testing.assert_allclose(y.data, (1 - t * t) * (6 * t * t - 2), rtol=1e-12)


def test_derivatives_in_several_variables() -> None:
    a, b = mr.Value(1.5), mr.Value(-0.5)
    y = mr.sin(a * b) * a
    da, db = mr.grad(y, [a, b], create_graph=True)
    p = 1.5 * -0.5
    dab = mr.grad(da, b, create_graph=True)
    assert dab.item() == pytest.approx(2 * 1.5 * np.cos(p) - 1.5 * p * np.sin(p), rel=1e-14)
    assert mr.grad(db, a) == pytest.approx(dab.item(), rel=1e-14)
    assert mr.grad(dab, a) == pytest.approx((2 - p * p) * np.cos(p) - 4 * p * np.sin(p), rel=1e-14)


def test_a_recorded_gradient_is_a_graph() -> None:
    x = leaf(3)
    with mr.scope("loss", t=2):
        loss = (mr.tanh(x) ** 2).sum()
    g = mr.grad(loss, x, create_graph=True)
    graph = mr.Graph(g)
    verify(graph)
    assert x in graph.nodes and str(graph).count("= mul(") > 1
    plain = mr.grad(loss, x)
    np.testing.assert_allclose(g.data, plain, rtol=1e-15)
    assert x.grad is None


def test_a_gradient_that_does_not_depend_on_anything() -> None:
    x = leaf(3)
    g = mr.grad((x * 2.0).sum(), x, create_graph=True)
    assert not g.requires_grad and g.data.tolist() == [2.0] * 3
    assert mr.hvp((x * 2.0).sum(), x, np.ones(3)).tolist() == [0.0] * 3


def test_a_recorded_gradient_from_a_given_tensor_goes_back_to_it() -> None:
    x, v = leaf(3), leaf(3, seed=1)
    g = mr.grad(x * x, x, v, create_graph=True)  # 2 x v
    np.testing.assert_allclose(mr.grad(g.sum(), v), 2 * x.data)


def test_penalty_on_the_gradient() -> None:
    w, x = leaf(4, 3), leaf(5, 3, seed=1)

    def loss(w: mr.Tensor, x: mr.Tensor) -> mr.Tensor:
        out = mr.tanh(mr.linear(x, w)).sum() + (w * w).sum() + w[1:3].sum() * w[0, 0]
        gw, gx = mr.grad(out, [w, x], create_graph=True)
        return (gw * gw).sum() + (gx * gx).sum()

    mr.gradcheck(loss, [w, x])
    mr.gradgradcheck(loss, [w, x], atol=1e-4)


# An operation by itself meets an operation that leaves its contribution unwritten, in either order.
MIXED: dict[str, Callable[[mr.Tensor], mr.Tensor]] = {
    "dense, then product": lambda w: (w * w).sum() * (np.ones((2, 3)) @ w.T).sum(),
    "product, then dense": lambda w: mr.linear(np.ones((2, 3)), w).sum() * (w * w).sum(),
    "dense, then part": lambda w: (w * w).sum() + (w[0] * w[1, 2]).sum(),
    "part, then product": lambda w: mr.linear(w[0], w).sum() * w[1, 1],
    "part of a part": lambda w: (w[1:][1:] ** 3).sum() * w[:, 1].sum(),
    "products of vectors and of batches": lambda w: (
        mr.linear(np.ones(3), w).sum() * mr.linear(np.ones((2, 3)), w).sum()
        + mr.linear(np.ones((2, 2, 3)), w).sum() ** 2
    ),
    "rows taken twice": lambda w: (mr.take(w, [0, 0, 2]) ** 2).sum() * w.sum(),
    "with itself": lambda w: (w @ w.T @ w).sum(),
}


@pytest.mark.parametrize("name", MIXED)
def test_sums_of_written_and_unwritten_contributions(name: str) -> None:
    f = MIXED[name]
    mr.gradcheck(f, leaf(4, 3), atol=1e-5)
    mr.gradgradcheck(f, leaf(4, 3), atol=1e-4)


# -- forward mode -------------------------------------------------------------------------------------


def network(w: mr.Tensor, h: mr.Tensor) -> mr.Tensor:
    for t in range(1, 4):
        with mr.scope(t=t):
            h = mr.tanh(mr.linear(h, w)) * mr.sigmoid(h)
    return h


def test_both_modes_give_one_jacobian() -> None:
    w, h = leaf(3, 3), leaf(2, 3, seed=1)
    out = network(w, h)
    for wrt in (w, h, out.inputs[0]):
        forward = mr.jacobian(out, wrt, "forward")
        assert forward.shape == out.shape + wrt.shape
        np.testing.assert_allclose(
            mr.jacobian(out, wrt, "reverse"), forward, rtol=1e-10, atol=1e-14
        )
        np.testing.assert_array_equal(
            mr.jacobian(out, wrt), mr.jacobian(out, wrt, "forward" if wrt.size < 6 else "reverse")
        )
    assert mr.jacobian(out.sum(), mr.Value(1.0)).shape == ()  # no path


def test_jacobian_of_numbers() -> None:
    a = mr.Value(3.0)
    for mode in ("forward", "reverse", "auto"):
        found = mr.jacobian(a * a, a, mode)  # type: ignore[arg-type]
        assert found.shape == () and found == 6.0
    x = leaf(3)
    assert mr.jacobian(x * a, a).shape == (3,) and mr.jacobian((x * a).sum(), x).shape == (3,)
    assert mr.jacobian(x, x).tolist() == np.eye(3).tolist()
    narrow = mr.tensor(np.ones(2, np.float32), requires_grad=True)
    assert mr.jacobian(narrow * 2.0, narrow).dtype == np.float32
    with pytest.raises(ValueError, match="choose auto, forward or reverse"):
        mr.jacobian(a * a, a, "both")  # type: ignore[arg-type]
    for mode in ("forward", "reverse"):
        with pytest.raises(ValueError, match=r"jacobian with respect .* does not require"):
            mr.jacobian(a * a, mr.tensor(1.0), mode)  # type: ignore[arg-type]


def test_jvp_equals_the_jacobian_times_the_tangents() -> None:
    w, h = leaf(3, 3), leaf(2, 3, seed=1)
    out = network(w, h)
    v, u = np.random.default_rng(2).normal(size=(2, 3, 3))
    u = u[:2]
    expected = np.tensordot(mr.jacobian(out, w), v, 2) + np.tensordot(mr.jacobian(out, h), u, 2)
    np.testing.assert_allclose(mr.jvp(out, [w, h], [v, u]), expected, rtol=1e-12)
    np.testing.assert_array_equal(mr.jvp(out, w, np.zeros((3, 3))), np.zeros((2, 3)))
    np.testing.assert_array_equal(mr.jvp(out, out, np.ones((2, 3))), np.ones((2, 3)))
    for given, words in (
        (([w, h], [v]), r"1 tangents for 2 inputs"),
        ((w, u), r"tangent of shape \(2, 3\) for leaf #\d+ of shape \(3, 3\)"),
        ((mr.tensor(1.0), 1.0), r"jvp with respect to leaf #\d+, which does not require"),
    ):
        with pytest.raises(ValueError, match=words):
            mr.jvp(out, *given)


def test_the_tangent_of_a_node_on_the_way_replaces_what_would_reach_it() -> None:
    x = mr.Value(2.0)
    y = x * 3.0
    z = y * y
    assert mr.jvp(z, y, 1.0) == 12.0
    assert mr.jvp(z, [x, y], [100.0, 1.0]) == 12.0


# -- Hessians -----------------------------------------------------------------------------------------


def test_hvp_against_differences_of_the_gradient() -> None:
    w, h = leaf(3, 3), leaf(2, 3, seed=1)
    vw, vh = np.random.default_rng(3).normal(size=(3, 3)), np.ones((2, 3))

    def loss() -> mr.Tensor:
        return (network(w, h) ** 2).sum()

    found = mr.hvp(loss(), [w, h], [vw, vh])
    eps, ends = 1e-5, []
    w0, h0 = w.data, h.data
    for sign in (1, -1):
        w.data, h.data = w0 + sign * eps * vw, h0 + sign * eps * vh
        ends.append(mr.grad(loss(), [w, h]))
    for f, plus, minus in zip(found, *ends):
        np.testing.assert_allclose(f, (plus - minus) / (2 * eps), rtol=1e-6, atol=1e-8)


def test_hvp_is_symmetric_and_fills_with_zeros() -> None:
    x, other = leaf(4), leaf(2, seed=1)
    loss = (mr.sin(x) * x).sum()
    u, v = np.random.default_rng(4).normal(size=(2, 4))
    np.testing.assert_allclose(np.dot(u, mr.hvp(loss, x, v)), np.dot(v, mr.hvp(loss, x, u)))
    both = mr.hvp(loss, [x, other], [v, np.ones(2)])
    assert both[1].tolist() == [0.0, 0.0]
    assert mr.hvp(mr.Value(1.0) * 2.0, other, np.ones(2)).tolist() == [0.0, 0.0]
    a = mr.Value(2.0)
    assert mr.hvp(a * a * a, a, 1.0) == 12.0
    for given, words in (
        (([x, other], [v]), "1 vectors for 2 inputs"),
        ((x, np.ones(3)), r"vector of shape \(3,\) for leaf #\d+ of shape \(4,\)"),
    ):
        with pytest.raises(ValueError, match=words):
            mr.hvp(loss, *given)
