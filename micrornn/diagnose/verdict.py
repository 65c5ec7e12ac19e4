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

    @property
    def slug(self) -> str:
        """The name as `micrornn diagnose --explain` takes it, and as docs/diagnosis.md links to it.

        >>> Verdict("CTC of logits", "", "", ()).slug
        'ctc-of-logits'
        """
        return slug(self.name)

    def __str__(self) -> str:
        lines = (self.looks, self.why, *(f"try: {what}" for what in self.do))
        return "\n   ".join((self.name, *lines))


def slug(name: str) -> str:
    """A name in lower case, with hyphens for spaces."""
    return "-".join(name.lower().split())
