"""Scheduled sampling: how often the decoder is fed the truth, and how often what it said itself.

Fed the truth at every step (teacher forcing, Williams & Zipser 1989), a decoder never sees its own mistakes,
and at test time it sees nothing else. Bengio et al. (2015) let the share of truth fall as training goes on.
Each function takes the iteration i, from 0, and returns that share, between 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[int], float]


def linear_decay(slope: float, begin: float = 1.0, least: float = 0.0) -> Schedule:
    """max(least, begin - slope i) (Bengio et al. 2015, sec. 2.4).

    >>> [linear_decay(0.25)(i) for i in (0, 1, 9)]
    [1.0, 0.75, 0.0]
    """
    if slope < 0 or not 0 <= least <= begin <= 1:
        raise ValueError(
            f"linear_decay: slope={slope}, begin={begin}, least={least}; give a slope of 0 or more and "
            "shares with 0 <= least <= begin <= 1"
        )
    return lambda i: max(least, begin - slope * i)


def exponential_decay(base: float) -> Schedule:
    """base^i with 0 < base < 1 (Bengio et al. 2015, sec. 2.4).

    >>> [exponential_decay(0.5)(i) for i in (0, 1, 2)]
    [1.0, 0.5, 0.25]
    """
    if not 0 < base < 1:
        raise ValueError(f"exponential_decay: base={base!r}; give a number between 0 and 1")
    return lambda i: base**i


def inverse_sigmoid_decay(k: float) -> Schedule:
    """k / (k + e^(i/k)) with k >= 1 (Bengio et al. 2015, sec. 2.4): slow at first, then fast.

    >>> [round(inverse_sigmoid_decay(10.0)(i), 3) for i in (0, 20, 60)]
    [0.909, 0.575, 0.024]
    """
    if k < 1:
        raise ValueError(f"inverse_sigmoid_decay: k={k!r}; give a number from 1 up")
    return lambda i: k / (k + math.exp(i / k)) if i / k < 700 else 0.0
