"""Greedy, beam search and sampling, against exhaustive search and against the model's own probabilities."""

import itertools

import numpy as np
import pytest

import micrornn as mr
from micrornn.nn import decoding
from micrornn.nn.decoding import beam_search, distribution, greedy, sample

START, END, SIZE, LONGEST = 0, 2, 4, 4


def model(seed):
    """A random model that remembers everything: its state is what was said so far."""

    def logits(said):
        rng = np.random.default_rng([seed, *said])
        return 2.0 * rng.normal(size=SIZE)

    def step(token, said):
        said = (*said, token)
        return logits(said), said

    return step


def log_softmax(x):
    return x - x.max() - np.log(np.exp(x - x.max()).sum())


def every(step):
    """Every sequence there is, with its log-probability: to END, or of the greatest length."""
    found = []
    for length in range(LONGEST + 1):
        for tokens in itertools.product([k for k in range(SIZE) if k != END], repeat=length):
            total, state, token = 0.0, (), START
            for following in (*tokens, END) if length < LONGEST else tokens:
                logits, state = step(token, state)
                total += log_softmax(logits)[following]
                token = following
            found.append((list(tokens), total, length < LONGEST))
    return found


@pytest.mark.parametrize("power", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_wide_enough_is_exhaustive(seed, power):
    step = model(seed)
    ranked = sorted(
        ((p / (len(tokens) + done) ** power, tokens, p, done) for tokens, p, done in every(step)),
        key=lambda entry: (-entry[0], entry[1]),
    )
    assert abs(np.exp([entry[2] for entry in ranked]).sum() - 1) < 1e-12
    for width in (SIZE**LONGEST, 500):
        found = beam_search(step, (), START, END, width, LONGEST, power)
        assert len(found) == len(ranked)
        for hypothesis, (score, tokens, p, done) in zip(found, ranked, strict=True):
            assert hypothesis.tokens == tokens and hypothesis.finished == done
            assert abs(hypothesis.score - score) < 1e-12 and abs(hypothesis.log_prob - p) < 1e-12


@pytest.mark.parametrize("seed", range(8))
def test_wider_beams_do_not_stop_too_early(seed):
    """A beam of any width, stopping as it does, finds what one that never stops early would."""
    step = model(seed)
    for width, power in itertools.product((1, 2, 3, 5), (0.0, 1.0)):
        done, alive = [], [(0.0, [], ())]
        for length in range(1, LONGEST + 1):
            following = []
            for total, tokens, state in alive:
                logits, after = step(tokens[-1] if tokens else START, state)
                logs = log_softmax(logits)
                following += [(total + logs[k], [*tokens, k], after) for k in range(SIZE)]
            following.sort(key=lambda entry: -entry[0])
            alive = []
            for entry in following[:width]:
                if entry[1][-1] == END or length == LONGEST:
                    done.append((entry[0] / length**power, entry[1]))
                else:
                    alive.append(entry)
        best = max(done)
        found = beam_search(step, (), START, END, width, LONGEST, power)[0]
        assert abs(found.score - best[0]) < 1e-12


def test_a_beam_of_one_is_greedy_and_greedy_may_miss_the_best():
    missed = 0
    for seed in range(20):
        step = model(seed)
        taken = greedy(step, (), START, END, LONGEST)
        assert beam_search(step, (), START, END, 1, LONGEST)[0] == taken
        best = beam_search(step, (), START, END, 200, LONGEST)[0]
        assert best.log_prob >= taken.log_prob - 1e-12
        missed += best.tokens != taken.tokens
    assert missed


def test_samples_come_as_often_as_they_should():
    step, rng, counts = model(1), np.random.default_rng(0), {}
    draws = 4000
    for _ in range(draws):
        drawn = sample(step, (), START, END, LONGEST, rng=rng)
        key = tuple(drawn.tokens)
        counts[key] = counts.get(key, 0) + 1
    likely = sorted(every(step), key=lambda entry: -entry[1])[:8]
    for tokens, log_prob, _ in likely:
        p = np.exp(log_prob)
        assert abs(counts.get(tuple(tokens), 0) / draws - p) < 4 * np.sqrt(p / draws)


def test_temperature_and_top_k():
    step = model(3)
    taken = greedy(step, (), START, END, LONGEST)
    for options in ({"temperature": 1e-6}, {"top_k": 1}):
        for seed in range(5):
            assert sample(step, (), START, END, LONGEST, rng=seed, **options) == taken
    flat = lambda token, state: ([3.0, 2.0, 1.0, 0.0], None)  # noqa: E731
    two = sample(flat, None, 0, None, 400, top_k=2, rng=0)
    assert set(two.tokens) == {0, 1}
    share = two.tokens.count(0) / 400
    assert abs(share - 1 / (1 + np.exp(-1))) < 0.08
    hot = sample(flat, None, 0, None, 4000, temperature=1e3, rng=0)
    assert np.abs(np.bincount(hot.tokens) / 4000 - 0.25).max() < 0.04
    assert abs(hot.log_prob - log_softmax(np.array([3.0, 2.0, 1.0, 0.0]))[hot.tokens].sum()) < 1e-8
    assert sample(flat, None, 0, None, 9, top_k=99, rng=1) == sample(flat, None, 0, None, 9, rng=1)


def test_equal_seeds_draw_equal_sequences():
    step = model(5)
    one, two, other = (sample(step, (), START, END, 9, 2.0, rng=seed) for seed in (7, 7, 8))
    assert one == two != other


def test_nothing_is_recorded_and_tensors_will_do():
    w = mr.tensor([0.0, 2.0, 1.0], requires_grad=True)
    seen = []

    def step(token, state):
        seen.append(w * 1.0)
        return seen[-1], None

    assert greedy(step, None, 0, 2, 3).tokens == [1, 1, 1]
    assert all(not node.requires_grad for node in seen)


def test_a_vocabulary_of_one_symbol():
    only = lambda token, state: ([0.3], None)  # noqa: E731
    assert greedy(only, None, 0, 0, 5) == decoding.Hypothesis([], 0.0, 0.0, True)
    assert beam_search(only, None, 0, 0, 3, 5) == [decoding.Hypothesis([], 0.0, 0.0, True)]
    assert sample(only, None, 0, None, 3, rng=0).tokens == [0, 0, 0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: greedy(model(0), (), 0, 2, 0), "max_length=0"),
        (
            lambda: sample(model(0), (), 0, 2, 5, temperature=0),
            "temperature=0; give a positive finite number",
        ),
        (lambda: sample(model(0), (), 0, 2, 5, top_k=0), "top_k=0"),
        (lambda: beam_search(model(0), (), 0, 2, 0, 5), "width=0"),
        (
            lambda: beam_search(model(0), (), 0, 2, 2, 5, -1.0),
            "length_power=-1.0; give a finite number, 0 or more",
        ),
        (lambda: beam_search(model(0), (), 0, 2, 2, 5, np.nan), "length_power=nan"),
        (lambda: beam_search(model(0), (), 0, 2, 2, 5, 1e4), "length_power=10000.0"),
        (lambda: sample(model(0), (), 0, 2, 5, temperature=np.nan), "temperature=nan; give"),
        (lambda: sample(model(0), (), 0, 2, 5, temperature=np.inf), "temperature=inf; give"),
        (
            lambda: greedy(lambda t, s: ([[0.0]], s), (), 0, 2, 5),
            r"\(1, 1\); return one number per",
        ),
        (lambda: greedy(lambda t, s: ([np.nan, 0.0], s), (), 0, 2, 5), "contain NaN"),
        (lambda: distribution([]), r"shape \(0,\); return one number per token"),
        (lambda: distribution([[0.0, 1.0]]), r"shape \(1, 2\); return one number per token"),
        (
            lambda: distribution([0.0, 1.0], np.nan),
            "temperature=nan; give a finite number, 0 or more",
        ),
        (
            lambda: distribution([0.0, 1.0], np.inf),
            "temperature=inf; give a finite number, 0 or more",
        ),
    ],
)
def test_what_cannot_be_decoded_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    ("logits", "words"),
    [
        ([np.nan, 1.0], "contain NaN; find where it appears first"),
        ([np.inf, 1.0], "contain inf; find where it appears first"),
        ([-np.inf, -np.inf], "all logits are -inf, which excludes every token"),
    ],
)
@pytest.mark.parametrize(
    "decode",
    [
        lambda step: greedy(step, None, 0, None, 3),
        lambda step: sample(step, None, 0, None, 3, rng=0),
        lambda step: beam_search(step, None, 0, None, 2, 3),
        lambda step: distribution(step(0, None)[0]),
    ],
)
def test_logits_that_no_distribution_follows_from_are_refused(decode, logits, words):
    with pytest.raises(ValueError, match=words):
        decode(lambda token, state: (logits, state))


