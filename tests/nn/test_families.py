"""The networks after 2014: each is its paper's loop, in every form in which it can be computed and read."""

import numpy as np
import pytest
from reference.compare import differences, leaves_of
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.compiler.explain import derived
from micrornn.nn.families import cayley, linear_scan
from micrornn.nn.families.scan import LinearRecurrence
from micrornn.recording import record
from micrornn.tasks import task
from micrornn.tasks.network import FAMILIES

CASES = load("families")
KINDS = [case.name for case in CASES]
RNG = np.random.default_rng(0)


def made(kind, inputs=3, hidden=4, layers=1, **options):
    return getattr(nn, kind)(inputs, hidden, layers, rng=0, **options)


def parts(state):
    return list(state) if isinstance(state, tuple) else [state]


def test_every_family_has_a_reference():
    assert sorted(KINDS) == sorted({made.__name__ for made in FAMILIES.values()})


@pytest.mark.parametrize("case", CASES, ids=KINDS)
def test_a_family_is_its_papers_loop(case):
    net = made(case.name)
    net.load_state_dict({f"{key}_l0": value for key, value in case["parameters"].items()})
    leaves = leaves_of(case)
    x, *state = leaves.values()
    given = tuple(mr.expand_dims(part, 0) for part in state)
    output, last = net(x, given if len(given) > 1 else given[0])
    outputs = {"output": output}
    outputs |= {name: part[0] for name, part in zip(net.state_names, parts(last), strict=True)}
    found = {name.removesuffix("_l0"): p for name, p in net.named_parameters()}
    assert differences(case, outputs, {**found, **leaves}) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_layers_both_ways_lengths_and_steps_one_by_one(kind):
    net = made(kind, layers=2, bidirectional=True)
    x, lengths = RNG.normal(size=(4, 2, 3)), [4, 2]
    output, last = net(x, lengths=lengths)
    assert output.shape == (4, 2, 8) and all(part.shape[:2] == (4, 2) for part in parts(last))
    alone, last_alone = net(x[:2, 1])
    assert np.abs(output.data[:2, 1] - alone.data).max() < 1e-12
    assert not output.data[2:, 1].any()
    for whole, one in zip(parts(last), parts(last_alone), strict=True):
        assert np.abs(whole.data[:, 1] - one.data).max() < 1e-12
    one_way, state = made(kind), None
    whole, end = one_way(x)
    for t in range(4):
        step, state = one_way(x[t : t + 1], state)
        assert np.abs(step.data[0] - whole.data[t]).max() < 1e-12
    for a, b in zip(parts(end), parts(state), strict=True):
        assert np.abs(a.data - b.data).max() < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_differences(kind):
    net, x = made(kind, 2, 2), mr.tensor(RNG.normal(size=(3, 2)), requires_grad=True)
    names = [name for name, _ in net.named_parameters()]

    def output(x, *values):
        for name, value in zip(names, values, strict=True):
            net.__dict__[name] = value
        return net(x)[0]

    kept = [mr.tensor(p.numpy() + 0.1 * RNG.normal(size=p.shape)) for p in net.parameters()]
    for p in kept:
        p.requires_grad = True
    mr.gradcheck(output, [x, *kept])


@pytest.mark.parametrize("cell", FAMILIES)
def test_every_family_learns_what_needs_memory(cell):
    """Below 2 ln 2 a network must tell the two l of hello apart."""
    model = task("hello").problem({"cell": cell}).model
    adam = mr.optim.Adam(model.parameters(), 0.03)
    inputs, targets = np.array([[0], [1], [2], [2]]), np.array([[1], [2], [2], [3]])
    for _ in range(120):
        outputs, _ = model(inputs)
        _, loss = nn.sequence_loss(outputs, targets, reduction="sum")
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss.item() < 2 * np.log(2) - 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_is_carried_over_a_cut(kind):
    """As truncated BPTT does: with the state as data, the numbers go on."""
    net, x = made(kind), RNG.normal(size=(6, 2, 3))
    whole, _ = net(x)
    _, state = net(x[:3])
    cut = tuple(part.detach() for part in parts(state))
    rest, _ = net(x[3:], cut if len(cut) > 1 else cut[0])
    assert np.abs(rest.data - whole.data[3:]).max() < 1e-12


