"""Modules: what assigning registers, names, state, text."""

import copy
import pickle

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(3, 5)
        self.readout = nn.Linear(5, 2)

    def forward(self, x):
        return self.readout(self.rnn(x)[0])


NAMES = [
    *("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0"),
    *("readout.weight", "readout.bias"),
]


def test_attributes_register_in_order():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [p.shape for p in net.parameters()] == [(5, 3), (5, 5), (5,), (5,), (2, 5), (2,)]
    assert [name for name, _ in net.named_modules()] == ["", "rnn", "readout"]
    assert list(net.modules()) == [net, net.rnn, net.readout]
    assert dict(net.named_children()) == {"rnn": net.rnn, "readout": net.readout}
    assert list(net.children()) == [net.rnn, net.readout]


def test_a_parameters_name_is_its_path_however_deep():
    outer = nn.Module()
    outer.net = Net()
    outer.list = nn.ModuleList([nn.Linear(1, 1)])
    for path, parameter in outer.named_parameters():
        assert parameter.name == path
    assert outer.net.readout.weight.name == "net.readout.weight"
    assert outer.list[0].bias.name == "list.0.bias"


def test_a_shared_parameter_counts_once_and_keeps_its_first_name():
    net = nn.Module()
    net.one, net.two = nn.Linear(2, 2), nn.Linear(2, 2, bias=False)
    net.two.weight = net.one.weight
    assert [name for name, _ in net.named_parameters()] == ["one.weight", "one.bias"]
    assert net.two.weight.name == "one.weight"
    assert list(net.state_dict()) == ["one.weight", "one.bias", "two.weight"]
    again = nn.Module()
    again.borrowed = net.one
    assert net.one.weight.name == "one.weight" and net.one(np.ones(2)).scope == "one"
    outer = nn.Module()
    outer.net = net
    assert net.two.weight.name == "net.one.weight"


def test_a_name_of_its_own_stays():
    net = nn.Module()
    net.w = nn.Parameter([1.0], name="W_hh")
    outer = nn.Module()
    outer.net = net
    assert net.w.name == "W_hh"


def test_replacing_and_deleting():
    net = Net()
    old = net.readout
    net.readout = nn.Linear(5, 3)
    assert old.weight not in [p for p in net.parameters() if p is old.weight]
    assert dict(net.named_parameters())["readout.weight"].shape == (3, 5)
    net.readout = None
    assert [name for name, _ in net.named_parameters()] == NAMES[:4]
    del net.rnn
    assert list(net.parameters()) == [] and not hasattr(net, "rnn")
    with pytest.raises(TypeError, match=r"nn.Parameter\(...\)"):
        old.weight = np.zeros((2, 5))


def test_a_module_needs_its_init():
    class Hasty(nn.Module):
        def __init__(self):
            self.w = nn.Parameter([1.0])

    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        Hasty()
    with pytest.raises(NotImplementedError, match="define forward"):
        nn.Module()(1.0)


def test_state_round_trip_gives_equal_outputs():
    one, two = Net(), Net()
    x = np.ones((4, 3))
    assert (one(x).data != two(x).data).any()
    two.load_state_dict(one.state_dict())
    assert (one(x).data == two(x).data).all()


def test_a_state_is_a_snapshot():
    net = Net()
    state = net.state_dict()
    before = {key: value.copy() for key, value in state.items()}
    for parameter in net.parameters():
        parameter.grad = np.ones(parameter.shape)
    mr.optim.SGD(net.parameters(), lr=1.0).step()
    assert all((state[key] == before[key]).all() for key in before)
    with pytest.raises(ValueError, match="read-only"):
        state["readout.bias"][0] = 1.0
    mine = {key: value.copy() for key, value in state.items()}
    net.load_state_dict(mine)
    mine["readout.bias"][:] = 7.0
    assert (net.readout.bias.data == before["readout.bias"]).all()


def test_a_state_that_does_not_fit_changes_nothing_and_says_what():
    net = Net()
    before = net.state_dict()
    state = {key: np.zeros_like(value) for key, value in before.items()}
    state["extra"] = state.pop("readout.bias")
    with pytest.raises(ValueError, match=r"missing readout.bias; unexpected extra. It expects rnn"):
        net.load_state_dict(state)
    state = {key: np.zeros_like(value) for key, value in before.items()}
    state["readout.weight"] = np.zeros((9, 9))
    for strict in (True, False):
        with pytest.raises(ValueError, match=r"weight has shape \(9, 9\), expected \(2, 5\)"):
            net.load_state_dict(state, strict=strict)
    assert all((value == before[key]).all() for key, value in net.state_dict().items())
    net.load_state_dict({"readout.bias": [1.0, 2.0], "other": 0}, strict=False)
    assert net.readout.bias.data.tolist() == [1.0, 2.0]


def test_loading_keeps_the_dtype_and_the_parameter():
    net = nn.Linear(2, 1, dtype=np.float32)
    weight = net.weight
    net.load_state_dict(nn.Linear(2, 1).state_dict())
    assert net.weight is weight and weight.dtype == np.float32


