"""Series of numbers: one column of a CSV file, and the scaling that brings it into a cell's range."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

Array = np.ndarray[Any, Any]


def read_column(path: str | Path, column: str | None = None) -> Array:
    """One column of a CSV file as floats, in the order of its rows.

    The first line names the columns; cells are separated by commas, semicolons or tabs, whichever the
    first line has most of. Blank lines do not count. Nothing is guessed and nothing is left out: a cell
    that is not a finite number is an error.

    Args:
        path: the file, in UTF-8.
        column: the name of the column; without one, the only column that begins with a number.

    Returns:
        Floats of shape (rows,).

    Raises:
        FileNotFoundError, IsADirectoryError: there is no such file.
        ValueError: it is not such a file, has no such column (lists those it has), or a cell of the
            column is empty or not a finite number (names the line).

    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "prices.csv"
    >>> _ = file.write_text("day,close\\nMon,100.34\\nTue,108.31\\n")
    >>> read_column(file, "close")
    array([100.34, 108.31])
    >>> read_column(file, "price")
    Traceback (most recent call last):
    ValueError: ...prices.csv has no column 'price'; it has 'day', 'close'
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _column_of(file, path, column)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}; give a CSV file") from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{path} is a folder; give a CSV file") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8; export it as CSV in UTF-8") from None


def _column_of(file: TextIO, path: Path, column: str | None) -> Array:
    rows = _rows(file, path)
    _, names = next(rows, (0, []))
    if not any(names):
        raise ValueError(f"{path} is empty; its first line must name the columns")
    if all(_number(name) is not None for name in names):
        raise ValueError(
            f"{path} begins with numbers; its first line must name the columns, for example 'price'"
        )
    body = list(rows)
    if not body:
        raise ValueError(f"{path} has no rows below the names of its columns")
    place = _place(path, names, body[0][1], column)
    _latest_last(path, names, body)
    values = []
    for line, cells in body:
        where = f"{path}, line {line}"
        if len(cells) != len(names):
            raise ValueError(
                f"{where}: {len(cells)} cells, but the first line names {len(names)} columns; "
                "quote cells that contain the separator"
            )
        values.append(_finite(cells[place], names[place], where))
    return np.array(values)


def _rows(file: TextIO, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and stripped cells of the lines that are not blank."""
    first = file.readline()
    file.seek(0)
    reader = csv.reader(file, delimiter=max(",;\t", key=first.count))
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: not CSV ({error})") from None


def _place(path: Path, names: list[str], first: list[str], column: str | None) -> int:
    """Which column it is."""
    listed = ", ".join(map(repr, names))
    if column is not None:
        found = [i for i, name in enumerate(names) if name == column]
        if not found:
            raise ValueError(f"{path} has no column {column!r}; it has {listed}")
        if len(found) > 1:
            raise ValueError(f"{path} names {len(found)} columns {column!r}; rename all but one")
        return found[0]
    numeric = [i for i, cell in enumerate(first[: len(names)]) if _number(cell) is not None]
    if not numeric:
        raise ValueError(f"{path} has no column of numbers; its columns are {listed}")
    if len(numeric) > 1:
        which = ", ".join(repr(names[i]) for i in numeric)
        raise ValueError(f"{path} has several columns of numbers; say which to read: {which}")
    return numeric[0]


def _latest_last(path: Path, names: list[str], body: list[tuple[int, list[str]]]) -> None:
    """Refuse rows that run backwards in time, as prices are often exported.

    Raises:
        ValueError: a column of dates falls from row to row.
    """
    for i, name in enumerate(names):
        dates = [cells[i] for _, cells in body if i < len(cells)]
        for form in _DATES:
            found = [form.match(date) for date in dates]
            days = [(m["y"], m["m"].zfill(2), m["d"].zfill(2)) for m in found if m]
            possible = len(days) == len(dates) and all(month <= "12" for _, month, _ in days)
            if possible and days[0] > days[-1] and all(a >= b for a, b in pairwise(days)):
                raise ValueError(
                    f"{path}: by column {name!r} the rows run from {dates[0]} back to {dates[-1]}; sort "
                    "them, so that the latest comes last"
                )


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)  # Python's 1_000 is no number elsewhere
    except ValueError:
        return None


def _finite(cell: str, name: str, where: str) -> float:
    number = _number(cell)
    if not cell:
        problem = "is empty"
    elif number is None:
        comma = _number(cell.replace(",", ".")) is not None
        hint = " (write the decimal sign as a point)" if comma else ""
        problem = f"is {cell!r}, which is not a number{hint}"
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
    """value -> (value - offset) / unit, and back.

    Fit it on what is known at the time of the prediction, never on the target.

    >>> scaling = Scaling.to_unit([100.0, 150.0])
    >>> scaling.apply([100.0, 150.0, 175.0])
    array([0. , 1. , 1.5])
    >>> scaling.undo(1.5)
    175.0
    """

    offset: float
    unit: float

    @classmethod
    def to_unit(cls, values: Sequence[float] | Array) -> Scaling:
        """The smallest value becomes 0 and the largest 1; equal values all become 0."""
        low, high = float(np.min(values)), float(np.max(values))
        return cls(low, high - low or 1.0)

    @classmethod
    def standard(cls, values: Sequence[float] | Array) -> Scaling:
        """The mean becomes 0 and the standard deviation 1; equal values all become 0."""
        # Rounding can leave a trace of spread in equal values, and lose a spread below 1e-160.
        with np.errstate(over="ignore", invalid="ignore"):
            spread = float(np.std(values)) if np.ptp(values) else 0.0
            middle = float(np.mean(values))
        if not (math.isfinite(spread) and math.isfinite(middle)):
            raise ValueError(
                f"numbers from {np.min(values):.3g} to {np.max(values):.3g} are too far apart to be scaled; "
                "give them in a larger unit"
            )
        return cls(middle, spread or 1.0)

    def apply(self, values: Any) -> Any:
        """Values in their own unit as the network sees them."""
        return (np.asarray(values, dtype=float) - self.offset) / self.unit

    def undo(self, values: Any) -> Any:
        """What the network says, in the unit of the data."""
        scaled = np.asarray(values, dtype=float) * self.unit + self.offset
        return scaled if scaled.ndim else float(scaled)
