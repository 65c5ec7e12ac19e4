"""Catch NaN and infinity where they are born, forward or backward."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrornn.core.backward import Pullback, dense
from micrornn.core.context import observed
from micrornn.core.tensor import Tensor, describe, shape_of
from micrornn.source import calling_line


class NonFiniteError(FloatingPointError):
    """A NaN or an infinity was born.

    Attributes:
        node: the node that made it (forward), or whose pullback sent it (backward).
        direction: "forward" or "backward".
    """

    def __init__(self, message: str, node: Tensor, direction: str) -> None:
        super().__init__(message)
        self.node = node
        self.direction = direction


class _Trap:
    def on_node(self, node: Tensor) -> None:
        node.source = calling_line()
        if not _finite(node._value):
            values = node.values
            born = all(_finite(v) for v in values)
            raise NonFiniteError(
                f"forward: {_what(node._value)} born in {describe(node)} of shape {node.shape}"
                + _ranges(values)
                + ("" if born else " (an input was not finite already)"),
                node,
                "forward",
            )

    def on_pullback(self, pullback: Pullback) -> None:
        node = pullback.node
        if not _finite(pullback.gradient):
            raise NonFiniteError(
                f"backward: {_what(pullback.gradient)} arrived at {describe(node)}",
                node,
                "backward",
            )
        for i, sent in enumerate(pullback.contributions):
            if sent is not None and not _finite(dense(sent)):
                raise NonFiniteError(
                    f"backward: {_what(dense(sent))} born in the pullback of {describe(node)}, "
                    f"sent to input {i}, {describe(node.inputs[i])}{_ranges(node.values)}",
                    node,
                    "backward",
                )


@contextmanager
def trap_nonfinite() -> Iterator[None]:
    """Raise where a NaN or an infinity is born, in the forward or the backward pass inside.

    Raises:
        NonFiniteError: names the node, its scope, step and source line, and the direction.

    >>> import micrornn as mr
    >>> with mr.trap_nonfinite(), mr.scope(t=3):
    ...     mr.Value(1e200) * 1e200
    Traceback (most recent call last):
    micrornn.trap.NonFiniteError: forward: inf born in mul #... at step 3 made at ...
    """
    with observed(_Trap()), np.errstate(all="ignore"):  # the trap says more than NumPy's warning
        yield


def _finite(value: Any) -> bool:
    value = value._value if isinstance(value, Tensor) else value
    return bool(np.isfinite(value).all())


def _what(value: Any) -> str:
    value = value._value if isinstance(value, Tensor) else value
    return "NaN" if np.isnan(value).any() else str(np.asarray(value)[np.isinf(value)].flat[0])


def _ranges(values: tuple[Any, ...]) -> str:
    if not values:
        return ""
    spans = [f"{shape_of(v)} in [{np.min(v):.3g}, {np.max(v):.3g}]" for v in values if np.size(v)]
    return "; its inputs: " + ", ".join(spans)
