"""The gradient check itself: it must catch what is wrong, and say where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn.core.primitive import PRIMITIVES, primitive, sample

Rule = Callable[..., Any]


@pytest.fixture
def declare() -> Iterator[Callable[..., Any]]:
    """Declare x^3 as a primitive with rules of one's own; it is gone after the test."""

    def cube(vjp: Rule, jvp: Rule | None = None) -> Any:
        return primitive(
            "wrong_cube",
            "x³",
            forward=lambda x: x * x * x,
            vjp=(vjp,),
            jvp=(jvp or vjp,),
            samples=(sample((3,)),),
        )

    yield cube
    PRIMITIVES.pop("wrong_cube", None)


def right(g: Any, y: Any, x: Any) -> Any:
    return g * 3.0 * x * x


def test_a_right_primitive_passes(declare: Callable[..., Any]) -> None:
    x = mr.tensor([0.5, 1.0, -2.0], requires_grad=True)
    assert mr.gradcheck(declare(right), x) < 1e-7
    assert mr.gradgradcheck(declare(right), x) < 1e-6


def test_a_wrong_vjp_is_caught_and_the_element_is_named(declare: Callable[..., Any]) -> None:
    def wrong(g: Any, y: Any, x: Any) -> Any:
        return g * 3.0 * x * x * np.array([1.0, 1.01, 1.0])

    a = mr.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x = mr.tensor([0.5, 1.0, -2.0], requires_grad=True, name="w")
    f = declare(wrong, right)
    words = (
        r"gradcheck: input 1 \(w\), element \[1\]: analytic -0.4002\d+, numeric -0.3963\d+, "
        r"difference 0.00396 \(allowed 1e-06 \+ 0.0001 relative\); 1 of 3 elements differ"
    )
    with pytest.raises(mr.GradientMismatch, match=words):
        mr.gradcheck(lambda a, x: f(x) * a.sum() * 0.0 + f(x) + 0.0 * a, [a, x])


def test_a_wrong_jvp_is_caught(declare: Callable[..., Any]) -> None:
    f = declare(right, lambda d, y, x: d * 3.0 * x)
    x = mr.tensor([0.5, 1.5, -2.0], requires_grad=True)
    with pytest.raises(mr.GradientMismatch, match=r"forward mode \(jvp\) gives .*backward mode is"):
        mr.gradcheck(f, x)


def test_a_rule_that_loses_the_second_derivative_is_caught(declare: Callable[..., Any]) -> None:
    def unrecorded(g: Any, y: Any, x: Any) -> Any:
        return g * (3.0 * np.square(x.data if isinstance(x, mr.Tensor) else x))

    f = declare(unrecorded)
    x = mr.tensor([0.5, 1.5, -2.0], requires_grad=True)
    mr.gradcheck(f, x)
    with pytest.raises(mr.GradientMismatch, match=r"element \[\d\]: analytic 0"):
        mr.gradgradcheck(f, x)


def test_a_missing_path_is_caught() -> None:
    x = mr.tensor([0.5], requires_grad=True)
    with pytest.raises(mr.GradientMismatch, match=r"analytic 0, numeric 0.1257\d+"):
        mr.gradcheck(lambda x: x.detach() * 1.0, x)
    with pytest.raises(mr.GradientMismatch, match=r"analytic 0.0628\d+, numeric 0.1257\d+"):
        mr.gradcheck(lambda x: x * x.detach(), x)


def test_a_rule_that_fails_or_gives_another_shape(declare: Callable[..., Any]) -> None:
    x = mr.tensor([0.5, 1.5], requires_grad=True)
    shorter = declare(lambda g, y, x: g[:1])
    with pytest.raises(
        ValueError, match=r"shape \(1,\) arrived at leaf .* of shape \(2,\): the vjp"
    ):
        shorter(x).sum().backward()
    assert x.grad is None
    PRIMITIVES.pop("wrong_cube")
    failing = declare(lambda g, y, x: g @ np.ones(7))
    with mr.scope("cell", t=3), pytest.raises(ValueError, match="matmul") as caught:
        failing(x).sum().backward()
    if hasattr(caught.value, "add_note"):
        [note] = caught.value.__notes__
        assert note.startswith("in the pullback of wrong_cube #")
        assert note.endswith("in 'cell' at step 3 of shape (2,)")


def test_a_nan_is_no_match() -> None:
    x = mr.tensor([0.5, -0.5], requires_grad=True)
    with (
        np.errstate(all="ignore"),
        pytest.raises(mr.GradientMismatch, match=r"element \[0\].*numeric nan"),
    ):
        mr.gradcheck(mr.log, x)


def test_what_it_refuses() -> None:
    good = mr.tensor([0.5], requires_grad=True)
    for bad in (
        mr.tensor([0.5]),
        mr.tensor(np.array([0.5], np.float32), requires_grad=True),
        good * 1.0,
    ):
        with pytest.raises(ValueError, match=r"gradcheck input 1 .* must be a float64 leaf"):
            mr.gradcheck(lambda a, b: a + b, [good, bad])
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"different values for the same input.*dropout"):
        mr.gradcheck(lambda x: x * rng.normal(), good)
    with pytest.raises(TypeError, match="must return a tensor, not list"):
        mr.gradcheck(lambda x: [x], good)  # type: ignore[arg-type,return-value]


def test_it_leaves_everything_as_it_was() -> None:
    x = mr.tensor([[0.5, 1.0]], requires_grad=True)
    a = mr.Value(2.0)
    array = x._value
    mr.gradcheck(lambda x, a: mr.tanh(x) * a, [x, a])
    assert x._value is array and type(a.data) is float and x.grad is None and a.grad is None
    with pytest.raises(mr.GradientMismatch):
        mr.gradcheck(lambda x, a: x.detach() * a, [x, a])
    assert x._value is array


def test_parameters_need_not_be_arguments_of_f() -> None:
    w = mr.tensor([0.5, 1.0], requires_grad=True)
    assert mr.gradcheck(lambda *_: mr.tanh(w), w) < 1e-8
    assert mr.gradcheck(lambda: mr.tensor(1.0), []) == 0.0
