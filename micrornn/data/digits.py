"""1,797 handwritten digits of 8 x 8 pixels, with their labels.

Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, https://doi.org/10.24432/C50P49, licence CC BY 4.0: the test set of 13 writers, in its order, as
scikit-learn ships it (``sklearn/datasets/data/digits.csv.gz``). Each pixel counts the dots of ink in a 4 x 4
block of the scan, from 0 to 16. Only the file format was changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIZE = 8
TRAINING = 1287  # the first ten of fourteen forms
CHOOSING = 1157  # where the last of these ten begins


class Digits(NamedTuple):
    """Pictures (N, 8, 8), from 0 for paper to 1 for ink, and their digits (N,)."""

    pictures: Array
    digits: Array


def handwritten() -> tuple[Digits, Digits]:
    """The digits to train on, and those held out.

    The order of the digits starts again 14 times, probably with each form that a writer filled in. The
    split is between two forms, so that no handwriting is in both parts.

    >>> training, held_out = handwritten()
    >>> training.pictures.shape, held_out.pictures.shape, training.digits[:5]
    ((1287, 8, 8), (510, 8, 8), array([0, 1, 2, 3, 4]))
    """
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as file:
        pictures, digits = file["pictures"] / 16.0, file["digits"].astype(int)
    return (
        Digits(pictures[:TRAINING], digits[:TRAINING]),
        Digits(pictures[TRAINING:], digits[TRAINING:]),
    )


def divided() -> tuple[Digits, Digits, Digits]:
    """The digits to train on (nine forms), to choose by (the tenth), and to measure on.

    >>> [len(part.digits) for part in divided()]
    [1157, 130, 510]
    """
    (pictures, digits), test = handwritten()
    training = Digits(pictures[:CHOOSING], digits[:CHOOSING])
    return training, Digits(pictures[CHOOSING:], digits[CHOOSING:]), test


def as_text(picture: Array) -> str:
    """A picture in one line: rows separated by slashes, ``#`` where there is much ink.

    >>> as_text(handwritten()[0].pictures[0])
    '...##.../..####../..#..#../..#...../.....#../..#..#../..#.##../...##...'
    """
    return "/".join("".join("#" if dot > 0.5 else "." for dot in row) for row in picture)
