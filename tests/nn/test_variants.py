"""The LSTM's variants, the GRU's two definitions, the concatenating cell, and gates in other orders."""

import itertools

import numpy as np
import pytest
from reference.compare import differences, leaves_of, module_differences
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.nn.gate_order import ORDERS
from micrornn.nn.utils import convert_gates, convert_peepholes

RNG = np.random.default_rng(0)
WAYS = ("stacked", "separate")
OPTIONS = [
    dict(zip(("peepholes", "layer_norm", "proj_size"), values, strict=True))
    for values in itertools.product((False, True), (False, True), (0, 2))
][1:]


@pytest.mark.parametrize("gates", WAYS)
@pytest.mark.parametrize("case", load("projections"), ids=lambda case: case.name)
def test_projections_are_pytorchs(case, gates):
    net = nn.LSTM(3, 4, **case.arguments["options"], gates=gates)
    assert [name for name, _ in net.named_parameters()] == list(case["parameters"])

    def run(x, *state, **given):
        output, (h, c) = net(x, tuple(given.values()) or None)
        return {"output": output, "h": h, "c": c}

    assert module_differences(case, net, run) == {}


@pytest.mark.parametrize("gates", WAYS)
@pytest.mark.parametrize("layer", [False, True])
@pytest.mark.parametrize("case", load("variants"), ids=lambda case: case.name)
def test_variants_are_their_papers_formulas(case, gates, layer):
    kind, options = case.arguments["kind"], case.arguments["options"]
    leaves = leaves_of(case)
    x, *state = leaves.values()
    if layer:
        net = getattr(nn, kind)(3, 4, **options, gates=gates)
        net.load_state_dict({f"{key}_l0": value for key, value in case["parameters"].items()})
        given = tuple(mr.expand_dims(part, 0) for part in state)
        output, last = net(x, given if len(given) > 1 else given[0])
        outputs = {"output": output}
        if kind == "LSTM":
            outputs["c"] = last[1][0]
    else:
        net = getattr(nn, f"{kind}Cell")(3, 4, **options, gates=gates)
        net.load_state_dict(case["parameters"])
        assert [name for name, _ in net.named_parameters()] == list(case["parameters"])
        said = []
        for t in range(4):
            state = net(x[t], tuple(state) if len(state) > 1 else state[0])
            state = state if isinstance(state, tuple) else (state,)
            said.append(state[0])
        outputs = {"output": mr.stack(said)} | ({"c": state[1]} if kind == "LSTM" else {})
    found = {name.removesuffix("_l0"): p for name, p in net.named_parameters()}
    assert differences(case, outputs, {**found, **leaves}) == {}


