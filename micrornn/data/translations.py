"""Pairs of sequences from a file: in each line a source, a tab and a target, by letters or by words."""

from __future__ import annotations

from pathlib import Path

from micrornn.data.text import read_text
from micrornn.data.tokens import tokens_of

Pair = tuple[list[str], list[str]]
SYMBOLS = ("letters", "words")


def read_pairs(path: str | Path, by: str = "letters", encoding: str | None = None) -> list[Pair]:
    """The pairs of a file.

    Args:
        path: the file; ``-`` is standard input.
        by: ``"letters"``, or ``"words"`` for words and signs in lower case.
        encoding: UTF-8 by default.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line does not have exactly one tab, or has an empty side; names the line.

    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "pairs.tsv"
    >>> _ = file.write_text("A long story.\\tA story\\n")
    >>> read_pairs(file, by="words")
    [(['a', 'long', 'story', '.'], ['a', 'story'])]
    """
    symbols = tokens_of if by == "words" else list
    pairs = []
    for i, line in enumerate(read_text(path, encoding).split("\n"), 1):
        sides = [side.strip() for side in line.split("\t")]
        if line.strip():
            if len(sides) != 2 or not all(sides):
                tabs = f"{len(sides) - 1} tabs" if len(sides) != 2 else "an empty side"
                raise ValueError(
                    f"{path}, line {i}: expected a source, a tab and a target; found {tabs}"
                )
            pairs.append((symbols(sides[0]), symbols(sides[1])))
    return pairs
