"""Texts with labels: from a table, JSON lines, or a folder with a subfolder for each label."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from micrornn.data.tables import EMPTY, Row, Table, even, read_rows
from micrornn.data.text import decoded
from micrornn.files import STDIN, read_whole

TEXTS = ("text", "sentence", "review", "message", "content", "document", "tweet", "comment")
LABELS = ("label", "class", "category", "sentiment", "target", "tag", "stars", "y")
MANY = 1000  # labels; more are a column of something else


class Labeled(NamedTuple):
    """A text and its label."""

    text: str
    label: str


def read_labeled(
    path: str | Path,
    text: str | None = None,
    label: str | None = None,
    encoding: str | None = None,
    missing: str = "error",
) -> list[Labeled]:
    """Texts and labels, in the order of the file.

    Args:
        path: a table in CSV, TSV or JSON lines, or a folder with a subfolder of text files for each label.
            A table of two columns needs no heading; ``-`` is standard input.
        text, label: the names of the columns. By default the usual names, or, of two columns, the one with
            fewer distinct values is the label.
        encoding: UTF-8 by default.
        missing: ``"error"`` or ``"skip"``, for rows without a text or a label.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a row is incomplete, the columns are unclear, or there are fewer than two labels.

    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "reviews.csv"
    >>> _ = file.write_text('label,text\\ngood,"fine, really"\\nbad,dull\\ngood,moving\\n')
    >>> read_labeled(file)[0]
    Labeled(text='fine, really', label='good')
    """
    if str(path) != STDIN and Path(path).is_dir():
        return checked(path, _of_folder(Path(path), encoding))
    rows = read_rows(path, encoding)
    if not rows:
        what = "files" if text == "file" else "texts"
        raise ValueError(f"{path} is empty; give {what} with labels")
    return checked(path, pairs_of(_table(path, rows, text, label), text, label, missing))


def pairs_of(
    table: Table, text: str | None = None, label: str | None = None, missing: str = "error"
) -> list[Labeled]:
    """Two columns of a table.

    Raises:
        ValueError: the columns are unclear, or a cell is empty.
    """
    a, b = _places(table, text, label)
    found = []
    for line, cells in table.rows:
        if cells[a] and cells[b].lower() not in EMPTY - {"none", "-", "?"}:
            found.append(Labeled(cells[a], cells[b]))
        elif missing != "skip":
            what = "label" if cells[a] else "text"
            raise ValueError(
                f"{table.where(line)}: no {what}; write one, remove the row, or give --missing skip"
            )
    return found


def checked(path: str | Path, found: list[Labeled]) -> list[Labeled]:
    """The texts, if their labels are labels.

    Raises:
        ValueError: there are none, all have one label, or nearly every one has its own.
    """
    counts = Counter(one.label for one in found)
    if len(counts) < 2:
        only = f"one label, {next(iter(counts))!r}" if counts else "no texts"
        raise ValueError(f"{path} has {only}; give texts of at least two labels")
    if len(counts) > min(MANY, max(2, len(found) / 2)):
        raise ValueError(
            f"{path}: {len(counts):,} labels for {len(found):,} texts, such as "
            f"{next(iter(counts))[:40]!r}; name the columns: --column TEXT --target LABEL"
        )
    return found


def _table(path: str | Path, rows: list[Row], text: str | None, label: str | None) -> Table:
    """The rows with their heading; a table of two columns may have none."""
    rows = _without_blank_columns(rows)
    rows = even(path, rows)
    width = len(rows[0][1])
    names = [name.lower() for name in rows[0][1]]
    named = text is not None or label is not None or {*TEXTS, *LABELS} & {*names}
    if width == 2 and not named:
        place = _fewest(rows)
        later = {cells[place] for _, cells in rows[1:]}
        if rows[0][1][place] in later:  # a label of the others: no heading
            return Table(str(path), ["text", "label"] if place else ["label", "text"], rows)
    return Table(str(path), rows[0][1], rows[1:])


def _without_blank_columns(rows: list[Row]) -> list[Row]:
    """Without the columns that have no name, as of a spreadsheet that was saved too wide."""
    names = rows[0][1]
    width = len(names)
    while width and not names[width - 1]:
        width -= 1
    blank = [all(not cell for cell in cells[width:]) for _, cells in rows]
    cut = sum(blank) > 0.9 * len(rows) and width > 1  # what runs over belongs to the text
    return [(line, cells[:width] if cut else cells) for line, cells in rows]


def _places(table: Table, text: str | None, label: str | None) -> tuple[int, int]:
    names = [name.lower() for name in table.names]

    def usual(words: tuple[str, ...]) -> int | None:
        return next((names.index(word) for word in words if word in names), None)

    a = table.place(text) if text is not None else usual(TEXTS)
    b = table.place(label) if label is not None else usual(LABELS)
    if len(names) == 2:
        if a is None and b is None:
            b = _fewest(table.rows)
        a = 1 - b if a is None and b is not None else a
        b = 1 - a if b is None and a is not None else b
    if a is None or b is None or a == b:
        raise ValueError(
            f"{table.path}: which columns are the text and the label? Give --column TEXT --target LABEL; "
            f"columns: {table.listed()}"
        )
    return a, b


def _fewest(rows: list[Row]) -> int:
    """Of two columns the one with fewer distinct values."""
    return int(len({cells[1] for _, cells in rows}) < len({cells[0] for _, cells in rows}))


def _of_folder(folder: Path, encoding: str | None) -> list[Labeled]:
    found = []
    for file, label in files_by_label(folder, "text files"):
        text = decoded(read_whole(file, "a text file"), file, encoding).strip()
        if not text:
            raise ValueError(f"{file} is empty; remove it")
        found.append(Labeled(text, label))
    return found


def files_by_label(
    folder: Path, expected: str, endings: tuple[str, ...] = ()
) -> list[tuple[Path, str]]:
    """The files in the subfolders of a folder, each with the name of its subfolder, in order.

    Hidden files are left out.

    Raises:
        ValueError: there is no subfolder with such files.
    """
    found = [
        (file, sub.name)
        for sub in sorted(folder.iterdir())
        if sub.is_dir() and not sub.name.startswith(".")
        for file in sorted(sub.rglob("*"))
        if file.is_file()
        and not file.name.startswith(".")
        and (not endings or file.suffix.lower() in endings)
    ]
    if not found:
        other = next((file for file in sorted(folder.glob("*/*")) if file.suffix), None)
        seen = f" (but {other})" if other else ""
        raise ValueError(
            f"{folder} has no subfolder with {expected}{seen}; make one subfolder for each label"
        )
    return found
