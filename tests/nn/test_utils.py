"""Clipping against PyTorch, and at the extremes."""

import math

import numpy as np
import pytest
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm


def with_grad(grad, name=None):
    parameter = nn.Parameter(np.zeros(np.shape(grad)), name=name)
    parameter.grad = grad
    return parameter


@pytest.mark.parametrize("case", load("clipping"), ids=lambda case: case.name)
def test_clipped_as_pytorch_clips(case):
    parameters = {key: with_grad(value) for key, value in case["before"].items()}
    options = {key: float(value) for key, value in case.arguments["options"].items()}
    call = {"clip_grad_norm_": clip_grad_norm_, "clip_grad_value_": clip_grad_value_}
    total = call[case.arguments["function"]](parameters.values(), **options)
    if case["norm"]:
        assert total == pytest.approx(float(case["norm"]["total"]), rel=1e-12)
    for key, parameter in parameters.items():
        assert np.abs(parameter.grad - case["after"][key]).max() <= 1e-10


def test_the_old_gradient_is_left_alone():
    grad = np.array([3.0, 4.0])
    for clip in (clip_grad_norm_, clip_grad_value_):
        clip([with_grad(grad)], 1.0)
        assert grad.tolist() == [3.0, 4.0]


def test_scalars_stay_floats():
    for clip, expected in ((clip_grad_norm_, 1.0), (clip_grad_value_, 1.0)):
        number = mr.Value(0.0)
        number.grad = 5.0
        clip(number, 1.0)
        assert type(number.grad) is float and number.grad == pytest.approx(expected, abs=1e-6)


def test_float32_stays_float32():
    for clip in (clip_grad_norm_, clip_grad_value_):
        parameter = with_grad(np.float32([3, 4]))
        clip([parameter], 1.0)
        assert parameter.grad.dtype == np.float32


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize(
    ("size", "dtype"),
    [(1e30, np.float32), (1e-30, np.float32), (1e200, np.float64), (1e-200, np.float64)],
)
def test_norms_neither_overflow_nor_underflow(order, size, dtype):
    tensors = [np.array([3 * size], dtype), np.array([[4 * size]], dtype)]
    expected = {1.0: 7.0, 2.0: 5.0, 3.0: 91 ** (1 / 3), math.inf: 4.0}[order]
    assert get_total_norm(tensors, order) == pytest.approx(expected * size, rel=1e-6)


def test_norms_of_nothing_and_of_zeros():
    assert get_total_norm([]) == 0.0
    assert get_total_norm([np.zeros(3), np.zeros((0, 2))]) == 0.0
    assert clip_grad_norm_([nn.Parameter([1.0])], 1.0) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_clipping_cannot_cure_what_is_not_finite(bad):
    fine, broken = with_grad(np.array([1.0])), with_grad(np.array([bad, 1.0]), "W_hh")
    with pytest.raises(ValueError, match=r"gradient of leaf 'W_hh'.*trap_nonfinite"):
        clip_grad_norm_([fine, broken], 1.0, error_if_nonfinite=True)
    assert fine.grad.tolist() == [1.0]  # untouched
    total = clip_grad_norm_([fine, broken], 1.0)
    assert total == bad or math.isnan(total)
    assert math.isnan(broken.grad[0])
    assert fine.grad[0] == 0.0 or (math.isnan(bad) and math.isnan(fine.grad[0]))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: clip_grad_norm_([], -1.0), ValueError, "max_norm=-1.0"),
        (lambda: clip_grad_norm_([], math.nan), ValueError, "max_norm=nan"),
        (lambda: clip_grad_norm_([], 1.0, 0.0), ValueError, "norm_type=0.0"),
        (lambda: clip_grad_value_([], -1.0), ValueError, "clip_value=-1.0"),
        (lambda: clip_grad_norm_([np.ones(2)], 1.0), TypeError, r"module.parameters\(\)"),
    ],
)
def test_errors_say_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()