def test_a_token_that_is_ruled_out_never_comes():
    masked = lambda token, state: ([-np.inf, 0.0, 0.0], None)  # noqa: E731
    assert greedy(masked, None, 0, None, 2).log_prob == pytest.approx(-2 * np.log(2))
    assert 0 not in sample(masked, None, 0, None, 50, 2.0, rng=0).tokens
    assert all(0 not in found.tokens for found in beam_search(masked, None, 0, None, 9, 2))
    assert distribution([-np.inf, 0.0, 0.0], 0.5).tolist() == [0.0, 0.5, 0.5]


def test_logits_and_temperatures_at_the_ends_of_the_numbers():
    assert distribution([0.0, 2.0, 1.0], 1e-320).tolist() == [0.0, 1.0, 0.0]
    assert distribution([-1.7e308, 1.7e308]).tolist() == [0.0, 1.0]
    assert greedy(lambda t, s: ([-1.7e308, 1.7e308], s), None, 0, None, 2).tokens == [1, 1]
    assert distribution([1.0, 0.0], 1.7e308).tolist() == [0.5, 0.5]


def test_temperature_sharpens_and_flattens():
    logits = [0.0, 1.0, 2.0]
    cold, plain, hot = (distribution(logits, t) for t in (0.5, 1.0, 50.0))
    assert plain == pytest.approx(np.exp(logits) / np.exp(logits).sum())
    assert cold[2] > plain[2] > hot[2]
    assert hot == pytest.approx([1 / 3] * 3, abs=0.02)
    assert distribution([0.0, 5e4], 1.0).tolist() == [0.0, 1.0]
    assert distribution(logits, 0.0).tolist() == [0.0, 0.0, 1.0]


def test_only_the_likeliest_have_a_chance():
    assert distribution([0.0, 2.0, 1.0, 2.0], top_k=2).tolist() == [0.0, 0.5, 0.0, 0.5]
    assert distribution([0.0, 1.0], top_k=5) == pytest.approx(distribution([0.0, 1.0]))
    with pytest.raises(ValueError, match="top_k=0; give an integer from 1 up"):
        distribution([0.0, 1.0], top_k=0)
    with pytest.raises(ValueError, match="temperature=-1; give a finite number, 0 or more"):
        distribution([0.0, 1.0], -1)
