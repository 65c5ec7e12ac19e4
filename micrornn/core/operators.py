"""What operations offer: functions of micrornn, methods and operators of tensors, NumPy's functions.

An operation says in its own block how it can be called, and nothing else has to name it: `micrornn` exports
`FUNCTIONS`, tensors inherit from `Operators`, and NumPy's functions are looked up in `NUMPY`. The stub
operators.pyi, for type checkers, is generated from the same declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

FUNCTIONS: dict[str, Callable[..., Any]] = {}
NUMPY: dict[Any, Callable[..., Any]] = {}

_REFLECTED = ("__radd__", "__rsub__", "__rmul__", "__rtruediv__", "__rpow__", "__rmatmul__")


class Operators:
    """The methods and operators that operations have offered; a tensor inherits them."""

    __slots__ = ()


def offer(
    function: Callable[..., Any], methods: str = "", numpy: Sequence[Callable[..., Any]] = ()
) -> None:
    """Offer a function as `micrornn.<its name>`, unless the name begins with an underscore.

    Args:
        methods: names under which it is a method or an operator of tensors, separated by spaces.
        numpy: the NumPy functions that mean the same.
    """
    if not function.__name__.startswith("_"):
        FUNCTIONS[function.__name__] = function
    for method in methods.split():
        flipped = method in _REFLECTED  # 2 - t is t.__rsub__(2)
        setattr(Operators, method, _flipped(function) if flipped else function)
    NUMPY.update(dict.fromkeys(numpy, function))


def _flipped(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(other, self)
