"""Initial values: what each initialiser is for holds."""

import math

import numpy as np
import pytest
from reference.store import load

from micrornn import nn
from micrornn.nn import init

CASES = [case for case in load("modules") if "initializer" in case.arguments]


def matrix(rows, columns):
    return nn.Parameter(np.zeros((rows, columns)))


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell", "RNN", "LSTM", "GRU"])
def test_the_default_of_recurrent_modules_is_pytorchs(kind):
    module = getattr(nn, kind)(3, 100, rng=0)
    values = np.concatenate([p.numpy().ravel() for p in module.parameters()])
    bound = 1 / math.sqrt(100)
    assert 0.998 * bound < np.abs(values).max() <= bound
    assert np.std(values) == pytest.approx(bound / math.sqrt(3), rel=0.02)


def test_the_default_of_linear_is_pytorchs():
    module = nn.Linear(100, 300, rng=0)
    values = module.weight.numpy()
    assert 0.099 < np.abs(values).max() <= 0.1
    assert np.abs(module.bias.data).max() <= 0.1 and module.bias.numpy().std() > 0.04


def test_draws_repeat_by_seed_by_generator_and_by_manual_seed():
    def drawn(**options):
        return nn.LSTM(2, 3, **options).weight_hh_l0.numpy()

    assert (drawn(rng=5) == drawn(rng=5)).all()
    assert (drawn(rng=5) != drawn(rng=6)).any()
    assert (drawn(rng=np.random.default_rng(5)) == drawn(rng=5)).all()
    init.manual_seed(3)
    first = drawn()
    assert (drawn() != first).any()
    init.manual_seed(3)
    assert (drawn() == first).all()
    with pytest.raises(TypeError, match="default_rng"):
        drawn(rng="five")


def test_one_generator_serves_several_modules():
    rng = np.random.default_rng(0)
    one, two = nn.Linear(3, 3, rng=rng), nn.Linear(3, 3, rng=rng)
    assert (one.weight.data != two.weight.data).all()


@pytest.mark.parametrize(("rows", "columns"), [(6, 6), (6, 4), (4, 6)])
def test_orthogonal(rows, columns):
    w = init.orthogonal_(matrix(rows, columns), gain=2.0, generator=0).data
    gram = w @ w.T if rows <= columns else w.T @ w
    assert np.abs(gram - 4.0 * np.eye(min(rows, columns))).max() < 1e-12


def test_orthogonal_per_gate():
    lstm = nn.LSTM(3, 5)
    init.orthogonal_(lstm.weight_hh_l0, generator=0, blocks=4)
    for block in np.split(lstm.weight_hh_l0.numpy(), 4):
        assert np.abs(block @ block.T - np.eye(5)).max() < 1e-12
    assert np.abs(np.split(lstm.weight_hh_l0.numpy(), 4)[0] - block).max() > 0.1


def test_orthogonal_is_uniform_over_rotations():
    corners = [init.orthogonal_(matrix(2, 2), generator=k).data[0, 0] for k in range(400)]
    assert abs(np.mean(corners)) < 0.15  # QR alone leaves a bias: its R has a sign of its own


class Asked(np.random.Generator):
    """A generator that notes with which numbers it is asked to draw."""

    def __init__(self):
        super().__init__(np.random.PCG64(0))
        self.numbers = None

    def uniform(self, low, high, size):
        self.numbers = -low, high
        return super().uniform(low, high, size)

    def normal(self, mean, std, size):
        self.numbers = std, std
        return super().normal(mean, std, size)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_values_are_drawn_as_large_as_pytorchs(case):
    function = getattr(init, case.arguments["initializer"])
    size = float(case["expected"]["size"])
    if function is init.calculate_gain:
        assert function(**case.arguments["options"]) == pytest.approx(size, rel=1e-15)
        return
    w, asked = nn.Parameter(np.zeros(case.arguments["shape"])), Asked()
    assert function(w, **case.arguments["options"], generator=asked) is w
    assert asked.numbers == pytest.approx((size, size), rel=1e-14)
    assert w.data.std() > 0


def test_kaiming_per_gate():
    asked = Asked()
    init.kaiming_normal_(matrix(3 * 10, 5), mode="fan_out", generator=asked, blocks=3)
    assert asked.numbers[0] == pytest.approx(math.sqrt(2 / 10))


def test_orthogonal_filters():
    w = init.orthogonal_(nn.Parameter(np.zeros((4, 2, 3))), generator=0).data.reshape(4, 6)
    assert np.abs(w @ w.T - np.eye(4)).max() < 1e-12


def test_truncated_normal():
    values = init.trunc_normal_(matrix(100, 100), 1.0, 2.0, 0.0, 1.5, generator=0).data
    assert values.min() >= 0.0 and values.max() <= 1.5 and values.std() > 0.3
    assert (init.trunc_normal_(matrix(2, 2), 1.0, 0.0).data == 1.0).all()
    with pytest.raises(ValueError, match="of the distribution"):
        init.trunc_normal_(matrix(2, 2), a=9.0, b=10.0)