@pytest.mark.parametrize("cell", FAMILIES)
def test_a_run_is_drawn_explained_and_recorded(cell):
    from viz.picture import picture

    unrolled = task("hello").unrolled({"cell": cell, "hidden": 2})
    recording = record(unrolled.loss)
    assert picture(recording).startswith("<svg")
    unrolled.loss.backward()
    program = derived(unrolled.loss)
    names = {key.name for key in program.outputs if not isinstance(key, str)}
    assert names == {name for name, _ in unrolled.model.named_parameters()}


# -- linear recurrences -------------------------------------------------------------------------------

LINEAR = [kind for kind in KINDS if issubclass(getattr(nn, kind), LinearRecurrence)]


def test_the_linear_recurrences_are_known():
    assert LINEAR == ["MinGRU", "MinLSTM", "LRU", "S6"]


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 7, 8, 9, 33])
@pytest.mark.parametrize("kind", LINEAR)
def test_a_scan_gives_the_loops_numbers_and_gradients(kind, steps):
    options = {"layers": 2, "bidirectional": True}
    loop, scan = made(kind, **options), made(kind, scan=True, **options)
    x, lengths = RNG.normal(size=(steps, 2, 3)), [steps, (steps + 1) // 2]
    begin = loop(RNG.normal(size=(2, 2, 3)))[1].detach()
    results = [net(x, begin, lengths) for net in (loop, scan)]
    for a, b in zip(*results, strict=True):
        assert np.abs(a.data - b.data).max() < 1e-12
    for output, last in results:
        ((output**2).sum() + last.sum()).backward()
    for p, q in zip(loop.parameters(), scan.parameters(), strict=True):
        assert np.abs(p.grad - q.grad).max() < 1e-10 * np.abs(p.grad).max()


def test_a_scan_takes_two_rounds_for_each_doubling():
    def depth(steps):
        a = mr.tensor(RNG.uniform(size=(steps, 2)), requires_grad=True)
        scopes = {node.scope for node in mr.Graph(linear_scan(a, a))}
        return sum("scan/" in scope for scope in scopes)

    assert [depth(2**k) for k in range(6)] == [0, 2, 4, 6, 8, 10]


def test_a_scan_and_a_checkpoint_exclude_each_other():
    net = made("MinGRU", scan=True)
    net.checkpoint = "sqrt"
    with pytest.raises(ValueError, match="give one of them"):
        net(np.ones((3, 3)))


# -- rotations ----------------------------------------------------------------------------------------


def test_an_irnn_begins_by_adding_up_its_inputs():
    net = made("IRNN", 1, 3)
    assert (net.weight_hh_l0.data == np.eye(3)).all() and not net.bias_hh_l0.data.any()
    assert 0 < np.abs(net.weight_ih_l0.data).max() < 0.005
    assert (made("IRNN", 1, 3, scale=0.01).weight_hh_l0.data == 0.01 * np.eye(3)).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_orthogonal_matrix_stays_orthogonal_in_training(seed):
    net = nn.OrthogonalRNN(2, 5, rng=seed)
    sgd = mr.optim.SGD(net.parameters(), 0.1)
    first = cayley(net.weight_hh_l0).data
    for _ in range(5):
        w = cayley(net.weight_hh_l0).data
        assert np.abs(w @ w.T - np.eye(5)).max() < 1e-12
        sgd.zero_grad()
        net(RNG.normal(size=(6, 2)))[0].sum().backward()
        sgd.step()
    assert np.abs(w - first).max() > 1e-2


def test_chrono_spreads_the_times_and_closes_the_input_gate():
    lstm, gru = nn.LSTM(2, 200, 2), nn.GRU(2, 200, bidirectional=True)
    nn.init.chrono_(nn.ModuleList([lstm, gru]), 40, generator=0)
    for suffix in ("_l0", "_l1"):
        both = getattr(lstm, f"bias_ih{suffix}").data + getattr(lstm, f"bias_hh{suffix}").data
        i, f = both[:200], both[200:400]
        assert (i == -f).all()
        times = np.exp(f)
        assert 1 < times.min() < 3 and 37 < times.max() < 39
    for suffix in ("_l0", "_l0_reverse"):
        both = getattr(gru, f"bias_ih{suffix}").data + getattr(gru, f"bias_hh{suffix}").data
        assert 18 < np.exp(both[200:400]).mean() < 22
    with pytest.raises(ValueError, match="no LSTM or GRU with biases"):
        nn.init.chrono_(nn.RNN(2, 2), 40)
    with pytest.raises(ValueError, match="longest=2; give an integer from 3 up"):
        nn.init.chrono_(lstm, 2)