@pytest.mark.parametrize("gates", WAYS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_variants_work_in_layers_both_ways_and_with_lengths(options, gates):
    net = nn.LSTM(3, 4, 2, bidirectional=True, rng=0, gates=gates, **options)
    x, lengths = RNG.normal(size=(4, 2, 3)), [4, 2]
    output, (h, c) = net(x, lengths=lengths)
    out = options["proj_size"] or 4
    assert (output.shape, h.shape, c.shape) == ((4, 2, 2 * out), (4, 2, out), (4, 2, 4))
    alone, (h_one, c_one) = net(x[:2, 1])
    assert np.abs(output.data[:2, 1] - alone.data).max() < 1e-14
    assert np.abs(h.data[:, 1] - h_one.data).max() + np.abs(c.data[:, 1] - c_one.data).max() < 1e-14
    (mr.sum(output) + mr.sum(h) + mr.sum(c)).backward()
    assert all(p.grad is not None for p in net.parameters())


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_variants_name_what_the_plain_lstm_names(options):
    for gates in WAYS:
        output, (_, c) = nn.LSTM(3, 4, gates=gates, **options)(list(RNG.normal(size=(3, 2, 3))))
        nodes = mr.Graph(sum((mr.sum(h) for h in output), start=mr.sum(c))).nodes
        for t in (1, 2, 3):
            named = sorted(n.name for n in nodes if n.step == t and n.name)
            assert named == sorted([*"ifgoch", "x", *(["c_n"] if t == 3 else [])])
        scopes = {n.scope.removeprefix("lstm.0").strip("/") for n in nodes if n.step == 2}
        own = {"", *(["layer norm"] if options["layer_norm"] else [])}
        if gates == "separate":
            own |= {"input gate", "forget gate", "candidate", "output gate"}
        assert scopes == own
        cuts = [
            n for n in nodes if n.primitive and n.primitive.name == "getitem" and n.step is None
        ]
        named = [n.name for n in cuts if n.name and n.name.startswith("weight_peephole")]
        gates_seen = ["input gate", "forget gate", "output gate"] if options["peepholes"] else []
        assert named == [f"weight_peephole_l0[{gate}]" for gate in gates_seen]


def test_peepholes_of_zero_and_no_normalising_are_the_plain_lstm():
    plain, peeping = nn.LSTM(3, 4, rng=0), nn.LSTM(3, 4, peepholes=True)
    peeping.load_state_dict({**plain.state_dict(), "weight_peephole_l0": np.zeros(12)})
    x = RNG.normal(size=(4, 3))
    assert np.abs(plain(x)[0].data - peeping(x)[0].data).max() < 1e-15
    normed = nn.LSTM(3, 4, layer_norm=True, rng=0)
    assert (normed.norm_ih_l0.data == 1).all() and (normed.norm_c_bias_l0.data == 0).all()
    nn.init.forget_bias_(normed, 2.0)
    assert (normed.bias_ih_l0.data[4:8] == 2).all() and (normed.norm_c_bias_l0.data == 0).all()


def test_layer_norm_does_not_care_how_large_the_weights_are():
    net = nn.LSTM(3, 4, layer_norm=True, rng=0)
    x = RNG.normal(size=(4, 3))
    before = net(x)[0].data
    net.weight_ih_l0.data = 1e3 * net.weight_ih_l0.numpy()
    assert np.abs(net(x)[0].data - before).max() < 1e-2
    plain = nn.LSTM(3, 4, rng=0)
    before = plain(x)[0].data
    plain.weight_ih_l0.data = 1e3 * plain.weight_ih_l0.numpy()
    assert np.abs(plain(x)[0].data - before).max() > 0.1


def test_the_two_definitions_of_the_gru_are_two_functions():
    after, before = nn.GRU(3, 4, rng=0), nn.GRU(3, 4, rng=0, reset_after=False)
    x = RNG.normal(size=(4, 3))
    one, two = after(x)[0].data, before(x)[0].data
    assert np.abs(one[1:] - two[1:]).max() > 1e-3
    open_gate = np.full(12, 0.0)
    open_gate[:4] = 100.0  # r = 1: then it does not matter where it stands
    for net in (after, before):
        net.bias_ih_l0.data = open_gate
    assert np.abs(after(x)[0].data - before(x)[0].data).max() < 1e-12


def test_repr_says_the_variant():
    assert repr(nn.LSTM(3, 4, proj_size=2, peepholes=True)) == (
        "LSTM(3, 4, proj_size=2, peepholes=True)"
    )
    assert repr(nn.LSTMCell(3, 4, layer_norm=True)) == "LSTMCell(3, 4, layer_norm=True)"
    assert repr(nn.GRU(3, 4, reset_after=False)) == "GRU(3, 4, reset_after=False)"
    assert repr(nn.ConcatRNNCell(3, 4, 2)).startswith("ConcatRNNCell(\n  3, 4, 2\n  (i2h): Linear(")


# -- input and state joined ----------------------------------------------------------------------------


def test_the_concatenating_cell():
    rnn = nn.ConcatRNNCell(10, 20, 5, rng=0)
    x, h = RNG.normal(size=(1, 10)), rnn.init_hidden()
    output, after = rnn(x, h)
    assert output.shape == (1, 5) and after.shape == (1, 20) and (h.data == 0).all()
    both = np.concatenate([x, h.data], 1)
    assert np.abs(output.data - (both @ rnn.i2o.weight.data.T + rnn.i2o.bias.data)).max() < 1e-14
    expected = np.tanh(both @ rnn.i2h.weight.data.T + rnn.i2h.bias.data)
    assert np.abs(after.data - expected).max() < 1e-14


def test_its_state_is_an_elman_networks():
    rnn, elman = nn.ConcatRNNCell(3, 4, 2, rng=0), nn.RNN(3, 4)
    weight = rnn.i2h.weight.data
    state = {"weight_ih_l0": weight[:, :3], "weight_hh_l0": weight[:, 3:]}
    elman.load_state_dict(state | {"bias_ih_l0": rnn.i2h.bias.data, "bias_hh_l0": np.zeros(4)})
    x, h = RNG.normal(size=(5, 3)), None
    for t, row in enumerate(x, 1):
        with mr.scope(t=t):
            output, h = rnn(row, h)
    assert np.abs(h.data - elman(x)[0].data[-1]).max() < 1e-15
    nodes = mr.Graph(mr.sum(h) + mr.sum(output)).nodes
    assert [n.step for n in nodes if n.name == "h"] == [1, 2, 3, 4, 5]
    assert {n.scope for n in nodes if n.step == 5 and n.inputs} == {"rnn", "rnn/i2h", "rnn/i2o"}


def test_its_output_does_not_see_the_newest_state():
    rnn = nn.ConcatRNNCell(3, 4, 2, rng=0)
    output, h = rnn(np.ones((1, 3)))
    output.sum().backward()
    assert rnn.i2h.weight.grad is None and (rnn.i2o.weight.grad[:, :3] != 0).all()
    output, _ = rnn(np.ones((1, 3)), h)
    output.sum().backward()
    assert (rnn.i2h.weight.grad[:, :3] != 0).all()


# -- gates in other orders -----------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_every_order_and_back(cell):
    weights = RNG.normal(size=(12, 5))
    for source, target in itertools.product(ORDERS[cell], repeat=2):
        there = convert_gates(weights, cell, source, target)
        assert np.array_equal(convert_gates(there, cell, target, source), weights)
        across = convert_gates(weights.T, cell, source, target, axis=-1)
        assert np.array_equal(across.T, there)
        deep = convert_gates(weights[None], cell, source, target, axis=1)
        assert np.array_equal(deep[0], there)
    assert np.array_equal(convert_gates(weights, cell, "pytorch", "pytorch"), weights)


def test_the_orders_are_the_documented_ones():
    ifgo = np.repeat(list("ifgo"), 2)
    assert "".join(convert_gates(ifgo, "LSTM", "pytorch", "onnx")) == "iiooffgg"
    assert "".join(convert_gates(ifgo, "LSTM", "pytorch", "cs231n")) == "iiffoogg"
    assert "".join(convert_gates(list("iofg"), "LSTM", "onnx", "cs231n")) == "ifog"
    assert "".join(convert_gates(list("rzn"), "GRU", "pytorch", "onnx")) == "zrn"
    assert "".join(convert_peepholes(list("ifo"), "pytorch", "onnx")) == "iof"
    assert "".join(convert_peepholes(list("iof"), "onnx", "pytorch")) == "ifo"
    assert convert_gates(mr.tensor([1.0, 2.0, 3.0]), "GRU", "onnx", "pytorch").tolist() == [2, 1, 3]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_an_lstm_in_onnxs_order_computes_the_same():
    """ONNX's equations (operator LSTM), with its W, R, B and P, on converted weights."""
    cell = nn.LSTMCell(3, 4, peepholes=True, rng=0)
    x, h, c = (RNG.normal(size=n) for n in (3, 4, 4))
    state = cell.state_dict()
    w, r, wb, rb = (
        convert_gates(state[key], "LSTM", "pytorch", "onnx")
        for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    p_i, p_o, p_f = np.split(convert_peepholes(state["weight_peephole"], "pytorch", "onnx"), 3)
    i, o, f, g = np.split(w @ x + wb + r @ h + rb, 4)
    new_c = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * np.tanh(g)
    new_h = sigmoid(o + p_o * new_c) * np.tanh(new_c)
    found = cell(x, (h, c))
    assert np.abs(found[0].data - new_h).max() + np.abs(found[1].data - new_c).max() < 1e-14


@pytest.mark.parametrize("reset_after", [False, True])
def test_a_gru_in_onnxs_order_computes_the_same(reset_after):
    """ONNX's equations (operator GRU), linear_before_reset 0 and 1."""
    cell = nn.GRUCell(3, 4, rng=0, reset_after=reset_after)
    x, h = RNG.normal(size=3), RNG.normal(size=4)
    state = cell.state_dict()
    w, r, wb, rb = (
        convert_gates(state[key], "GRU", "pytorch", "onnx")
        for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    z, reset, new = np.split(w @ x + wb, 3)
    u_z, u_r, u_n = np.split(r, 3)
    b_z, b_r, b_n = np.split(rb, 3)
    z, reset = sigmoid(z + u_z @ h + b_z), sigmoid(reset + u_r @ h + b_r)
    held = reset * (u_n @ h + b_n) if reset_after else u_n @ (reset * h) + b_n
    new_h = (1 - z) * np.tanh(new + held) + z * h
    assert np.abs(cell(x, h).data - new_h).max() < 1e-14


def test_cs231ns_lstm_computes_the_same():
    """lstm_step_forward of the assignment: a = x Wx + h Wh + b, cut into i f o g along the columns."""
    cell = nn.LSTMCell(3, 4, rng=0)
    x, h, c = (RNG.normal(size=(2, n)) for n in (3, 4, 4))
    state = cell.state_dict()
    wx, wh = (
        convert_gates(state[key].T, "LSTM", "pytorch", "cs231n", axis=-1)
        for key in ("weight_ih", "weight_hh")
    )
    b = convert_gates(state["bias_ih"] + state["bias_hh"], "LSTM", "pytorch", "cs231n")
    i, f, o, g = np.split(x @ wx + h @ wh + b, 4, axis=1)
    new_c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    assert np.abs(cell(x, (h, c))[1].data - new_c).max() < 1e-14
    assert np.abs(cell(x, (h, c))[0].data - sigmoid(o) * np.tanh(new_c)).max() < 1e-14


def test_a_gru_whose_z_is_the_other_share_computes_the_same():
    cell = nn.GRUCell(3, 4, rng=0, reset_after=False)
    x, h = RNG.normal(size=3), RNG.normal(size=4)
    w, u, b, d = (
        convert_gates(v, "GRU", "pytorch", "chung2014") for v in cell.state_dict().values()
    )
    (w_r, w_z, w_n), (u_r, u_z, u_n) = np.split(w, 3), np.split(u, 3)
    (b_r, b_z, b_n) = np.split(b + d, 3)
    r, z = sigmoid(w_r @ x + u_r @ h + b_r), sigmoid(w_z @ x + u_z @ h + b_z)
    new_h = (1 - z) * h + z * np.tanh(w_n @ x + u_n @ (r * h) + b_n)
    assert np.abs(cell(x, h).data - new_h).max() < 1e-14


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nn.LSTM(3, 4, proj_size=4), "proj_size=4; give an integer below hidden_size=4"),
        (lambda: nn.LSTMCell(3, 4, proj_size=-1), "proj_size=-1"),
        (
            lambda: nn.LSTM(3, 4, proj_size=2)(np.ones((2, 3)), (np.ones((1, 4)), np.ones((1, 4)))),
            r"h0 of shape \(1, 4\) was given, \(1, 2\) expected",
        ),
        (lambda: nn.ConcatRNNCell(0, 4, 2), "input_size=0"),
        (lambda: nn.ConcatRNNCell(3, 4, 2)(np.ones((1, 4))), r"\(batch, 3\) and \(batch, 4\)"),
        (lambda: nn.ConcatRNNCell(3, 4, 2)(np.ones(3), np.ones((1, 4))), "both without a batch"),
        (lambda: convert_gates([1], "RNN", "pytorch", "onnx"), "cell='RNN'"),
        (lambda: convert_gates([1] * 3, "GRU", "pytorch", "cs231n"), "target='cs231n' for GRU"),
        (lambda: convert_gates([1] * 4, "LSTM", "caffe", "onnx"), "source='caffe' for LSTM"),
        (lambda: convert_gates([1] * 6, "LSTM", "onnx", "pytorch"), "4 gates of LSTM"),
        (lambda: convert_gates(3.0, "LSTM", "onnx", "pytorch"), "4 gates of LSTM"),
        (lambda: convert_peepholes([1] * 4, "onnx", "pytorch"), r"give \(3H,\)"),
        (lambda: convert_peepholes([1] * 3, "onnx", "torch"), "target='torch'"),
    ],
)
def test_what_does_not_fit_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
