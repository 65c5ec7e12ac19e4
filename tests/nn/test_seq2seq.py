"""Encoder and decoder: what is fed, what padding must not change, what the graph holds."""

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.nn import scheduled
from micrornn.nn.kinds import CELLS, LAYERS
from micrornn.options import NETWORKS

START, END = 0, 1
SOURCE = np.array([[2, 3, 4], [5, 2, 6], [3, 0, 7], [6, 0, 2]])  # 3 sequences of 4, 2 and 4
LENGTHS = [4, 2, 4]
TARGET = np.array([[2, 3, 4], [3, 4, 1], [1, 1, 0]])
PLAIN = ("RNN", "LSTM", "GRU", "IRNN", "OrthogonalRNN", "MinGRU", "MinLSTM")
WITHOUT_H = ("LRU", "S6", "MLSTM", "GatedDelta", "RWKV")  # whose state does not hold the output
ATTENTIONS = (None, "dot", "scaled", "general", "additive")


def build(cell="GRU", attention="general", layers=1, both=False, **more):
    size = 6 if both else 3
    if attention in ("dot", "scaled") and both:
        more["hidden"] = 6
    hidden = more.pop("hidden", 3)
    encoder = nn.Encoder(8, 4, 3, cell, layers, both, rng=0, **more)
    decoder = nn.Decoder(5, 4, hidden, cell, layers, attention, size, rng=1, **more)
    return nn.Seq2Seq(encoder, decoder, START, END, rng=2)


@pytest.mark.parametrize("cell", LAYERS)
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("layers", [1, 2])
def test_a_padded_batch_is_its_sequences_one_by_one(cell, attention, layers):
    if attention == "additive" and cell in WITHOUT_H:
        pytest.skip("refused")
    net = build(cell, attention, layers, both=layers == 2 and cell in PLAIN)
    together = net(SOURCE, TARGET, LENGTHS)
    filled = SOURCE.copy()
    filled[2:, 1] = 7  # other padding
    again = net(filled, TARGET, LENGTHS)
    for b, length in enumerate(LENGTHS):
        alone = net(SOURCE[:length, b], TARGET[:, b])
        for k in range(3):
            assert alone.logits[k].shape == (5,)
            assert np.abs(alone.logits[k].data - together.logits[k].data[b]).max() < 1e-13
            assert np.array_equal(again.logits[k].data[b], together.logits[k].data[b])
            if attention:
                weights = together.attention[k].data[b]
                assert np.abs(alone.attention[k].data - weights[:length]).max() < 1e-14
                assert (weights[length:] == 0).all() and abs(weights.sum() - 1) < 1e-14
    assert bool(together.attention) == bool(attention)


def test_each_kind_has_a_cell_that_is_one_step_of_its_layer():
    assert list(LAYERS) == list(CELLS) == list(NETWORKS)
    for kind in LAYERS:
        layer, cell = LAYERS[kind](3, 4, rng=0), CELLS[kind](3, 4, rng=0)
        x, state = np.random.default_rng(1).normal(size=(3, 2, 3)), None
        for step in x:
            output, whole = cell.advance(step, state)
            state = whole if len(whole) > 1 else whole[0]
        outputs, last = layer(x)
        assert np.abs(outputs[-1].data - output.data).max() < 1e-14
        for own, part in zip(whole, last if len(whole) > 1 else [last], strict=True):
            assert np.abs(part[0].data - own.data).max() < 1e-14


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "MinLSTM", "MLSTM"])
@pytest.mark.parametrize("attention", [None, "general", "additive"])
def test_every_gradient(cell, attention):
    if cell in WITHOUT_H and attention != "general":
        pytest.skip("refused, or the encoder's outputs count for nothing")
    net = build(cell, attention, 2, both=cell in PLAIN)

    parameters, rng = list(net.parameters()), np.random.default_rng(0)
    begin = [p.numpy() for p in parameters]
    ways = [rng.normal(size=p.shape) for p in parameters]

    def loss(shift):
        for p, value, way in zip(parameters, begin, ways, strict=True):
            p.data = value + shift * way
        said = net(SOURCE, TARGET, LENGTHS)
        return nn.sequence_loss(said.logits, TARGET)[1]

    numeric = (loss(1e-6).item() - loss(-1e-6).item()) / 2e-6
    loss(0.0).backward()
    by_parameter = [(p.grad * way).sum() for p, way in zip(parameters, ways, strict=True)]
    assert all(share != 0 for share in by_parameter)
    assert abs(sum(by_parameter) - numeric) < 1e-7


