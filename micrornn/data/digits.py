"""1,797 digits written by hand, 8 x 8 pixels each, and which digit each is.

Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, https://doi.org/10.24432/C50P49, licence CC BY 4.0. It is the part by the 13 people that the set
keeps for testing, in its order, as scikit-learn hands it on (``sklearn/datasets/data/digits.csv.gz``). Each
pixel counts the dots of ink in a 4 x 4 block of the scan, from 0 to 16. Nothing was changed but the form of
the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIZE = 8
LEARNT = 1287  # so many are learnt from: ten of the fourteen forms


class Digits(NamedTuple):
    """Pictures (N, 8, 8) from 0, paper, to 1, ink, and the digits that they show (N,)."""

    pictures: Array
    digits: Array


def handwritten() -> tuple[Digits, Digits]:
    """Those to learn from, and those to measure on.

    The order of the digits begins again 14 times, probably once for each form that somebody filled in. The
    cut is between two forms: what is measured on is in handwritings of which nothing was learnt.

    >>> learnt, kept = handwritten()
    >>> learnt.pictures.shape, kept.pictures.shape, learnt.digits[:5]
    ((1287, 8, 8), (510, 8, 8), array([0, 1, 2, 3, 4]))
    """
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as file:
        pictures, digits = file["pictures"] / 16.0, file["digits"].astype(int)
    return Digits(pictures[:LEARNT], digits[:LEARNT]), Digits(pictures[LEARNT:], digits[LEARNT:])


def nearest_mean(learnt: Digits, pictures: Array) -> Array:
    """To each picture the digit whose mean picture is the nearest: what needs no network, (N,).

    >>> learnt, kept = handwritten()
    >>> float((nearest_mean(learnt, kept.pictures) == kept.digits).mean())
    0.867
    """
    means = [learnt.pictures[learnt.digits == digit].mean(0) for digit in range(10)]
    distances = np.array([((pictures - mean) ** 2).sum((1, 2)) for mean in means])
    return np.asarray(distances.argmin(0))


def as_text(picture: Array) -> str:
    """A picture in one line: rows separated by slashes, a sign where there is much ink.

    >>> as_text(handwritten()[0].pictures[0])
    '...##.../..####../..#..#../..#...../.....#../..#..#../..#.##../...##...'
    """
    return "/".join("".join("#" if dot > 0.5 else "." for dot in row) for row in picture)
