"""Losses beyond cross-entropy and MSE against PyTorch, and the three means of a padded batch."""

import inspect
import math

import numpy as np
import pytest
from reference.compare import differences, leaves_of
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.nn import functional as F
from micrornn.nn.losses.sequences import NORMALIZATIONS

RNG = np.random.default_rng(0)
MODULES = {
    "binary_cross_entropy": nn.BCELoss,
    "binary_cross_entropy_with_logits": nn.BCEWithLogitsLoss,
    "huber_loss": nn.HuberLoss,
    "smooth_l1_loss": nn.SmoothL1Loss,
    "nll_loss": nn.NLLLoss,
    "kl_div": nn.KLDivLoss,
    "l1_loss": nn.L1Loss,
    "mse_loss": nn.MSELoss,
}


@pytest.mark.parametrize("module", [False, True])
@pytest.mark.parametrize("case", load("more_losses"), ids=lambda case: case.name)
def test_values_and_gradients_are_pytorchs(case, module):
    leaves, options = leaves_of(case), dict(case.arguments["options"])
    function = case.arguments["function"]
    given = [*leaves.values(), *([options.pop("target")] if "target" in options else [])]
    if module:
        loss = MODULES[function](**options)(*given)
        assert loss.name == "loss"
    else:
        loss = getattr(F, function)(*given, **options)
    assert differences(case, {"loss": loss}, leaves) == {}


def test_logits_of_any_size_keep_their_gradient():
    x = mr.tensor([-1e4, -50.0, 50.0, 1e4], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, [1.0, 1.0, 0.0, 0.0], reduction="sum")
    loss.backward()
    assert loss.item() == 2 * (1e4 + 50)
    assert np.abs(x.grad - [-1, -1, 1, 1]).max() < 1e-15
    x.grad = None
    F.binary_cross_entropy(mr.sigmoid(x), [1.0, 1.0, 0.0, 0.0], reduction="sum").backward()
    assert x.grad[0] == x.grad[3] == 0  # what the sigmoid has rounded away is gone


def test_cross_entropy_is_nll_after_log_softmax_and_not_after_two_softmaxes():
    x, target = RNG.normal(size=(5, 3)), [0, 2, 1, 1, 0]
    logits = mr.tensor(x)
    one = F.cross_entropy(logits, target).item()
    assert F.nll_loss(mr.log_softmax(logits), target).item() == pytest.approx(one, abs=1e-14)
    twice = F.cross_entropy(mr.softmax(logits), target).item()
    assert abs(twice - one) > 1e-3
    sure = F.cross_entropy(mr.softmax(mr.tensor([[1e3, 0.0, 0.0]])), [0]).item()
    assert sure == pytest.approx(math.log(math.e + 2) - 1)  # cannot come near 0 any more
    with np.errstate(divide="ignore"):
        assert mr.log(mr.softmax(mr.tensor([0.0, 1e4]))).data[0] == -np.inf
    assert mr.log_softmax(mr.tensor([0.0, 1e4])).data[0] == -1e4


def test_huber_and_smooth_l1():
    x, y = mr.tensor(RNG.normal(size=9)), RNG.normal(size=9)
    for delta in (0.5, 2.0):
        huber = F.huber_loss(x, y, "none", delta).data
        assert np.abs(huber - delta * F.smooth_l1_loss(x, y, "none", delta).data).max() < 1e-15
    far = mr.tensor([1e6, -1e6, 0.1], requires_grad=True)
    F.huber_loss(far, [0.0] * 3, "sum", 0.5).backward()
    assert far.grad.tolist() == [0.5, -0.5, 0.1]


