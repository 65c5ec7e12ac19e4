"""Arrays from outside, such as the tensors of PyTorch, as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor


def as_array(value: Any, what: str) -> np.ndarray[Any, Any]:
    """A new array of real numbers from an array, a list, or a tensor of micrornn or PyTorch.

    This does not need PyTorch: its tensors are recognized by their methods.

    Args:
        value: the array.
        what: its name, for error messages.

    Raises:
        TypeError: it does not hold real numbers.

    >>> as_array([[1, 2]], "weight")
    array([[1, 2]])
    """
    given = value
    if isinstance(value, Tensor):
        value = value._value
    elif hasattr(value, "detach"):  # a tensor of PyTorch, perhaps in a graph or on a device
        value = value.detach().cpu()
        if "bfloat16" in str(
            value.dtype
        ):  # which NumPy does not have; float32 holds all of its values
            value = value.float()
        value = value.numpy()
    try:
        array = np.array(value)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{what} is of type {type(given).__name__} and holds {array.dtype}; give real numbers in a "
            "regular shape"
        )
    return array


def floating(dtype: Any) -> np.dtype[Any]:
    """A floating-point dtype of NumPy.

    Raises:
        TypeError: it is not one.

    >>> floating("float32")
    dtype('float32')
    """
    found: np.dtype[Any]
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if dtype is None or found.kind != "f":
        raise TypeError(
            f"dtype={dtype!r}; give a floating-point dtype of NumPy, such as 'float32' (micrornn computes "
            "with NumPy, on the CPU)"
        )
    return found
