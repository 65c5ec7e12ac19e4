"""Arrays from outside: what other libraries call a tensor, as a NumPy array."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.tensor import Tensor


def as_array(value: Any, what: str) -> np.ndarray[Any, Any]:
    """A fresh array of real numbers from an array, a list, a tensor of ours, or one of PyTorch's.

    PyTorch is not needed for that: its tensors are known by their methods.

    Args:
        value: what was given.
        what: its name, for the error.

    Raises:
        TypeError: it is not made of real numbers.

    >>> as_array([[1, 2]], "weight")
    array([[1, 2]])
    """
    given = value
    if isinstance(value, Tensor):
        value = value._data
    elif hasattr(value, "detach"):  # from a graph that is not ours, on a device that is not ours
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
        TypeError: it is none.

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
