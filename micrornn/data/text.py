"""Texts as sequences of characters: indices, one-hot rows, and pairs of a character and the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from micrornn.files import STDIN, is_file, read_whole
from micrornn.messages import quoted

__all__ = ["Vocabulary", "pairs", "quoted", "read_text", "text_or_file"]


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
        self._index = {character: i for i, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def __iter__(self) -> Iterator[str]:
        return iter(self.characters)

    def __contains__(self, character: object) -> bool:
        return character in self._index

    def __repr__(self) -> str:
        return f"Vocabulary({''.join(self.characters)!r})"

    def encode(self, text: str) -> np.ndarray[Any, Any]:
        """The index of every character, as integers of shape (T,).

        Raises:
            ValueError: a character is not in the vocabulary; names it and its position.
        """
        try:
            return np.array([self._index[character] for character in text], dtype=np.int64)
        except KeyError as missing:
            character = missing.args[0]
            raise ValueError(
                f"character {character!r} at position {text.index(character)} is not in the vocabulary of "
                f"{len(self)} characters; make the vocabulary from all texts that you use"
            ) from None

    def decode(self, indices: Iterable[int]) -> str:
        """The text of a sequence of indices.

        Raises:
            ValueError: an index is out of range.
        """
        indices = [int(index) for index in indices]
        for index in indices:
            if not 0 <= index < len(self):
                raise ValueError(
                    f"index {index} is out of range for a vocabulary of {len(self)} characters; give "
                    f"indices from 0 to {len(self) - 1}"
                )
        return "".join(self.characters[index] for index in indices)

    def one_hot(self, text: str) -> np.ndarray[Any, Any]:
        """Every character as a one-hot row: floats of shape (T, V).

        >>> Vocabulary("hello").one_hot("he")
        array([[1., 0., 0., 0.],
               [0., 1., 0., 0.]])
        """
        rows = np.zeros((len(text), len(self)))
        rows[np.arange(len(text)), self.encode(text)] = 1.0
        return rows


def pairs(text: str) -> list[tuple[str, str]]:
    """Every character with the next one: input and target of a character model.

    >>> pairs("hello")
    [('h', 'e'), ('e', 'l'), ('l', 'l'), ('l', 'o')]
    """
    return list(pairwise(text))


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, with line ends as ``\\n``; ``-`` is standard input.

    Raises:
        FileNotFoundError, IsADirectoryError: there is no such file.
        ValueError: it is empty, is not text, or is a device.
    """
    content = read_whole(path, "a text file in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not text in UTF-8 (byte {error.start + 1} is invalid); convert it first"
        ) from None
    if not text:
        raise ValueError(f"{path} is empty; give a file that has text in it")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def text_or_file(given: str) -> str:
    """The text itself, or the content of the file that it names.

    A name that ends in ``.txt``, the name of a file that exists, and ``@NAME`` are files; ``-`` is standard
    input.

    Raises:
        ValueError, OSError: as `read_text`.

    >>> text_or_file("to be or not to be")
    'to be or not to be'
    >>> text_or_file("no-such-book.txt")
    Traceback (most recent call last):
    FileNotFoundError: no file no-such-book.txt; give a text file in UTF-8
    """
    if given == STDIN:
        return read_text(given)
    name = given.removeprefix("@")
    named = given.startswith("@") or name.endswith(".txt")
    return read_text(name) if named or is_file(name) else given
