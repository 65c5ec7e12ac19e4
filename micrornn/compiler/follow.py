"""Follow: the forward of an operation as the calls of NumPy that it makes."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.compiler.program import (
    Row,
    Rows,
    Value,
    dtype_of,
    leaf,
    mapped,
    shape_at,
    unknown,
    uses,
)
from micrornn.compiler.trace import values_behind
from micrornn.compiler.traced import STRICT, traced
from micrornn.core.primitive import Primitive, in_numpy


def followed_forward(v: Value, moved: Any = lambda r: r) -> tuple[list[Value], Any] | None:
    """The calls, and the reference to their result; None if they cannot be followed.

    Args:
        moved: what takes the place of each reference.
    """
    if not isinstance(v.call, Primitive):
        return None
    forwards = dict.fromkeys([getattr(v.call, "declared", v.call.forward), v.call.forward])
    return next(filter(None, [_followed(v, forward, moved) for forward in forwards]), None)


def _followed(v: Value, forward: Any, moved: Any) -> tuple[list[Value], Any] | None:
    holes: dict[int, Any] = {}

    def standing(reference: Any) -> Any:
        new = moved(reference)
        if type(new) in (int, float):
            return new
        ones = unknown(shape_at(reference, v.loop), dtype_of(reference))
        hole = leaf(None, ones)
        holes[hole.number] = new
        return traced(ones, hole)

    STRICT.append(True)
    try:
        args, kwargs = mapped(v.args, standing), mapped(v.kwargs, standing)
        with np.errstate(all="ignore"):
            y = in_numpy(forward, args, kwargs)
        values, (result,) = values_behind([y], holes)
    except Exception:  # whatever a forward does with values that are not those of a run
        return None
    finally:
        STRICT.pop()
    if not isinstance(result, (Value, Row, Rows)):
        return None
    seen = [r for value in values for r in uses(value)]
    if result not in values:
        seen.append(result)
    if any(not any(r is x or r == x for x in seen) for r in holes.values()):
        return None  # something was lost on the way
    return values, result


KNOWN: dict[Any, bool] = {}


def followable(v: Value) -> bool:
    """Whether the forward of an operation can be followed."""
    key = (v.call, v.shape, len(v.args), tuple(sorted(v.kwargs)))
    if key not in KNOWN:
        KNOWN[key] = followed_forward(v) is not None
    return KNOWN[key]
