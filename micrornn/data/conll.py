"""Sentences with a tag for each token, one token per line and a blank line between sentences (CoNLL).

Read as the shared tasks write it: cells between tabs or blanks, of which the first is the token and the last
the tag. CoNLL-U (universaldependencies.org/format.html) is recognized by its ten columns: the token is the
second, the part of speech the fourth. Where the first cell counts the tokens, the token is the second.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from micrornn.data.tables import counted
from micrornn.data.text import read_text

Sentence = list[tuple[str, str]]
DOCUMENT = "-DOCSTART-"


class Cells(NamedTuple):
    """The number of a line and its cells."""

    line: int
    cells: list[str]


def read_conll(
    path: str | Path, tag: int | None = None, encoding: str | None = None
) -> list[Sentence]:
    """The sentences as tokens with their tags.

    Lines that begin with ``#`` are comments, unless they have as many cells as a token (``#metoo O``); so are
    ``-DOCSTART-`` lines. Of CoNLL-U, tokens that stand for several words (``1-2``) and empty ones (``1.1``)
    are left out.

    Args:
        path: the file; ``-`` is standard input.
        tag: the column of the tag, from 1; by default the last, of CoNLL-U the fourth.
        encoding: UTF-8 by default.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line has too few cells, or there are fewer than two tags; names the line.

    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "a.conll"
    >>> _ = file.write_text("Ada B-PER\\nsleeps O\\n\\nShe O\\n")
    >>> read_conll(file)
    [[('Ada', 'B-PER'), ('sleeps', 'O')], [('She', 'O')]]
    """
    sentences = _sentences(read_text(path, encoding))
    if not sentences:
        raise ValueError(f"{path} has no sentences; write one token and its tag per line")
    widths = [len(one.cells) for sentence in sentences for one in sentence]
    wide = max(widths)
    universal = wide == 10
    first = 1 if universal or _counted(sentences) else 0
    place = tag - 1 if tag is not None else 3 if universal else -1
    if tag is not None and tag > wide:
        raise ValueError(f"--tag {tag}: {path} has {wide} columns; give one from 1 to {wide}")
    least = max(first + 2, (tag or 0), 5 if universal else 0)
    found = []
    for sentence in sentences:
        tokens = []
        for line, cells in sentence:
            if len(cells) < least or (tag is None and not universal and len(cells) != wide):
                others = f", and others have {wide}" if wide != len(cells) else ""
                raise ValueError(
                    f"{path}, line {line}: {' '.join(cells)[:40]!r} has {counted(len(cells), 'cell')}{others}"
                    "; write a token, a tab and its tag, and a blank line after each sentence"
                )
            if universal and not cells[0].isdigit():
                continue
            tokens.append((cells[first], cells[place]))
        found.append(tokens)
    tags = {one for sentence in found for _, one in sentence}
    if len(tags) < 2:
        raise ValueError(
            f"{path} has one tag, {next(iter(tags))!r}; give sentences with at least two, or choose another "
            "column with --tag N"
        )
    return [sentence for sentence in found if sentence]


def _sentences(text: str) -> list[list[Cells]]:
    """The lines of each sentence as cells, without comments."""
    tabs = "\t" in text
    lines = [
        Cells(i, [cell.strip() for cell in (line.split("\t") if tabs else line.split())])
        for i, line in enumerate(text.split("\n"), 1)
    ]
    tokens = [one.cells for one in lines if any(one.cells) and not one.cells[0].startswith("#")]
    widths = {len(cells) for cells in tokens}
    numbered = bool(tokens) and tokens[0][0] == "1" and max(widths) > 2
    sentences: list[list[Cells]] = [[]]
    for one in lines:
        if not any(one.cells):
            sentences.append([])
        elif one.cells[0].startswith("#"):  # a comment, or a token like #1 and #metoo
            if not numbered and len(one.cells) in widths and all(one.cells):
                sentences[-1].append(one)
        elif one.cells[0] != DOCUMENT:
            sentences[-1].append(one)
    return [sentence for sentence in sentences if sentence]


def _counted(sentences: list[list[Cells]]) -> bool:
    """Whether the first cell counts the tokens of each sentence, from 1."""
    return all(
        len(cells) > 2 and cells[0] == str(n)
        for sentence in sentences[:50]
        for n, (_, cells) in enumerate(sentence, 1)
    )