def test_ones_and_eye():
    assert (init.ones_(matrix(2, 3)).data == 1.0).all()
    assert (init.eye_(matrix(2, 3)).data == np.eye(2, 3)).all()


@pytest.mark.parametrize("function", [init.zeros_, init.uniform_, init.orthogonal_, init.eye_])
def test_what_is_not_a_tensor_is_refused(function):
    for given in (np.zeros((2, 2)), [[0.0]], nn.Linear(2, 2)):
        with pytest.raises(TypeError, match="sets the values of a tensor, and was given"):
            function(given)
    with pytest.raises(ValueError, match="computed"):
        function(matrix(2, 2) * 2.0)


@pytest.mark.parametrize("blocks", [1, 3])
def test_xavier(blocks):
    w = init.xavier_uniform_(matrix(100 * blocks, 50), 2.0, 0, blocks=blocks).data
    bound = 2.0 * math.sqrt(6 / 150)
    assert 0.99 * bound < np.abs(w).max() <= bound
    w = init.xavier_normal_(matrix(100 * blocks, 50), 2.0, 0, blocks=blocks).data
    assert w.std() == pytest.approx(2.0 * math.sqrt(2 / 150), rel=0.03)


def test_identity():
    assert (init.identity_(matrix(3, 3), 0.5).data == 0.5 * np.eye(3)).all()
    assert (init.identity_(matrix(4, 2), blocks=2).data == np.vstack([np.eye(2)] * 2)).all()


def test_an_irnn_keeps_a_positive_state():
    rnn = nn.RNN(1, 3, nonlinearity="relu", bias=False)
    init.identity_(rnn.weight_hh_l0)
    init.zeros_(rnn.weight_ih_l0)
    output, _ = rnn(np.zeros((50, 1)), np.array([[1.0, 2.0, 3.0]]))
    assert (output.data[-1] == [1.0, 2.0, 3.0]).all()


@pytest.mark.parametrize(
    "module",
    [
        nn.LSTMCell(2, 3),
        nn.LSTM(2, 3, num_layers=2, bidirectional=True),
        nn.Sequential(nn.LSTM(2, 3), nn.GRU(3, 3)),
    ],
    ids=["cell", "layers", "inside"],
)
def test_the_forget_bias_is_the_sum_of_two(module):
    before = {name: p.numpy() for name, p in module.named_parameters()}
    init.forget_bias_(module, 1.5)
    after = {name: p.numpy() for name, p in module.named_parameters()}
    changed = set()
    for name, value in after.items():
        same = value == before[name]
        if "bias_ih" in name and len(value) == 12:
            other = name.replace("bias_ih", "bias_hh")
            assert (value[3:6] + after[other][3:6] == 1.5).all()
            assert same[:3].all() and same[6:].all()
            changed |= {name, other}
        elif name not in changed:
            assert same.all(), name
    assert changed


def test_plain_fills():
    w = matrix(20, 50)
    assert (init.constant_(w, 3.0).data == 3.0).all()
    assert (init.zeros_(w).data == 0.0).all()
    values = init.uniform_(w, 2.0, 3.0, 0).data
    assert values.min() >= 2.0 and values.max() <= 3.0 and values.std() > 0.2
    values = init.normal_(w, 5.0, 2.0, 0).data
    assert values.mean() == pytest.approx(5.0, abs=0.2) and values.std() == pytest.approx(
        2, rel=0.1
    )


@pytest.mark.parametrize(
    "fill", [init.orthogonal_, init.xavier_normal_, init.identity_, init.zeros_]
)
def test_the_dtype_stays_and_the_tensor_is_returned(fill):
    w = nn.Parameter(np.zeros((2, 2), np.float32))
    assert fill(w) is w and w.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: init.orthogonal_(nn.Parameter([1.0])), "for biases use zeros_"),
        (lambda: init.xavier_uniform_(matrix(5, 2), blocks=4), "blocks=4 does not divide 5 rows"),
        (lambda: init.uniform_(matrix(1, 1), 1.0, 0.0), "a=1.0 is above b=0.0"),
        (lambda: init.normal_(matrix(1, 1), std=-1.0), "std=-1.0"),
        (lambda: init.eye_(nn.Parameter(np.zeros((1, 2, 3)))), "fills matrices"),
        (lambda: init.kaiming_normal_(matrix(2, 2), mode="in"), "'fan_in', 'fan_out'"),
        (lambda: init.kaiming_uniform_(matrix(2, 2), nonlinearity="gelu"), "nonlinearity='gelu'"),
        (lambda: init.xavier_normal_(matrix(0, 2)), "no elements"),
        (lambda: init.xavier_normal_(nn.Parameter([1.0])), "this tensor has shape"),
        (lambda: init.forget_bias_(nn.GRU(2, 3)), "bias=True"),
        (lambda: init.forget_bias_(nn.LSTM(2, 3, bias=False)), "bias=True"),
    ],
)
def test_errors_say_what_to_do(call, words):
    with pytest.raises(ValueError, match=words):
        call()
