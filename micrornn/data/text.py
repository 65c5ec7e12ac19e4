"""Texts as sequences of characters: indices, one-hot rows, and pairs of a character and the next."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from micrornn.files import STDIN, is_file, read_whole
from micrornn.messages import quoted

__all__ = ["Vocabulary", "decoded", "pairs", "quoted", "read_text", "text_or_file"]


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


def read_text(path: str | Path, encoding: str | None = None) -> str:
    """The text of a file, with line ends as ``\\n``; ``-`` is standard input.

    Raises:
        FileNotFoundError, IsADirectoryError: there is no such file.
        ValueError: it is empty, is not text, or is a device.
    """
    text = decoded(read_whole(path, "a text file in UTF-8"), path, encoding)
    if not text:
        raise ValueError(f"{path} is empty; give a file that has text in it")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def decoded(content: bytes, path: str | Path, encoding: str | None = None) -> str:
    """The text of some bytes: in UTF-8, in UTF-16 where they begin with its mark, or as is said.

    Raises:
        ValueError: there is no such encoding, or the bytes are not text in it; names the first.

    >>> decoded("grün".encode("utf-16"), "a.txt"), decoded(b"gr\\xfcn", "a.txt", "latin-1")
    ('grün', 'grün')
    """
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    name = encoding or ("utf-16" if marked else "utf-8")
    try:
        codec = codecs.lookup(name).name
        return content.decode("utf-8-sig" if codec == "utf-8" else name)
    except LookupError:
        raise ValueError(f"--encoding {name}: no such encoding; try cp1252 or utf-16") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path} is not text in {name.upper()} (byte {error.start + 1}, in line {line}, is invalid); "
            "convert it first, or name its encoding: --encoding cp1252"
        ) from None


def text_or_file(given: str, encoding: str | None = None) -> str:
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
        return read_text(given, encoding)
    name = given.removeprefix("@")
    named = given.startswith("@") or name.endswith(".txt")
    return read_text(name, encoding) if named or is_file(name) else given
