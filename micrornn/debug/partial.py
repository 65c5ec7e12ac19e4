"""The running sum of what a node has received, at any point, without a copy for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrornn.recording.passes import total

BLOCK = 512  # contributions that are added up together
KEPT = 16  # sums kept on the way, spread evenly


class Partial:
    """Sums of the first k contributions, for any k.

    A sum is always taken block by block, and only every so many-th is kept, so that memory is that of a
    few gradients, any sum costs little, and the same k gives the same bits whatever was asked before.

    >>> sums = Partial([1.0, 2.0, 3.0])
    >>> sums.upto(2), sums.upto(3), sums.upto(1)
    (3.0, 6.0, 1.0)
    """

    def __init__(self, contributions: Sequence[Any]) -> None:
        self._parts = contributions
        blocks = len(contributions) // BLOCK
        self._stride = max(1, -(-blocks // KEPT))
        self._kept: dict[int, Any] = {}

    def upto(self, k: int) -> Any:
        """The sum of the first k, written out; k is at least 1."""
        whole, rest = divmod(k, BLOCK)
        amount = self._blocks(whole) if whole else None
        if rest:
            last = total(self._parts[whole * BLOCK : k])
            amount = last if amount is None else amount + last
        return amount

    def _blocks(self, count: int) -> Any:
        begin = max((b for b in self._kept if b <= count), default=0)
        amount = self._kept.get(begin)
        for b in range(begin, count):
            part = total(self._parts[b * BLOCK : (b + 1) * BLOCK])
            amount = part if amount is None else amount + part
            if (b + 1) % self._stride == 0:
                self._kept[b + 1] = amount
        return amount
