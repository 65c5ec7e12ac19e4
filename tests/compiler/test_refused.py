"""What a compiled function says about what it cannot do, and when it is traced again."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.compiler import agreement, ready

w = nn.Parameter(np.ones(3), name="w")


def test_a_branch_on_a_computed_value_is_refused_at_its_line() -> None:
    def loss(x: Any) -> Any:
        y = (w * x).sum()
        return y if y.item() > 0 else -y

    with pytest.raises(mr.CompileError, match=r"decides something by a value.*test_refused.py:\d+"):
        mr.compile(loss)(np.ones(3))


@pytest.mark.parametrize(
    "decide",
    [lambda y: bool(y.data.sum() > 0), lambda y: float(y.sum()) > 0, lambda y: y.data[0] > 0],
)
def test_however_the_value_is_read(decide: Any) -> None:
    def loss(x: Any) -> Any:
        y = w * x
        return y.sum() if decide(y) else -y.sum()

    with pytest.raises(mr.CompileError, match=r"mr\.where"):
        mr.compile(loss)(np.ones(3))


def test_a_branch_on_the_data_holds_until_the_answer_changes() -> None:
    def loss(x: Any) -> Any:
        return (w * x).sum() if x[0] > 0 else (w * w * x).sum()

    step = mr.compile(loss)
    for sign in (1.0, 1.0, -1.0, -1.0, 1.0):
        x = sign * np.arange(1.0, 4.0)
        assert step(x).item() == pytest.approx(loss(x).item(), rel=1e-12)
    assert step.programs == 3


def test_a_branch_on_what_many_steps_made_of_the_data() -> None:
    w = mr.nn.Parameter(np.array(2.0))

    def loss(x: Any) -> Any:
        total = x[0]
        for i in range(1, len(x)):
            total = total * 0.5 + x[i]
        return w * total if total > 0 else w * w

    x = np.ones(3000)
    step = mr.compile(loss)
    assert step(x).item() == pytest.approx(4.0)
    assert step(-x).item() == pytest.approx(4.0)
    assert step(2 * x).item() == pytest.approx(8.0)


def test_another_length_is_traced_once_more() -> None:
    def loss(x: Any) -> Any:
        h = mr.tensor(np.zeros(3))
        for now in x:
            h = mr.tanh(w * h + now)
        return h.sum()

    step = mr.compile(loss)
    for steps in (4, 9, 4, 9, 4):
        x = np.random.default_rng(steps).normal(size=(steps, 3))
        assert step(x).item() == pytest.approx(loss(x).item(), rel=1e-12)
    assert step.programs == 2


def test_data_that_did_not_come_in_as_an_argument_is_noticed() -> None:
    held = {"x": np.ones(3)}

    def loss(y: Any) -> Any:
        return (w * held["x"] * y).sum()

    step = mr.compile(loss)
    step(np.ones(3))
    held["x"] = 2.0 * np.ones(3)
    with pytest.raises(mr.CompileError, match="did not come in as an argument"):
        step(2.0 * np.ones(3))


@pytest.mark.parametrize("back", [False, True])
def test_a_difference_names_the_operation_its_scope_and_its_step(back: bool) -> None:
    cell, noise = nn.RNNCell(3, 4, rng=0), np.zeros((9, 4))

    def loss(xs: Any) -> Any:
        h = mr.tensor(np.zeros(4))
        for t in range(9, 0, -1) if back else range(1, 10):
            with mr.scope("disturbed", t=t):
                h = cell(xs[t - 1], h) * (1.0 + noise[t - 1].sum())
        return h.sum()

    step = mr.compile(loss)
    step(np.ones((9, 3)))
    noise[6] = 0.5
    with pytest.raises(mr.CompileError) as caught:
        step(2.0 * np.ones((9, 3)))
    assert "the loss" in str(caught.value)
    expected = "Since the first call the operation mul in disturbed at step 7 reads 3, which was 1"
    assert str(caught.value).endswith(expected)


def test_what_is_no_function_or_returns_an_array() -> None:
    with pytest.raises(TypeError, match="compile takes a function"):
        mr.compile(3)  # type: ignore[arg-type]
    with pytest.raises(mr.CompileError, match="returns tensors, not arrays"):
        mr.compile(lambda x: ((w * x).sum(), (w * x).data * 2.0))(np.ones(3))


def test_parameters_are_read_anew() -> None:
    p = nn.Parameter(np.ones(3))

    def loss(x: Any) -> Any:
        return (p * p * x).sum()

    step = mr.compile(loss)
    for k in range(4):
        p.data = np.full(3, float(k + 1))
        p.grad = None
        assert step(np.ones(3)).item() == 3.0 * (k + 1) ** 2
        np.testing.assert_array_equal(p.grad, np.full(3, 2.0 * (k + 1)))


def test_training_and_evaluation_are_two_programs() -> None:
    net = nn.Sequential(nn.Linear(3, 3, rng=0), nn.Dropout(0.5, rng=0))

    def loss(x: Any) -> Any:
        return (net(x) ** 2).sum()

    step, x = mr.compile(loss), np.ones((2, 3))
    for _ in range(3):
        step(x)
    net.eval()
    assert step(x).item() == pytest.approx(loss(x).item(), rel=1e-12) and step.programs == 2


def test_gradients_add_up_and_are_the_callers() -> None:
    p = nn.Parameter(np.ones(3))
    step = mr.compile(lambda x: (p * x).sum())
    step(np.ones(3))
    first = p.grad
    for _ in range(3):
        step(np.ones(3))
    np.testing.assert_array_equal(p.grad, np.full(3, 4.0))
    np.testing.assert_array_equal(first, np.ones(3))


def test_a_long_function_without_steps_stays_eager_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ready, "LONGEST", 5)

    def loss(x: Any) -> Any:
        y = w * x
        for operation in (mr.tanh, mr.exp, mr.sigmoid, mr.relu, mr.sin, mr.cos, mr.abs):
            y = operation(y)
        return y.sum()

    step = mr.compile(loss)
    with pytest.warns(UserWarning, match="stays eager: .* do not become a loop"):
        first = step(np.ones(3))
    w.grad = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert step(np.ones(3)).item() == first.item()
    assert w.grad is not None and step.eager


@pytest.mark.parametrize("result", [None, 3.0, (), np.ones(2)])
def test_a_function_that_returns_no_loss_is_told_so(result: Any) -> None:
    with pytest.raises(mr.CompileError, match="returns its loss"):
        mr.compile(lambda x: result)(np.ones(3))


def test_a_loss_of_several_numbers_or_of_no_parameter() -> None:
    with pytest.raises(ValueError, match="only a scalar"):
        mr.compile(lambda x: w * x)(np.ones(3))
    with pytest.raises(ValueError, match="nothing to go back through"):
        mr.compile(lambda x: mr.tensor(x).sum())(np.ones(3))


def test_an_argument_may_not_be_written_to() -> None:
    def loss(x: Any) -> Any:
        x[0] = 5.0
        return (w * x).sum()

    with pytest.raises(mr.CompileError, match="changed in place"):
        mr.compile(loss)(np.ones(3))


def test_the_text_is_there_after_the_first_call() -> None:
    step = mr.compile(lambda x: (w * x).sum())
    with pytest.raises(mr.CompileError, match="call the function first"):
        step.text()
    step(np.ones(3))
    assert step.text().startswith("def program(")


def test_nan_and_infinity_pass_through() -> None:
    p = nn.Parameter(np.ones(3))
    step = mr.compile(lambda x: (mr.log(p * x)).sum())
    step(np.ones(3))
    with np.errstate(all="ignore"):
        step(2.0 * np.ones(3))
        assert step(np.zeros(3)).item() == -np.inf
        assert np.isnan(step(np.full(3, np.nan)).item())


# -- what changes around a compiled function --


def test_a_parameter_that_is_frozen_or_thawed_is_traced_again() -> None:
    a, b = nn.Parameter(np.ones(3), name="a"), nn.Parameter(np.full(3, 2.0), name="b")
    step = mr.compile(lambda x: (a * b * x).sum())
    for k in range(3):
        step(np.full(3, float(k + 1)))
    b.requires_grad, a.grad, b.grad = False, None, None
    step(np.ones(3))
    assert b.grad is None
    np.testing.assert_array_equal(a.grad, np.full(3, 2.0))
    b.data = np.full(3, 5.0)  # a frozen weight, too, may be given a value
    a.grad = None
    assert step(np.ones(3)).item() == 15.0
    np.testing.assert_array_equal(a.grad, np.full(3, 5.0))
    b.requires_grad = True
    step(np.ones(3))
    np.testing.assert_array_equal(b.grad, np.ones(3))


def test_tensors_made_before_may_have_other_values() -> None:
    p = nn.Parameter(np.full(2, 0.5))
    held = [mr.tensor(np.full(2, float(k))) for k in range(5)]

    def loss(x: Any) -> Any:
        h = mr.tensor(np.zeros(2))
        for offset in held:
            h = mr.tanh(p * h + offset * x)
        return h.sum()

    step, rng = mr.compile(loss), np.random.default_rng(0)
    for _ in range(4):
        held[2].data = rng.normal(size=2)
        x = rng.normal(size=2)
        assert step(x).item() == pytest.approx(loss(x).item(), rel=1e-12)
    assert "for " in step.text()


def test_without_gradients_only_the_function_runs() -> None:
    p = nn.Parameter(np.ones(3))
    step = mr.compile(lambda x: (p * x).sum())
    step(np.ones(3))
    p.grad = None
    with mr.no_grad():
        assert step(np.ones(3)).item() == 3.0
    assert p.grad is None


def test_a_recording_of_a_compiled_function_is_that_of_the_function() -> None:
    p = nn.Parameter(np.ones(3), name="p")

    def loss(x: Any) -> Any:
        return mr.tanh(p * x).sum()

    step = mr.compile(loss)
    for k in range(3):
        step(np.full(3, float(k)))
    with mr.recording() as rec:
        step(np.ones(3))
    assert len(rec.nodes) == len(mr.record(lambda: loss(np.ones(3))).nodes) > 3


def test_infinite_losses_agree_and_finite_numbers_beside_nan_are_compared() -> None:
    p = nn.Parameter(np.ones(3))
    with np.errstate(all="ignore"):
        assert mr.compile(lambda x: -mr.log(p * x).sum())(np.zeros(3)).item() == np.inf
        with pytest.raises(mr.CompileError, match="differs from the function"):
            agreement.close([np.nan, 1.0], [np.nan, 2.0], "a gradient", 2.0)


class Holder:
    """What cannot be hashed, and may be made where another was."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, factor: float) -> None:
        self.factor = factor


