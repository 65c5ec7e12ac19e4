"""Optimizers against PyTorch's trajectories, and what they promise besides."""

import numpy as np
import pytest
from reference.store import load

import micrornn as mr
from micrornn import nn, optim
from micrornn.optim.optimizer import HOW

CASES = load("optimizers")
STATES = load("optimizer_states")
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


class FromPyTorch:
    """A tensor of PyTorch's, as far as one can tell by its methods."""

    def __init__(self, array):
        self.array = array
        self.dtype = f"torch.{array.dtype}"

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array


@pytest.mark.parametrize("wrap", [FromPyTorch, np.asarray])
@pytest.mark.parametrize("case", STATES, ids=lambda case: case.name)
def test_pytorchs_saved_optimizer_goes_on_where_it_was(case, wrap):
    state = {}
    for key, value in case["buffers"].items():
        position, _, name = key.partition(" ")
        state.setdefault(int(position), {})[name] = wrap(value)
    if case.arguments["optimizer"] == "SGD":  # PyTorch keeps a place for the buffer
        state = {i: state.get(i, {"momentum_buffer": None}) for i in (0, 1)}
    parameters = {key: nn.Parameter(value) for key, value in case["start"].items()}
    optimizer = getattr(optim, case.arguments["optimizer"])(parameters.values())
    optimizer.load_state_dict({"state": state, "param_groups": case.arguments["groups"]})
    follow(case, parameters, optimizer, range(6))
    assert optimizer.param_groups[0]["lr"] == case.arguments["groups"][0]["lr"]
    assert set(optimizer.param_groups[0]) == {"params", *optimizer.defaults}


@pytest.mark.parametrize("case", STATES, ids=lambda case: case.name)
def test_what_is_saved_has_pytorchs_names(case):
    parameters = {key: nn.Parameter(value) for key, value in case["start"].items()}
    options = {k: v for k, v in case.arguments["groups"][0].items() if k not in HOW | {"params"}}
    optimizer = getattr(optim, case.arguments["optimizer"])(parameters.values(), **options)
    follow_freely(case, parameters, optimizer)
    saved = optimizer.state_dict()
    names = {f"{i} {name}" for i, kept in saved["state"].items() for name in kept}
    assert names == set(case["buffers"])
    assert saved["param_groups"][0]["params"] == [0, 1]


def follow_freely(case, parameters, optimizer):
    for key, parameter in parameters.items():
        parameter.grad = case["gradients"][key][0]
    optimizer.step()


def test_a_state_of_another_kind_changes_nothing_and_says_so():
    def made(maker, **options):
        w = nn.Parameter([1.0, 2.0])
        w.grad = np.ones(2)
        optimizer = maker([w], **options)
        optimizer.step()
        return optimizer

    adam, saved = made(optim.Adam), made(optim.Adam).state_dict()
    before = repr(adam.state_dict())
    short = {"state": {0: {"exp_avg": np.ones(3)}}, "param_groups": saved["param_groups"]}
    text = {"state": {0: {"exp_avg": ["a", "b"]}}, "param_groups": saved["param_groups"]}
    lost = {"state": {7: {"exp_avg": np.ones(2)}}, "param_groups": saved["param_groups"]}
    odd = {"state": {}, "param_groups": [{**saved["param_groups"][0], "lr": -1.0}]}
    new = {"state": {}, "param_groups": [{**saved["param_groups"][0], "warp": 9}]}
    for state, error, words in [
        (made(optim.RMSprop).state_dict(), ValueError, "Adam has no setting"),
        (made(optim.AdamW).state_dict(), ValueError, "make AdamW and load it there"),
        (short, ValueError, r"exp_avg of shape \(3,\) was saved for a parameter of shape \(2,\)"),
        (text, TypeError, "exp_avg is of type list"),
        (lost, ValueError, "7.* belongs to no parameter"),
        (odd, ValueError, "lr=-1.0"),
        (new, ValueError, "no setting warp"),
        ({"exp_avg": 1}, ValueError, "'state' and 'param_groups'"),
        ([1], ValueError, "'state' and 'param_groups'"),
    ]:
        with pytest.raises(error, match=words):
            adam.load_state_dict(state)
        assert repr(adam.state_dict()) == before
    foreign = {"state": {0: {"sum": np.ones(2)}}, "param_groups": saved["param_groups"]}
    with pytest.raises(ValueError, match=r"keeps step, exp_avg.* and not 'sum'"):
        adam.load_state_dict(foreign)


def test_a_state_is_a_copy_both_ways():
    w = nn.Parameter([1.0, 2.0])
    optimizer = optim.Adam([w])
    w.grad = np.ones(2)
    optimizer.step()
    saved = optimizer.state_dict()
    optimizer.load_state_dict(saved)
    kept = saved["state"][0]["exp_avg"].copy()
    optimizer.step()
    assert (saved["state"][0]["exp_avg"] == kept).all()


