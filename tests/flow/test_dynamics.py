"""Lyapunov exponents, fixed points and connectivity: against what is known of some systems."""

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.flow.connectivity import connectivity
from micrornn.flow.fixed_points import fixed_points
from micrornn.flow.jacobian import step_jacobians
from micrornn.flow.lyapunov import lyapunov
from micrornn.flow.onestep import OneStep
from micrornn.recording import RecordingError, record
from micrornn.tasks import task
from micrornn.tasks.network import CELLS, FAMILIES
from micrornn.tasks.source import recorded

RNG = np.random.default_rng(0)
EVERY = [*CELLS, *FAMILIES]


def run(cell, steps=6, **options):
    return recorded("hello", {"cell": cell, "steps": steps, "hidden": 3, **options}).recording


def layer_of(cell):
    return f"{cell}.0"


# -- Lyapunov exponents -------------------------------------------------------------------------------


def test_the_henon_map_has_its_known_exponents():
    """0.4192 and -1.6229 (Benettin et al. 1980; Sprott 2003); together the logarithm of b = 0.3."""
    x, y = (
        mr.tensor(0.1, requires_grad=True, name="u"),
        mr.tensor(0.1, requires_grad=True, name="v"),
    )
    for t in range(1, 3001):
        with mr.scope("henon", t=t):
            x, y = 1.0 - 1.4 * x * x + y, 0.3 * x
        x.name, y.name = "u", "v"
    spectrum = lyapunov(record(lambda: x + y), "henon")
    assert spectrum.exponents == pytest.approx([0.4192, -1.6232], abs=0.02)
    assert spectrum.exponents.sum() == pytest.approx(np.log(0.3))
    assert spectrum.dimension == pytest.approx(1.258, abs=0.02)
    assert "grows fastest" in str(spectrum)


@pytest.mark.parametrize("cell", ["rnn", "gru", "mingru", "orthogonal", "lru"])
def test_the_exponents_add_up_to_what_volumes_do(cell):
    rec = run(cell, 12)
    spectrum = lyapunov(rec)
    _, _, jacobians = step_jacobians(rec, layer_of(cell))
    volumes = [np.linalg.slogdet(j)[1] for j in jacobians]
    assert spectrum.exponents.sum() == pytest.approx(np.mean(volumes))
    assert (np.diff(spectrum.exponents) <= 0).all()


def test_a_linear_network_has_the_logarithms_of_its_eigenvalues():
    sizes = np.array([1.1, 0.9, 0.5])
    q = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    w, h = mr.tensor(q @ np.diag(sizes) @ q.T, requires_grad=True), mr.tensor(np.ones(3))
    for t in range(1, 401):
        with mr.scope("linear", t=t):
            h = w @ h
            h.name = "h"
    found = lyapunov(record(lambda: mr.sum(h)))
    assert found.exponents == pytest.approx(np.log(sizes), abs=0.01)


def test_a_direction_that_passes_nothing_on_has_no_exponent():
    spectrum = lyapunov(run("mlstm", 8))
    assert np.isneginf(spectrum.exponents[-1]) and np.isfinite(spectrum.exponents[0])


def test_one_step_has_no_exponents():
    one = record(lambda: mr.sum(nn.RNN(2, 2, rng=0)(np.ones((1, 2)))[0]))
    assert len(lyapunov(one).steps) == 1  # from the initial state
    h = mr.tensor([1.0], requires_grad=True, name="h")
    with mr.scope("alone", t=1):
        h = mr.tanh(h)
        h.name = "h"
    with pytest.raises(RecordingError):
        lyapunov(record(lambda: mr.sum(h)), "nowhere")


# -- one step, and its fixed points -------------------------------------------------------------------


@pytest.mark.parametrize("cell", EVERY)
def test_a_step_that_is_asked_again_gives_what_it_gave(cell):
    rec = run(cell)
    step = OneStep(rec, layer_of(cell), 4)
    value, jacobian = step(step.before)
    assert np.abs(value - step.after).max() < 1e-14
    _, steps, jacobians = step_jacobians(rec, layer_of(cell))
    assert np.abs(jacobian - jacobians[steps.index(4)]).max() < 1e-14


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "slstm", "delta"])
def test_its_jacobian_elsewhere_is_that_of_differences(cell):
    step = OneStep(run(cell), layer_of(cell), 3)
    state = step.before + 0.1 * RNG.uniform(0.5, 1.0, size=step.size)
    _, jacobian = step(state)
    for i in range(step.size):
        move = np.zeros(step.size)
        move[i] = 1e-6
        slope = (step(state + move)[0] - step(state - move)[0]) / 2e-6
        assert np.abs(slope - jacobian[:, i]).max() < 1e-6


