"""What Python and NumPy do with a tensor: comparisons, conversions, `+=`, and NumPy's own functions."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any

import numpy as np

from micrornn.core.context import current
from micrornn.core.operators import NUMPY, Operators, offer
from micrornn.core.tensor import WRITE_ADVICE, Tensor, describe, shape_of
from micrornn.ops.elementwise import add, div, mul, sub
from micrornn.ops.followed import fresh
from micrornn.ops.piecewise import pow
from micrornn.ops.product import matmul

# -- questions about the value, which have no gradient to lose ----------------------------------------


def value_of(x: Any) -> Any:
    """Tensors, also inside lists and tuples, as their values."""
    if isinstance(x, Tensor):
        return x._value
    return type(x)(map(value_of, x)) if type(x) in (list, tuple) else x


def _asked(function: Callable[..., Any]) -> Callable[..., Any]:
    """A NumPy function of values as one that takes tensors too."""

    def ask(*args: Any, **kwargs: Any) -> Any:
        return function(*map(value_of, args), **{key: value_of(x) for key, x in kwargs.items()})

    ask.__name__ = "_" + function.__name__
    return ask


QUESTIONS: dict[Callable[..., Any], str] = {
    **{np.less: "__lt__", np.less_equal: "__le__", np.greater: "__gt__"},
    **{np.greater_equal: "__ge__", np.equal: "__eq__", np.not_equal: "__ne__"},
    **dict.fromkeys((np.isnan, np.isinf, np.isfinite, np.argmax, np.argmin, np.any, np.all), ""),
    **dict.fromkeys((np.allclose, np.isclose, np.array_equal, np.array_repr, np.array_str), ""),
    **dict.fromkeys((np.zeros_like, np.ones_like, np.shape, np.ndim, np.size), ""),
}
for _function, _method in QUESTIONS.items():
    offer(_asked(_function), _method, numpy=[_function])


def _square(x: Tensor) -> Tensor:
    return mul(x, x)


offer(_square, numpy=[np.square])


def _dot(a: Any, b: Any) -> Tensor:
    # NumPy's dot is three operations by the number of axes; the third has no name here.
    if not shape_of(a) or not shape_of(b):
        return mul(a, b)
    if len(shape_of(b)) > 2:
        raise TypeError(
            f"dot of shapes {shape_of(a)} and {shape_of(b)} is not supported; "
            "use matmul (@), or einsum for what NumPy's dot does here"
        )
    return matmul(a, b)


offer(_dot, "dot", numpy=[np.dot])


# -- in place ----------------------------------------------------------------------------------------


def _in_place(name: str, operation: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
    """``a += b``: gives a leaf a new value, as in PyTorch; of a computed tensor it makes a new one."""
    on_values = getattr(operator, name.strip("_"))

    def update(self: Tensor, other: Any) -> Tensor:
        recorded = current().recording
        if self.inputs or (recorded and not self.requires_grad and _requires_grad(other)):
            return operation(self, other)
        if recorded and self.requires_grad:
            raise TypeError(
                f"{describe(self)} requires a gradient, so it cannot be changed in place while its use is "
                "recorded; update it under mr.no_grad(), or make a new tensor (a = a + b)"
            )
        self.data = on_values(self.data, value_of(other))
        return self

    update.__name__ = "_" + name.strip("_")
    return update


def _requires_grad(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


for _name, _operation in {
    **{"__iadd__": add, "__isub__": sub, "__imul__": mul, "__itruediv__": div},
    **{"__ipow__": pow, "__imatmul__": matmul},
}.items():
    offer(_in_place(_name, _operation), _name)


def _write(self: Tensor, key: object, value: object) -> None:
    raise TypeError(f"{describe(self)} cannot be written in place: {WRITE_ADVICE}")


offer(_write, "__setitem__")


# -- as an array has it ------------------------------------------------------------------------------

for _name, _property in {
    "ndim": property(lambda self: len(self.shape), doc="The number of axes."),
    "size": property(lambda self: math.prod(self.shape), doc="The number of elements."),
    "dtype": property(
        lambda self: getattr(self._value, "dtype", None) or np.dtype(type(self._value)),
        doc="The NumPy dtype; a Python float counts as float64.",
    ),
}.items():
    setattr(Operators, _name, _property)


def _item(self: Tensor) -> float:
    """The one number in it, as a Python scalar.

    Raises:
        ValueError: it holds more than one number.
    """
    if self.size != 1:
        raise ValueError(f"item() needs one number; {describe(self)} has shape {self.shape}")
    value = self._value
    return value.item() if isinstance(value, np.ndarray) else np.asarray(value).item()  # type: ignore[no-any-return]


def _numpy(self: Tensor) -> np.ndarray[Any, Any]:
    """A fresh, writable copy of the value as a NumPy array."""
    return fresh(self._value)


offer(_item, "item")
offer(_numpy, "numpy")

# -- Python's conversions ----------------------------------------------------------------------------


def _float(self: Tensor) -> float:
    return float(self.item())


offer(_float, "__float__")


def _int(self: Tensor) -> int:
    return int(self.item())


offer(_int, "__int__")


def _bool(self: Tensor) -> bool:
    return bool(self.item())


offer(_bool, "__bool__")


def _format(self: Tensor, spec: str) -> str:
    return format(self.item(), spec) if spec else str(self)


offer(_format, "__format__")


def _len(self: Tensor) -> int:
    if not self.shape:
        raise TypeError(f"{describe(self)} is a scalar and has no length")
    return self.shape[0]


offer(_len, "__len__")


def _iter(self: Tensor) -> Iterator[Tensor]:
    return (self[i] for i in range(_len(self)))


offer(_iter, "__iter__")


# -- NumPy's functions -------------------------------------------------------------------------------


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    if self.requires_grad:
        raise TypeError(
            f"{describe(self)} would lose its history as a plain NumPy array; {_INSTEAD}"
        )
    return np.array(self._value, dtype=dtype)


offer(_array, "__array__")


def _ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    if ufunc in NUMPY and method == "__call__" and not kwargs:
        return NUMPY[ufunc](*inputs)
    name = f"numpy.{ufunc.__name__}" + (f".{method}" if method != "__call__" else "")
    if kwargs.get("out") is not None:
        raise TypeError(
            f"{name} with out= would write into an array: the values of a graph never change. "
            "Use the result instead (a = a + t, not a += t)"
        )
    if ufunc in NUMPY and method == "__call__":
        raise TypeError(f"{name} on a tensor does not take {', '.join(kwargs)}=; leave it out")
    raise _refused(name, self)


offer(_ufunc, "__array_ufunc__")


def _function_of_numpy(self: Tensor, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    name = f"{function.__module__}.{function.__name__}"
    if function not in NUMPY:
        raise _refused(name, self)
    ours = NUMPY[function]
    try:
        return ours(*args, **kwargs)
    except TypeError:
        try:
            signature(ours).bind(*args, **kwargs)
        except TypeError as error:
            takes = ", ".join(signature(ours).parameters)
            raise TypeError(f"{name} on a tensor takes {takes}: {error}") from None
        raise


offer(_function_of_numpy, "__array_function__")


def _refused(what: str, tensor: Tensor) -> TypeError:
    return TypeError(
        f"{what} is not supported on {describe(tensor)}: it would lose the history; {_INSTEAD}"
    )


_INSTEAD = (
    "use a function of micrornn, or work on values: .data (read-only), .numpy() (a copy), .detach()"
)
