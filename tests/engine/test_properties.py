"""Random graphs, shapes, subscripts and indices: both modes agree, with each other and with differences."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from well_formed import verify

import micrornn as mr

quick = settings(deadline=None, max_examples=60, derandomize=True)

UNARY: list[Callable[[Any], Any]] = [
    *(mr.tanh, mr.sigmoid, mr.softplus, mr.sin, mr.cos, mr.neg, mr.identity, mr.softmax),
    *(lambda x: mr.exp(-x * x), lambda x: mr.log(x * x + 1.0), lambda x: mr.sqrt(x * x + 0.5)),
    *(lambda x: 1.0 / (x * x + 2.0), lambda x: x**2, lambda x: (x * x + 0.5) ** 1.5),
    *(mr.log_softmax, lambda x: x - mr.mean(x, axis=-1, keepdims=True), lambda x: mr.cumsum(x, 0)),
    *(lambda x: x.T, lambda x: mr.flip(x, 0), lambda x: mr.relu(x + 0.05)),
    *(lambda x: x[::-1], lambda x: x[[0, -1, 0]].sum(0) + x, lambda x: mr.var(x, axis=0) * x),
    *(lambda x: mr.logsumexp(x, axis=0) + x, lambda x: mr.concatenate([x, -x])[1 : 1 + len(x)]),
    *(lambda x: mr.stack([x, x * 2.0]).sum(0), lambda x: x.detach() * x),
]
BINARY: list[Callable[[Any, Any], Any]] = [
    *(mr.add, mr.sub, mr.mul, lambda a, b: a / (b * b + 1.0), lambda a, b: (a * a + 0.5) ** b),
    *(mr.matmul, lambda a, b: mr.linear(a, b), lambda a, b: mr.where(a > b, a * b, a)),
    lambda a, b: mr.einsum("ij,jk->ik", a, b),
]


class Program:
    """What is computed from two square matrices and a row: a list of (operation, operands)."""

    def __init__(self, steps: list[tuple[bool, int, int, int]]) -> None:
        self.steps = steps

    def __call__(self, *inputs: mr.Tensor) -> mr.Tensor:
        made: list[Any] = [inputs[0], inputs[1] + inputs[2]]
        for step, (binary, which, i, j) in enumerate(self.steps, 1):
            with mr.scope(t=step):
                a, b = made[i % len(made)], made[j % len(made)]
                if binary:
                    y = BINARY[which % len(BINARY)](a, b)
                else:
                    y = UNARY[which % len(UNARY)](a)
                made.append(mr.tanh(y))  # bounded, so that differences mean something
        return (made[-1] * made[len(made) // 2]).sum()

    def __repr__(self) -> str:
        return f"Program({self.steps})"


programs = st.lists(
    st.tuples(st.booleans(), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)),
    min_size=1,
    max_size=8,
).map(Program)


def inputs(seed: int) -> list[mr.Tensor]:
    rng = np.random.default_rng(seed)
    return [mr.tensor(rng.normal(size=s), requires_grad=True) for s in ((3, 3), (3, 3), (3,))]


@quick
@given(programs, st.integers(0, 2**16))
def test_reverse_forward_and_differences_agree(program: Program, seed: int) -> None:
    leaves = inputs(seed)
    out = program(*leaves)
    verify(mr.Graph(out))
    directions = [np.random.default_rng(seed + 1).normal(size=x.shape) for x in leaves]
    gradients = [
        np.zeros(x.shape) if g is None else g for x, g in zip(leaves, mr.grad(out, leaves))
    ]
    slope = sum(np.sum(g * v) for g, v in zip(gradients, directions))
    np.testing.assert_allclose(mr.jvp(out, leaves, directions), slope, rtol=1e-9, atol=1e-11)
    if any(
        not binary and which % len(UNARY) == len(UNARY) - 1 for binary, which, *_ in program.steps
    ):
        return  # what is detached is data to backward, and not to differences
    eps = 1e-6
    ends = []
    for sign in (1, -1):
        moved = [mr.tensor(x.data + sign * eps * v) for x, v in zip(leaves, directions)]
        ends.append(program(*moved).item())
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * eps), slope, rtol=1e-4, atol=1e-5)


@quick
@given(programs, st.integers(0, 2**16))
def test_recorded_gradients_are_the_gradients_and_can_be_differentiated(
    program: Program, seed: int
) -> None:
    leaves = inputs(seed)
    out = program(*leaves)
    vectors = [np.random.default_rng(seed + 1).normal(size=x.shape) for x in leaves]
    plain, recorded = mr.grad(out, leaves), mr.grad(out, leaves, create_graph=True)
    for p, r in zip(plain, recorded):
        assert (p is None) == (r is None)
        if p is not None:
            np.testing.assert_allclose(r.data, p, rtol=1e-9, atol=1e-12)
    others = [np.random.default_rng(seed + 2).normal(size=x.shape) for x in leaves]
    hv, hu = mr.hvp(out, leaves, vectors), mr.hvp(out, leaves, others)
    one = sum(np.sum(h * u) for h, u in zip(hv, others))
    two = sum(np.sum(h * v) for h, v in zip(hu, vectors))
    np.testing.assert_allclose(one, two, rtol=1e-7, atol=1e-8)  # the Hessian is symmetric


@quick
@given(programs, st.integers(0, 2**16))
def test_every_node_takes_one_turn_and_every_edge_carries_one_contribution(
    program: Program, seed: int
) -> None:
    out = program(*inputs(seed))
    stream = list(mr.pullbacks(out))
    graph = mr.Graph(out)
    assert len(stream) == sum(bool(node.inputs) for node in graph)
    sent = sum(c is not None for p in stream for c in p.contributions)
    assert sent == sum(edge.source.requires_grad for edge in graph.edges)


# -- broadcasting -------------------------------------------------------------------------------------

OPERATORS = [mr.add, mr.sub, mr.mul, mr.div, mr.pow, mr.maximum, mr.minimum]


@quick
@given(
    npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3, min_side=0),
    st.sampled_from(OPERATORS),
)
def test_broadcasting(shapes: npst.BroadcastableShapes, f: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    values = [rng.uniform(0.5, 2.0, size=s) for s in shapes.input_shapes]
    a, b = (mr.tensor(v, requires_grad=True) for v in values)
    y = f(a, b)
    assert y.shape == shapes.result_shape
    weights = rng.normal(size=y.shape)
    stretched = [
        mr.tensor(np.broadcast_to(v, y.shape), requires_grad=True) for v in values
    ]  # no broadcasting here: the reference
    whole = mr.grad(f(*stretched), stretched, weights)
    for x, g, w in zip((a, b), mr.grad(y, [a, b], weights), whole):
        assert g.shape == x.shape
        np.testing.assert_allclose(g, summed(w, x.shape), rtol=1e-12, atol=1e-14)
    for x, g, w in zip((a, b), mr.grad(y, [a, b], weights, create_graph=True), whole):
        np.testing.assert_allclose(g.data, summed(w, x.shape), rtol=1e-12, atol=1e-14)


def summed(g: Any, shape: tuple[int, ...]) -> Any:
    """What un-broadcasting has to give, element by element."""
    found = np.zeros(shape)
    places = np.broadcast_to(np.arange(found.size).reshape(shape), g.shape)
    np.add.at(found.reshape(-1), places.ravel(), g.ravel())
    return found


@quick
@given(npst.mutually_broadcastable_shapes(signature="(n,k),(k,m)->(n,m)", max_dims=2, max_side=3))
def test_matmul(shapes: npst.BroadcastableShapes) -> None:
    rng = np.random.default_rng(0)
    a, b = (mr.tensor(rng.normal(size=s), requires_grad=True) for s in shapes.input_shapes)
    y = a @ b
    w = rng.normal(size=y.shape)
    ga, gb = mr.grad(y, [a, b], w)
    np.testing.assert_allclose(ga, summed(w @ np.swapaxes(b.data, -1, -2), a.shape), atol=1e-12)
    np.testing.assert_allclose(gb, summed(np.swapaxes(a.data, -1, -2) @ w, b.shape), atol=1e-12)


# -- einsum -------------------------------------------------------------------------------------------


@st.composite
def subscripts(draw: st.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    """Subscripts with shapes; a letter may be of length 1 in one operand and longer in another."""
    letters = string.ascii_lowercase[:4]
    lengths = {c: draw(st.integers(1, 3)) for c in letters}
    terms = [
        "".join(draw(st.lists(st.sampled_from(letters), unique=True, max_size=3)))
        for _ in range(draw(st.integers(1, 3)))
    ]
    used = sorted(set("".join(terms)))
    output = draw(st.permutations(used))[: draw(st.integers(0, len(used)))]
    spread = draw(st.booleans())
    arrow = f"->{'...' if spread else ''}{''.join(output)}"
    shapes = []
    spelled = []
    for term in terms:
        lead = (draw(st.sampled_from([(), (2,), (1,)])),) if spread else ()
        shapes.append((*[n for p in lead for n in p], *[lengths[c] for c in term]))
        spelled.append(("..." if spread else "") + term)
    return ",".join(spelled) + arrow, shapes


@quick
@given(subscripts())
def test_einsum(case: tuple[str, list[tuple[int, ...]]]) -> None:
    subscript, shapes = case
    rng = np.random.default_rng(0)
    leaves = [mr.tensor(rng.normal(size=s), requires_grad=True) for s in shapes]
    y = mr.einsum(subscript, *leaves)
    expected = np.einsum(subscript, *[x.data for x in leaves])
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.data, expected, rtol=1e-12)
    mr.gradcheck(lambda *xs: mr.einsum(subscript, *xs), leaves)
    mr.gradgradcheck(lambda *xs: mr.einsum(subscript, *xs), leaves)


# -- indexing -----------------------------------------------------------------------------------------


@quick
@given(st.data(), npst.array_shapes(max_dims=3, max_side=4))
def test_basic_indexing(data: st.DataObject, shape: tuple[int, ...]) -> None:
    index = data.draw(npst.basic_indices(shape, allow_newaxis=True))
    check_index(shape, index)


@quick
@given(st.data(), npst.array_shapes(max_dims=3, max_side=4))
def test_integer_indexing(data: st.DataObject, shape: tuple[int, ...]) -> None:
    index = data.draw(npst.integer_array_indices(shape))
    check_index(shape, index)
    mixed = (index[0], *[slice(None)] * (len(shape) - 1))
    check_index(shape, mixed)
    check_index(shape, (Ellipsis, index[-1]))


@quick
@given(st.data(), npst.array_shapes(max_dims=3, max_side=4))
def test_masks(data: st.DataObject, shape: tuple[int, ...]) -> None:
    check_index(shape, data.draw(npst.arrays(bool, shape)))
    check_index(shape, (data.draw(npst.arrays(bool, shape[:1])), Ellipsis))


def check_index(shape: tuple[int, ...], index: Any) -> None:
    rng = np.random.default_rng(0)
    x = mr.tensor(rng.normal(size=shape), requires_grad=True)
    y = x[index]
    expected = x.numpy()[index]
    np.testing.assert_array_equal(y.data, expected)
    w = rng.normal(size=y.shape)
    whole = np.zeros(shape)
    np.add.at(whole, index, w)
    found = mr.grad(y, x, w)
    assert found.shape == shape
    np.testing.assert_allclose(found, whole, rtol=1e-12, atol=1e-14)
    recorded = mr.grad(y, x, mr.tensor(w, requires_grad=True), create_graph=True)
    np.testing.assert_allclose(recorded.data, whole, rtol=1e-12, atol=1e-14)
    twice = mr.grad(x[index] * 1.0 + y, x, w)  # two parts add up
    np.testing.assert_allclose(twice, 2 * whole, rtol=1e-12, atol=1e-14)


# -- reductions ---------------------------------------------------------------------------------------


@quick
@given(
    st.data(),
    npst.array_shapes(min_dims=0, max_dims=3, max_side=3),
    st.sampled_from([mr.sum, mr.mean, mr.var, mr.max, mr.min, mr.logsumexp]),
    st.booleans(),
)
def test_reductions(
    data: st.DataObject, shape: tuple[int, ...], f: Callable[..., Any], keepdims: bool
) -> None:
    axes = st.none()
    if shape:
        some = npst.valid_tuple_axes(len(shape), min_size=1)
        axes = st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1), some)  # type: ignore[assignment]
    axis = data.draw(axes)
    x = mr.tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True)
    y = f(x, axis=axis, keepdims=keepdims)
    assert y.shape == np.sum(x.data, axis=axis, keepdims=keepdims).shape
    mr.gradcheck(lambda x: f(x, axis=axis, keepdims=keepdims), x)


@quick
@given(npst.array_shapes(max_dims=3, max_side=3), st.data())
def test_shapes_there_and_back(shape: tuple[int, ...], data: st.DataObject) -> None:
    x = mr.tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True)
    order = data.draw(st.permutations(range(len(shape))))
    cuts = data.draw(st.lists(st.integers(0, shape[0]), max_size=3).map(sorted))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    pairs = data.draw(
        st.lists(st.tuples(*[st.integers(0, 2)] * 2), min_size=len(shape), max_size=len(shape))
    )
    assume(x.size)
    for y, expected in (
        (mr.transpose(x, order), np.transpose(x.data, order)),
        (mr.transpose(x, [a - len(shape) for a in order]), np.transpose(x.data, order)),
        (mr.concatenate(mr.split(x, cuts)), np.concatenate(np.split(x.data, cuts))),
        (mr.concatenate([x, x * 2.0], axis), np.concatenate([x.data, x.data * 2.0], axis)),
        (mr.stack([x, x * 2.0], axis), np.stack([x.data, x.data * 2.0], axis)),
        (mr.pad(x, pairs), np.pad(x.data, pairs)),
        (mr.flip(x, axis), np.flip(x.data, axis)),
        (mr.expand_dims(x, axis), np.expand_dims(x.data, axis)),
        (mr.cumsum(x, axis), np.cumsum(x.data, axis)),
        (mr.swapaxes(x, 0, axis), np.swapaxes(x.data, 0, axis)),
    ):
        np.testing.assert_array_equal(y.data, expected)
        w = np.random.default_rng(1).normal(size=y.shape)
        v = np.random.default_rng(2).normal(size=shape)
        forward, backward = np.sum(mr.jvp(y, x, v) * w), np.sum(mr.grad(y, x, w) * v)
        np.testing.assert_allclose(forward, backward, rtol=1e-10, atol=1e-12)
