"""An error for a name that is not there, which says what is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


def missing(
    what: str, name: str, known: Iterable[str], elsewhere: Mapping[str, str] | None = None
) -> AttributeError:
    """The AttributeError for ``name``, to be raised: with what to use instead, where that can be told.

    Args:
        what: what was asked, such as ``micrornn.nn``.
        known: the names that it has; one that is spelled alike is suggested.
        elsewhere: by name, what to use instead.

    >>> missing("micrornn.nn", "Lstm", ["LSTM", "GRU"])
    AttributeError("micrornn.nn has no 'Lstm'; did you mean 'LSTM'?")
    """
    text = f"{what} has no {name!r}"
    names = [n for n in known if not n.startswith("_")]
    if elsewhere and name in elsewhere:
        return AttributeError(f"{text}: {elsewhere[name]}", name=name)
    lower = {n.lower(): n for n in names}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.75)
    hint = f"; did you mean {lower[close[0]]!r}?" if close else ""
    return AttributeError(text + hint, name=name)
