"""Sequences of many lengths in one batch: padding changes neither state nor gradient, either way."""

import numpy as np
import pytest
from reference.compare import module_differences
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.nn.utils import rnn

CASES = load("packed")
KINDS = ("RNN", "LSTM", "GRU")
LENGTHS = [2, 5, 1]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3, 3))


def parts(last):
    return last if isinstance(last, tuple) else (last,)


def build(case):
    return getattr(nn, case.arguments["module"])(3, 2, **case.arguments["options"])


@pytest.mark.parametrize("way", ["lengths", "packed"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_outputs_states_and_gradients_are_pytorchs(case, way):
    module = build(case)
    lengths, batch_first = case.arguments["lengths"], module.batch_first

    def run(x, **state):
        given = tuple(state.values())
        given = given if len(given) > 1 else (given[0] if given else None)
        packed = rnn.pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
        for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
            assert getattr(packed, name).tolist() == case.arguments[name]
        if way == "packed":
            result, last = module(packed, given)
            output, counts = rnn.pad_packed_sequence(result, batch_first)
            assert counts.tolist() == lengths
        else:
            output, last = module(x, given, lengths)
            result = rnn.pack_padded_sequence(output, lengths, batch_first, enforce_sorted=False)
        return {"output": output, "data": result.data, **dict(zip("hc", parts(last), strict=False))}

    assert module_differences(case, module, run) == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gates", ["stacked", "separate"])
def test_each_sequence_is_as_if_it_were_alone(kind, gates):
    net = getattr(nn, kind)(3, 2, num_layers=2, bidirectional=True, rng=0, gates=gates)
    output, last = net(X, lengths=LENGTHS)
    for b, length in enumerate(LENGTHS):
        alone, end = net(X[:length, b])
        assert np.abs(output.data[:length, b] - alone.data).max() < 1e-15
        assert (output.data[length:, b] == 0).all()
        for whole, part in zip(parts(last), parts(end), strict=True):
            assert np.abs(whole.data[:, b] - part.data).max() < 1e-15


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("listed", [False, True])
def test_what_stands_in_the_padding_is_never_seen(kind, listed):
    """In either direction: no output, no state, no gradient; and of outputs and states not even NaN."""
    net = getattr(nn, kind)(3, 2, num_layers=2, bidirectional=True, rng=0)
    found = []
    for filling in (0.0, 1e6, np.nan):
        x = X.copy()
        for b, length in enumerate(LENGTHS):
            x[length:, b] = filling
        steps = [mr.tensor(row, requires_grad=True) for row in x]
        given = steps if listed else mr.stack(steps)
        net.zero_grad()
        output, last = net(given, lengths=LENGTHS)
        output = mr.stack(output) if listed else output
        total = mr.sum(mr.sin(output)) + sum(mr.sum(mr.sin(part)) for part in parts(last))
        if not np.isnan(filling):
            total.backward()
            grads = [p.grad for p in net.parameters()] + [step.grad for step in steps]
            for t, step in enumerate(steps, 1):
                past = np.array([t > length for length in LENGTHS])
                assert (step.grad[past] == 0).all() and (step.grad[~past] != 0).all()
        found.append([output.data, *[part.data for part in parts(last)], *grads])
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_masking_the_loss_alone_is_not_enough():
    """The second direction of an unmasked state has read the padding before it reads the sequence."""
    net = nn.LSTM(3, 2, bidirectional=True, rng=0)
    masked, _ = net(X, lengths=LENGTHS)
    unmasked, (h, _) = net(X)
    real = rnn.length_mask(LENGTHS)
    ahead, back = np.s_[..., :2], np.s_[..., 2:]
    assert np.array_equal(masked.data[real][ahead], unmasked.data[real][ahead])
    assert (masked.data[:2, 0][back] != unmasked.data[:2, 0][back]).all()
    assert (h.data[:, 0] != net(X, lengths=LENGTHS)[1][0].data[:, 0]).all()


def test_full_lengths_cost_nothing():
    net = nn.GRU(3, 2, rng=0)
    plain, same, padded = (
        mr.Graph(net([*X], lengths=lengths)[0][-1]).nodes for lengths in (None, [5, 5, 5], LENGTHS)
    )
    assert len(plain) == len(same) < len(padded)


def test_the_state_that_is_held_is_the_h_of_its_step():
    net = nn.LSTM(3, 2, rng=0)
    output, (_, c) = net([*X], lengths=LENGTHS)
    nodes = mr.Graph(sum(mr.sum(h) for h in [*output, c])).nodes
    for t in range(1, 6):
        for name in "hc":
            (state,) = [n for n in nodes if (n.name, n.step) == (name, t)]
            assert state.scope == "lstm.0" and (state.primitive.name == "where") == (t > 1)
    assert [n.step for n in nodes if n.name == "new c"] == [2, 3, 4, 5]


def test_pad_and_unpad():
    sequences = [RNG.normal(size=(n, 2)) for n in LENGTHS]
    for batch_first in (False, True):
        padded = rnn.pad_sequence(sequences, batch_first, padding_value=7.0)
        assert padded.shape == ((3, 5, 2) if batch_first else (5, 3, 2))
        assert (padded == 7).sum() == 2 * (15 - 8)
        leaves = [mr.tensor(s, requires_grad=True) for s in sequences]
        recorded = rnn.pad_sequence(leaves, batch_first, padding_value=7.0)
        assert np.array_equal(recorded.data, padded)
        for given in (padded, recorded):
            back = rnn.unpad_sequence(given, LENGTHS, batch_first)
            for one, other in zip(back, sequences, strict=True):
                assert np.array_equal(getattr(one, "data", one), other)
        mr.sum(recorded * recorded).backward()
        assert all(
            np.array_equal(leaf.grad, 2 * s) for leaf, s in zip(leaves, sequences, strict=True)
        )
    tokens = rnn.pad_sequence([[1, 2], [3]])
    assert tokens.dtype.kind == "i" and tokens.tolist() == [[1, 3], [2, 0]]


def test_packing_and_back():
    for batch_first in (False, True):
        x = X.swapaxes(0, 1) if batch_first else X
        packed = rnn.pack_padded_sequence(x, LENGTHS, batch_first, enforce_sorted=False)
        assert packed.lengths.tolist() == LENGTHS and packed.data.shape == (8, 3)
        padded, lengths = rnn.pad_packed_sequence(packed, batch_first, -1.0, total_length=6)
        assert lengths.tolist() == LENGTHS
        whole = padded.data.swapaxes(0, 1) if batch_first else padded.data
        real = rnn.length_mask(LENGTHS, 6)
        assert (whole[~real] == -1).all() and np.array_equal(whole[real], X[real[:5]])
    parts = rnn.unpack_sequence(rnn.pack_sequence([X[:n, 0] for n in (3, 1)]))
    assert [part.shape for part in parts] == [(3, 3), (1, 3)]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: nn.RNN(3, 2)(X, lengths=[2, 0, 1]), ValueError, "sequence 1 has length 0"),
        (lambda: nn.RNN(3, 2)(X, lengths=[2, 6, 1]), ValueError, "length 6, .* only 5 steps"),
        (
            lambda: nn.RNN(3, 2)(X, lengths=[2, 1]),
            ValueError,
            r"\(2,\) were given, \(3,\) expected",
        ),
        (lambda: nn.RNN(3, 2)(X, lengths=[2.0, 1.0, 1.0]), TypeError, "give integers"),
        (lambda: nn.RNN(3, 2)(X[:, 0], lengths=[2]), ValueError, "without a batch"),
        (lambda: rnn.length_mask([]), ValueError, "at least one"),
        (lambda: rnn.pad_sequence([]), ValueError, "at least one"),
        (lambda: rnn.pad_sequence([X[0], X[0, :, :2]]), ValueError, "all equal but for"),
        (lambda: rnn.pad_sequence([1.0, 2.0]), ValueError, "pad_sequence: sequences of shape"),
        (lambda: rnn.pack_padded_sequence(X, LENGTHS), ValueError, r"\[2, 5, 1\] do not fall"),
        (lambda: rnn.pack_padded_sequence(X[:, 0, 0], [1]), ValueError, "time and batch"),
        (lambda: rnn.unpad_sequence(X[:, 0, 0], [1]), ValueError, "time and batch"),
        (lambda: rnn.pack_sequence([[1.0], []]), ValueError, "sequence 1 has length 0"),
        (
            lambda: rnn.pad_packed_sequence(rnn.pack_sequence([[1.0, 2.0]]), total_length=1),
            ValueError,
            "total_length=1 is shorter",
        ),
    ],
)
def test_wrong_lengths_say_what_was_expected(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
