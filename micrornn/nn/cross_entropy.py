"""Cross-entropy from logits, in one piece: what softmax and log would lose apart is never formed.

Its gradient is what every derivation of BPTT begins with: dL/dlogits = p - y, the predicted probabilities
minus the target's. Give logits, never probabilities: softmax before it would be applied twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.ops.reduce import log_softmax, softmax
from micrornn.ops.shape import expand_dims
from micrornn.primitive import primitive, sample
from micrornn.tensor import Data, Tensor, lift

REDUCTIONS = ("mean", "sum", "none")


def _forward(x: Data, q: Data, *, axis: int, total: bool) -> Data:
    # Where the target has no share, a logit of -inf costs nothing: 0 times -inf is not formed.
    logs = log_softmax(x, axis)
    terms = np.multiply(q, logs, where=q != 0, out=np.zeros_like(logs))
    return -np.add.reduce(terms, axis=None if total else axis)


def _spread(g: Any, axis: int, total: bool) -> Any:
    return g if total else expand_dims(g, axis)


def _to_logits(g: Any, y: Any, x: Any, q: Any, axis: int, total: bool) -> Any:
    p = softmax(x, axis)
    return _spread(g, axis, total) * (p * q.sum(axis, keepdims=True) - q)


def _to_target(g: Any, y: Any, x: Any, q: Any, axis: int, total: bool) -> Any:
    return -(_spread(g, axis, total) * log_softmax(x, axis))


def _from_logits(d: Any, y: Any, x: Any, q: Any, axis: int, total: bool) -> Any:
    p = softmax(x, axis)
    return ((p * q.sum(axis, keepdims=True) - q) * d).sum(None if total else axis)


def _from_target(d: Any, y: Any, x: Any, q: Any, axis: int, total: bool) -> Any:
    return -((log_softmax(x, axis) * d).sum(None if total else axis))


_cross_entropy = primitive(
    "cross_entropy",
    "-Σ q ln softmax(x)",
    forward=_forward,
    vjp=(_to_logits, _to_target),
    jvp=(_from_logits, _from_target),
    samples=(
        sample((4,), (4,), axis=0, total=True),
        sample((2, 3), (2, 3), axis=1, total=True),
        sample((2, 3), (2, 3), axis=1, total=False),
        sample((2, 3, 2), (2, 3, 2), axis=1, total=False),
    ),
    symbol="CE",
)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-ln of the probability that softmax(input) gives to the target, as PyTorch's ``cross_entropy``.

    Args:
        input: logits, (C,), (N, C) or (N, C, d1, ...): the classes are axis 1, or 0 if it is the only one.
        target: class indices, (), (N,) or (N, d1, ...); or probabilities in the shape of ``input``.
        weight: (C,), how much each class counts.
        ignore_index: targets of this class count nothing, not in the mean either.
        reduction: ``"mean"`` (over the targets, by their weights), ``"sum"``, or ``"none"``: one each.
        label_smoothing: this share of every target is spread evenly over the classes.

    Raises:
        ValueError: a shape, an index or an option is wrong, or a mean has nothing to be taken over.

    >>> import micrornn as mr
    >>> logits = mr.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    >>> loss = mr.nn.functional.cross_entropy(logits, 3)
    >>> loss.backward()
    >>> (logits.grad - logits.softmax().data).round(12)  # minus one at the target
    array([ 0.,  0.,  0., -1.])
    """
    check_reduction(reduction, "cross_entropy")
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"label_smoothing={label_smoothing!r}; give a share between 0 and 1")
    x = lift(input)
    shape = x.shape
    if not shape:
        raise ValueError("cross_entropy wants logits of shape (C,) or (N, C, ...), not one number")
    axis = 0 if len(shape) == 1 else 1
    classes = shape[axis]
    if weight is not None:
        weight = np.asarray(weight._data if isinstance(weight, Tensor) else weight, x.dtype)
        if weight.shape != (classes,):
            raise ValueError(f"weight of shape {weight.shape} was given for {classes} classes")
    q: Any
    if not isinstance(target, Tensor):
        target = np.asarray(target)
    if target.dtype.kind in "iu":
        indices = np.asarray(target._data if isinstance(target, Tensor) else target)
        q, count = _from_classes(indices, x, axis, weight, ignore_index, label_smoothing)
    elif target.shape == shape:
        q = target if isinstance(target, Tensor) else target.astype(x.dtype)
        if label_smoothing:
            q = q * (1.0 - label_smoothing) + label_smoothing / classes
        if weight is not None:
            q = q * weight.reshape(-1, *[1] * (len(shape) - axis - 1))
        count = x.size / classes
    else:
        raise ValueError(
            f"cross_entropy: target of shape {target.shape} and dtype {target.dtype} for logits of shape "
            f"{shape}; give integers of shape {shape[:axis] + shape[axis + 1 :]}, or probabilities of "
            f"shape {shape}"
        )
    if reduction == "mean":
        if not count:
            raise ValueError(
                f"cross_entropy: no target is left to take the mean over (ignore_index={ignore_index}); "
                "leave this batch out, or give reduction='sum'"
            )
        if count != 1.0:
            q = q / count
    return _cross_entropy(x, q, axis=axis, total=reduction != "none")


def _from_classes(
    target: np.ndarray[Any, Any],
    x: Tensor,
    axis: int,
    weight: np.ndarray[Any, Any] | None,
    ignore_index: int,
    smoothing: float,
) -> tuple[np.ndarray[Any, Any], float]:
    """Class indices as shares of the classes, in the shape of x, and how much the targets count in all."""
    shape, classes = x.shape, x.shape[axis]
    expected = shape[:axis] + shape[axis + 1 :]
    if target.shape != expected:
        raise ValueError(
            f"cross_entropy: class indices of shape {target.shape} for logits of shape {shape}; "
            f"give shape {expected} (classes are axis {axis} of the logits)"
        )
    flat = target.ravel()
    amounts: Any = 1.0 if weight is None else weight[flat % classes]
    counted = flat != ignore_index
    if not counted.all():
        amounts = amounts * counted
        flat = np.where(counted, flat, 0)
    if flat.size and (flat.min() < 0 or flat.max() >= classes):
        wrong = flat[(flat < 0) | (flat >= classes)][0]
        raise ValueError(
            f"cross_entropy: class {wrong} among the targets, but the logits have classes 0 to "
            f"{classes - 1}; to leave targets out, give ignore_index={wrong}"
        )
    rows = np.zeros((flat.size, classes), x.dtype)
    rows[np.arange(flat.size), flat] = amounts
    count = float(np.sum(amounts)) if np.ndim(amounts) else float(flat.size)
    if smoothing:
        even = np.outer(counted, np.ones(classes) if weight is None else weight)
        rows = (rows * (1.0 - smoothing) + even * (smoothing / classes)).astype(x.dtype)
    return np.moveaxis(rows.reshape(*expected, classes), -1, axis), count


def check_reduction(reduction: str, function: str) -> None:
    """Refuse a reduction that does not exist."""
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"{function}: reduction={reduction!r}; give one of {', '.join(map(repr, REDUCTIONS))}"
        )