def test_time_runs_on_from_the_encoder_to_the_decoder():
    net = build("LSTM", "dot")
    said = net([2, 3, 4, 5], [2, 3, 1])
    losses, total = nn.sequence_loss(said.logits, [2, 3, 1])
    assert [y.step for y in said.logits] == [w.step for w in said.attention] == [5, 6, 7]
    assert [step.step for step in losses] == [5, 6, 7]
    nodes = mr.Graph(total).nodes
    for scope, times in (("encoder/lstm.0", range(1, 5)), ("decoder/lstm.0", range(5, 8))):
        for name in "hc":
            made = [n.step for n in nodes if n.scope == scope and n.name == name and n.inputs]
            assert [t for t in made if t in times] == [*times], (scope, name)
    by_number = {n.number: n for n in nodes}
    for node in nodes:
        for x in node.inputs:
            if None not in (node.step, x.step) and x.number in by_number:
                assert x.step <= node.step  # causes are never to the right
    assert {n.scope for n in nodes if n.step == 3 and n.inputs} == {
        *("encoder.embedding", "encoder/lstm.0"),
    }
    assert {n.scope for n in nodes if n.step == 4 and n.inputs} == {
        *("encoder.embedding", "encoder/lstm.0", "memory"),
    }
    assert {n.scope for n in nodes if n.step == 6} == {
        *("decoder.embedding", "decoder/lstm.0", "decoder.attention", "decoder.mix"),
        *("decoder.readout", "loss"),
    }


def test_the_truth_is_fed_or_its_own_words():
    net = build()
    forced = net(SOURCE, TARGET, LENGTHS)
    assert forced.fed.tolist() == [[START] * 3, *TARGET[:-1].tolist()]
    free = net(SOURCE, TARGET, LENGTHS, teacher_forcing=0.0)
    own = [np.argmax(y.data, -1) for y in free.logits]
    assert np.array_equal(free.fed[1:], own[:-1])
    long = np.full((400, 3), 3)
    net.rng = np.random.default_rng(0)
    mixed = net(SOURCE, long, LENGTHS, teacher_forcing=0.25)
    said = np.array([np.argmax(y.data, -1) for y in mixed.logits[:-1]])
    differs = said != 3
    assert set(np.unique(mixed.fed[1:][differs] == 4)) == {True, False}
    assert abs((mixed.fed[1:][differs] == 3).mean() - 0.25) < 0.06
    assert (mixed.fed[1:] == np.where(mixed.fed[1:] == 3, 3, said)).all()


def test_what_is_fed_can_be_drawn_and_repeated():
    runs = []
    for seed in (3, 3, 4):
        net = build()
        net.rng = np.random.default_rng(seed)
        runs.append(net(SOURCE, np.tile(TARGET, (5, 1)), LENGTHS, 0.0, feed="sample").fed)
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])
    assert len(np.unique(runs[0][1:])) > 2


def test_running_free_by_argmax_is_greedy_decoding():
    for cell in ("LSTM", "GRU"):
        net = build(cell, "general", 2, dropout=0.5)
        (found,) = net.translate([2, 3, 4], max_length=6)
        assert net.training and all(m.training for m in net.modules())
        said = net.eval()([2, 3, 4], [0] * 6, teacher_forcing=0.0)
        own = [int(np.argmax(y.data)) for y in said.logits]
        assert nn.decoding.steps_to_end(own, END) == found.tokens
        beam = net.translate([2, 3, 4], "beam", 6, width=3, length_power=1.0)
        assert len(beam) == 3 and beam[0].score >= found.log_prob / (
            len(found.tokens) + found.finished
        )
        one, two = (net.translate([2, 3, 4], "sample", 6, temperature=2.0, rng=5) for _ in "ab")
        assert one == two


def test_it_learns_to_reverse():
    rng = np.random.default_rng(0)
    net = nn.Seq2Seq(
        nn.Encoder(6, 8, 16, rng=0), nn.Decoder(6, 8, 16, attention="dot", rng=1), START, END
    )
    optimizer = mr.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(120):
        source = rng.integers(2, 6, (4, 16))
        target = np.concatenate([source[::-1], np.full((1, 16), END)])
        _, total = nn.sequence_loss(net(source, target).logits, target)
        net.zero_grad()
        total.backward()
        optimizer.step()
    assert total.item() < 0.15
    assert net.translate([2, 5, 3, 4], "beam")[0].tokens == [4, 3, 5, 2]


