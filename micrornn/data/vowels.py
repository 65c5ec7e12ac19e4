"""640 recordings of nine men who say the Japanese vowels /ae/; the task is to tell the speakers apart.

Source: M. Kudo, J. Toyama and M. Shimbo (1999), Multidimensional curve classification using passing-through
regions, Pattern Recognition Letters 20; at the UCI Machine Learning Repository as Japanese Vowels,
https://doi.org/10.24432/C5NS47, licence CC BY 4.0. A recording has 7 to 29 frames of twelve cepstrum
coefficients of a linear prediction (LPC), which describe the vocal tract. Changed: numbers are rounded to
three decimals, by at most 0.0005, where the coefficients have standard deviations of 0.1 to 0.5.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
SPEAKERS, WIDTH, LONGEST = 9, 12, 29
TRAINING = 270
EVERY = (
    5  # of the recordings to train on, in the order of the speakers, every fifth is to choose by
)


class Recording(NamedTuple):
    """Frames (T, 12) and the number of the speaker, 0 to 8."""

    frames: Array
    speaker: int


def recordings() -> tuple[list[Recording], list[Recording]]:
    """The recordings to train on, 30 of each speaker, and those held out, as the authors split them.

    >>> training, held_out = recordings()
    >>> len(training), len(held_out), training[0].frames.shape
    (270, 370, (20, 12))
    """
    with np.load(Path(__file__).with_name("vowels.npz"), allow_pickle=False) as file:
        frames, lengths, speakers = (file[name] for name in ("frames", "lengths", "speakers"))
    ends = np.cumsum(lengths, dtype=int)
    parts = np.split(frames / 1000.0, ends[:-1])
    every = [Recording(part, int(speaker)) for part, speaker in zip(parts, speakers)]
    return every[:TRAINING], every[TRAINING:]


def divided() -> tuple[list[Recording], list[Recording], list[Recording]]:
    """The recordings to train on, 24 of each speaker, to choose by, 6 of each, and to measure on.

    >>> [len(part) for part in divided()]
    [216, 54, 370]
    """
    both, test = recordings()
    training = [one for i, one in enumerate(both) if i % EVERY]
    return training, both[::EVERY], test
