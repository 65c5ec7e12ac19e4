"""Series of numbers: one column of a CSV file, and scaling to the range that a cell works in."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from micrornn.data.tables import EMPTY, Table, number, read_table

Array = np.ndarray[Any, Any]


def read_column(
    path: str | Path,
    column: str | None = None,
    encoding: str | None = None,
    missing: str = "error",
) -> Array:
    """One column of a CSV file as floats, in the order of its rows.

    The first line names the columns; cells are separated by commas, semicolons or tabs, whichever the first
    line has most of. Blank lines are skipped. Nothing else is: a row with too few cells, an open quote, and
    a cell that is not a finite number are errors.

    Args:
        path: the file; ``-`` is standard input.
        column: the name of the column; None for the only column of numbers.
        encoding: UTF-8 by default.
        missing: see `read_columns`.

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
    table = read_table(path, encoding)
    return read_columns(table, [column or only_numbers(table)], missing)[:, 0]


def read_columns(table: Table, columns: Sequence[str], missing: str = "error") -> Array:
    """Columns of a table as floats of shape (rows, columns), in the order of the rows.

    Args:
        table: rows in order of time.
        columns: their names.
        missing: what to do where a cell is empty or says NA: ``"error"``, ``"skip"`` the row, or repeat the
            ``"previous"`` value of the column (rows before its first value are skipped).

    Raises:
        ValueError: there is no such column, a cell is no finite number, or the dates run backward.
    """
    return rows_of(table, columns, missing)[0]


def rows_of(
    table: Table, columns: Sequence[str], missing: str = "error", label: str | None = None
) -> tuple[Array, list[str]]:
    """As `read_columns`, and of each row the cell in the column ``label``, which is a text.

    Raises:
        ValueError: as `read_columns`, or a row has no label.
    """
    of = None if label is None else table.place(label)
    labels: list[str] = []
    places = [table.place(column) for column in columns]
    _check_order(table)
    values: list[list[float]] = []
    for line, cells in table.rows:
        last = values[-1] if values and missing == "previous" else None
        row = []
        for i, place in enumerate(places):
            if missing != "error" and cells[place].lower() in EMPTY:
                if last is None:
                    break
                row.append(last[i])
            else:
                row.append(_finite(cells[place], table.names[place], table.where(line)))
        if len(row) < len(places):
            continue
        if of is not None:
            if not cells[of] and missing == "error":
                raise ValueError(
                    f"{table.where(line)}: no {label!r}; write one, remove the row, or give --missing skip"
                )
            if not cells[of]:
                continue
            labels.append(cells[of])
        values.append(row)
    if not values:
        raise ValueError(
            f"{table.path} has no row in which all of {', '.join(columns)} have a value"
        )
    return np.array(values), labels


def columns_of(given: str | None) -> list[str]:
    """The names in a list with commas between them.

    >>> columns_of("wind, rain"), columns_of(None)
    (['wind', 'rain'], [])
    """
    return [name.strip() for name in (given or "").split(",") if name.strip()]


def only_numbers(table: Table) -> str:
    """The only column of numbers, by the first row.

    Raises:
        ValueError: there is none, or more than one; lists them.
    """
    names = numeric(table)
    if len(names) > 1:
        which = ", ".join(map(repr, names))
        raise ValueError(
            f"{table.path} has several columns of numbers; choose one with --column: {which}"
        )
    return names[0]


def numeric(table: Table, but: str | None = None) -> list[str]:
    """The columns that have a number in the first row, without one.

    Raises:
        ValueError: there is none.
    """
    cells = zip(table.names, table.rows[0][1])
    names = [name for name, cell in cells if number(cell) is not None and name != but]
    if not names:
        raise ValueError(f"{table.path} has no column of numbers; columns: {table.listed()}")
    return names


def _check_order(table: Table) -> None:
    """Refuse rows in reverse order of time, as prices are often exported.

    Raises:
        ValueError: the dates of a column fall from row to row.
    """
    for i, name in enumerate(table.names):
        dates = [cells[i] for _, cells in table.rows]
        for form in _DATES:
            found = [form.match(date) for date in dates]
            days = [(m["y"], m["m"].zfill(2), m["d"].zfill(2)) for m in found if m]
            possible = len(days) == len(dates) and all(month <= "12" for _, month, _ in days)
            if possible and days[0] > days[-1] and all(a >= b for a, b in pairwise(days)):
                ends = f"from {dates[0]} to {dates[-1]}"
                raise ValueError(
                    f"{table.path}: the dates in column {name!r} run backward, {ends}; "
                    "sort the rows so that the latest is last"
                )


def _finite(cell: str, name: str, where: str) -> float:
    value = number(cell)
    if not cell:
        problem = "is empty"
    elif value is None:
        comma = number(cell.replace(",", ".")) is not None
        hint = " (write the decimal sign as a point)" if comma else ""
        problem = f"is {cell[:40]!r}, which is not a number{hint}"
    elif not math.isfinite(value):
        problem = f"is {cell!r}, which is not finite"
    else:
        return value
    skip = " (or give --missing skip)" if cell.lower() in EMPTY else ""
    raise ValueError(
        f"{where}: column {name!r} {problem}; correct the cell or remove the row{skip}"
    )


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
