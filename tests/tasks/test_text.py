"""Characters as numbers and one-hot rows, and texts from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrornn.data.text import Vocabulary, pairs, quoted, read_text


def test_the_table_of_hello() -> None:
    """The four rows that every lecture shows, in the order in which the characters appear."""
    vocabulary = Vocabulary("hello")
    assert list(vocabulary) == ["h", "e", "l", "o"]
    assert np.array_equal(vocabulary.one_hot("helo"), np.eye(4))
    assert np.array_equal(vocabulary.one_hot("hello").sum(axis=0), [1, 1, 2, 1])


@given(st.text(min_size=1))
def test_decoding_undoes_encoding(text: str) -> None:
    vocabulary = Vocabulary(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert len(vocabulary) == len(set(text))
    assert np.array_equal(vocabulary.one_hot(text).argmax(axis=1), vocabulary.encode(text))


def test_a_foreign_character_is_named_with_its_place() -> None:
    with pytest.raises(ValueError, match=r"character 'x' at position 2 .* of 4 characters"):
        Vocabulary("hello").encode("hex")


@pytest.mark.parametrize("number", [-1, 4])
def test_a_foreign_number_is_named(number: int) -> None:
    with pytest.raises(ValueError, match=rf"index {number} is out of range .* from 0 to 3"):
        Vocabulary("hello").decode([0, number])


@given(st.text())
def test_every_pair_is_a_character_and_the_next(text: str) -> None:
    found = pairs(text)
    assert len(found) == max(len(text) - 1, 0)
    assert all((text[i], text[i + 1]) == pair for i, pair in enumerate(found))


@given(st.text(max_size=60))
def test_a_quoted_text_stays_in_one_printable_line(text: str) -> None:
    shown = quoted(text, longest=20)
    assert shown.isprintable()
    assert ("characters)" in shown) == (len(text) > 20)


def test_a_text_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffgrüß\r\ndich\n".encode())
    assert read_text(tmp_path / "a.txt") == "grüß\ndich\n"


def test_files_that_are_no_texts(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "latin.txt").write_bytes(b"gr\xfc\xdf")
    with pytest.raises(ValueError, match=r"empty\.txt is empty; give"):
        read_text(tmp_path / "empty.txt")
    with pytest.raises(ValueError, match=r"latin\.txt is not text in UTF-8 \(byte 3"):
        read_text(tmp_path / "latin.txt")
    with pytest.raises(FileNotFoundError, match=r"no file .*none\.txt; give"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(IsADirectoryError, match="is a folder; give"):
        read_text(tmp_path)