POINTWISE = [F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss, F.kl_div]
POINTWISE += [F.binary_cross_entropy, F.binary_cross_entropy_with_logits]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("function", POINTWISE)
def test_float32_stays_float32_whatever_the_target_and_the_weights_are(function, reduction):
    x = mr.tensor(np.float32([0.2, 0.7]), requires_grad=True)
    weighs = "weight" in inspect.signature(function).parameters
    options = [{}, *([{"weight": [1, 2]}, {"weight": np.array([0.5, 1.0])}] if weighs else [])]
    if function is F.binary_cross_entropy_with_logits:
        options.append({"pos_weight": [1.0, 3.0]})
    for target in ([0, 1], [0.5, 1.0], np.array([0.0, 1.0]), mr.tensor([0.5, 0.5])):
        for extra in options:
            loss = function(x, target, reduction=reduction, **extra)
            assert loss.dtype == np.float32, (target, extra)
            mr.sum(loss).backward()
            assert x.grad.dtype == np.float32
            for pullback in mr.pullbacks(mr.sum(loss)):
                assert pullback.gradient.dtype == np.float32, (target, extra)


def test_steps_that_do_not_count_leave_float32():
    outputs = mr.tensor(np.zeros((3, 2), np.float32), requires_grad=True)
    assert nn.sequence_loss(outputs, [0, 1, 0], weights=[1, 0, 2])[1].dtype == np.float32
    batch = mr.tensor(np.zeros((3, 2, 2), np.float32), requires_grad=True)
    total = nn.masked_sequence_loss(batch, np.zeros((3, 2), int), [1, 2], "per_token")[1]
    assert total.dtype == np.float32


@pytest.mark.parametrize("function", [F.mse_loss, F.l1_loss, F.huber_loss, F.binary_cross_entropy])
def test_lists_will_do(function):
    x, y, w = [0.2, 0.7], [0.0, 1.0], [1.0, 3.0]
    by_list, by_array = (
        function(x, y, weight=w),
        function(np.array(x), np.array(y), weight=np.array(w)),
    )
    assert (
        by_list.item() == by_array.item() == function(mr.tensor(x), y, weight=mr.tensor(w)).item()
    )
    with pytest.raises(ValueError, match=r"weight of shape \(3,\) for losses of shape \(2,\)"):
        function(x, y, weight=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"weight of shape \(3, 2\) for losses"):
        function(x, y, weight=np.ones((3, 2)))  # would make six losses of two
    with pytest.raises(ValueError, match="-1 in weight; give finite numbers, 0 or more"):
        function(x, y, weight=[-1, 1])


def test_a_weight_that_requires_a_gradient_gets_one():
    w = mr.tensor([1.0, 2.0], requires_grad=True)
    F.mse_loss([1.0, 3.0], [0.0, 0.0], weight=w).backward()
    assert np.abs(w.grad - [(1 - 19 / 3) / 3, (9 - 19 / 3) / 3]).max() < 1e-12


def test_nll_leaves_out_what_a_class_of_no_weight_cannot_say():
    x = mr.tensor([[-math.inf, 0.0], [-1.0, -2.0]], requires_grad=True)
    loss = F.nll_loss(x, [0, 1], weight=[0.0, 1.0])
    loss.backward()
    assert loss.item() == 2.0 and x.grad.tolist() == [[0.0, 0.0], [0.0, -1.0]]


def test_the_weights_of_a_loss_are_its_state():
    loss = nn.CrossEntropyLoss(weight=[1, 3])
    assert loss.state_dict()["weight"].tolist() == [1, 3] and list(loss.parameters()) == []
    assert list(nn.CrossEntropyLoss().state_dict()) == []
    assert repr(loss) == "CrossEntropyLoss(weight=array([1, 3]))"
    assert (
        repr(nn.HuberLoss(delta=2.0)) == "HuberLoss(delta=2.0)"
        and repr(nn.MSELoss()) == "MSELoss()"
    )
    loss.reduction = "sum"
    assert loss(mr.tensor([[0.0, 0.0]]), [1]).item() == pytest.approx(3 * math.log(2))


# -- the three means of a padded batch -----------------------------------------------------------------

LENGTHS = [1, 4, 2]
LOGITS = RNG.normal(size=(4, 3, 5))
TARGETS = RNG.integers(0, 5, (4, 3))


def by_hand(normalize):
    logs = LOGITS - np.log(np.exp(LOGITS).sum(-1, keepdims=True))
    each = [[-logs[t, b, TARGETS[t, b]] for t in range(length)] for b, length in enumerate(LENGTHS)]
    return {
        "per_token": np.mean(np.concatenate(each)),
        "per_sequence": np.mean([np.mean(own) for own in each]),
        "per_batch": np.mean([np.sum(own) for own in each]),
    }[normalize]