def test_modes_reach_everything_below():
    net = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout()))
    assert net.eval() is net
    assert [m.training for m in net.modules()] == [False] * 4
    assert [m.training for m in net.train().modules()] == [True] * 4


def test_zero_grad_forgets():
    net = Net()
    net(np.ones((2, 3))).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_to_converts_parameters():
    net = Net().to(np.float32)
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float32)}
    assert net(np.ones((2, 3), np.float32)).dtype == np.float32
    with pytest.raises(TypeError, match="floating-point"):
        net.to(int)


def test_text_is_a_tree_as_pytorchs():
    net = nn.Sequential(nn.LSTM(3, 2, num_layers=2, bidirectional=True), Net())
    assert repr(net) == (
        "Sequential(\n"
        "  (0): LSTM(3, 2, num_layers=2, bidirectional=True)\n"
        "  (1): Net(\n"
        "    (rnn): RNN(3, 5)\n"
        "    (readout): Linear(in_features=5, out_features=2, bias=True)\n"
        "  )\n"
        ")"
    )
    assert repr(nn.RNNCell(3, 2, bias=False, nonlinearity="relu")) == (
        "RNNCell(3, 2, bias=False, nonlinearity=relu)"
    )
    assert repr(nn.GRUCell(3, 2)) == "GRUCell(3, 2)"
    assert repr(nn.Dropout(0.3)) == "Dropout(p=0.3)"

    class Both(nn.Module):
        def extra_repr(self):
            return "size=3"

    both = Both()
    both.drop = nn.Dropout(0.3)
    assert repr(both) == "Both(\n  size=3\n  (drop): Dropout(p=0.3)\n)"


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_whole_and_apart(clone):
    net = Net()
    twin = clone(net)
    x = np.ones((2, 3))
    assert (twin(x).data == net(x).data).all()
    assert [p.name for p in twin.parameters()] == NAMES
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in twin.parameters())
    twin.readout.bias.data = [9.0, 9.0]
    assert (net.readout.bias.data != 9.0).all()


# -- buffers, and what is registered by name -----------------------------------------------------------


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", np.zeros(2))
        self.register_buffer("scratch", [1.0], persistent=False)
        self.register_buffer("later", None)
        self.scale = nn.Parameter([1.0, 1.0])

    def forward(self, x):
        self.seen = self.seen.data + 1.0
        return x * self.scale + self.seen


def test_buffers_are_state_and_no_optimizer_sees_them():
    net = nn.Sequential(Counter())
    counter = net[0]
    net(np.ones(2))
    assert list(net.state_dict()) == ["0.scale", "0.seen"]
    assert [name for name, _ in net.named_buffers()] == ["0.seen", "0.scratch"]
    assert [b.name for b in net.buffers()] == ["0.seen", "0.scratch"]
    assert list(net.buffers(recurse=False)) == [] and len(list(counter.buffers(False))) == 2
    assert [p.name for p in net.parameters()] == ["0.scale"]
    assert isinstance(counter.seen, mr.Tensor) and counter.seen.data.tolist() == [1.0, 1.0]
    twin = nn.Sequential(Counter())
    assert twin.load_state_dict(net.state_dict()) == ([], [])
    assert twin[0].seen.data.tolist() == [1.0, 1.0]
    counter.later = [3.0]
    assert list(counter.state_dict()) == ["scale", "seen", "later"]
    del counter.later
    counter.seen = None
    assert list(counter.state_dict()) == ["scale"]