def bistable():
    """Two units h = tanh(2 h) without input: each has a stable state near ±0.9575, and 0 between them."""
    rnn = nn.RNN(1, 2, rng=0)
    rnn.weight_hh_l0.data = 2.0 * np.eye(2)
    for bias in (rnn.bias_ih_l0, rnn.bias_hh_l0):
        bias.data = np.zeros(2)
    h_0 = np.array([[0.01, -0.3]])
    return mr.sum(mr.stack(rnn([np.zeros(1)] * 12, h_0)[0]))


def test_fixed_points_are_where_the_equation_says_with_their_kinds():
    low, high = 0.5, 1.0
    for _ in range(60):  # h = tanh(2 h) by bisection
        middle = (low + high) / 2
        low, high = (middle, high) if np.tanh(2 * middle) > middle else (low, middle)
    found = fixed_points(record(bistable))
    assert len(found.inputs) == 1 and found.points
    for point in found.points:
        assert point.fixed
        away = np.abs(point.state) > 0.5
        assert np.abs(point.state) == pytest.approx(np.where(away, low, 0.0), abs=1e-7)
        assert point.unstable == 2 - away.sum()
        assert point.kind == {0: "stable", 1: "saddle", 2: "unstable"}[point.unstable]
        slopes = np.where(away, 2 * (1 - low**2), 2.0)
        assert point.radius == pytest.approx(slopes.max(), abs=1e-6)
    assert {"stable", "saddle"} <= {p.kind for p in found.points}
    visited, places = found.plane()
    assert visited.shape == (len(found.visited), 2) and places.shape == (len(found.points), 2)
    inside = found.visited - found.visited.mean(0)
    assert np.linalg.norm(visited, axis=1) == pytest.approx(np.linalg.norm(inside, axis=1))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mingru", "lru", "mlstm"])
def test_a_stable_point_is_left_as_it_is_and_attracts(cell):
    rec = run(cell)
    found = fixed_points(rec)
    stable = [p for p in found.points if p.kind == "stable"]
    assert stable
    step = OneStep(rec, layer_of(cell), 1)  # under its first input, h
    point = next(p for p in stable if p.input == "'h'")
    assert np.abs(step(point.state)[0] - point.state).max() < 1e-7
    state = point.state + 1e-3 * RNG.normal(size=step.size)
    begin = np.linalg.norm(state - point.state)
    for _ in range(60):
        state = step(state)[0]
    if point.radius < 0.9:
        assert np.linalg.norm(state - point.state) < 0.5 * begin


def test_what_cannot_be_searched_is_refused():
    with pytest.raises(RecordingError, match="numbers; fixed points are searched"):
        fixed_points(run("rnn", hidden=600))
    with pytest.raises(RecordingError, match="no step 99"):
        OneStep(run("rnn"), "rnn.0", 99)


# -- connectivity -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", EVERY)
def test_connectivity_is_the_derivative_of_the_best_output(cell):
    rec = run(cell)
    found = connectivity(rec)
    model = task("hello").unrolled({"cell": cell, "steps": 6, "hidden": 3}).model
    inputs = [x for x in rec.nodes if (x.name or "").startswith("x ")]
    steps = [mr.tensor(np.asarray(x._value), requires_grad=True) for x in inputs]
    outputs, _ = model.recurrent(steps)
    for row, output in enumerate(outputs):
        y = model.readout(output)
        for x in steps:
            x.grad = None
        y[int(y.data.argmax())].backward()
        sizes = [np.nan if x.grad is None else np.linalg.norm(x.grad) for x in steps]
        assert found.sizes[row] == pytest.approx(np.array(sizes), nan_ok=True)


def test_shares_add_up_and_the_finding_names_the_largest():
    found = connectivity(run("gru"))
    assert found.shares.sum(1) == pytest.approx(np.ones(6))
    best = int(found.shares[-1].argmax())
    assert f"most on step {found.steps[best]} " in str(found)
    with pytest.raises(RecordingError, match="no input is named x"):
        connectivity(recorded("vanishing", {"steps": 4}).recording)
