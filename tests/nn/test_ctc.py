"""CTC against every path written out, against PyTorch, and at its edges."""

import itertools
import time

import numpy as np
import pytest
from reference.compare import differences, leaves_of
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.nn import functional as F
from micrornn.nn.ctc_decoding import collapse, ctc_beam, ctc_greedy
from micrornn.nn.losses.ctc_loss import ctc_alignment, ctc_best_path, frames_needed

CASES = load("ctc")
SYMBOLS, BLANK = 3, 0


def frames(seed, steps, symbols=SYMBOLS, batch=()):
    logits = 1.5 * np.random.default_rng(seed).normal(size=(steps, *batch, symbols))
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def paths(log_probs, blank=BLANK):
    """By labelling, every path that reads so, with ln of its probability."""
    found = {}
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        log_prob = log_probs[np.arange(len(path)), list(path)].sum()
        found.setdefault(tuple(collapse(path, blank)), []).append((log_prob, path))
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_losses_and_gradients_at_the_logits_are_pytorchs(case):
    leaves = leaves_of(case)
    about = case.arguments
    loss = F.ctc_loss(
        mr.log_softmax(leaves["logits"]), about["targets"], *about["lengths"], **about["options"]
    )
    assert differences(case, {"loss": loss}, leaves) == {}


@pytest.mark.parametrize(("steps", "blank"), [(1, 0), (2, 0), (3, 1), (5, 0), (5, 2)])
def test_it_is_the_sum_over_every_path(steps, blank):
    x = frames(steps, steps)
    every = paths(x, blank)
    others = [k for k in range(SYMBOLS) if k != blank]
    labellings = [t for n in range(steps + 2) for t in itertools.product(others, repeat=n)]
    total = 0.0
    for labelling in labellings:
        loss = F.ctc_loss(x, list(labelling), blank=blank, reduction="none").item()
        if labelling in every:
            expected = np.logaddexp.reduce([p for p, _ in every[labelling]])
            assert abs(loss + expected) < 1e-12
            total += np.exp(-loss)
        else:
            assert loss == np.inf and steps < frames_needed(labelling)
    assert abs(total - 1) < 1e-12  # every path reads as one of them


@pytest.mark.parametrize("labelling", [(), (1,), (1, 2), (1, 1), (2, 1, 2)])
def test_the_alignment_is_the_share_of_the_paths(labelling):
    x = frames(7, 5)
    taken = paths(x)[labelling]
    symbols, share = ctc_alignment(x, list(labelling))
    assert share.shape == (5, 2 * len(labelling) + 1) and np.abs(share.sum(1) - 1).max() < 1e-12
    weights = np.exp([p for p, _ in taken])
    by_symbol = np.zeros((5, SYMBOLS))
    for weight, (_, path) in zip(weights / weights.sum(), taken, strict=True):
        by_symbol[np.arange(5), list(path)] += weight
    for k in range(SYMBOLS):
        assert np.abs(share[:, symbols == k].sum(1) - by_symbol[:, k]).max() < 1e-12
    leaf = mr.tensor(x, requires_grad=True)
    F.ctc_loss(leaf, list(labelling), reduction="sum").backward()
    assert np.abs(leaf.grad + by_symbol).max() < 1e-12  # the gradient IS the alignment
    logits = mr.tensor(x + 3.0, requires_grad=True)
    F.ctc_loss(mr.log_softmax(logits), list(labelling), reduction="sum").backward()
    assert np.abs(logits.grad - (np.exp(x) - by_symbol)).max() < 1e-12


@pytest.mark.parametrize("labelling", [(), (1,), (1, 2), (1, 1), (2, 1, 2)])
def test_the_best_path_is_one_of_them_and_less_than_their_sum(labelling):
    for seed in range(5):
        x = frames(seed, 5)
        every = paths(x)[labelling]
        path, log_prob = ctc_best_path(x, list(labelling))
        assert abs(log_prob - max(every)[0]) < 1e-12 and tuple(path) == max(every)[1]
        loss = F.ctc_loss(x, list(labelling), reduction="none").item()
        assert -loss > log_prob or len(every) == 1


