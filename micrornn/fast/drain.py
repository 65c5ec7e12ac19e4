"""`backward.gradients` in one loop, for when nothing looks at the pullbacks on the way.

Along a chain, which is what an unrolled network is, nothing else is waiting: so the next node is kept out
of the heap, and leaves never enter it.
"""

from __future__ import annotations

from collections.abc import Container
from heapq import heappop, heappush
from typing import Any

import numpy as np

from micrornn.core import backward, context
from micrornn.core.tensor import Tensor
from micrornn.cotangent import Unwritten

_core = backward.gradients


def gradients(out: Tensor, seed: Any, wanted: Container[int] = ()) -> list[tuple[Tensor, Any]]:
    """The leaves that were reached, and the nodes numbered in ``wanted``, each with its gradient."""
    if isinstance(seed, Tensor) or context.current().observers:
        return _core(out, seed, wanted)
    # By number, the nodes that something has arrived at, with the sum of it; in the heap, those that are no
    # leaves.
    pending: dict[int, list[Any]] = {}
    heap: list[int] = []
    found: list[tuple[Tensor, Any]] = []
    node, g, number = out, seed, out.number
    if not node.inputs:
        return [(node, g)]
    with context.long_loop():
        while number:
            if type(g) is not np.ndarray and isinstance(g, Unwritten):
                g = g.dense()
            primitive = node.primitive
            while primitive.recall:  # the history of the node was forgotten
                node = _recalled(node, g, pending)
                primitive = node.primitive
            if number in wanted:
                found.append((node, g))
            inputs = node.inputs
            try:
                contributions = primitive.pull(node, g)
            except Exception as error:
                backward.noted(error, node)
                raise
            if heap:
                number = -heappop(heap)
                node, g = pending.pop(number)
            else:
                number = 0
            i = 0  # counted by hand, which zip and enumerate are slower at
            for x in inputs:
                c = contributions[i]
                i += 1
                if c is None:
                    continue
                n = x.number
                if n == number:
                    g = g + c
                elif n in pending:
                    entry = pending[n]
                    entry[1] = entry[1] + c
                elif not x.inputs:
                    pending[n] = [x, c]
                elif n > number:
                    if number:
                        pending[number] = [node, g]
                        heappush(heap, -number)
                    number, node, g = n, x, c
                else:
                    pending[n] = [x, c]
                    heappush(heap, -n)
    found += [(node, backward.dense(g)) for node, g in pending.values()]  # what is left are leaves
    return found


def _recalled(node: Tensor, g: Any, pending: dict[int, list[Any]]) -> Tensor:
    """A forgotten node with its history; and the same for others that are pending."""
    pending[node.number] = [node, g]

    def waiting(number: int) -> Tensor | None:
        return pending[number][0] if number in pending else None

    for number, again in node.primitive.recall(node, waiting).items():
        pending[number][0] = again
    found: Tensor = pending.pop(node.number)[0]
    return found
