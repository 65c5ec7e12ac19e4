"""NaN and infinity, caught where they are born."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import micrornn as mr


def line() -> int:
    """The line that calls this, less the line below it."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def test_forward() -> None:
    x = mr.tensor([1.0, -1.0], requires_grad=True)
    with mr.trap_nonfinite(), mr.scope("lstm.0"), mr.scope("forget gate", t=3):
        y = x * 2.0
        with pytest.raises(mr.NonFiniteError) as caught:
            mr.log(y)
        here = line() - 1
    message = str(caught.value)
    assert message.startswith("forward: NaN born in log #")
    assert (
        f"'lstm.0/forget gate' at step 3 made at {Path(__file__)}:{here} of shape (2,)" in message
    )
    assert message.endswith("its inputs: (2,) in [-2, 2]")
    assert caught.value.direction == "forward" and caught.value.node.inputs == (y,)
    assert caught.value.node.source == (__file__, here)
    assert isinstance(caught.value, FloatingPointError)


def test_infinity_and_python_numbers() -> None:
    a = mr.Value(1e200)
    for f, born in ((lambda: a * a, "inf"), (lambda: -a * a, "-inf"), (lambda: a / 0.0, "inf")):
        with mr.trap_nonfinite(), pytest.raises(mr.NonFiniteError, match=f"forward: {born} born"):
            f()
    with mr.trap_nonfinite():
        mr.exp(mr.Value(700.0))


def test_an_input_that_was_not_finite_already() -> None:
    x = mr.tensor([1.0, np.nan], requires_grad=True)
    with mr.trap_nonfinite(), pytest.raises(mr.NonFiniteError, match="not finite already"):
        mr.tanh(x)


def test_backward_where_it_is_born() -> None:
    x = mr.tensor([0.0, 1.0], requires_grad=True, name="x")
    with mr.trap_nonfinite(), mr.scope("norm", t=7):
        y = mr.sqrt(x)
        with pytest.raises(mr.NonFiniteError) as caught:
            y.sum().backward()
    assert "backward: inf born in the pullback of sqrt" in str(caught.value)
    assert "in 'norm' at step 7" in str(caught.value)
    assert "sent to input 0, leaf 'x'" in str(caught.value)
    assert caught.value.direction == "backward" and caught.value.node is y
    assert x.grad is None


def test_backward_in_contributions_that_are_not_written_out() -> None:
    w = mr.tensor(np.full((2, 2), 1e300), requires_grad=True)
    x = mr.tensor(np.full(2, 1e-300))
    with mr.trap_nonfinite():
        y = mr.linear(x, w)
        with pytest.raises(mr.NonFiniteError, match=r"arrived at linear"):
            y.backward(np.array([1.0, np.inf]))
    big = mr.tensor(np.full((1, 2), 1e200), requires_grad=True)
    with mr.trap_nonfinite():
        y = mr.linear(big * 1e-100, mr.tensor(np.ones((1, 2)), requires_grad=True))
        with pytest.raises(mr.NonFiniteError, match=r"inf born in the pullback of linear"):
            y.backward(np.array([[1e250]]))


def test_backward_where_contributions_add_up_to_infinity() -> None:
    a = mr.Value(0.5)
    with mr.trap_nonfinite():
        b = a * 1.0
        y = b * 1e308 + b * 1e308
        with pytest.raises(mr.NonFiniteError, match=r"inf arrived at mul"):
            mr.grad(y * 1.0, a)


def test_outside_of_the_trap_nothing_is_caught_and_no_source_is_kept() -> None:
    x = mr.tensor([0.0], requires_grad=True)
    with mr.trap_nonfinite():
        pass
    with np.errstate(all="ignore"):
        y = mr.log(x)
        y.sum().backward()
    assert y.source is None and np.isinf(x.grad).all()


def test_a_finite_run_is_left_alone() -> None:
    x = mr.tensor([0.5], requires_grad=True)
    with mr.trap_nonfinite():
        loss = mr.tanh(x * 2.0).sum()
        here = line() - 1
        loss.backward()
        mr.grad(loss, x, create_graph=True)
    assert loss.source == (__file__, here)
    assert np.isfinite(x.grad).all()
