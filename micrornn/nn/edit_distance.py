"""The edit distance between two sequences, and the symbol error rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def edit_distance(predicted: Sequence[Any], target: Sequence[Any]) -> int:
    """The fewest insertions, deletions and substitutions from one sequence to the other (Levenshtein 1966).

    >>> edit_distance("sitting", "kitten")
    3
    """
    row = list(range(len(target) + 1))  # from the empty sequence to each prefix of the target
    for i, one in enumerate(predicted, 1):
        above, row = row, [i]
        for j, other in enumerate(target, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (one != other)))
    return row[-1]


def error_rate(predicted: Sequence[Sequence[Any]], target: Sequence[Sequence[Any]]) -> float:
    """Edits per target symbol, over all sequences; above 1 where the predictions are far too long.

    Known as the word, phoneme or character error rate, by what the symbols are.

    Raises:
        ValueError: the numbers of sequences differ, or the targets have no symbols.

    >>> error_rate(["kitten", "on"], ["sitting", "in"])
    0.444
    """
    length = sum(map(len, target))
    if len(predicted) != len(target) or not length:
        raise ValueError(
            f"error_rate: {len(predicted)} predictions for {len(target)} targets with {length} symbols; "
            "give one for each target, and at least one symbol"
        )
    return sum(map(edit_distance, predicted, target)) / length