def test_a_beam_wide_enough_finds_every_labelling_exactly():
    for seed, blank in itertools.product(range(4), (0, 2)):
        x = frames(seed, 5)
        every = {
            labelling: np.logaddexp.reduce([p for p, _ in parts])
            for labelling, parts in paths(x, blank).items()
        }
        found = ctc_beam(x, 1000, blank)
        assert {tuple(labels) for labels, _ in found} == set(every)
        assert all(abs(p - every[tuple(labels)]) < 1e-12 for labels, p in found)
        assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)
        narrow = ctc_beam(x, 3, blank)
        assert len(narrow) == 3
        assert all(p <= every[tuple(labels)] + 1e-12 for labels, p in narrow)


def test_greedy_decoding_is_not_the_best_labelling():
    x = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert ctc_greedy(x).labels == [] and ctc_beam(x)[0].labels == [1]
    assert np.exp(ctc_greedy(x).log_prob) == pytest.approx(0.36)
    missed = 0
    for seed in range(30):
        x = frames(seed, 5)
        best = ctc_beam(x, 500)[0]
        missed += ctc_greedy(x).labels != best.labels
        assert ctc_greedy(x).log_prob == pytest.approx(x.max(1).sum())
    assert missed > 3


def test_the_second_derivative():
    x = mr.tensor(frames(0, 5, batch=(2,)), requires_grad=True)

    def slope(x):
        loss = F.ctc_loss(mr.log_softmax(x), [[1, 1], [2, 1]], [5, 4], [2, 1], reduction="sum")
        return mr.grad(loss, x, create_graph=True)

    assert mr.gradcheck(slope, x) < 1e-7
    bare = mr.tensor(frames(0, 5, batch=(2,)), requires_grad=True)
    about = ([[1, 1], [2, 1]], [5, 4], [2, 1])
    assert mr.gradcheck(lambda x: F.ctc_loss(x, *about, reduction="none"), bare) < 1e-7
    curve = mr.grad(mr.sum(slope(x) * x), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="a third"):
        mr.grad(mr.sum(curve), x)


def test_forward_mode_agrees():
    x = mr.tensor(frames(1, 4, batch=(2,)), requires_grad=True)
    d = np.random.default_rng(0).normal(size=x.shape)
    loss = F.ctc_loss(x, [[1, 1], [2, 1]], [4, 3], [2, 1], reduction="none")
    both = [(mr.grad(loss, x, gradient=row) * d).sum() for row in np.eye(2)]
    assert np.abs(mr.jvp(loss, x, d) - both).max() < 1e-14


def test_an_impossible_labelling_costs_infinity_and_not_an_error():
    assert frames_needed([1, 1, 2]) == 4
    x = mr.tensor(frames(0, 3, batch=(2,)), requires_grad=True)
    targets = [[1, 1, 2], [1, 2, 1]]
    loss = F.ctc_loss(x, targets, reduction="none")
    assert loss.data[0] == np.inf and np.isfinite(loss.data[1])
    loss.sum().backward()
    assert np.isnan(x.grad[:, 0]).all() and np.isfinite(x.grad[:, 1]).all()
    kept, x.grad = x.grad, None
    loss = F.ctc_loss(x, targets, reduction="none", zero_infinity=True)
    assert loss.data[0] == 0
    loss.sum().backward()
    assert (x.grad[:, 0] == 0).all() and np.array_equal(x.grad[:, 1], kept[:, 1])
    for function in (ctc_alignment, ctc_best_path):
        with pytest.raises(ValueError, match=r"3 frames have no path for 3 labels, .* at least 4"):
            function(x.data[:, 0], [1, 1, 2])


def test_the_mean_divides_by_the_labels_first():
    x = frames(0, 6, batch=(2,))
    one, two = F.ctc_loss(x, [[1, 2, 1], [2, 0, 0]], None, [3, 1], reduction="none").data
    mean = F.ctc_loss(x, [[1, 2, 1], [2, 0, 0]], None, [3, 1]).item()
    assert mean == pytest.approx((one / 3 + two) / 2) and mean != pytest.approx((one + two) / 2)


def test_frames_and_labels_beyond_the_lengths_do_not_matter():
    x = frames(0, 6, batch=(2,))
    found = []
    for filling in (0.0, 5.0):
        x = x.copy()
        x[4:, 1] = filling
        leaf = mr.tensor(x, requires_grad=True)
        loss = F.ctc_loss(leaf, [[1, 2], [2, int(filling) + 1]], [6, 4], [2, 1], reduction="none")
        loss.sum().backward()
        assert (leaf.grad[4:, 1] == 0).all()
        found.append((loss.data, leaf.grad))
    assert np.array_equal(found[0][0], found[1][0]) and np.array_equal(found[0][1], found[1][1])
    alone = F.ctc_loss(x[:4, 1], [2], reduction="none")
    assert alone.item() == pytest.approx(found[0][0][1], abs=1e-14)


