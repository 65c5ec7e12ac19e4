"""What has to hold for every primitive; a new one is tested by being declared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from operations import CASES, drawn, leaves, like, operation

import micrornn as mr
from micrornn.core.backward import dense
from micrornn.core.primitive import PRIMITIVES, Primitive, Sample
from micrornn.core.tensor import constant

each = pytest.mark.parametrize(("p", "sample"), CASES)


#: What has no rule to check: a cut, a change of dtype, a derivative beyond the ones that are there, and the
#: two that only name what a checkpoint did not keep.
WITHOUT_SAMPLES = {"detach", "cast", "ctc_curvature", "checkpoint", "forgotten"}


def test_every_primitive_has_samples() -> None:
    assert {name for name, p in PRIMITIVES.items() if not p.samples} <= WITHOUT_SAMPLES
    assert all("\n" not in p.formula for p in PRIMITIVES.values())


@each
def test_gradient_against_differences(p: Primitive, sample: Sample) -> None:
    mr.gradcheck(operation(p, sample), leaves(sample))


@each
def test_gradient_of_the_gradient_against_differences(p: Primitive, sample: Sample) -> None:
    try:
        mr.gradgradcheck(operation(p, sample), leaves(sample))
    except NotImplementedError as error:  # it says so, and gives no wrong number
        pytest.skip(str(error))


@each
def test_backward_is_the_adjoint_of_forward_mode(p: Primitive, sample: Sample) -> None:
    # <w, J v> = <J* w, v>, which differences would show to six digits only
    inputs = leaves(sample)
    y = operation(p, sample)(*inputs)
    w, vs = like(y, 1), [like(x, i) for i, x in enumerate(inputs)]
    forward = np.sum(mr.jvp(y, inputs, vs) * w)
    backward = sum(np.sum(g * v) for g, v in zip(mr.grad(y, inputs, w), vs))
    np.testing.assert_allclose(forward, backward, rtol=1e-11, atol=1e-13)


@each
def test_gradients_look_like_their_inputs(p: Primitive, sample: Sample) -> None:
    inputs = leaves(sample)
    y = operation(p, sample)(*inputs)
    y.backward(like(y, 1))
    for x in inputs:
        if isinstance(x.data, float):
            assert type(x.grad) is float
        else:
            assert type(x.grad) is np.ndarray and x.grad.flags.writeable
            assert x.grad.shape == x.shape and x.grad.dtype == x.dtype
    pairs = [(a.grad, b.grad) for i, a in enumerate(inputs) for b in inputs[:i]]
    assert not any(np.shares_memory(np.asarray(a), np.asarray(b)) for a, b in pairs)


@each
def test_an_input_that_wants_no_gradient_changes_nothing_for_the_others(
    p: Primitive, sample: Sample
) -> None:
    inputs = leaves(sample)
    y = operation(p, sample)(*inputs)
    w = like(y, 1)
    expected = mr.grad(y, inputs, w)
    for i, x in enumerate(inputs):
        alone: list[Any] = [other.data for other in inputs]
        alone[i] = x
        np.testing.assert_array_equal(mr.grad(operation(p, sample)(*alone), x, w), expected[i])


@each
def test_recorded_backward_equals_plain_backward(p: Primitive, sample: Sample) -> None:
    inputs = leaves(sample)
    y = operation(p, sample)(*inputs)
    g = like(y, 1)[()]
    plain = p.pull(y, g)
    recorded = p.pull(y, constant(np.asarray(g)))
    for a, b, x in zip(plain, recorded, inputs):
        written = dense(b)
        assert isinstance(written, mr.Tensor) and written.shape == np.shape(dense(a)) == x.shape
        np.testing.assert_allclose(written.data, dense(a), rtol=1e-12, atol=1e-14)


@each
def test_values_are_those_of_forward_on_plain_arrays(p: Primitive, sample: Sample) -> None:
    values = drawn(sample)
    y = operation(p, sample)(*map(mr.tensor, values))
    assert y.is_leaf and not y.requires_grad  # nothing wants a gradient: no history
    plain = operation(p, sample)(*values)
    assert not isinstance(plain, mr.Tensor)
    np.testing.assert_array_equal(y.data, plain)
    np.testing.assert_array_equal(y.data, operation(p, sample)(*leaves(sample)).data)


@each
def test_float32_stays_float32(p: Primitive, sample: Sample) -> None:
    if set(sample.shapes) == {None}:
        pytest.skip("Python numbers have no float32")
    inputs = leaves(sample, dtype=np.float32)
    y = operation(p, sample, np.float32)(*inputs)
    assert y.dtype == np.float32
    gradients: list[Any] = []
    for pullback in mr.pullbacks(y, like(y, 1)):
        gradients += [pullback.gradient, *map(dense, pullback.contributions)]
    wide = {g.dtype for g in gradients if isinstance(g, (np.ndarray, np.generic))} - {
        np.dtype(np.float32)
    }
    assert not wide
    tangent = mr.jvp(y, inputs, [like(x, i) for i, x in enumerate(inputs)])
    assert tangent.dtype == np.float32
    for g, x in zip(mr.grad(y, inputs, like(y, 1), create_graph=True), inputs):
        assert g.dtype == np.float32 or x.ndim == 0


@each
def test_python_numbers_make_python_numbers(p: Primitive, sample: Sample) -> None:
    if set(sample.shapes) != {None}:
        pytest.skip("there is an array among the inputs")
    inputs = leaves(sample)
    y = operation(p, sample)(*inputs)
    assert type(y.data) is float
    y.backward()
    assert all(type(x.grad) is float for x in inputs)


@each
def test_the_same_tensor_in_every_place(p: Primitive, sample: Sample) -> None:
    if len(sample.shapes) < 2 or len(set(sample.shapes)) > 1:
        pytest.skip("the inputs are of different shapes")
    x = leaves(sample)[0]
    call = operation(p, sample)
    count = len(sample.shapes)
    y = call(*[x] * count)
    w = like(y, 1)
    apart = [mr.tensor(x.data, requires_grad=True) for _ in range(count)]
    expected = sum(mr.grad(call(*apart), apart, w))
    np.testing.assert_allclose(mr.grad(y, x, w), expected, rtol=1e-12)
    mr.gradcheck(lambda x: call(*[x] * count), x)


@each
def test_backward_twice_is_the_same_twice(p: Primitive, sample: Sample) -> None:
    inputs = leaves(sample)
    y = operation(p, sample)(*inputs)
    w = like(y, 1)
    first = mr.grad(y, inputs, w)
    for a, b in zip(first, mr.grad(y, inputs, w)):
        np.testing.assert_array_equal(a, b)