@pytest.mark.parametrize("normalize", NORMALIZATIONS)
def test_each_mean_is_what_its_name_says(normalize):
    x = mr.tensor(LOGITS, requires_grad=True)
    losses, total = nn.masked_sequence_loss(x, TARGETS, LENGTHS, normalize)
    assert total.item() == pytest.approx(by_hand(normalize), abs=1e-14)
    assert sum(step.item() for step in losses) == pytest.approx(total.item(), abs=1e-14)
    assert [(s.scope, s.step, s.name) for s in losses] == [
        ("loss", t, "loss") for t in (1, 2, 3, 4)
    ]
    assert (total.scope, total.step, total.name) == ("loss", None, "loss")
    total.backward()
    real = nn.utils.rnn.length_mask(LENGTHS)
    assert (x.grad[~real] == 0).all() and (x.grad[real] != 0).all()
    as_list = nn.masked_sequence_loss(list(mr.tensor(LOGITS)), TARGETS, LENGTHS, normalize)[1]
    assert as_list.item() == total.item()


def test_the_three_means_differ_and_so_do_their_gradients():
    found = {}
    for normalize in NORMALIZATIONS:
        x = mr.tensor(LOGITS, requires_grad=True)
        nn.masked_sequence_loss(x, TARGETS, LENGTHS, normalize)[1].backward()
        found[normalize] = x.grad
    token, sequence, batch = found.values()
    assert np.abs(token * 7 / 3 - batch).max() < 1e-15  # 7 tokens, 3 sequences: only a factor
    for b, length in enumerate(LENGTHS):
        assert np.abs(sequence[:, b] * length - batch[:, b]).max() < 1e-15  # not only a factor
    padded = mr.tensor(LOGITS.reshape(-1, 5), requires_grad=True)
    F.cross_entropy(padded, TARGETS.ravel()).backward()  # everything, the padding too
    assert np.abs(padded.grad.reshape(4, 3, 5)[1:, 0]).min() > 0


def test_what_stands_in_the_padding_does_not_matter_be_it_nan():
    expected = nn.masked_sequence_loss(mr.tensor(LOGITS), TARGETS, LENGTHS, "per_token")[1].item()
    real = nn.utils.rnn.length_mask(LENGTHS)
    for filling in (1e9, np.nan):
        logits = np.where(real[..., None], LOGITS, filling)
        total = nn.masked_sequence_loss(mr.tensor(logits), TARGETS, LENGTHS, "per_token")[1]
        assert total.item() == expected


def test_other_losses_and_steps_without_anyone():
    x, y = RNG.normal(size=(5, 2, 3)), RNG.normal(size=(5, 2, 3))
    losses, total = nn.masked_sequence_loss(mr.tensor(x), y, [3, 2], "per_batch", F.mse_loss)
    expected = (((x - y) ** 2)[:3, 0].sum() + ((x - y) ** 2)[:2, 1].sum()) / 2
    assert total.item() == pytest.approx(expected, abs=1e-13)
    assert [step.item() for step in losses[3:]] == [0.0, 0.0]


def test_a_batch_of_one_is_the_sequence_loss():
    x, y = mr.tensor(LOGITS[:, :1]), TARGETS[:, :1]
    _, mean = nn.sequence_loss(x, y)
    _, whole = nn.sequence_loss(x, y, reduction="sum")
    for normalize, expected in zip(NORMALIZATIONS, (mean, mean, whole), strict=True):
        _, total = nn.masked_sequence_loss(x, y, [4], normalize)
        assert total.item() == pytest.approx(expected.item(), abs=1e-14)