def test_nothing_underflows_over_thousands_of_frames_and_time_is_linear():
    x = frames(0, 4000, symbols=6)
    labels = [1 + k % 5 for k in range(40)]
    spent = []
    for steps in (500, 4000):
        leaf = mr.tensor(x[:steps], requires_grad=True)
        begin = time.perf_counter()
        loss = F.ctc_loss(leaf, labels, reduction="sum")
        loss.backward()
        spent.append(time.perf_counter() - begin)
        assert np.isfinite(loss.item()) and loss.item() > steps / 4
        assert np.abs(leaf.grad.sum(1) + 1).max() < 1e-9
    assert spent[1] < 8 * 4 * spent[0]


def test_float32_stays_float32_and_the_module_names_its_loss():
    x = mr.tensor(frames(0, 5).astype(np.float32), requires_grad=True)
    loss = nn.CTCLoss(reduction="sum")(x, [1, 2])
    loss.backward()
    assert (loss.dtype, loss.name, x.grad.dtype) == (np.float32, "loss", np.float32)


def test_only_the_blank():
    x = np.zeros((3, 1))
    assert F.ctc_loss(x, np.zeros((0,), int), reduction="none").item() == 0.0
    assert ctc_beam(x) == [([], 0.0)] and ctc_greedy(x) == ([], 0.0)


def test_symbols_that_are_ruled_out_are_not_read():
    x = [[-np.inf, 0.0], [0.0, -np.inf]]
    assert ctc_greedy(x) == ([1], 0.0) and ctc_beam(x) == [([1], 0.0)]


X = frames(0, 4, batch=(2,))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: F.ctc_loss(X, [[1], [3]]), ValueError, "label 3 among .* other than the blank, 0"),
        (lambda: F.ctc_loss(X, [[1], [0]]), ValueError, "label 0 among"),
        (lambda: F.ctc_loss(X, [[1.0], [2.0]]), TypeError, "give integers"),
        (lambda: F.ctc_loss(X, [[1]]), ValueError, r"targets of shape \(1, 1\)"),
        (lambda: F.ctc_loss(X, [1, 2]), ValueError, "need target_lengths"),
        (lambda: F.ctc_loss(X, [1, 2], None, [1, 2]), ValueError, "add up to 3, but 2 labels"),
        (lambda: F.ctc_loss(X, [[1], [1]], [4, 0]), ValueError, "0 among input_lengths"),
        (lambda: F.ctc_loss(X, [[1], [1]], [4, 5]), ValueError, "5 among input_lengths"),
        (lambda: F.ctc_loss(X, [[1], [1]], [4]), ValueError, r"shape \(1,\) were given, \(2,\)"),
        (lambda: F.ctc_loss(X, [[1], [1]], [4.0, 4.0]), TypeError, "input_lengths of float64"),
        (lambda: F.ctc_loss(X, [[1], [1]], None, [1, 2]), ValueError, "2 among target_lengths"),
        (lambda: F.ctc_loss(X, [[1], [1]], blank=3), ValueError, "blank=3"),
        (lambda: F.ctc_loss(X, [[1], [1]], reduction="avg"), ValueError, "reduction='avg'"),
        (lambda: F.ctc_loss(X[0, 0], [1]), ValueError, r"\(frames, batch, symbols\)"),
        (lambda: F.ctc_loss(X[:0], [[1], [1]]), ValueError, r"\(frames, batch, symbols\)"),
        (lambda: ctc_greedy(X), ValueError, "one sequence"),
        (lambda: ctc_beam(X[:, 0], 0), ValueError, "width=0"),
        (lambda: ctc_beam(X[:, 0], 2, 7), ValueError, "blank=7"),
        (lambda: ctc_alignment(X, [1]), ValueError, "one sequence"),
        (lambda: ctc_greedy([[0.0, -1.0], [np.nan, 0.0]]), ValueError, "nan in frame 2; give log-"),
        (lambda: ctc_beam([[np.nan, -1.0]]), ValueError, "nan in frame 1; give log-"),
        (lambda: ctc_beam([[0.0, np.inf]]), ValueError, "inf in frame 1; give log-"),
    ],
)
def test_what_does_not_fit_is_said(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
