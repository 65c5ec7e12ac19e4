"""What recurrent modules leave in the graph: scopes, steps, names; and how they take their input."""

import gc
import weakref

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn

KINDS = ("RNN", "LSTM", "GRU")
GATES = {
    "RNN": [],
    "LSTM": ["input gate", "forget gate", "candidate", "output gate"],
    "GRU": ["reset gate", "update gate", "candidate"],
}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 2, 3))


def make(kind, **options):
    return getattr(nn, kind)(3, 2, rng=1, **options)


def nodes_of(*outputs):
    return mr.Graph(sum((mr.sum(mr.sin(out)) for out in outputs), start=mr.tensor(0.0))).nodes


def flat(result):
    output, state = result
    return [output, *(state if isinstance(state, tuple) else (state,))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gates", ["stacked", "separate"])
def test_every_node_of_a_step_is_in_its_layer_and_carries_the_step(kind, gates):
    net = make(kind, num_layers=2, bidirectional=True, gates=gates)
    xs = list(mr.tensor(X, requires_grad=True))
    nodes = [n for n in mr.Graph(net(xs)[0]).nodes if n.primitive is not None]
    layers = {node.scope.split("/")[0] for node in nodes if node.step is not None}
    low = kind.lower()
    parts = ("", ".reverse", ".both")
    assert layers == {f"{low}.{layer}{part}" for layer in (0, 1) for part in parts}
    loose = {n.primitive.name for n in nodes if n.step is None}
    assert loose <= {"getitem"}  # the caller's cut of X, and the gates' cut of the weights
    counts = {
        t: sum(n.step == t and n.primitive.name != "getitem" for n in nodes) for t in (1, 2, 3, 4)
    }
    assert len(set(counts.values())) == 1 and counts[1] > 8


@pytest.mark.parametrize("kind", KINDS)
def test_each_gate_has_a_scope_of_its_own(kind):
    nodes = mr.Graph(make(kind, gates="separate")([*X])[0]).nodes
    low = f"{kind.lower()}.0"
    for t in (1, 2, 3, 4):
        scopes = {n.scope for n in nodes if n.step == t and n.primitive is not None}
        assert scopes == {low, *(f"{low}/{gate}" for gate in GATES[kind])}
    for gate in GATES[kind]:
        made = [n.primitive.name for n in nodes if n.scope.endswith(gate) and n.step == 2]
        assert made.count("linear") == 2
        assert made[-1] == ("tanh" if gate == "candidate" else "sigmoid")


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_separate_gates_cut_the_weights_once_and_not_in_every_step(kind):
    net = make(kind, gates="separate")
    cuts = [
        n for n in mr.Graph(net([*X])[0]).nodes if n.primitive and n.primitive.name == "getitem"
    ]
    assert len(cuts) == 4 * len(GATES[kind]) and {n.step for n in cuts} == {None}
    low = kind.lower()
    for cut in cuts:
        gate = cut.scope.removeprefix(f"{low}.0/")
        assert cut.name == f"{cut.inputs[0].name}[{gate}]"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gates", ["stacked", "separate"])
def test_states_inputs_and_gates_are_named_at_every_step(kind, gates):
    nodes = nodes_of(*make(kind, gates=gates)([*X])[0])
    own = {"RNN": "h", "LSTM": "ifgoch", "GRU": "rznh"}[kind]
    low = f"{kind.lower()}.0"
    for t in (1, 2, 3, 4):
        named = [n.name for n in nodes if n.step == t and n.name]
        assert sorted(named) == sorted([*own, "x"])
    begin = [n for n in nodes if n.step == 0]
    states = ["h", "c"] if kind == "LSTM" else ["h"]
    assert sorted((n.name, n.scope) for n in begin) == sorted((name, low) for name in states)
    assert all(n.is_leaf and (n.data == 0).all() for n in begin)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_gates_have_the_same_names_either_way(kind):
    net, named = make(kind), {}
    for gates in ("stacked", "separate"):
        net.gates = gates
        nodes = mr.Graph(net([*X])[0]).nodes
        named[gates] = {n.name: n for n in nodes if n.step == 3 and n.name not in (None, "x")}
    own = {"LSTM": "ifgoch", "GRU": "rznh"}[kind]
    assert set(named["stacked"]) == set(named["separate"]) == set(own)
    for name in own:
        assert np.abs(named["stacked"][name].data - named["separate"][name].data).max() < 1e-14
    for name, gate in zip(own, GATES[kind], strict=False):
        assert named["separate"][name].scope == f"{kind.lower()}.0/{gate}"


def test_a_whole_sequence_is_cut_into_steps_that_carry_their_step():
    for x in (X, mr.tensor(X), mr.tensor(X, requires_grad=True)):
        nodes = mr.Graph(make("RNN")(x)[0]).nodes
        steps = [n for n in nodes if n.name == "x" and n.step is not None]
        assert [n.step for n in steps] == [1, 2, 3, 4] and {n.scope for n in steps} == {""}
        assert all(np.array_equal(n.data, row) for n, row in zip(steps, X, strict=True))
    swapped = make("RNN", batch_first=True)(X.swapaxes(0, 1))[0]
    steps = [n for n in mr.Graph(swapped).nodes if n.name == "x"]
    assert all(np.array_equal(n.data, row) for n, row in zip(steps, X, strict=True))


def test_inputs_that_want_gradients_get_a_name_unless_they_have_one():
    bare, named = (mr.tensor(row, requires_grad=True, name=n) for row, n in zip(X, (None, "mine")))
    make("RNN")([bare, named])
    assert (bare.name, named.name) == ("x", "mine")


@pytest.mark.parametrize("kind", KINDS)
def test_stacked_and_separate_gates_agree(kind):
    net = make(kind, num_layers=2, bidirectional=True)
    found = {}
    for gates in ("stacked", "separate"):
        net.gates = gates
        net.zero_grad()
        outputs = flat(net(X))
        sum((mr.sum(mr.sin(out)) for out in outputs), start=mr.tensor(0.0)).backward()
        found[gates] = [out.data for out in outputs] + [p.grad for p in net.parameters()]
    for one, other in zip(found["stacked"], found["separate"], strict=True):
        assert np.abs(one - other).max() <= 1e-12
    assert len(found["stacked"]) > 15


def test_stacked_gates_take_two_products_a_step():
    for kind in ("LSTM", "GRU"):
        nodes = mr.Graph(make(kind)([*X])[0]).nodes
        made = [n.primitive.name for n in nodes if n.step == 3 and n.primitive is not None]
        assert made.count("linear") == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 3)])
