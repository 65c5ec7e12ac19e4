"""Three parts of the data: to train on, to choose settings by, and to measure on.

What is reported is measured on the third part, which nothing was chosen by: early stopping, schedules and the
settings of the baselines look at the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrornn.messages import flag

FEWEST = 10  # items, so that each part has one
MOST = 1000  # items to choose by, and to measure on


class Parts(NamedTuple):
    """Items to train on, to choose by and to measure on, and what is to be said about them."""

    training: list[Any]
    choosing: list[Any]
    test: list[Any]
    remarks: Sequence[str] = ()

    def map(self, change: Callable[[Any], Any]) -> Parts:
        """The parts with each item changed."""
        training, choosing, test = (list(map(change, part)) for part in self[:3])
        return Parts(training, choosing, test, self.remarks)


def three_parts(
    items: Sequence[Any], labels: Sequence[Sequence[str]], what: str, seed: int
) -> Parts:
    """A tenth of the items to choose by and a tenth to measure on (at most 1,000 each), at random.

    One item of each label is always trained on.

    Args:
        labels: those of each item.
        what: what the items are, for titles and errors.

    Raises:
        ValueError: there are fewer than ten items.

    >>> parts = three_parts("abcdefghijkl", ["x"] * 11 + ["y"], "letters", 0)
    >>> [len(part) for part in parts[:3]], "l" in parts.training, parts.remarks[1]
    ([10, 1, 1], True, 'too rare to be measured: y')
    """
    if len(items) < FEWEST:
        few = f"1 {what[:-1]} is" if len(items) == 1 else f"{len(items)} {what} are"
        blank = ", with a blank line after each" if what == "sentences" else ""
        raise ValueError(f"{few} too few; give at least {FEWEST}{blank}")
    order = np.random.default_rng(seed).permutation(len(items)).tolist()
    seen: set[str] = set()
    first: list[int] = []
    for i in order:
        if not set(labels[i]) <= seen:
            first.append(i)
            seen |= set(labels[i])
    chosen = set(first)
    order = [i for i in order if i not in chosen] + first
    tenth = min(len(items) // 10, MOST, max(1, (len(order) - len(first)) // 2))
    cuts = order[:tenth], order[tenth : 2 * tenth], order[2 * tenth :]
    test, choosing, training = ([items[i] for i in cut] for cut in cuts)
    measured = {label for i in cuts[0] for label in labels[i]}
    counts = f"{len(choosing):,} to choose by, {len(test):,} to measure on"
    remarks = [f"trained on {len(training):,} {what}; {counts}"]
    if lacking := sorted(seen - measured):
        names = ", ".join(lacking[:5]) + (", ..." if len(lacking) > 5 else "")
        remarks.append(f"too rare to be measured: {names}")
    return Parts(training, choosing, test, tuple(remarks))


def needs_file(door: str, **options: object) -> None:
    """Refuse options that say how to read a file that was not given.

    Raises:
        ValueError: names the first.
    """
    for name, value in options.items():
        if value is not None:
            raise ValueError(f"{flag(name)} {value} needs a file; give {flag(door)} FILE as well")
