"""What was computed beside PyTorch, compared with what PyTorch computed: nothing is trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.recording import RecordingError
from micrornn.torch.values import Values, array

# What rounding may change, relative to the largest element: of a value, and where gradients cancel.
_ROUNDING = {np.dtype(np.float64): 1e-8, np.dtype(np.float32): 2e-3}
_CANCELLED = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-3}
_HALF = 0.1
_ADDED = 4.0  # units in the last place of a gradient that was added to


class TorchRecordingError(RecordingError):
    """What was computed beside PyTorch differs from what PyTorch computed; the message says where."""


_LATER = 0.1  # of the largest element


def compare_values(values: Values, later: bool = False) -> None:
    """Refuse a recording in which an operation gave other values than in PyTorch.

    Args:
        values: what was computed here, with PyTorch's own.
        later: whether these are of a later iteration of a training, see `compare_gradients`.

    Raises:
        TorchRecordingError: names the first such operation.
    """
    for tensor, node in values.outputs():
        own = array(tensor)
        if later and not np.isfinite(own).all():
            continue  # an overflow: sums in another order reach it one operation sooner or later
        gap = _gap(own, node._value)
        if gap > max(_allowed(node), _LATER if later else 0.0):
            where = f", at {node.source[0]}, line {node.source[1]}" if node.source else ""
            raise TorchRecordingError(
                f"{node.primitive.name}{where} gives other values than PyTorch: they differ by "
                f"{gap:.2g} of "
                "the largest. Please report this operation"
            )


def both_gradients(tensor: Any, leaves: list[Tensor], before: Any) -> tuple[Any, Any, float]:
    """What a backward pass added to a parameter's gradient, in PyTorch and here, and what rounding hides.

    PyTorch adds to the gradient that is there already: next to a large one, digits of a small one are lost.
    """
    nothing = np.zeros(leaves[0].shape)
    now = nothing if tensor.grad is None else array(tensor.grad)
    found = sum([leaf.grad for leaf in leaves if leaf.grad is not None], nothing)
    if before is None:
        return now, found, 0.0
    return now - before, found, _ADDED * float(np.finfo(now.dtype).eps) * _size(before)


def compare_gradients(
    theirs: list[tuple[Tensor, Any, Any, float]], halved: bool = False, later: bool = False
) -> None:
    """Refuse a recording whose gradients are not PyTorch's.

    Where contributions cancel, as at a bias before a softmax, what is left is rounding: it is measured
    against the largest gradient of all.

    Args:
        theirs: leaves, each with PyTorch's gradient, ours, and by how much rounding alone may part them.
        halved: whether PyTorch computed something in half precision.
        later: whether these are later iterations of a training whose first one was compared: what is
            recorded wrongly shows in the first, and where a training explodes, rounding does too.

    Raises:
        TorchRecordingError: names the parameter.
    """
    largest = max((_size(own) for _, own, _, _ in theirs), default=0.0)
    for leaf, own, found, rounding in theirs:
        if later and not np.isfinite(own).all():
            continue  # as in `compare_values`
        allowed = _HALF if halved else _allowed(leaf)
        allowed = max(allowed, _LATER) if later else allowed
        cancelled = largest * _CANCELLED[np.dtype(leaf.dtype)]
        gap = _gap(own, found, max(cancelled, rounding / allowed))
        if gap > allowed:
            raise TorchRecordingError(
                f"the gradient of {leaf.name or 'a parameter'} differs from PyTorch's by {gap:.2g} "
                f"of its "
                "largest element. An operation between it and the loss is recorded wrongly; please "
                "report it"
            )


def _size(values: Any) -> float:
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def _gap(own: Any, found: Any, size: float = 0.0) -> float:
    """The largest difference, relative to the largest finite element (or ``size``, if that is larger).

    NaN and infinities must agree.
    """
    own, found = np.asarray(own, dtype=float), np.asarray(found, dtype=float)
    finite = np.isfinite(own) & np.isfinite(found)
    same = (own == found) | (np.isnan(own) & np.isnan(found))
    if not (finite | same).all():
        return float("inf")
    size = max(size, _size(own), _size(found))
    gap = np.abs(own[finite] - found[finite]).max(initial=0.0)
    return float(gap / size) if size > 1e-30 else 0.0


def _allowed(node: Tensor) -> float:
    return _ROUNDING.get(np.dtype(node.dtype), 2e-3)
