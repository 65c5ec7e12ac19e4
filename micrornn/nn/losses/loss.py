"""What losses share: the module of a loss, weights, and reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.nn.applied import Applied
from micrornn.ops.reduce import mean, sum

Array = np.ndarray[Any, Any]
Loss = Callable[[Any, Any], Tensor]  # loss(output, target)


class LossModule(Applied):
    """A loss as a module: it keeps the options of its function, and its result is named ``loss``.

    Weights are buffers, so they are in the ``state_dict``, as in PyTorch.
    """

    def _keep(self, name: str, value: Any) -> None:
        if name.endswith("weight"):
            if value is not None:
                values = amounts(type(self).__name__, name, value)
                value = value if isinstance(value, Tensor) else Tensor(values)
            self.register_buffer(name, value)
        else:
            super()._keep(name, value)

    def forward(self, *data: Any, **named: Any) -> Tensor:
        """The loss of the data, named ``loss``."""
        loss = super().forward(*data, **named)
        loss.name = "loss"
        return loss

    def extra_repr(self) -> str:
        """The options that are not the default."""
        usual = self.__signature__.parameters
        return ", ".join(
            f"{name}={getattr(value, 'data', value)!r}"
            for name, value in self.options.items()
            if isinstance(value, Tensor) or value != usual[name].default
        )


def reduced(each: Tensor, reduction: str) -> Tensor:
    """The mean or the sum of the losses, or the losses themselves."""
    if reduction == "none":
        return each
    return mean(each) if reduction == "mean" else sum(each)


def amounts(owner: str, name: str, given: Any) -> Array:
    """The weights of elements or classes as an array.

    Raises:
        ValueError: one is negative, NaN or infinite, or not a number.
    """
    values: Array = np.asanyarray(given._value if isinstance(given, Tensor) else given)
    if values.dtype.kind not in "fiub":
        raise ValueError(f"{owner}: {name}={given!r}; give numbers, 0 or more")
    if not (usable := (values >= 0) & (values < np.inf)).all():
        raise ValueError(
            f"{owner}: {values[~usable].flat[0]} in {name}; give finite numbers, 0 or more"
        )
    return values


def counts(function: str, name: str, given: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """The weights of elements in the dtype of the loss; a tensor that requires a gradient stays a tensor.

    Raises:
        ValueError: as `amounts`, or a weight does not broadcast to ``shape``.
    """
    values = amounts(function, name, given)
    try:
        np.broadcast_to(values, shape)
    except ValueError:
        raise ValueError(
            f"{function}: {name} of shape {values.shape} for losses of shape {shape}; give one number per "
            "element, or a shape that broadcasts to that"
        ) from None
    return given if isinstance(given, Tensor) and given.requires_grad else values.astype(dtype)


def nothing_counts(function: str, why: str) -> ValueError:
    """The error for a mean over no target."""
    return ValueError(
        f"{function}: no target is left to take the mean over ({why}); skip this batch, or give "
        "reduction='sum'"
    )