X = mr.tensor([[0.1, 0.2]])


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: F.binary_cross_entropy(X, [0.1, 0.2]), ValueError, "that they agree"),
        (lambda: F.binary_cross_entropy(X * 10, [[0.1, 0.2]]), ValueError, "2.0 in the input"),
        (lambda: F.binary_cross_entropy(X * math.nan, [[0, 1]]), ValueError, "nan in the input"),
        (
            lambda: F.binary_cross_entropy(X, [[0, 3]]),
            ValueError,
            "3.0 in the target; give probabilities",
        ),
        (lambda: nn.BCELoss()(X, mr.tensor([[0, -1.0]])), ValueError, "-1.0 in the target"),
        (lambda: F.huber_loss(X, [[0, 1]], delta=0), ValueError, "delta=0"),
        (lambda: F.smooth_l1_loss(X, [[0, 1]], beta=-1), ValueError, "beta=-1"),
        (lambda: F.huber_loss(X, [[0, 1]], "avg"), ValueError, "reduction='avg'"),
        (lambda: nn.NLLLoss(reduction="avg"), ValueError, "NLLLoss: reduction='avg'"),
        (lambda: F.nll_loss(X, [2]), ValueError, "class 2 among .* classes 0 to 1"),
        (lambda: F.nll_loss(X, [0.0]), TypeError, "give class indices"),
        (lambda: F.nll_loss(X, [0], [-1, 1]), ValueError, "nll_loss: -1 in weight"),
        (lambda: F.nll_loss(X, [0], [1.0]), ValueError, r"weight of shape \(1,\) .* 2 classes"),
        (lambda: F.nll_loss(X, [0, 1]), ValueError, r"give shape \(1,\)"),
        (lambda: F.nll_loss(X, [-100]), ValueError, "no target is left"),
        (
            lambda: F.mse_loss(X, X, weight=[[0, 0]]),
            ValueError,
            "no target is left .* weights are 0",
        ),
        (lambda: F.smooth_l1_loss(X, X, beta=math.nan), ValueError, "beta=nan"),
        (lambda: F.kl_div(X, [[-0.1, 1.1]]), ValueError, "-0.1 in the target; give probabilities"),
        (lambda: F.mse_loss(X, X, "batchmean"), ValueError, "reduction='batchmean'"),
        (lambda: F.cross_entropy(X, [[-0.5, 1.5]]), ValueError, "-0.5 in the target"),
        (lambda: F.cross_entropy(X, [[math.nan, 1.0]]), ValueError, "nan in the target"),
        (lambda: nn.CrossEntropyLoss(ignore_index=None), ValueError, "ignore_index=None"),
        (lambda: nn.CrossEntropyLoss(label_smoothing=3), ValueError, "label_smoothing=3"),
        (lambda: nn.HuberLoss(delta=-1), ValueError, "delta=-1"),
        (lambda: nn.MSELoss(size_average=True), TypeError, "MSELoss.*size_average"),
        (lambda: nn.CTCLoss(blank=-1), ValueError, "blank=-1"),
        (
            lambda: nn.sequence_loss([X] * 3, [[0]] * 3, weights=[-1, 1, 1]),
            ValueError,
            "-1 in weights",
        ),
        (lambda: nn.sequence_loss([X], [[0]], weights=[[1]]), ValueError, r"shape \(1, 1\)"),
        (
            lambda: nn.masked_sequence_loss(LOGITS, TARGETS, LENGTHS, "mean"),
            ValueError,
            "'per_token', 'per_sequence', 'per_batch'",
        ),
        (
            lambda: nn.masked_sequence_loss(LOGITS, TARGETS, [0, 4, 2], "per_token"),
            ValueError,
            "sequence 0 has length 0",
        ),
        (
            lambda: nn.masked_sequence_loss(LOGITS, TARGETS[:3], LENGTHS, "per_token"),
            ValueError,
            "4 outputs and 3 targets",
        ),
        (
            lambda: nn.masked_sequence_loss(LOGITS, TARGETS, [4, 4], "per_token"),
            ValueError,
            r"shape \(3,\) for 2 lengths",
        ),
    ],
)
def test_what_does_not_fit_is_said(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def test_a_subclass_follows_the_rules_of_its_loss():
    class Divergence(nn.KLDivLoss):
        """The divergence itself by default."""

        def __init__(self):
            super().__init__("batchmean")

    loss = Divergence()(mr.log(mr.tensor([[0.5, 0.5]])), [[1.0, 0.0]])
    assert loss.item() == pytest.approx(math.log(2))
