"""Linear recurrences h_t = a_t h_{t-1} + b_t, whose a and b do not depend on h: by a loop, or by a scan.

Two steps of h ← a h + b are one step of that form: (a₂, b₂) after (a₁, b₁) is (a₂ a₁, a₂ b₁ + b₂). The
combination is associative, so neighbors are combined in pairs, then pairs of pairs, up a tree of log₂ T
rounds; on the way down, every round fills in the states between (Blelloch 1990; Martin & Cundy 2018).
Backward goes along the same tree, by the rules of its products and sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import mul
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.equations import Step
from micrornn.nn.lengths import silenced
from micrornn.nn.recurrent import Recurrent
from micrornn.nn.sequence import part
from micrornn.ops.elementwise import where
from micrornn.ops.join import concatenate, stack
from micrornn.ops.shape import reshape

Terms = Callable[[Tensor], tuple[Tensor, Tensor]]  # from x to a and b
Reading = Callable[[Tensor, Tensor], Tensor]  # from h and x to the output


def linear_scan(a: Tensor, b: Tensor, times: Callable[[Any, Any], Tensor] = mul) -> Tensor:
    """All states of h_t = a_t h_{t-1} + b_t from h_0 = 0, in 2 log₂ T rounds of whole arrays.

    Round k upward works in the scope ``scan/up k`` and holds the pairs (a, b) of stretches of 2^k steps;
    round k downward, in ``scan/down k``, the states h at the end of every 2^k steps.

    Args:
        a, b: (T, ...), of shapes that broadcast; b in the shape of the states.
        times: the product of a with a, and of a with a state; elementwise by default.

    Returns:
        h_1 to h_T, in the shape of b.

    >>> import micrornn as mr
    >>> linear_scan(mr.tensor([0.5, 0.5, 0.5]), mr.tensor([1.0, 1.0, 1.0])).data
    array([1.  , 1.5 , 1.75])
    """
    rounds: list[tuple[Tensor, Tensor]] = []
    while len(b) > 1:
        rounds.append((a, b))
        with scope(f"scan/up {len(rounds)}"):
            later, earlier = a[1::2], len(b) // 2 * 2
            b = times(later, b[:earlier:2]) + b[1::2]
            a = times(later, a[:earlier:2])
            a.name, b.name = "a", "b"
    h = b
    for k in range(len(rounds) - 1, -1, -1):
        a, b = rounds[k]
        with scope(f"scan/down {k}"):
            first = b[:1]
            if len(b) > 2:  # what begins a pair follows the end of the pair before
                begun = times(a[2::2], h[: (len(b) - 1) // 2]) + b[2::2]
                first = concatenate([first, begun])
            h = _alternating(first, h)
            h.name = "h"
    return h


def _alternating(even: Tensor, odd: Tensor) -> Tensor:
    """The rows of two tensors in turn; the first may have one more."""
    n, shape = len(odd), odd.shape[1:]
    pairs = reshape(stack([even[:n], odd], 1), (2 * n, *shape))
    return pairs if len(even) == n else concatenate([pairs, even[n:]])


class LinearRecurrence(Recurrent):
    """A kind whose state is a linear recurrence: a_t and b_t by `_terms`, the output of h_t by `_reading`.

    Attributes:
        scan: whether `linear_scan` computes all steps at once, instead of one after another. The numbers
            are equal to rounding, and it may be changed at any time.
    """

    variants: tuple[tuple[str, Any], ...] = (("scan", False),)
    scan: bool

    def _terms(self, suffix: str) -> Terms:
        raise NotImplementedError

    def _reading(self, suffix: str) -> Reading | None:
        """What the output is, where it is not h."""
        return None

    def _times(self, a: Tensor, h: Tensor) -> Tensor:
        return a * h

    def _each(self, a: Tensor, b: Tensor) -> Tensor:
        """a, for every step."""
        return a

    def _one(self) -> Any:
        """The a that keeps a state as it is."""
        return 1.0

    def _equation(self, suffix: str) -> Step:
        terms, reading = self._terms(suffix), self._reading(suffix)

        def step(x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
            a, b = terms(x)
            h = self._times(a, h) + b
            h.name = "h"
            return (h,) if reading is None else (reading(h, x), h)

        return step

    def _at_once(self, suffix: str) -> Any:
        if not self.scan:
            return None
        if getattr(self, "checkpoint", None) is not None:
            raise ValueError(
                f"{type(self).__name__}: scan=True leaves checkpoint no steps to compute again; "
                "give one of them"
            )
        terms, reading = self._terms(suffix), self._reading(suffix)

        def run(
            times: Sequence[int],
            steps: Sequence[Tensor],
            state: tuple[Tensor, ...],
            real: list[Any],
        ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
            x = stack([steps[t - 1] for t in times])
            a, b = terms(x)
            a = self._each(a, b)
            if any(row is not None for row in real):  # in the padding the state stays: a = 1, b = 0
                rows = [real[t - 1] for t in times]
                a = where(_mask(rows, b.shape[1], a.ndim), a, self._one())
                b = where(_mask(rows, b.shape[1], b.ndim), b, 0.0)
            begin = b[:1] + self._times(a[:1], state[0])
            h = linear_scan(a, concatenate([begin, b[1:]]), self._times)
            read = h if reading is None else reading(h, x)
            states, outputs = [], []
            for i, t in enumerate(times):
                with scope(t=t):
                    states.append(part(h, i, "h"))
                    output = states[-1] if reading is None else part(read, i, "output")
                    outputs.append(silenced(output, real[t - 1]))
            return outputs, (states[-1],)

        return run


def _mask(real: list[Any], batch: int, axes: int) -> Any:
    """Which steps of which sequences are real, with so many axes."""
    mask = np.array([np.ones(batch, bool) if row is None else row for row in real])
    return mask.reshape(*mask.shape, *[1] * (axes - 2))
