"""Tables: the rows of CSV, TSV and JSON lines, with the number of the line of each, and nothing guessed.

CSV as in RFC 4180, with commas, semicolons or tabs. A file with tabs has no quotes to pair up, since reviews
and tweets are full of single ones; a cell that is quoted as a whole is unquoted. JSON lines: one object per
line (jsonlines.org).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from micrornn.data.text import decoded
from micrornn.files import read_whole
from micrornn.messages import nearest

Row = tuple[int, list[str]]
EXPECTED = "a CSV file"
EMPTY = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})  # how cells say that they are


class Table(NamedTuple):
    """The names of the columns and, of each row, the number of its last line and its cells.

    >>> table = Table("prices.csv", ["day", "close"], [(2, ["Mon", "100.34"])])
    >>> table.place("close"), table.where(2)
    (1, 'prices.csv, line 2')
    """

    path: str
    names: list[str]
    rows: list[Row]

    def place(self, column: str) -> int:
        """The position of a column.

        Raises:
            ValueError: there is none of that name, or more than one.
        """
        found = [i for i, name in enumerate(self.names) if name == column]
        if not found:
            meant = nearest(column, self.names)
            hint = f"; {meant}" if meant.startswith("did") else ""
            raise ValueError(f"no column {column!r} in {self.path}; columns: {self.listed()}{hint}")
        if len(found) > 1:
            raise ValueError(
                f"{self.path} has {len(found)} columns named {column!r}; rename all but one"
            )
        return found[0]

    def listed(self) -> str:
        """The names of the columns, for errors."""
        return ", ".join(map(repr, self.names))

    def where(self, line: int) -> str:
        """A line, for errors."""
        return f"{self.path}, line {line}"


def read_table(path: str | Path, encoding: str | None = None) -> Table:
    """The rows below the names of the columns.

    Args:
        path: the file; ``-`` is standard input.
        encoding: UTF-8 by default, or UTF-16 where the file begins with its mark.

    Raises:
        FileNotFoundError, IsADirectoryError: there is no such file.
        ValueError: the file is empty or no table; names the line.
    """
    rows = read_rows(path, encoding)
    _, names = rows[0] if rows else (0, [])
    if not any(names):
        raise ValueError(f"{path} is empty; its first line must name the columns")
    if all(number(name) is not None for name in names):
        raise ValueError(
            f"{path} begins with numbers; its first line must name the columns, for example 'price'"
        )
    if len(rows) == 1:
        raise ValueError(f"{path} has no rows below the names of its columns")
    return Table(str(path), names, even(path, rows)[1:])


def read_rows(path: str | Path, encoding: str | None = None) -> list[Row]:
    """All rows that are not blank, the first one too; of JSON lines, the first has the keys.

    Raises:
        ValueError: a quote is not closed, or a line is not JSON; names the line.
    """
    text = decoded(read_whole(path, EXPECTED), path, encoding)
    if text.lstrip().startswith("{"):
        return _of_json(text, path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    if str(path).endswith((".tsv", ".tab")) or (separator == "\t"):
        return _of_tabs(text)
    return list(_of_csv(text, path, separator))


def even(path: str | Path, rows: list[Row]) -> list[Row]:
    """The rows, all as long as the first.

    Raises:
        ValueError: one is not; names its line.
    """
    width = len(rows[0][1])
    for line, cells in rows:
        if len(cells) != width:
            raise ValueError(
                f"{path}, line {line}: {counted(len(cells), 'cell')}, but the first line names "
                f"{counted(width, 'column')}; quote cells that contain the separator"
            )
    return rows


def number(cell: str) -> float | None:
    """A cell as a number, or None.

    >>> number("1.5e2"), number("1_000"), number("north")
    (150.0, None, None)
    """
    try:
        return None if "_" in cell else float(cell)  # 1_000 is a number in Python only
    except ValueError:
        return None


def _of_csv(text: str, path: str | Path, separator: str) -> Iterator[Row]:
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    begin = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip() for cell in cells]
            begin = reader.line_num + 1
    except csv.Error as error:
        problem = "a quote is not closed" if "end of data" in str(error) else str(error)
        raise ValueError(
            f"{path}, line {begin}: not CSV ({problem}); double a quote inside a quoted cell, or save "
            "the table with tabs"
        ) from None


def _of_tabs(text: str) -> list[Row]:
    rows = []
    for i, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line.strip():
            rows.append((i, [_unquoted(cell.strip()) for cell in line.split("\t")]))
    return rows


def _unquoted(cell: str) -> str:
    """A cell without the quotes around the whole of it.

    >>> _unquoted('"a ""good"" film"'), _unquoted('"good" and "bad"')
    ('a "good" film', '"good" and "bad"')
    """
    inside = cell[1:-1].replace('""', "")
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inside:
        return cell[1:-1].replace('""', '"')
    return cell


def _of_json(text: str, path: str | Path) -> list[Row]:
    objects: list[tuple[int, dict[str, Any]]] = []
    for i, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = str(error).partition(":")[0]
            raise ValueError(
                f"{path}, line {i}: not JSON ({why}); write one object per line"
            ) from None
        if not isinstance(value, dict):
            raise ValueError(
                f"{path}, line {i}: {str(value)[:40]!r} is not an object; write one object per line, "
                'such as {"text": "...", "label": "..."}'
            )
        objects.append((i, value))
    names = list(dict.fromkeys(key for _, value in objects for key in value))
    rows = [(i, [_cell(value.get(name)) for name in names]) for i, value in objects]
    return [(0, names), *rows]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)


def counted(n: int, what: str) -> str:
    """A number of things.

    >>> counted(1, "cell"), counted(2, "cell")
    ('1 cell', '2 cells')
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
