"""How far one sequence is from another: the edit distance, and the error rate of symbols made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def edit_distance(said: Sequence[Any], wanted: Sequence[Any]) -> int:
    """The fewest symbols to put in, leave out or exchange, to make one of the other (Levenshtein 1966).

    >>> edit_distance("sitting", "kitten")
    3
    """
    row = list(range(len(wanted) + 1))  # from nothing to each beginning of what is wanted
    for i, one in enumerate(said, 1):
        above, row = row, [i]
        for j, other in enumerate(wanted, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (one != other)))
    return row[-1]


def error_rate(said: Sequence[Sequence[Any]], wanted: Sequence[Sequence[Any]]) -> float:
    """Edits per symbol that was wanted, over all sequences; more than 1 if too much was said.

    The word error rate of speech recognition where symbols are words, and its phoneme or character error
    rate where they are those.

    Raises:
        ValueError: there are not as many of each, or nothing was wanted.

    >>> error_rate(["kitten", "on"], ["sitting", "in"])
    0.444
    """
    length = sum(map(len, wanted))
    if len(said) != len(wanted) or not length:
        raise ValueError(
            f"error_rate: {len(said)} sequences were said, {len(wanted)} wanted, of {length} symbols; "
            "give one for each, and at least one symbol"
        )
    return sum(map(edit_distance, said, wanted)) / length
