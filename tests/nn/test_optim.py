"""Optimizers against PyTorch's trajectories, and what they promise besides."""

import numpy as np
import pytest
from reference.store import load

import micrornn as mr
from micrornn import nn, optim

CASES = load("optimizers")
KINDS = (optim.SGD, optim.Adagrad, optim.RMSprop, optim.Adam, optim.AdamW)


def follow(case, parameters, optimizer, steps):
    for step in steps:
        for key, parameter in parameters.items():
            parameter.grad = case["gradients"][key][step]
        optimizer.step()
        for key, parameter in parameters.items():
            difference = np.abs(parameter.data - case["trajectory"][key][step]).max()
            assert difference <= 1e-10, (key, step)


def start(case):
    parameters = {key: nn.Parameter(value) for key, value in case["start"].items()}
    maker = getattr(optim, case.arguments["optimizer"])
    return parameters, maker(parameters.values(), **case.arguments["options"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ten_steps_go_where_pytorchs_go(case):
    parameters, optimizer = start(case)
    follow(case, parameters, optimizer, range(10))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_saved_optimizer_goes_on_where_it_was(case):
    parameters, optimizer = start(case)
    follow(case, parameters, optimizer, range(4))
    saved = optimizer.state_dict()
    again = {key: nn.Parameter(parameter.data) for key, parameter in parameters.items()}
    follow(case, parameters, optimizer, range(4, 10))  # must not reach into what was saved
    resumed = type(optimizer)(again.values(), lr=123.0)
    resumed.load_state_dict(saved)
    follow(case, again, resumed, range(4, 10))


@pytest.mark.parametrize("maker", KINDS)
def test_a_parameter_gets_a_new_array_and_the_graph_keeps_the_old(maker):
    w = nn.Parameter([1.0, 2.0])
    loss = (w * w).sum()
    before, old = w.data, w.data.copy()
    loss.backward()
    optimizer = maker([w], lr=0.1)
    optimizer.step()
    assert (before == old).all() and (w.data != old).any()
    optimizer.zero_grad()
    assert w.grad is None
    loss.backward()  # the recorded values are still those of the forward pass
    assert w.grad.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("maker", KINDS)
def test_a_parameters_array_never_changes_later(maker):
    w = nn.Parameter([1.0, 2.0])
    optimizer = maker([w], lr=0.1)
    seen = []
    for _ in range(4):
        seen.append((w.data, w.data.copy()))
        w.grad = np.array([1.0, -1.0])
        optimizer.step()
    for shown, copy in seen:
        assert (shown == copy).all()


@pytest.mark.parametrize("maker", KINDS)
@pytest.mark.parametrize("data", [np.float32([1, 2]), np.float64([1, 2])])
def test_a_parameter_keeps_its_dtype(maker, data):
    w = nn.Parameter(data)
    optimizer = maker([w], lr=0.1, weight_decay=0.1)
    for dtype in (np.float32, np.float64):
        w.grad = np.ones(2, dtype)
        optimizer.step()
        assert w.data.dtype == data.dtype


@pytest.mark.parametrize("maker", KINDS)
def test_scalars_stay_python_floats_and_move_as_arrays_do(maker):
    number, array = mr.Value(1.5), nn.Parameter([1.5])
    options = {"lr": 0.1, "weight_decay": 0.1}
    optimizers = maker([number], **options), maker([array], **options)
    for grad in (0.3, -0.2, 0.1):
        number.grad, array.grad = grad, np.array([grad])
        for optimizer in optimizers:
            optimizer.step()
    assert type(number.data) is float
    assert number.data == array.data[0]


def test_parameters_without_a_gradient_stay():
    w, v = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = optim.Adam([w, v], weight_decay=0.1)
    w.grad = np.array([1.0])
    optimizer.step()
    assert w.data[0] != 1.0 and v.data[0] == 1.0


def test_groups_have_settings_of_their_own():
    w, v = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = optim.SGD([{"params": [w], "lr": 0.5}, {"params": v}], lr=0.1)
    w.grad = v.grad = np.array([1.0])
    optimizer.step()
    assert (w.data[0], v.data[0]) == (0.5, 0.9)
    optimizer.param_groups[1]["lr"] = 0.4
    optimizer.step()
    assert v.data[0] == pytest.approx(0.5)


def test_training_lowers_the_loss():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
    for maker in KINDS:
        net = nn.Linear(3, 1, rng=1)
        optimizer = maker(net.parameters(), lr=0.01)
        losses = []
        for _ in range(30):
            loss = nn.functional.mse_loss(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0], maker


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: optim.SGD([]), ValueError, "no parameters"),
        (lambda: optim.SGD(nn.Linear(1, 1)), ValueError, r"model.parameters\(\)"),
        (lambda: optim.SGD([np.zeros(2)]), TypeError, "given ndarray"),
        (lambda: optim.SGD([nn.Parameter([1.0]) * 2.0]), TypeError, "leaf"),
        (lambda: optim.SGD([nn.Parameter([1.0])], lr=-1), ValueError, "lr=-1"),
        (lambda: optim.SGD([nn.Parameter([1.0])], lr=float("nan")), ValueError, "lr=nan"),
        (lambda: optim.SGD([nn.Parameter([1.0])], nesterov=True), ValueError, "momentum above 0"),
        (lambda: optim.Adam([nn.Parameter([1.0])], betas=(0.9, 1.0)), ValueError, "below 1"),
        (
            lambda: optim.Adam([{"params": [nn.Parameter([1.0])], "momentum": 1}]),
            ValueError,
            "no setting momentum",
        ),
    ],
)
def test_errors_say_what_to_do(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_parameter_given_twice_is_refused():
    w = nn.Parameter([1.0], name="w")
    with pytest.raises(ValueError, match="w was given twice"):
        optim.SGD([w, w])


def test_state_of_another_model_is_refused():
    one = optim.SGD([nn.Parameter([1.0])])
    two = optim.SGD([nn.Parameter([1.0]), nn.Parameter([1.0])])
    with pytest.raises(ValueError, match=r"groups of \[1\] parameters, this one of \[2\]"):
        two.load_state_dict(one.state_dict())


def test_text_shows_the_settings():
    assert "lr=0.1" in repr(optim.SGD([nn.Parameter([1.0])], lr=0.1))
