"""Python's cyclic collector, held off while a graph grows or is swept.

A graph has no reference cycles: it is freed by reference count. Yet every node is an object that the
collector may walk, again and again as the graph grows, and for 100,000 steps that walk costs more than
the arithmetic. So the loops that are ours pause it, and for the loops of users it is made to run less often.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Hold the cyclic garbage collector off inside, and leave it as it was found.

    >>> import gc
    >>> with paused():
    ...     gc.isenabled()
    False
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def relax() -> None:
    """Run the collector after 20,000 new objects, unless Python's own setting was changed already."""
    young, *older = gc.get_threshold()
    if young in (700, 2000):  # as Python sets it
        gc.set_threshold(20_000, *older)