def test_what_it_learnt_on_the_truth_is_worse_on_its_own_words():
    """The loss is cross-entropy either way, attention or not; what differs is what the decoder is fed."""
    rng = np.random.default_rng(0)
    net = nn.Seq2Seq(nn.Encoder(7, 6, 12, rng=0), nn.Decoder(7, 6, 12, rng=1), START, END)
    optimizer = mr.optim.Adam(net.parameters(), lr=0.02)

    def loss(batch, share):
        target = np.empty((8, batch), int)  # a walk: a step up or down from where it is
        target[0] = rng.integers(2, 7, batch)
        for k in range(1, 8):
            target[k] = (target[k - 1] - 2 + rng.choice([1, 4], batch)) % 5 + 2
        logits = net(target[:1], target, teacher_forcing=share).logits
        return nn.sequence_loss(logits, target)[1]

    for _ in range(80):
        total = loss(16, 1.0)
        net.zero_grad()
        total.backward()
        optimizer.step()
    forced, free = loss(200, 1.0).item(), loss(200, 0.0).item()
    assert free > 1.2 * forced, (forced, free)


def test_schedules():
    shares = [scheduled.inverse_sigmoid_decay(10.0)(i) for i in range(0, 200, 10)]
    assert shares == sorted(shares, reverse=True) and shares[0] > 0.9 and shares[-1] < 1e-6
    assert scheduled.inverse_sigmoid_decay(1.0)(10_000) == 0.0
    assert scheduled.linear_decay(0.1, 0.9, 0.2)(100) == 0.2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: nn.Encoder(8, 4, 3, "MLSTM", bidirectional=True),
            "MLSTM has the state C, n, m, of which those of the two directions cannot be joined",
        ),
        (
            lambda: nn.Decoder(8, 4, 3, "RWKV", attention="additive"),
            r"asks by the h of the step before, which RWKV's state \(u, a, b, p\) does not hold",
        ),
        (lambda: nn.Encoder(8, 4, 3, "LSTMCell"), "give one of 'RNN', 'LSTM', 'GRU'"),
        (lambda: nn.Decoder(8, 4, 3, "LSTMCell"), "give one of 'RNN', 'LSTM', 'GRU'"),
        (lambda: nn.Decoder(8, 4, 3, attention="luong"), "attention='luong'"),
        (lambda: nn.Decoder(8, 4, 3, attention="dot", memory_size=6), "'general' or 'additive'"),
        (lambda: nn.Decoder(8, 4, 3, num_layers=0), "num_layers=0"),
        (
            lambda: nn.Seq2Seq(nn.Encoder(8, 4, 3, "LSTM"), nn.Decoder(5, 4, 3), 0, 1),
            "1 layers of LSTM, the decoder 1 of GRU",
        ),
        (
            lambda: nn.Seq2Seq(nn.Encoder(8, 4, 3, bidirectional=True), nn.Decoder(5, 4, 3), 0, 1),
            r"Decoder\(memory_size=6\)",
        ),
        (lambda: build()(SOURCE, TARGET, teacher_forcing=1.5), "teacher_forcing=1.5"),
        (lambda: build()(SOURCE, TARGET, feed="beam"), "feed='beam'"),
        (lambda: build()(SOURCE, TARGET[:, :2]), "as many sequences of each"),
        (lambda: build()(SOURCE, TARGET, [4, 0, 4]), "sequence 1 has length 0"),
        (lambda: build()(np.zeros((0, 2), int), TARGET), "at least one step"),
        (lambda: build()(SOURCE * 1.0, TARGET), "give integers"),
        (lambda: build()(SOURCE + 9, TARGET), "has no row in a table of 8"),
        (lambda: build().translate([2, 3], "viterbi"), "method='viterbi'"),
        (lambda: scheduled.linear_decay(-1.0), "slope=-1.0"),
        (lambda: scheduled.exponential_decay(1.5), "base=1.5"),
        (lambda: scheduled.inverse_sigmoid_decay(0.5), "k=0.5"),
    ],
)
def test_what_does_not_fit_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
