"""Translations and summaries without a network, and how alike they are to the targets."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from micrornn.data.translations import Pair


def by_symbol(training: list[Pair], sources: list[list[str]]) -> list[list[str]]:
    """Each symbol by itself, as it is most often in pairs of equal length.

    >>> by_symbol([(list("ab"), list("xy")), (list("ba"), list("yx"))], [list("aab")])
    [['x', 'x', 'y']]
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for source, target in training:
        if len(source) == len(target):
            for one, other in zip(source, target):
                counts[one][other] += 1
    usual = {one: count.most_common(1)[0][0] for one, count in counts.items()}
    return [[usual[one] for one in source if one in usual] for source in sources]


def by_similarity(training: list[Pair], sources: list[list[str]]) -> list[list[str]]:
    """The target of the training source that shares most symbols.

    >>> by_similarity([(["red", "car"], ["coche", "rojo"]), (["I"], ["yo"])], [["a", "red", "bus"]])
    [['coche', 'rojo']]
    """
    known = [(frozenset(source), target) for source, target in training]
    queries = [frozenset(source) for source in sources]
    return [max(known, key=lambda p: len(p[0] & one) / len(p[0] | one))[1] for one in queries]


def by_lead(training: list[Pair], sources: list[list[str]]) -> list[list[str]]:
    """The first symbols of the source, as many as the median target has: a summary that is hard to beat.

    >>> by_lead([(["a", "b"], ["x"]), (["a", "c"], ["z"])], [["one", "two", "three"]])
    [['one']]
    """
    length = int(np.median([len(target) for _, target in training]))
    return [source[:length] for source in sources]


def exact(predictions: list[list[str]], targets: list[list[str]]) -> float:
    """The share of sequences that are right as a whole."""
    return float(np.mean([one == other for one, other in zip(predictions, targets)]))


def rouge(predictions: list[list[str]], targets: list[list[str]]) -> float:
    """The F1 score of the words that prediction and target share, averaged (ROUGE-1, Lin 2004).

    >>> rouge([["a", "cat", "cat"]], [["a", "cat", "sat"]]) == 2 / 3
    True
    """
    scores = []
    for one, other in zip(predictions, targets):
        shared = (Counter(one) & Counter(other)).total()
        scores.append(2 * shared / max(1, len(one) + len(other)))
    return float(np.mean(scores))
