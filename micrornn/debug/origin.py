"""Where a recording comes from, as far as a session knows: what records it again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple


class Origin(NamedTuple):
    """Where a recording comes from, so that it can be made again.

    Attributes:
        source: a SOURCE, as the command line takes it: a task, FILE.py:NAME, a recording or a checkpoint.
        options: those of a task that differ from its defaults.
    """

    source: str
    options: Mapping[str, Any] = {}


def origin_of(function: Any) -> Origin | None:
    """FILE.py:NAME for a function at the top of a file; None for any other thing.

    >>> origin_of(origin_of).source.endswith("origin.py:origin_of"), origin_of(3)
    (True, None)
    """
    code, name = getattr(function, "__code__", None), getattr(function, "__qualname__", "")
    if code is None or not name.isidentifier() or not os.path.isfile(code.co_filename):
        return None
    return Origin(f"{os.path.abspath(code.co_filename)}:{name}")
