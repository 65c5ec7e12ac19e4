"""What every kind of network leaves in the graph: it can be recorded, saved and read back, and is freed."""

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.core.primitive import PRIMITIVES
from micrornn.recording import load_recording, record

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 2, 3))
OWN = ("cross_entropy", "soft_cross_entropy", "ctc", "ctc_posterior", "windows", "fold")


def seq2seq():
    net = nn.Seq2Seq(
        nn.Encoder(8, 4, 3, "LSTM", bidirectional=True, rng=0),
        nn.Decoder(5, 4, 3, "LSTM", attention="additive", memory_size=6, rng=1),
        *(0, 1),
        rng=2,
    )
    said = net([[2, 3], [4, 2], [5, 0]], [[2, 3], [1, 1]], [3, 2])
    return nn.masked_sequence_loss(said.logits, [[2, 3], [1, 1]], [2, 2], "per_sequence")[1]


def lengths():
    output, _ = nn.GRU(3, 4, bidirectional=True, rng=0)([*X], lengths=[5, 3])
    return sum(mr.sum(h * h) for h in output)


def variants():
    options = {"peepholes": True, "layer_norm": True, "proj_size": 2}
    return mr.sum(nn.LSTM(3, 4, rng=0, **options)([*X])[0][-1])


def ctc():
    output, _ = nn.GRU(3, 4, rng=0)(X)
    return nn.CTCLoss()(mr.log_softmax(nn.Linear(4, 4, rng=1)(output)), [[1, 2], [2, 2]])


def image():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 2))
    return nn.CrossEntropyLoss()(net(RNG.normal(size=(2, 1, 4, 4))), [0, 1])


@pytest.mark.parametrize("make", [seq2seq, lengths, variants, ctc, image])
def test_a_run_is_saved_and_read_back(make, tmp_path):
    loss = make()
    one = record(loss)
    one.save(tmp_path / "run.mrr")
    two = load_recording(tmp_path / "run.mrr")
    assert len(one.nodes) == len(two.nodes) > 5
    for a, b in zip(one.nodes, two.nodes, strict=True):
        assert np.array_equal(a.data, b.data) and (a.name, a.scope, a.step) == (
            b.name,
            b.scope,
            b.step,
        )
    assert len(one.parameters) == len(two.parameters) > 0
    for a, b in zip(one.parameters, two.parameters, strict=True):
        assert np.array_equal(one.gradient(a), two.gradient(b))


@pytest.mark.parametrize("make", [seq2seq, lengths, variants, ctc, image])
def test_no_node_waits_for_the_collector(make):
    import gc
    import weakref

    gc.collect()
    gc.disable()
    try:
        loss = make()
        nodes = [weakref.ref(n) for n in mr.Graph(loss).nodes if not isinstance(n, nn.Parameter)]
        del loss
        assert all(node() is None for node in nodes)
    finally:
        gc.enable()


@pytest.mark.parametrize("name", OWN)
def test_the_rules_of_every_primitive_here(name):
    """vjp against differences, and vjp against jvp, on the samples that each declares."""
    p = PRIMITIVES[name]
    assert p.samples
    for sample in p.samples:
        leaves = [
            mr.tensor(RNG.uniform(*sample.between, shape), requires_grad=True)
            for shape in sample.shapes
        ]
        call = {name: op for op in _operations() for name in [op.primitive.name]}[name]
        f = lambda *xs: call(*xs, **sample.params)  # noqa: B023, E731
        assert mr.gradcheck(f, leaves) < 1e-6
        out = f(*leaves)
        ways = [RNG.normal(size=x.shape) for x in leaves]
        g = RNG.normal(size=out.shape)
        pulled = mr.grad(out, leaves, gradient=g if out.shape else float(g))
        left = (mr.jvp(out, leaves, ways) * g).sum()
        right = sum((c * way).sum() for c, way in zip(pulled, ways, strict=True))
        assert abs(left - right) < 1e-9


def _operations():
    from micrornn.nn import windows
    from micrornn.nn.losses import ctc as lattice
    from micrornn.nn.losses import logits as ce

    yield from (ce.class_cross_entropy, ce.soft_cross_entropy, lattice.ctc, lattice._posterior)
    yield from (windows.windows, windows.fold)