def test_an_object_in_the_place_of_another_is_not_taken_for_it() -> None:
    p = nn.Parameter(np.ones(3))
    step = mr.compile(lambda x, held: (p * x).sum() * held.factor)
    for factor in range(1, 30):
        assert step(np.ones(3), Holder(factor)).item() == 3.0 * factor


def test_threads_take_turns() -> None:
    from concurrent.futures import ThreadPoolExecutor

    p = nn.Parameter(np.full(200, 0.5))

    def loss(x: Any) -> Any:
        h = mr.tensor(np.zeros(200))
        for now in x:
            h = mr.tanh(p * h + now)
        return h.sum()

    step = mr.compile(loss)
    data = [np.random.default_rng(k).normal(size=(30, 200)) for k in range(8)]
    for x in data[:2]:
        step(x)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: step(data[k % 8]).item(), range(200)))
    right = [loss(x).item() for x in data]
    assert found == pytest.approx([right[k % 8] for k in range(200)], rel=1e-12)


def test_what_a_function_changes_around_it_is_refused() -> None:
    norm = nn.BatchNorm1d(3)

    def loss(x: Any) -> Any:
        return (norm(x) ** 2).sum()

    with pytest.raises(
        mr.CompileError, match=r"running_mean.* a new value; a program only computes"
    ):
        mr.compile(loss)(np.random.default_rng(0).normal(size=(4, 3)))
    norm.eval()
    step, x = mr.compile(loss), np.ones((4, 3))
    assert step(x).item() == pytest.approx(loss(x).item(), rel=1e-12)


def test_wrong_data_after_the_first_calls_gets_the_functions_own_error() -> None:
    table = nn.Embedding(5, 2, rng=0)
    step = mr.compile(lambda x: (table(x) ** 2).sum())
    for k in range(3):
        step(np.array([k, k + 1]))
    for wrong in (7, -1):
        with pytest.raises(ValueError, match=f"index {wrong} has no row in a table of 5"):
            step(np.array([0, wrong]))


def test_a_gap_in_the_compiler_is_said_and_the_function_stays_eager(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> None:
        raise IndexError("no such row")

    monkeypatch.setattr(ready, "reverse", broken)
    v = nn.Parameter(np.ones(3))
    step = mr.compile(lambda x: (v * x).sum())
    with pytest.warns(UserWarning, match="stays eager: no program could be written.*no such row"):
        assert step(np.arange(3.0)).item() == 3.0
    assert v.grad.tolist() == [0.0, 1.0, 2.0]
    assert step(np.arange(3.0)).item() == 3.0, "and says so once"
