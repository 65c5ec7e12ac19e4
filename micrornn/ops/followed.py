"""Arrays that a trace follows, from the arguments of a compiled function to the graph."""

from __future__ import annotations

from typing import Any

import numpy as np


def followed(data: Any) -> bool:
    """Whether a trace follows an array: then its values should decide nothing that can be left open."""
    return hasattr(data, "origin")


def fresh(data: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    """A new array of the same values, which a trace follows if it followed the old one."""
    return data.astype(dtype or data.dtype) if followed(data) else np.array(data, dtype)