def test_a_list_of_steps_gives_a_list_and_the_same_numbers(kind, shape):
    net = make(kind, num_layers=2, bidirectional=True)
    x = RNG.normal(size=shape)
    whole, state = net(x)
    for steps in ([*x], tuple(x), x.tolist(), [mr.tensor(row) for row in x]):
        outputs, end = net(steps)
        assert [out.step for out in outputs] == [1, 2, 3, 4]
        assert np.array_equal(np.stack([out.data for out in outputs]), whole.data)
        for a, b in zip(flat((whole, state))[1:], flat((whole, end))[1:], strict=True):
            assert np.array_equal(a.data, b.data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_in_two_pieces_is_the_sequence(kind):
    net = make(kind, num_layers=2)
    whole, last = net(X)
    first, state = net(X[:1])
    second, again = net(X[1:], state)
    assert np.abs(np.concatenate([first.data, second.data]) - whole.data).max() < 1e-14
    for a, b in zip(flat((whole, last)), flat((whole, again)), strict=True):
        assert np.abs(a.data - b.data).max() < 1e-14


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gates", ["stacked", "separate"])
def test_a_cell_stepped_by_hand_is_the_layer(kind, gates):
    net, cell = make(kind), getattr(nn, f"{kind}Cell")(3, 2, gates=gates)
    cell.load_state_dict({key.removesuffix("_l0"): v for key, v in net.state_dict().items()})
    state = None
    for t, x in enumerate(X, 1):
        with mr.scope(t=t):
            state = cell(x, state)
    h = state[0] if kind == "LSTM" else state
    assert np.abs(h.data - net(X)[0].data[-1]).max() < 1e-15
    nodes = nodes_of(h)
    assert [n.step for n in nodes if n.name == "h"] == [0, 1, 2, 3, 4]
    assert [n.step for n in nodes if n.name == "x"] == [1, 2, 3, 4]
    gate_scopes = {n.scope for n in nodes if n.step == 2 and n.scope}
    assert gate_scopes == (set(GATES[kind]) if gates == "separate" else set())


def test_where_the_graph_was_cut_stays_visible():
    net = make("LSTM")
    _, (h, c) = net(X)
    outputs, _ = net([*X], (h.detach(), c.detach()))
    begin = {n.name: n for n in nodes_of(*outputs) if n.step == 0}
    assert begin["h"].params["cut"] == h.number and begin["c"].params["cut"] == c.number
    outputs[-1].sum().backward()  # and nothing passes


def test_a_learned_initial_state_gets_its_gradient():
    h0 = nn.Parameter(np.zeros((1, 2)), name="h0")
    output, _ = make("RNN")(X[:, 0], h0)
    output.sum().backward()
    assert h0.grad.shape == (1, 2) and (h0.grad != 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gates", ["stacked", "separate"])
def test_float32_stays_float32(kind, gates):
    net = make(kind, num_layers=2, bidirectional=True, dtype=np.float32, gates=gates)
    for x in (X.astype(np.float32), (X > 0).astype(int), X > 0):
        outputs = flat(net(x))
        sum((mr.sum(out) for out in outputs), start=mr.tensor(np.float32(0))).backward()
        assert {out.dtype for out in outputs} == {np.dtype(np.float32)}
    assert {p.grad.dtype for p in net.parameters()} == {np.dtype(np.float32)}
    for pullback in mr.pullbacks(mr.sum(outputs[0])):
        assert pullback.gradient.dtype == np.float32, pullback.node


def test_the_callers_array_can_change_afterwards():
    net, x = make("RNN"), X.copy()
    output, _ = net(x)
    output.sum().backward()
    expected = net.weight_ih_l0.grad
    net.zero_grad()
    for given in (x, [*x]):
        output, _ = net(given)
        x[:] = 1e9
        mr.sum(output if isinstance(output, mr.Tensor) else mr.stack(output)).backward()
        assert np.array_equal(net.weight_ih_l0.grad, expected)
        net.zero_grad()
        x[:] = X


def test_dropout_acts_between_layers_and_only_in_training():
    still = make("LSTM", num_layers=2)
    net = make("LSTM", num_layers=2, dropout=0.5)
    assert np.array_equal(net.eval()(X)[0].data, still(X)[0].data)
    one, two = net.train()(X)[0], net(X)[0]
    assert (one.data != two.data).any()
    again = make("LSTM", num_layers=2, dropout=0.5)
    assert np.array_equal(again(X)[0].data, one.data)  # by its own seed
    assert np.array_equal(net(X)[1][0].data[0], still(X)[1][0].data[0])  # not below the first
    nodes = mr.Graph(net([*X])[0]).nodes
    masks = [n for n in nodes if n.name == "mask"]
    assert [(n.scope, n.step) for n in masks] == [("lstm.0", t) for t in (1, 2, 3, 4)]
    assert set(np.concatenate([n.data.ravel() for n in masks])) <= {0.0, 2.0}
    with pytest.warns(UserWarning, match="there is only one"):
        make("LSTM", dropout=0.5)


def test_long_sequences_need_no_recursion_and_leave_the_collector_as_it_was():
    assert gc.isenabled()
    output, _ = nn.RNN(1, 2, rng=0)(np.zeros((5000, 1)))
    assert gc.isenabled()
    output.sum().backward()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gates", ["stacked", "separate"])
def test_the_graph_goes_with_the_loss_and_needs_no_collector(kind, gates):
    net = make(kind, num_layers=2, bidirectional=True, gates=gates)
    gc.disable()
    try:
        output, state = net(X)
        loss = output.sum()
        loss.backward()
        nodes = [weakref.ref(n) for n in mr.Graph(loss).nodes if not isinstance(n, nn.Parameter)]
        assert len(nodes) > 50
        del output, state, loss
        assert all(node() is None for node in nodes)
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("x", "words"),
    [
        (
            np.zeros((4, 2, 5)),
            r"\(4, 2, 5\) was given, \(steps, batch, 3\) or \(steps, 3\) expected",
        ),
        (np.zeros(3), r"x of shape \(3,\) was given"),
        (0.5, r"x of shape \(\) was given"),
        (np.zeros((1, 4, 2, 3)), "input_size=3 and batch_first=False"),
        (np.zeros((0, 2, 3)), "no steps"),
        ([], "no steps"),
        ([np.zeros(3), np.zeros((2, 3))], "all must have one shape"),
        ([np.zeros(4)], "list of steps"),
        ([0.5], "list of steps"),
    ],
)
def test_wrong_sequences_say_what_was_expected(kind, x, words):
    with pytest.raises(ValueError, match=f"{kind}: .*{words}"):
        make(kind)(x)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: make("RNN")(X, np.zeros((2, 2))),
            r"h0 of shape \(2, 2\) was given, \(1, 2, 2\) exp",
        ),
        (lambda: make("LSTM")(X, np.zeros((1, 2, 2))), r"give a tuple \(h0, c0\)"),
        (lambda: make("LSTM")(X, (np.zeros((1, 2, 2)), np.zeros((1, 2)))), "c0 of shape"),
        (lambda: make("GRU", bidirectional=True)(X, np.zeros((1, 2, 2))), r"\(2, 2, 2\) expected"),
        (lambda: nn.LSTMCell(3, 2)(np.zeros(3), np.zeros(2)), r"give a tuple \(h, c\)"),
        (
            lambda: nn.GRUCell(3, 2)(np.zeros(3), np.zeros(3)),
            r"h of shape \(3,\) was given, \(2,\)",
        ),
        (lambda: nn.RNNCell(3, 2)(np.zeros(2)), r"\(batch, 3\) or \(3,\) expected"),
        (lambda: nn.RNNCell(3, 2)(np.zeros((1, 1, 3))), r"\(batch, 3\) or \(3,\) expected"),
        (lambda: nn.RNN(3, 2, nonlinearity="gelu"), "give one of 'tanh', 'relu'"),
        (lambda: nn.RNNCell(3, 2, nonlinearity="gelu"), "give one of 'tanh', 'relu'"),
        (lambda: nn.GRU(3, 2, gates="both"), "'stacked', 'separate'"),
        (lambda: setattr(nn.GRU(3, 2), "gates", "both"), "'stacked', 'separate'"),
        (lambda: nn.LSTM(0, 2), "input_size=0"),
        (lambda: nn.LSTMCell(2, 0), "hidden_size=0"),
        (lambda: nn.LSTM(3, 2, num_layers=0), "num_layers=0"),
        (lambda: nn.LSTM(3, 2, num_layers=2, dropout=1.5), "dropout=1.5"),
    ],
)
def test_wrong_states_and_options_say_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()
