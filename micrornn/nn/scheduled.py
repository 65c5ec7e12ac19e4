"""Scheduled sampling: the share of steps at which the decoder reads the target, and not its own prediction.

With teacher forcing (Williams & Zipser 1989) a decoder never reads its own mistakes in training, and reads
only its own predictions at test time. Bengio et al. (2015) let the share of targets fall during training.
Each function here returns a function from the iteration i, counted from 0, to that share, between 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from micrornn.options import check

Schedule = Callable[[int], float]


def linear_decay(slope: float, begin: float = 1.0, least: float = 0.0) -> Schedule:
    """max(least, begin - slope i) (Bengio et al. 2015, sec. 2.4).

    >>> [linear_decay(0.25)(i) for i in (0, 1, 9)]
    [1.0, 0.75, 0.0]
    """
    check("linear_decay", slope=slope, begin=begin, least=least)
    if least > begin:
        raise ValueError(f"linear_decay: least={least!r} is above begin={begin!r}; exchange them")
    return lambda i: max(least, begin - slope * i)


def exponential_decay(base: float) -> Schedule:
    """base^i with 0 < base < 1 (Bengio et al. 2015, sec. 2.4).

    >>> [exponential_decay(0.5)(i) for i in (0, 1, 2)]
    [1.0, 0.5, 0.25]
    """
    check("exponential_decay", base=base)
    return lambda i: base**i


def inverse_sigmoid_decay(k: float) -> Schedule:
    """k / (k + e^(i/k)) with k >= 1 (Bengio et al. 2015, sec. 2.4): slow at first, then fast.

    >>> [round(inverse_sigmoid_decay(10.0)(i), 3) for i in (0, 20, 60)]
    [0.909, 0.575, 0.024]
    """
    check("inverse_sigmoid_decay", k=k)
    return lambda i: k / (k + math.exp(i / k)) if i / k < 700 else 0.0
