"""Baselines that need no network: what a trained one should beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def nearest_mean(examples: Array, labels: Array, queries: Array) -> Array:
    """For each query the label whose mean example is nearest, (N,).

    >>> examples = np.array([[0.0], [1.0], [9.0]])
    >>> nearest_mean(examples, np.array([0, 0, 1]), np.array([[2.0], [7.0]]))
    array([0, 1])
    """
    means = [examples[labels == label].mean(0) for label in range(labels.max() + 1)]
    flat = queries.reshape(len(queries), -1)
    distances = np.array([((flat - mean.ravel()) ** 2).sum(1) for mean in means])
    return np.asarray(distances.argmin(0))


def ngrams(training: Array, held_out: Array, orders: Sequence[int]) -> list[float]:
    """The cross-entropy of held-out symbols by counting in the training symbols, for each order.

    An order of 5 counts what follows four symbols. Where little is known of a context, the order below
    counts more: p(x | context) = (n(context, x) + k p'(x)) / (n(context) + k), where k is the number of
    different symbols that were seen after the context (Witten & Bell 1991).

    Args:
        training, held_out: indices of symbols, each (N,).
        orders: from 1 up.

    >>> text = np.array([0, 1] * 50)
    >>> unigrams, bigrams = ngrams(text, text, (1, 2))
    >>> round(unigrams, 2), bigrams < 0.02
    (0.69, True)
    """
    symbols = np.concatenate([training, held_out])
    size, known = int(symbols.max()) + 1, len(training)
    contexts = np.zeros(len(symbols), dtype=np.int64)  # of each symbol; those of order 1 are empty
    chances = np.full(len(held_out) - 1, 1.0 / size)
    found: dict[int, float] = {}
    for order in range(1, max(orders) + 1):
        if order > 1:  # one symbol further back
            before = np.append(-1, contexts[:-1] * size + symbols[:-1])
            contexts = np.unique(before, return_inverse=True)[1]
        pairs = np.unique(contexts * size + symbols, return_inverse=True)[1]
        n = np.bincount(pairs[:known], minlength=pairs.max() + 1)
        after = np.bincount(contexts[:known], minlength=contexts.max() + 1)
        first = np.unique(pairs[:known], return_index=True)[1]
        kinds = np.bincount(contexts[first], minlength=contexts.max() + 1)
        asked = slice(known + 1, None)
        k = np.maximum(kinds[contexts[asked]], 1)
        chances = (n[pairs[asked]] + k * chances) / (after[contexts[asked]] + k)
        found[order] = float(-np.log(chances).mean())
    return [found[order] for order in orders]


def nearest_neighbor(examples: Array, labels: Array, queries: Array) -> Array:
    """For each query the label of the nearest example, (N,).

    >>> nearest_neighbor(np.array([[0.0], [9.0]]), np.array([4, 7]), np.array([[2.0], [7.0]]))
    array([4, 7])
    """
    known = examples.reshape(len(examples), -1)
    asked = queries.reshape(len(queries), -1)
    # |a - b|^2 = |a|^2 - 2 a.b + |b|^2, of which |b|^2 is the same for all examples
    distances = (known**2).sum(1) - 2 * asked @ known.T
    return np.asarray(np.asarray(labels)[distances.argmin(1)])


def summary(frames: Array) -> Array:
    """A sequence as one vector: the mean of each third of its frames, and their deviation.

    >>> summary(np.arange(6.0)[:, None])
    array([0.5 , 2.5 , 4.5 , 1.70782513])
    """
    cuts = np.linspace(0, len(frames), 4).astype(int)
    thirds = [frames[min(a, len(frames) - 1) : max(b, a + 1)].mean(0) for a, b in pairwise(cuts)]
    return np.concatenate([*thirds, frames.std(0)])


def naive_bayes(
    training: Sequence[Any], choosing: Sequence[Any], test: Sequence[Any], labels: int
) -> Array:
    """The labels of texts by counting their words and pairs of words (Wang & Manning 2012), (N,).

    Each feature counts once per text. What is added to every count is chosen on the second part.

    Args:
        training, choosing, test: items with a ``sequence`` of indices and a ``label``.
    """
    known = [_features(one.sequence) for one in training]
    vocabulary, places = np.unique(np.concatenate(known), return_inverse=True)
    of = np.repeat([one.label for one in training], list(map(len, known)))
    counts = np.bincount(places * labels + of, minlength=len(vocabulary) * labels)
    prior = np.log(np.bincount([one.label for one in training], minlength=labels) + 1.0)

    def guesses(items: Sequence[Any], added: float) -> Array:
        table = counts.reshape(-1, labels) + added
        table = np.log(table) - np.log(table.sum(0))
        found = []
        for one in items:
            features = _features(one.sequence)
            at = np.searchsorted(vocabulary, features)
            at = at[
                (at < len(vocabulary))
                & (vocabulary[np.minimum(at, len(vocabulary) - 1)] == features)
            ]
            found.append(int((prior + table[at].sum(0)).argmax()))
        return np.array(found)

    truth = np.array([one.label for one in choosing])
    added = max((0.05, 0.3, 1.0), key=lambda a: float(np.mean(guesses(choosing, a) == truth)))
    return guesses(test, added)


def _features(sequence: Array) -> Array:
    """Words, and pairs of neighbors, each once."""
    return np.unique(np.concatenate([sequence, (sequence[:-1] + 1) * 2**31 + sequence[1:]]))


def ridge(inputs: Array, targets: Array, choosing: Array, right: Array) -> Callable[[Array], Array]:
    """A linear map by least squares with a penalty (Hoerl & Kennard 1970), chosen on a second part.

    Args:
        inputs, targets: (N, D) and (N, K), to fit.
        choosing, right: likewise, to choose the penalty by.

    Returns:
        The map, from (M, D) to (M, K).

    >>> x = np.arange(8.0)[:, None]
    >>> ridge(x, 2 * x + 1, x, 2 * x + 1)(np.array([[10.0]])).round(1)
    array([[21.]])
    """
    x_mean, y_mean = inputs.mean(0), targets.mean(0)
    x, y = inputs - x_mean, targets - y_mean
    square, product = x.T @ x, x.T @ y
    scale = np.trace(square) / max(len(square), 1) or 1.0
    best, least = np.zeros_like(product), np.inf
    for penalty in (1e-6, 1e-3, 1e-1, 10.0):
        weights = np.linalg.solve(square + penalty * scale * np.eye(len(square)), product)
        error = float((((choosing - x_mean) @ weights + y_mean - right) ** 2).mean())
        if error < least:
            best, least = weights, error
    return lambda asked: np.asarray((asked - x_mean) @ best + y_mean)


def by_lags(values: Array, targets: Array, learn: int, cut: int) -> Array:
    """Forecasts by ridge regression on the last 1, 7 or 30 rows, chosen on the second part: (N - cut,).

    Args:
        values: (N, D), in order of time.
        targets: (N - 1, 1), that of row t is what follows it.
        learn: the index of the first row to choose by.
        cut: the index of the first row to forecast.

    >>> wave = np.sin(np.arange(200.0))[:, None]
    >>> guesses = by_lags(wave, wave[1:], 140, 160)
    >>> bool(np.abs(guesses - wave[160:, 0]).max() < 0.01)
    True
    """
    best, least = np.zeros(len(targets) + 1 - cut), np.inf
    for lags in (1, 7, 30):
        if lags > learn // 4 or lags * values.shape[1] > 600:
            continue
        filled = np.pad(values[:-1], ((lags - 1, 0), (0, 0)), mode="edge")
        views = np.lib.stride_tricks.sliding_window_view(filled, lags, axis=0)
        rows = views.reshape(len(targets), -1)
        fitted = slice(0, learn - 1), slice(learn - 1, cut - 1)
        pairs = [(rows[part], targets[part]) for part in fitted]
        guess = ridge(*pairs[0], *pairs[1])
        error = float(np.mean((guess(pairs[1][0]) - pairs[1][1]) ** 2))
        if error < least:
            best, least = guess(rows[cut - 1 :])[:, 0], error
    return best
