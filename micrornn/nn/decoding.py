"""Decoding: choose a sequence from a model that predicts each next token.

Greedy, by beam search, or by sampling, until END or a maximum length. The model is a function
``step(token, state) -> (logits, state)``, from the last token and a state to the logits (V,) of the next
token and the next state. A state is passed on and never inspected, so any model works.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.context import no_grad
from micrornn.core.tensor import Tensor
from micrornn.nn.generators import Seed, as_generator
from micrornn.options import check

Array = np.ndarray[Any, Any]
_GREATEST_POWER = 10  # no length overflows with it; powers in use are between 0 and 1
Step = Callable[[int, Any], tuple[Any, Any]]


class Hypothesis(NamedTuple):
    """A decoded sequence.

    Attributes:
        tokens: without START and END.
        log_prob: ln of its probability under the model, that of END included.
        score: what it is ranked by: the log-probability, divided by a power of the length where requested.
        finished: whether it ended with END, and not at the maximum length.
    """

    tokens: list[int]
    log_prob: float
    score: float
    finished: bool


def greedy(step: Step, state: Any, start: int, end: int | None, max_length: int) -> Hypothesis:
    """The most likely token at each step; of equals the first.

    Not the most likely sequence, because a likely start can have unlikely continuations. See `beam_search`.

    Args:
        step: the model, ``step(token, state) -> (logits (V,), state)``.
        state: its state before the first token.
        start: the first token that the model reads.
        end: the token that ends a sequence, or None.
        max_length: the maximum number of tokens.

    Raises:
        ValueError: ``max_length`` is below 1, or the logits are not (V,) or define no distribution: one is
            NaN or inf, or all are -inf. A logit of -inf excludes its token.

    >>> greedy(lambda token, state: ([0.0, 1.0, 2.0 * (token == 1)], None), None, 0, 2, 9).tokens
    [1]
    """
    return _follow(step, state, start, end, max_length, lambda logs: int(np.argmax(logs)))


def sample(
    step: Step,
    state: Any,
    start: int,
    end: int | None,
    max_length: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    rng: Seed = None,
) -> Hypothesis:
    """A token drawn at each step from softmax(logits / temperature).

    Args:
        step, state, start, end, max_length: as `greedy`.
        temperature: below 1 it sharpens the distribution, above 1 it flattens it.
        top_k: draw from the k most likely tokens only.
        rng: a seed or a NumPy generator; equal seeds draw equal sequences.

    Returns:
        A hypothesis whose ``log_prob`` is the model's, at temperature 1 and over all tokens.

    Raises:
        ValueError: the temperature is not positive and finite, ``top_k`` or ``max_length`` below 1, or the
            logits as for `greedy`.

    >>> model = lambda token, state: ([0.0, 1.0, 0.5], None)
    >>> sample(model, None, 0, None, 8, temperature=0.5, rng=0).tokens
    [1, 1, 0, 0, 2, 2, 1, 1]
    """
    check("sample", temperature=temperature, top_k=top_k)
    generator = as_generator(rng)

    def draw(logs: Array) -> int:
        return int(generator.choice(len(logs), p=distribution(logs, temperature, top_k)))

    return _follow(step, state, start, end, max_length, draw)


def distribution(logits: Any, temperature: float = 1.0, top_k: int | None = None) -> Array:
    """The distribution that a token is drawn from: softmax(logits / temperature), (V,).

    Args:
        logits: (V,), or log-probabilities.
        temperature: below 1 it sharpens the distribution; at 0 the most likely token has probability 1.
        top_k: keep the k most likely tokens only.

    Raises:
        ValueError: the temperature is negative or not finite, ``top_k`` below 1, or the logits as for
            `greedy`.

    >>> distribution(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    >>> distribution(np.array([0.0, 2.0, 1.0]), temperature=0.0)
    array([0., 1., 0.])
    >>> distribution(np.array([0.0, 0.0, -1.0]), top_k=2)
    array([0.5, 0.5, 0. ])
    """
    check_drawing(temperature, top_k)
    scores = _below_the_greatest(logits)
    if temperature == 0:
        temperature, top_k = 1.0, 1
    with np.errstate(over="ignore"):  # to -inf, a share of 0
        scaled = scores / temperature
    if top_k is not None and top_k < len(scores):
        scaled[np.argsort(-scores, kind="stable")[top_k:]] = -np.inf
    shares = np.exp(scaled)
    shares /= shares.sum()
    return np.asarray(shares)


def check_drawing(temperature: float, top_k: int | None) -> None:
    """Raise a ValueError for a temperature or a ``top_k`` that `distribution` cannot use."""
    check("distribution", temperature=temperature, top_k=top_k)


def beam_search(
    step: Step,
    state: Any,
    start: int,
    end: int | None,
    width: int,
    max_length: int,
    length_power: float = 0.0,
) -> list[Hypothesis]:
    """The best sequences found by keeping the ``width`` best prefixes at each step.

    A width of 1 is greedy decoding; a width of all prefixes is an exhaustive search.

    Args:
        step, state, start, end, max_length: as `greedy`.
        width: the number of prefixes to keep, and the maximum number of hypotheses to return.
        length_power: hypotheses are ranked by log-probability / length^power, END included. 0 ranks by
            probability, which favors short sequences; 1 ranks by the mean log-probability per token.

    Returns:
        Up to ``width`` hypotheses, the best first, ties in the order of their tokens: those that ended with
        END, and those that reached ``max_length``.

    Raises:
        ValueError: ``width`` or ``max_length`` is below 1, ``length_power`` is not between 0 and 10, or the
            logits as for `greedy`.

    >>> after = [[-9.0, 1.0, 0.8, -9.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 9.0]]
    >>> model = lambda token, state: (after[token], None)
    >>> greedy(model, None, 0, 3, max_length=4).tokens[0]
    1
    >>> best = beam_search(model, None, 0, 3, width=2, max_length=4)[0]
    >>> best.tokens, round(best.log_prob, 2), best.finished
    ([2], -0.8, True)
    """
    check("beam_search", width=width, max_length=max_length, length_power=length_power)
    check("beam_search", start=start, end=end)
    if length_power > _GREATEST_POWER:
        raise ValueError(
            f"beam_search: length_power={length_power!r}; give a number from 0 to {_GREATEST_POWER}, "
            "where 0 ranks by probability and 1 by the mean per token"
        )

    def ranked(tokens: list[int], log_prob: float, length: int, done: bool) -> Hypothesis:
        return Hypothesis(tokens, log_prob, log_prob / length**length_power, done)

    done: list[Hypothesis] = []
    alive: list[tuple[float, list[int], Any]] = [(0.0, [], state)]
    for length in range(1, max_length + 1):
        candidates = []
        for log_prob, tokens, own in alive:
            logs, after = _ask(step, tokens[-1] if tokens else start, own)
            candidates += [(log_prob + float(p), [*tokens, k], after) for k, p in enumerate(logs)]
        candidates = [c for c in candidates if c[0] > -np.inf]
        candidates.sort(key=lambda c: (-c[0], c[1]))
        alive = []
        for log_prob, tokens, own in candidates[:width]:
            if tokens[-1] == end:
                done.append(ranked(tokens[:-1], log_prob, length, True))
            elif length == max_length:
                done.append(ranked(tokens, log_prob, length, False))
            else:
                alive.append((log_prob, tokens, own))
        done.sort(key=lambda h: (-h.score, h.tokens))
        del done[width:]
        # Log-probabilities only fall, and the longest length divides by the most, so this is an upper bound
        # for every prefix that is still alive.
        hope = max((p for p, _, _ in alive), default=-np.inf) / max_length**length_power
        if not alive or (len(done) == width and done[-1].score >= hope):
            break
    return done


def steps_to_end(tokens: Any, end: int) -> list[int]:
    """The tokens before END; all tokens if there is no END.

    >>> steps_to_end([3, 1, 2, 0], 2)
    [3, 1]
    """
    found = [int(token) for token in tokens]
    return found[: found.index(end)] if end in found else found


def _follow(
    step: Step,
    state: Any,
    start: int,
    end: int | None,
    max_length: int,
    choose: Callable[[Array], int],
) -> Hypothesis:
    """Choose one token after another, each from the log-probabilities of the next."""
    check("decoding", start=start, end=end, max_length=max_length)
    tokens: list[int] = []
    total, token = 0.0, start
    for _ in range(max_length):
        logs, state = _ask(step, token, state)
        token = choose(logs)
        total += float(logs[token])
        if token == end:
            return Hypothesis(tokens, total, total, True)
        tokens.append(token)
    return Hypothesis(tokens, total, total, False)


def _ask(step: Step, token: int, state: Any) -> tuple[Array, Any]:
    """The model's log-probabilities of the next token, and its next state; nothing is recorded."""
    with no_grad():
        logits, state = step(token, state)
    scores = _below_the_greatest(logits)
    return scores - np.log(np.exp(scores).sum()), state


def _below_the_greatest(logits: Any) -> Array:
    """The logits (V,) minus the largest one, which must be finite to define a distribution."""
    scores = np.asarray(logits._value if isinstance(logits, Tensor) else logits, dtype=float)
    if scores.ndim != 1 or not scores.size:
        raise ValueError(
            f"decoding: logits of shape {scores.shape}; return one number per token, (V,), for one sequence "
            "without a batch"
        )
    greatest = scores.max()  # NaN, if there is one
    if greatest == -np.inf:
        raise ValueError(
            "decoding: all logits are -inf, which excludes every token; return at least one finite logit"
        )
    if not np.isfinite(greatest):
        what = "NaN" if np.isnan(greatest) else "inf"
        raise ValueError(
            f"decoding: the logits contain {what}; find where it appears first with mr.trap_nonfinite()"
        )
    with np.errstate(over="ignore"):  # to -inf, a probability of 0
        return np.asarray(scores - greatest)
