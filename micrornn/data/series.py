"""Series of numbers: one column of a CSV file, and scaling to the range that a cell works in."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from micrornn.files import read_whole
from micrornn.messages import nearest

Array = np.ndarray[Any, Any]
EXPECTED = "a CSV file"


def read_column(path: str | Path, column: str | None = None) -> Array:
    """One column of a CSV file as floats, in the order of its rows.

    The first line names the columns; cells are separated by commas, semicolons or tabs, whichever the first
    line has most of. Blank lines are skipped. Nothing else is: a row with too few cells, an open quote, and
    a cell that is not a finite number are errors.

    Args:
        path: the file, in UTF-8; ``-`` is standard input.
        column: the name of the column; None for the only column of numbers.

    Returns:
        Floats of shape (rows,).

    Raises:
        FileNotFoundError, IsADirectoryError: there is no such file.
        ValueError: the file is not such a table, or has no such column; names the line or the columns.

    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "prices.csv"
    >>> _ = file.write_text("day,close\\nMon,100.34\\nTue,108.31\\n")
    >>> read_column(file, "close")
    array([100.34, 108.31])
    >>> read_column(file, "clsoe")
    Traceback (most recent call last):
    ValueError: no column 'clsoe' in ...prices.csv; columns: 'day', 'close'; did you mean 'close'?
    """
    try:
        text = read_whole(path, EXPECTED).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8; export it as CSV in UTF-8") from None
    rows = _rows(text, path)
    _, names = next(rows, (0, []))
    if not any(names):
        raise ValueError(f"{path} is empty; its first line must name the columns")
    if all(_number(name) is not None for name in names):
        raise ValueError(
            f"{path} begins with numbers; its first line must name the columns, for example 'price'"
        )
    body = []
    for line, cells in rows:
        if len(cells) != len(names):
            raise ValueError(
                f"{path}, line {line}: {_count(len(cells), 'cell')}, but the first line names "
                f"{_count(len(names), 'column')}; quote cells that contain the separator"
            )
        body.append((line, cells))
    if not body:
        raise ValueError(f"{path} has no rows below the names of its columns")
    place = _place(path, names, body[0][1], column)
    _check_order(path, names, body)
    return np.array(
        [_finite(cells[place], names[place], f"{path}, line {line}") for line, cells in body]
    )


def _rows(text: str, path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not blank: the number of the line in which a row ends, and its stripped cells."""
    first = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True
    )
    begin = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip() for cell in cells]
            begin = reader.line_num + 1
    except csv.Error as error:
        problem = "a quote is not closed" if "end of data" in str(error) else str(error)
        raise ValueError(f"{path}, line {begin}: not CSV ({problem})") from None


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _place(path: str | Path, names: list[str], first: list[str], column: str | None) -> int:
    """The position of the column."""
    listed = ", ".join(map(repr, names))
    if column is not None:
        found = [i for i, name in enumerate(names) if name == column]
        if not found:
            meant = nearest(column, names)
            hint = f"; {meant}" if meant.startswith("did") else ""
            raise ValueError(f"no column {column!r} in {path}; columns: {listed}{hint}")
        if len(found) > 1:
            raise ValueError(
                f"{path} has {len(found)} columns named {column!r}; rename all but one"
            )
        return found[0]
    numeric = [i for i, cell in enumerate(first) if _number(cell) is not None]
    if not numeric:
        raise ValueError(f"{path} has no column of numbers; columns: {listed}")
    if len(numeric) > 1:
        which = ", ".join(repr(names[i]) for i in numeric)
        raise ValueError(
            f"{path} has several columns of numbers; choose one with --column: {which}"
        )
    return numeric[0]


def _check_order(path: str | Path, names: list[str], body: list[tuple[int, list[str]]]) -> None:
    """Refuse rows in reverse order of time, as prices are often exported.

    Raises:
        ValueError: the dates of a column fall from row to row.
    """
    for i, name in enumerate(names):
        dates = [cells[i] for _, cells in body]
        for form in _DATES:
            found = [form.match(date) for date in dates]
            days = [(m["y"], m["m"].zfill(2), m["d"].zfill(2)) for m in found if m]
            possible = len(days) == len(dates) and all(month <= "12" for _, month, _ in days)
            if possible and days[0] > days[-1] and all(a >= b for a, b in pairwise(days)):
                raise ValueError(
                    f"{path}: the dates in column {name!r} run backward, from {dates[0]} to {dates[-1]}; "
                    "sort the rows so that the latest is last"
                )


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)  # 1_000 is a number in Python only
    except ValueError:
        return None


def _finite(cell: str, name: str, where: str) -> float:
    number = _number(cell)
    if not cell:
        problem = "is empty"
    elif number is None:
        comma = _number(cell.replace(",", ".")) is not None
        hint = " (write the decimal sign as a point)" if comma else ""
        problem = f"is {cell[:40]!r}, which is not a number{hint}"
    elif not math.isfinite(number):
        problem = f"is {cell!r}, which is not finite"
    else:
        return number
    raise ValueError(f"{where}: column {name!r} {problem}; correct the cell or remove the row")


# Year first, German, American, British.
_DATES = [
    re.compile(form)
    for form in (
        r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)",
        r"(?P<d>\d\d?)\.(?P<m>\d\d?)\.(?P<y>\d{4})",
        r"(?P<m>\d\d?)/(?P<d>\d\d?)/(?P<y>\d{4})",
        r"(?P<d>\d\d?)/(?P<m>\d\d?)/(?P<y>\d{4})",
    )
]


class Scaling(NamedTuple):
    """The scaling of a series: value -> (value - offset) / unit, and back.

    Fit it on the part that is trained on, never on the values to predict.

    >>> scaling = Scaling.standard([100.0, 150.0])
    >>> scaling.apply([100.0, 150.0, 175.0])
    array([-1.,  1.,  2.])
    >>> scaling.undo(2.0)
    175.0
    """

    offset: float
    unit: float

    @classmethod
    def to_unit(cls, values: Any) -> Scaling:
        """Scale the smallest value to 0 and the largest to 1; equal values all become 0."""
        low, high = float(np.min(values)), float(np.max(values))
        return cls(low, high - low or 1.0)

    @classmethod
    def standard(cls, values: Any) -> Scaling:
        """Scale to mean 0 and standard deviation 1; equal values all become 0.

        Raises:
            ValueError: the values are so far apart that their deviation overflows.
        """
        # Rounding can leave a trace of spread in equal values, and lose a spread below 1e-160.
        with np.errstate(over="ignore", invalid="ignore"):
            spread = float(np.std(values)) if np.ptp(values) else 0.0
            middle = float(np.mean(values))
        if not (math.isfinite(spread) and math.isfinite(middle)):
            raise ValueError(
                f"numbers from {np.min(values):.3g} to {np.max(values):.3g} are too far apart to scale; "
                "give them in a larger unit"
            )
        return cls(middle, spread or 1.0)

    def apply(self, values: Any) -> Any:
        """Scaled values."""
        return (np.asarray(values, dtype=float) - self.offset) / self.unit

    def undo(self, values: Any) -> Any:
        """Scaled values in their own unit again."""
        unscaled = np.asarray(values, dtype=float) * self.unit + self.offset
        return unscaled if unscaled.ndim else float(unscaled)
