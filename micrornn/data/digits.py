"""Small pictures of digits: a dot-matrix font, moved about and with noise, for tasks that need images.

They are made up, because no collection of images comes with Python: the ten glyphs of a 5 x 7 display, each
put somewhere into 9 x 9 pixels, with Gaussian noise on top. In the place of photographs they show how a
network reads an image; they do not show how hard photographs are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

Array = np.ndarray[Any, Any]
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIZE = 9

# Seven rows from top to bottom for each digit, five bits in each row.
_ROWS = (
    *("0e11131519110e", "040c040404040e", "0e11010204081f", "1f02040201110e", "02060a121f0202"),
    *("1f101e0101110e", "0608101e11110e", "1f010204080808", "0e11110e11110e", "0e11110f01020c"),
)


def glyph(digit: int) -> Array:
    """The 7 x 5 dots of a digit.

    >>> print("\\n".join("".join(".#"[int(dot)] for dot in row) for row in glyph(7)))
    #####
    ....#
    ...#.
    ..#..
    .#...
    .#...
    .#...
    """
    rows = [int(_ROWS[digit][i : i + 2], 16) for i in range(0, 14, 2)]
    return np.array([[row >> (4 - column) & 1 for column in range(5)] for row in rows], dtype=float)


def draw(rng: Generator, count: int, noise: float = 0.2) -> tuple[Array, Array]:
    """So many pictures (count, 9, 9), and the digits that they show.

    >>> pictures, digits = draw(np.random.default_rng(0), 4)
    >>> pictures.shape, digits.shape
    ((4, 9, 9), (4,))
    """
    digits = rng.integers(0, 10, count)
    pictures = rng.normal(0.0, noise, (count, SIZE, SIZE))
    for picture, digit in zip(pictures, digits):
        y, x = rng.integers(0, SIZE - 6), rng.integers(0, SIZE - 4)
        picture[y : y + 7, x : x + 5] += glyph(int(digit))
    return pictures, digits


def as_text(picture: Array) -> str:
    """A picture in one line: rows separated by slashes, dots where it is bright."""
    return "/".join("".join("#" if dot > 0.5 else "." for dot in row) for row in picture)
