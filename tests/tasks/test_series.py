"""Columns of CSV files, every way in which one can be wrong, and scaling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrornn.data.series import Scaling, read_column

GOOD = "day,close,volume\nMon,100.34,5\nTue,108.31,6\n\nWed,1.094e2,7\n"


def file(folder: Path, content: str | bytes) -> Path:
    path = folder / "prices.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace(",", " , "),
        "\ufeff" + GOOD,
        GOOD.rstrip("\n"),
        GOOD.replace("Mon", '"Mon, early"'),
    ],
)
def test_a_column_is_read(tmp_path: Path, content: str) -> None:
    assert read_column(file(tmp_path, content), "close").tolist() == [100.34, 108.31, 109.4]


def test_the_only_column_of_numbers_needs_no_name(tmp_path: Path) -> None:
    assert read_column(file(tmp_path, "day,close\nMon,1\nTue,2\n")).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "column", "complaint"),
    [
        ("", None, "is empty; its first line must name the columns"),
        ("\n\n", None, "is empty; its first line"),
        ("close\n", "close", "has no rows below"),
        ("100.34\n108.31\n", None, "begins with numbers; its first line must name"),
        (GOOD, "price", r"no column 'price' in .*; columns: 'day', 'close', 'volume'"),
        (GOOD, None, "several columns of numbers; choose one with --column: 'close', 'volume'"),
        (GOOD, "day", r"line 2: column 'day' is 'Mon', which is not a number; correct"),
        ("day\nMon\n", None, "has no column of numbers; columns: 'day'"),
        ("a,a\n1,2\n", "a", "has 2 columns named 'a'; rename"),
        (GOOD.replace("108.31", ""), "close", "line 3: column 'close' is empty"),
        (
            GOOD.replace("1.094e2", "n/a"),
            "close",
            "line 5: column 'close' is 'n/a', which is not a",
        ),
        (GOOD.replace("108.31", "nan"), "close", "line 3: .* is 'nan', which is not finite"),
        (GOOD.replace("108.31", "-inf"), "close", "line 3: .* is '-inf', which is not finite"),
        (GOOD.replace("108.31", "1_000"), "close", "line 3: .* is '1_000', which is not a number"),
        (GOOD.replace("108.31", "1,008.31"), "close", "line 3: 4 cells, but the .* 3 columns"),
        (GOOD.replace("Tue,", ""), "close", "line 3: 2 cells, but"),
        ("close,date\n1\n2\n3\n", "close", "line 2: 1 cell, but the first line names 2 columns"),
        ("date,close\n2024-01-01\n2024-01-02\n", "close", "line 2: 1 cell, but"),
        ('day,close\nMon,1\nTue,"2\nWed,3\n', "close", "line 3: not CSV .a quote is not closed"),
        ('"day,close\nMon,1\n', "close", "line 1: not CSV .a quote is not closed"),
        ('day,close\nMon,"1"2\n', "close", "line 2: not CSV"),
        (b"close\n\xff\xfe\n", "close", "is not text in UTF-8"),
        ('close\n"1' + "0" * 200_000 + '"\n', "close", "line 2: not CSV"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, content: str | bytes, column: str | None, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        read_column(file(tmp_path, content), column)
    assert "prices.csv" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file .*none\.csv; give a CSV file"):
        read_column(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError, match="is a folder; give a CSV file"):
        read_column(tmp_path)


@pytest.mark.parametrize("fit", [Scaling.to_unit, Scaling.standard])
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_scaling_and_back(fit: type[Scaling], values: list[float]) -> None:
    scaling = fit(values)
    back = scaling.undo(scaling.apply(values))
    assert np.allclose(back, values, rtol=1e-9, atol=1e-6)


def test_what_scaling_promises() -> None:
    values = [3.0, 5.0, 9.0]
    assert Scaling.to_unit(values).apply(values).tolist() == pytest.approx([0, 1 / 3, 1])
    standard = Scaling.standard(values).apply(values)
    assert standard.mean() == pytest.approx(0) and standard.std() == pytest.approx(1)


@pytest.mark.parametrize("fit", [Scaling.to_unit, Scaling.standard])
def test_equal_values_become_zeros_and_no_infinities(fit: type[Scaling]) -> None:
    values = [0.1, 0.1, 0.1]  # their standard deviation, as computed, is not quite zero
    assert fit(values).unit == 1.0
    assert np.allclose(fit(values).apply(values), 0.0, atol=1e-12)