def test_a_closure_is_called_first_and_its_loss_returned():
    w = nn.Parameter([1.0])
    optimizer = optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    assert optimizer.step() is None
    assert optimizer.step(closure).item() == 1.0
    assert w.data[0] == 0.5
    assert optimizer.step(closure=closure).item() == 0.25


@pytest.mark.parametrize("maker", KINDS)
def test_zero_grad_forgets_or_sets_to_zero(maker):
    w, v, u = nn.Parameter([1.0, 2.0]), nn.Parameter([1.0]), mr.Value(1.0)
    optimizer = maker([w, v, u])
    w.grad, u.grad = np.ones(2, np.float32), 2.0
    optimizer.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0.0, 0.0] and w.grad.dtype == np.float32
    assert (u.grad, v.grad) == (0.0, None)
    optimizer.zero_grad()
    assert w.grad is None and u.grad is None
    with pytest.raises(ValueError, match="set_to_none='no'"):
        optimizer.zero_grad("no")


@pytest.mark.parametrize("maker", KINDS)
def test_a_setting_is_checked_when_it_is_used_however_it_came(maker):
    w = nn.Parameter([1.0])
    optimizer = maker([w])
    w.grad = np.ones(1)
    for name, value, words in (
        ("lr", -0.1, "lr=-0.1; give a finite number, 0 or more"),
        ("lr", "0.1", "lr='0.1'"),
        ("weight_decay", np.nan, "weight_decay=nan"),
        ("learning_rate", 0.1, "no setting learning_rate; it has lr"),
    ):
        before = dict(optimizer.param_groups[0])
        optimizer.param_groups[0][name] = value
        with pytest.raises(ValueError, match=words):
            optimizer.step()
        assert w.data[0] == 1.0
        optimizer.param_groups[0].clear()
        optimizer.param_groups[0].update(before)
    optimizer.step()
    assert w.data[0] != 1.0


@pytest.mark.parametrize(
    ("maker", "setting"),
    [(optim.Adam, {"amsgrad": True}), (optim.RMSprop, {"centered": True, "momentum": 0.9})],
)
def test_a_setting_may_be_switched_on_between_two_steps(maker, setting):
    w = nn.Parameter([1.0])
    optimizer = maker([w], lr=0.1)
    w.grad = np.ones(1)
    optimizer.step()
    optimizer.param_groups[0].update(setting)
    optimizer.step()
    assert np.isfinite(w.data).all()


def test_a_gradient_of_another_shape_is_refused():
    w = nn.Parameter([1.0, 2.0], name="w")
    optimizer = optim.SGD([w])
    for grad in (np.ones((2, 2)), np.ones(1), 1.0):
        w.grad = grad
        with pytest.raises(ValueError, match=r"gradient of w has shape .*, the parameter \(2,\)"):
            optimizer.step()


def test_a_group_is_added_later():
    w, v = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = optim.SGD([w], lr=0.5)
    optimizer.add_param_group({"params": v, "lr": 0.25})
    w.grad = v.grad = np.ones(1)
    optimizer.step()
    assert (w.data[0], v.data[0]) == (0.5, 0.75)
    for group, error, words in (
        ({"lr": 0.1}, TypeError, "a dictionary with 'params'"),
        ([nn.Parameter([1.0])], TypeError, "a dictionary with 'params'"),
        ({"params": [w]}, ValueError, "given twice"),
        ({"params": [nn.Parameter([1.0]), w]}, ValueError, "given twice"),
        ({"params": [nn.Parameter([1.0])], "lr": -1}, ValueError, "lr=-1"),
    ):
        with pytest.raises(error, match=words):
            optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 2 and len(optimizer.state) == 2


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
        (lambda: optim.SGD([nn.Parameter([1.0])], lr="0.1"), ValueError, "lr='0.1'"),
        (lambda: optim.SGD([nn.Parameter([1.0])], lr=True), ValueError, "lr=True"),
        (lambda: optim.SGD([nn.Parameter([1.0])], momentum="x"), ValueError, "momentum='x'"),
        (lambda: optim.SGD([nn.Parameter([1.0])], dampening=np.inf), ValueError, "dampening=inf"),
        (lambda: optim.SGD([nn.Parameter([1.0])], maximize=1), ValueError, "maximize=1"),
        (lambda: optim.SGD([nn.Parameter([1.0])], nesterov=True), ValueError, "momentum above 0"),
        (
            lambda: optim.Adagrad([nn.Parameter([1.0])], initial_accumulator_value=-1),
            ValueError,
            "initial_accumulator_value=-1",
        ),
        (lambda: optim.RMSprop([nn.Parameter([1.0])], alpha=2), ValueError, "from 0 to 1"),
        (lambda: optim.RMSprop([nn.Parameter([1.0])], centered="yes"), ValueError, "True or False"),
        (lambda: optim.Adam([nn.Parameter([1.0])], betas=0.9), ValueError, "two numbers"),
        (lambda: optim.Adam([nn.Parameter([1.0])], betas=(0.9,) * 3), ValueError, "two numbers"),
        (lambda: optim.Adam([nn.Parameter([1.0])], eps=-1e-8), ValueError, "eps=-1e-08"),
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
