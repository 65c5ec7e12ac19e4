"""The norm of all gradients and clipping, between backward and the optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor, describe
from micrornn.options import check
from micrornn.source import note

Parameters = Tensor | Iterable[Tensor]


def get_total_norm(tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False) -> float:
    """The norm of several arrays or tensors as one concatenated vector.

    Raises:
        ValueError: ``norm_type`` is not a positive number or ``inf``; or ``error_if_nonfinite``, and the norm
            is nan or inf.

    >>> import numpy as np
    >>> get_total_norm([np.array([3.0]), np.array([[0.0, 4.0]])])
    5.0
    """
    check("get_total_norm", norm_type=norm_type, error_if_nonfinite=error_if_nonfinite)
    with np.errstate(over="ignore"):  # a square that overflows is taken again, scaled
        parts = [_norm(t._value if isinstance(t, Tensor) else t, norm_type) for t in tensors]
        total = _norm(np.array(parts), norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise ValueError(
            f"get_total_norm: the norm is {total}; find where it appears first with mr.trap_nonfinite()"
        )
    return total


def clip_grad_norm_(
    parameters: Parameters,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients together so that their norm is at most ``max_norm`` (Pascanu et al. 2013, alg. 1).

    The norm is over all parameters, so the direction stays. As in PyTorch, the divisor is the norm plus
    1e-6. Clipping does not remove inf or NaN; ``error_if_nonfinite=True`` raises an error instead.

    Returns:
        The norm before clipping.

    Raises:
        ValueError: ``error_if_nonfinite`` and a gradient holds nan or inf; ``max_norm`` is negative.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> w = nn.Parameter([0.0, 0.0])
    >>> w.grad = np.array([3.0, 4.0])
    >>> clip_grad_norm_([w], 1.0)
    5.0
    >>> w.grad.round(4)
    array([0.6, 0.8])
    """
    check("clip_grad_norm_", max_norm=max_norm, error_if_nonfinite=error_if_nonfinite)
    wanted = _with_grad(parameters)
    total = get_total_norm([parameter.grad for parameter in wanted], norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        grads: list[Any] = [p.grad for p in wanted]
        culprits = [describe(p) for p, g in zip(wanted, grads) if not np.isfinite(g).all()]
        which = f"the gradient of {culprits[0]} holds nan or inf" if culprits else "it overflowed"
        raise ValueError(
            f"the norm of the gradients is {total}: {which}, which clipping does not remove. Find where it "
            "appears first with mr.trap_nonfinite(), or skip this update"
        )
    note("clipping", total, max_norm)
    factor = max_norm / (total + 1e-6)
    if not factor >= 1.0:  # nan too: then every gradient becomes nan, as in PyTorch
        with np.errstate(invalid="ignore"):
            for parameter in wanted:
                grad: Any = parameter.grad
                parameter.grad = grad * factor
    return total


def clip_grad_value_(parameters: Parameters, clip_value: float) -> None:
    """Clip every element of every gradient to [-clip_value, clip_value]; this changes the direction.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> w = nn.Parameter([0.0, 0.0])
    >>> w.grad = np.array([3.0, -0.5])
    >>> clip_grad_value_([w], 1.0)
    >>> w.grad
    array([ 1. , -0.5])
    """
    check("clip_grad_value_", clip_value=clip_value)
    for parameter in _with_grad(parameters):
        grad: Any = parameter.grad
        clipped = np.clip(grad, -clip_value, clip_value)
        parameter.grad = float(clipped) if isinstance(grad, float) else clipped


def forget_grad(parameter: Tensor, set_to_none: bool = True) -> None:
    """Reset a gradient to None, or to zeros if there is one."""
    grad: Any = parameter.grad
    if set_to_none or grad is None:
        parameter.grad = None
    else:
        parameter.grad = 0.0 if isinstance(grad, float) else np.zeros_like(grad)


def _with_grad(parameters: Parameters) -> list[Tensor]:
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    parameters = list(parameters)
    for parameter in parameters:
        if not isinstance(parameter, Tensor):
            raise TypeError(
                f"parameters were expected, not {type(parameter).__name__}; give module.parameters()"
            )
    return [parameter for parameter in parameters if parameter.grad is not None]


def _norm(values: Any, order: float) -> float:
    array = np.asarray(values).ravel()
    if array.size == 0:
        return 0.0
    if order == 2.0 and array.dtype.kind == "f":
        square = float(array.dot(array))
        if 1e-30 < square < 1e30:
            return math.sqrt(square)
    sizes = np.abs(array.astype(np.float64))
    largest = float(sizes.max())
    if order == math.inf or largest == 0.0 or not math.isfinite(largest):
        return largest
    # Divided by the largest first, so that no power overflows and not all of them underflow.
    return largest * float(((sizes / largest) ** order).sum() ** (1.0 / order))
