"""Texts as sequences of characters: numbers, one-hot rows, and the pairs (this character, the next)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np


class Vocabulary:
    """The characters of a text, numbered in the order in which they first appear.

    >>> vocabulary = Vocabulary("hello")
    >>> list(vocabulary)
    ['h', 'e', 'l', 'o']
    >>> vocabulary.encode("hole")
    array([0, 3, 2, 1])
    >>> vocabulary.decode([2, 3, 2])
    'lol'
    """

    def __init__(self, text: Iterable[str]) -> None:
        self.characters = tuple(dict.fromkeys(text))
        self._number = {character: i for i, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def __iter__(self) -> Iterator[str]:
        return iter(self.characters)

    def __contains__(self, character: object) -> bool:
        return character in self._number

    def __repr__(self) -> str:
        return f"Vocabulary({''.join(self.characters)!r})"

    def encode(self, text: str) -> np.ndarray[Any, Any]:
        """The number of every character, as integers of shape (T,).

        Raises:
            ValueError: a character is not in the vocabulary; says which, and where.
        """
        try:
            return np.array([self._number[character] for character in text], dtype=np.int64)
        except KeyError as missing:
            character = missing.args[0]
            raise ValueError(
                f"character {character!r}, number {text.index(character) + 1} of the text, is not in "
                f"the vocabulary of {len(self)} characters; make the vocabulary from all texts to be used"
            ) from None

    def decode(self, numbers: Iterable[int]) -> str:
        """The text that the numbers stand for.

        Raises:
            ValueError: a number has no character.
        """
        numbers = [int(number) for number in numbers]
        for number in numbers:
            if not 0 <= number < len(self):
                raise ValueError(
                    f"number {number} has no character in a vocabulary of {len(self)}; give numbers "
                    f"from 0 to {len(self) - 1}"
                )
        return "".join(self.characters[number] for number in numbers)

    def one_hot(self, text: str) -> np.ndarray[Any, Any]:
        """Every character as a row of zeros with a one at its number: floats of shape (T, V).

        >>> Vocabulary("hello").one_hot("he")
        array([[1., 0., 0., 0.],
               [0., 1., 0., 0.]])
        """
        rows = np.zeros((len(text), len(self)))
        rows[np.arange(len(text)), self.encode(text)] = 1.0
        return rows


def pairs(text: str) -> list[tuple[str, str]]:
    """Every character with the one that follows it: what a character model is asked to learn.

    >>> pairs("hello")
    [('h', 'e'), ('e', 'l'), ('l', 'l'), ('l', 'o')]
    """
    return list(pairwise(text))


def quoted(text: str, longest: int = 40) -> str:
    """A text in quotation marks for titles and messages, in one line; of a long one the beginning.

    >>> quoted("hell")
    '"hell"'
    >>> print(quoted("one\\ntwo and so on", 8))
    "one\\ntwo …" (17 characters)
    """
    shown = text if len(text) <= longest else text[:longest]
    inner = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
    return f'"{inner}"' if shown is text else f'"{inner}…" ({len(text):,} characters)'


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8, line ends as ``\\n``.

    Raises:
        FileNotFoundError, IsADirectoryError: there is no such file.
        ValueError: it is empty, or is not text.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}; give a text file in UTF-8") from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{path} is a folder; give a text file in UTF-8") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not text in UTF-8 (byte {error.start + 1} does not fit); convert it first"
        ) from None
    if not text:
        raise ValueError(f"{path} is empty; give a file with some text in it")
    return text


def text_or_file(given: str) -> str:
    """A text as it is given, or that of the file whose name it is; ``@NAME`` is always a file.

    Raises:
        ValueError, OSError: it names a file that is none, or no text.

    >>> text_or_file("to be or not to be")
    'to be or not to be'
    >>> text_or_file("no-such-book.txt")
    Traceback (most recent call last):
    FileNotFoundError: there is no file no-such-book.txt; give a text file in UTF-8
    """
    name = given.removeprefix("@")
    named = given.startswith("@") or name.endswith(".txt")
    return read_text(name) if named or is_file(name) else given


def is_file(name: str) -> bool:
    """Whether a file has this name; a text may be no name at all."""
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False
