"""Baselines that need no network: what a trained one should beat."""

from __future__ import annotations

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


def counting(training: Array, held_out: Array, size: int) -> tuple[float, float]:
    """The cross-entropy of held-out symbols by counting in the training symbols: unigrams, and bigrams.

    Unigram counts start at 1, and bigram counts at a share of the unigram's, so that nothing is impossible.

    >>> text = np.array([0, 1] * 50)
    >>> unigrams, bigrams = counting(text, text, 2)
    >>> round(unigrams, 3), bigrams < 0.02
    (0.693, True)
    """
    single = np.bincount(training, minlength=size) + 1.0
    single /= single.sum()
    double = np.zeros((size, size))
    np.add.at(double, (training[:-1], training[1:]), 1.0)
    double = (double + single) / (double.sum(1, keepdims=True) + 1.0)
    unigrams = -np.log(single[held_out[1:]]).mean()
    return float(unigrams), float(-np.log(double[held_out[:-1], held_out[1:]]).mean())
