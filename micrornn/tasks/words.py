"""Words as indices: a vocabulary of what occurs often in the training part, and classes for the rest.

A word that is rare or was never seen is read as its shape and its last letters, such as ``Xx-ing`` (word
classes, as Bikel et al. 1999 use for names); where that is rare too, as its shape, and last as unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
UNKNOWN = "<unknown>"
MOST = 20_000  # words


def shape(word: str) -> str:
    """What a word looks like: capitals X, small letters x, digits 9, each once in a row.

    >>> shape("McDonald's"), shape("2026-11-27")
    ("XxXx'x", '9-9-9')
    """
    kinds = (
        "X" if c.isupper() else "x" if c.isalpha() else "9" if c.isdigit() else c for c in word
    )
    return re.sub(r"(.)\1+", r"\1", "".join(kinds))[:8]


class Words:
    """The words of some sequences that occur at least twice, the classes of rare words, and unknown (0).

    >>> words = Words([["a", "running", "dog"], ["a", "sleeping", "cat"]])
    >>> [words.all[i] for i in words.encode(["a", "walking", "Dog"])]
    ['a', '<x-ing>', '<unknown>']
    """

    def __init__(self, sequences: Iterable[Sequence[str]]) -> None:
        counts = Counter(word for sequence in sequences for word in sequence)
        often = [word for word, count in counts.most_common(MOST) if count > 1]
        known = set(often)
        classes: Counter[str] = Counter()
        for word, count in counts.items():
            if word not in known:
                for one in _classes(word):
                    classes[one] += count
        self.all = [UNKNOWN, *often, *sorted(one for one, count in classes.items() if count > 1)]
        self.index = {word: i for i, word in enumerate(self.all)}

    def __len__(self) -> int:
        return len(self.all)

    def encode(self, sequence: Sequence[str]) -> Array:
        """The index of each word, or of its class, (T,)."""
        return np.array([self._of(word) for word in sequence], dtype=int)

    def _of(self, word: str) -> int:
        for name in (word, *_classes(word)):
            if name in self.index:
                return self.index[name]
        return 0


def _classes(word: str) -> tuple[str, str]:
    kind = shape(word)
    return f"<{kind}-{word[-3:].lower()}>", f"<{kind}>"
