"""The engine of `micrornn.core`, quicker, and with the same results.

Nothing here adds to what the engine means: set ``MICRORNN_PLAIN=1``, or delete this folder, and all else
works as before. Each part replaces one thing in the core, and can be left out by its name:
``MICRORNN_PLAIN=calls,collector``.

    part        replaces                        by                                         gains
    calls       `primitive.operation_of`        one call for each number of inputs         1.1 to 2.1
    forwards    the forward of some operations  cheaper ways to ask NumPy for the same     1.0 to 1.5
    pulls       `Primitive.pull`                one pull for each number of inputs         1.0 to 3.6
    rules       the vjp of some operations      no temporaries; outer products unwritten   1.0 to 2.0
    drain       `backward.gradients`            one loop, without a stream to look at      1.0 to 1.5
    collector   `context.long_loop`             Python's garbage collector held off        1.0 to 1.3

A gain is how many times as long a training step takes without the part: the first number is for an LSTM on
batches, the last for a network of scalars (``python benchmarks/fast.py`` measures it). All of it together:
1.6 to 6.
"""

from __future__ import annotations

import os

from micrornn.core import backward, context, primitive
from micrornn.fast import collector, drain, operations

PARTS = ("calls", "forwards", "pulls", "rules", "drain", "collector")

_asked = os.environ.get("MICRORNN_PLAIN", "")
PLAIN = frozenset(PARTS if _asked in ("1", "all") else _asked.split(","))  # what is left as it is

if not PLAIN.issuperset(PARTS):
    primitive.operation_of = operations.maker(PLAIN, primitive.operation_of)
if "drain" not in PLAIN:
    backward.gradients = drain.gradients
if "collector" not in PLAIN:
    context.long_loop = collector.paused
    collector.relax()