def test_a_buffer_keeps_its_dtype_and_follows_to():
    net = nn.BatchNorm1d(2)
    net.load_state_dict({**net.state_dict(), "num_batches_tracked": 7.0})
    assert net.num_batches_tracked.dtype.kind == "i" and net.num_batches_tracked.item() == 7
    net.to("float32")
    assert net.running_mean.dtype == net.weight.dtype == np.float32
    assert net.num_batches_tracked.dtype.kind == "i"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m: m.register_buffer("a.b", [1.0]), KeyError, "without dots"),
        (lambda m: m.register_buffer("", [1.0]), KeyError, "without dots"),
        (lambda m: m.register_buffer("forward", [1.0]), KeyError, "has an attribute 'forward'"),
        (lambda m: m.register_buffer("scale", [1.0]), KeyError, "has an attribute 'scale'"),
        (lambda m: m.register_buffer("b", ["x"]), TypeError, "real numbers"),
        (lambda m: m.register_buffer("b", mr.Value(1.0)), TypeError, "requires a gradient"),
        (lambda m: m.register_parameter("p", np.ones(2)), TypeError, "type ndarray"),
        (lambda m: m.register_parameter("seen", None), KeyError, "has an attribute 'seen'"),
        (lambda m: m.add_module("m", len), TypeError, "not builtin_function_or_method"),
        (lambda m: m.register_module("scale", nn.Identity()), KeyError, "attribute 'scale'"),
        (
            lambda m: m.get_parameter("weight"),
            AttributeError,
            "no parameter 'weight'; it has scale",
        ),
        (lambda m: m.get_buffer("scale"), AttributeError, "no buffer 'scale'; it has seen"),
        (lambda m: m.get_submodule("0"), AttributeError, "no module '0'; it has none"),
        (lambda m: m.train("no"), ValueError, "mode='no'; give True or False"),
        (lambda m: m.requires_grad_(1), ValueError, "requires_grad=1"),
        (lambda m: m.zero_grad("all"), ValueError, "set_to_none='all'"),
        (lambda m: m.to("cuda"), TypeError, "on the CPU"),
        (lambda m: m.to(None), TypeError, "floating-point dtype"),
        (lambda m: m.load_state_dict({}, strict="no"), ValueError, "strict='no'"),
        (lambda m: m.load_state_dict([1.0]), TypeError, "a state of type list"),
        (lambda m: m.load_state_dict(m.state_dict() | {"scale": ["a", "b"]}), TypeError, "scale"),
        (lambda m: m.load_state_dict(m.state_dict() | {"scale": [1j, 1j]}), TypeError, "complex"),
        (
            lambda m: m.load_state_dict(m.state_dict() | {"scale": [[1], [1, 2]]}),
            TypeError,
            "shape",
        ),
        (lambda m: m.load_state_dict(m.state_dict() | {3: 1.0}), ValueError, "unexpected 3"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(call, error, words):
    net = Counter()
    before = {key: value.copy() for key, value in net.state_dict().items()}
    with pytest.raises(error, match=words):
        call(net)
    assert list(net.state_dict()) == list(before)
    assert all((value == before[key]).all() for key, value in net.state_dict().items())
    assert net.training is True and net.scale.requires_grad


def test_parameters_and_modules_are_registered_by_name():
    net = nn.Module()
    net.register_parameter("w", nn.Parameter([1.0]))
    net.register_parameter("none", None)
    net.add_module("inner", nn.Linear(1, 1))
    assert net.none is None and [p.name for p in net.parameters()][:1] == ["w"]
    net.none = nn.Parameter([2.0])
    assert list(net.state_dict()) == ["w", "none", "inner.weight", "inner.bias"]
    assert net.get_parameter("inner.bias") is net.inner.bias
    assert net.get_submodule("inner") is net.inner and net.get_submodule("") is net
    assert [name for name, _ in net.named_parameters("top", recurse=False)] == ["top.w", "top.none"]


def test_apply_calls_every_module_once_from_below():
    net, seen = Net(), []
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["RNN", "Linear", "Net"]


def test_freezing():
    net = Net()
    assert net.readout.requires_grad_(False) is net.readout
    net(np.ones((4, 3))).sum().backward()
    assert net.readout.weight.grad is None and net.rnn.weight_hh_l0.grad is not None
    net.requires_grad_()
    assert all(p.requires_grad for p in net.parameters())


def test_double_float_and_cpu():
    net = Net().float()
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float32)}
    assert {p.dtype for p in net.double().parameters()} == {np.dtype(np.float64)}
    assert net.to("cpu") is net


def test_zero_grad_may_leave_zeros():
    net = nn.Linear(2, 1)
    net(np.ones(2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.weight.grad.tolist() == [[0.0, 0.0]] and net.bias.grad.tolist() == [0.0]


def test_what_is_missing_and_unexpected_is_returned():
    net = Net()
    found = net.load_state_dict({"readout.bias": [1.0, 2.0], "other": 0}, strict=False)
    assert found.missing_keys == [name for name in NAMES if name != "readout.bias"]
    assert found.unexpected_keys == ["other"]
    assert net.load_state_dict(net.state_dict()) == ([], [])
    assert list(net.state_dict("net.")) == [f"net.{name}" for name in NAMES]


class FromPyTorch:
    """A tensor of PyTorch's on a device and in a graph, as far as one can tell by its methods."""

    def __init__(self, array, dtype="torch.float32", where="graph"):
        self.array, self.dtype, self.where = array, dtype, where

    def detach(self):
        return FromPyTorch(self.array, self.dtype, "device")

    def cpu(self):
        assert self.where == "device"
        return FromPyTorch(self.array, self.dtype, "here")

    def float(self):
        return FromPyTorch(self.array, "torch.float32", self.where)

    def numpy(self):
        assert self.where == "here" and self.dtype != "torch.bfloat16"
        return np.asarray(self.array, "float32")

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("a tensor in a graph is not converted")


@pytest.mark.parametrize("dtype", ["torch.float32", "torch.bfloat16"])
def test_tensors_of_pytorch_are_loaded(dtype):
    net = nn.Linear(2, 1)
    net.load_state_dict({"weight": FromPyTorch([[1, 2]], dtype), "bias": mr.Value(3.0) * [1.0]})
    assert net.weight.data.tolist() == [[1.0, 2.0]] and net.bias.data.tolist() == [3.0]
    assert net.weight.dtype == np.float64
    table = nn.Embedding.from_pretrained(FromPyTorch([[1, 2]], dtype))
    assert table([0]).data.tolist() == [[1.0, 2.0]]
