"""One entry of the closed list of what the diagnosis can find."""

from __future__ import annotations

from typing import NamedTuple


class Verdict(NamedTuple):
    """One thing that can be wrong.

    Attributes:
        name: as it is reported.
        looks: how it shows.
        why: why it keeps a network from learning.
        do: what to do, the most promising first.
    """

    name: str
    looks: str
    why: str
    do: tuple[str, ...]
