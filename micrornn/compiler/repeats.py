"""Repeats: where a sequence of operations goes through the same steps again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

LEAST = 3  # iterations that make a loop worth it
PERIODS = 40  # candidates that are tried


def repeats(code: Any, borders: Any) -> Iterator[tuple[int, int, int]]:
    """Where a sequence repeats itself: start, period and count, those that cover most first.

    Args:
        code: (n,) integers; equal ones may be the same operation of a step.
        borders: the positions where a step begins, which are tried as starts first.

    >>> next(repeats(np.array([9, 1, 2, 1, 2, 1, 2, 8]), np.array([1, 3, 5])))
    (1, 2, 3)
    """
    if len(code) < LEAST:
        return
    order = np.argsort(code, kind="stable")
    same = np.diff(code[order]) == 0
    gaps, often = np.unique(np.diff(order)[same], return_counts=True)
    found: list[tuple[int, int, int, int]] = []
    frequent = gaps[np.argsort(-often, kind="stable")][:PERIODS].tolist()
    marked = np.unique(np.diff(borders)).tolist()  # where one operation occurs many times in a step
    for period in dict.fromkeys([*marked[-PERIODS:], *frequent]):
        equal = np.concatenate([[False], code[period:] == code[:-period], [False]])
        edges = np.flatnonzero(np.diff(equal.astype(np.int8)))
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist()):
            count = (end - begin) // period + 1
            if count >= LEAST:
                found.append((count * period, -period, begin, end + period))
    for _, minus, begin, end in sorted(found, reverse=True):
        yield from _phases(begin, end, -minus, borders)


def _phases(begin: int, end: int, period: int, borders: Any) -> Iterator[tuple[int, int, int]]:
    """Where in a repeat the first iteration may begin: where a step does, or at its very beginning."""
    left = np.searchsorted(borders, begin)
    tried = [int(s) for s in borders[left : left + 4] if s < begin + 2 * period]
    for start in dict.fromkeys([*tried, begin, begin + period]):
        count = (end - start) // period
        yield from ((start, period, n) for n in (count, count - 1) if n >= LEAST)
