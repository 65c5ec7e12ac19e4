"""The engine of `micrornn.core`, quicker, and with the same results.

Nothing here adds to what the engine means: set ``MICRORNN_PLAIN=1``, or delete this folder, and all else
works as before. Each part replaces one thing in the core, and can be left out by its name:
``MICRORNN_PLAIN=calls,collector``.

    part        replaces                          by
    calls       `primitive.operation_of`          one call for each number of inputs
    forwards    the forward of some operations    cheaper ways to ask NumPy for the same
    pulls       `Primitive.pull`                  one pull for each number of inputs
    rules       the vjp of some operations        the same without temporaries, or left unwritten
    drain       `backward.gradients`              one loop, without a stream to look at
    collector   `context.long_loop`               Python's garbage collector held off

``python benchmarks/fast.py`` measures what each of them gains.
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
