"""Which primitive stands behind each Python operator, tensor method and NumPy function: one table."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np

from micrornn import ops
from micrornn.ops.index import index_with
from micrornn.tensor import Tensor, describe, shape_of


def _reflected(operation: Callable[[Any, Any], Tensor]) -> Callable[[Tensor, Any], Tensor]:
    return lambda self, other: operation(other, self)


def _compare(ufunc: np.ufunc) -> Callable[[Tensor, Any], Any]:
    # Comparisons are data, not nodes: an array (or a bool) of truth values.
    def compare(self: Tensor, other: Any) -> Any:
        return ufunc(self._data, other._data if isinstance(other, Tensor) else other)

    return compare


def _shape_of(given: tuple[Any, ...]) -> Any:
    return given[0] if len(given) == 1 and not isinstance(given[0], int) else given


def _dot(a: Any, b: Any) -> Tensor:
    # NumPy's dot is three operations by the number of axes; the third one has no name here.
    if not shape_of(a) or not shape_of(b):
        return ops.mul(a, b)
    if len(shape_of(b)) > 2:
        raise TypeError(
            f"dot of shapes {shape_of(a)} and {shape_of(b)} is not supported; "
            "use matmul (@), or einsum for what NumPy's dot does here"
        )
    return ops.matmul(a, b)


METHODS: dict[str, Any] = {
    **{"__add__": ops.add, "__radd__": _reflected(ops.add)},
    **{"__sub__": ops.sub, "__rsub__": _reflected(ops.sub)},
    **{"__mul__": ops.mul, "__rmul__": _reflected(ops.mul)},
    **{"__truediv__": ops.div, "__rtruediv__": _reflected(ops.div)},
    **{"__pow__": ops.pow, "__rpow__": _reflected(ops.pow)},
    **{"__matmul__": ops.matmul, "__rmatmul__": _reflected(ops.matmul)},
    **{"__neg__": ops.neg, "__abs__": ops.abs, "__getitem__": index_with},
    **{"__lt__": _compare(np.less), "__le__": _compare(np.less_equal)},
    **{"__gt__": _compare(np.greater), "__ge__": _compare(np.greater_equal)},
    **{"__eq__": _compare(np.equal), "__ne__": _compare(np.not_equal)},
    **{"exp": ops.exp, "log": ops.log, "sqrt": ops.sqrt, "abs": ops.abs, "tanh": ops.tanh},
    **{"sigmoid": ops.sigmoid, "relu": ops.relu, "clip": ops.clip, "detach": ops.detach},
    **{"sum": ops.sum, "mean": ops.mean, "var": ops.var, "max": ops.max, "min": ops.min},
    **{"cumsum": ops.cumsum, "softmax": ops.softmax, "log_softmax": ops.log_softmax},
    **{"logsumexp": ops.logsumexp, "swapaxes": ops.swapaxes, "squeeze": ops.squeeze},
    **{"take": ops.take, "dot": _dot},
    "reshape": lambda self, *shape: ops.reshape(self, _shape_of(shape)),
    "transpose": lambda self, *axes: ops.transpose(self, _shape_of(axes) if axes else None),
    "T": property(ops.transpose, doc="The tensor with its axes reversed."),
}

NUMPY: dict[Any, Callable[..., Any]] = {
    **{np.add: ops.add, np.subtract: ops.sub, np.multiply: ops.mul, np.true_divide: ops.div},
    **{np.negative: ops.neg, np.power: ops.pow, np.exp: ops.exp, np.log: ops.log},
    **{np.sqrt: ops.sqrt, np.absolute: ops.abs, np.sign: ops.sign, np.sin: ops.sin},
    **{np.cos: ops.cos, np.tanh: ops.tanh, np.maximum: ops.maximum, np.minimum: ops.minimum},
    **{np.matmul: ops.matmul, np.square: lambda x: ops.mul(x, x)},
    **{np.sum: ops.sum, np.mean: ops.mean, np.var: ops.var, np.max: ops.max, np.min: ops.min},
    **{np.amax: ops.max, np.amin: ops.min, np.cumsum: ops.cumsum, np.clip: ops.clip},
    **{np.where: ops.where, np.dot: _dot},
    **{np.reshape: ops.reshape, np.transpose: ops.transpose, np.swapaxes: ops.swapaxes},
    **{np.broadcast_to: ops.broadcast_to, np.squeeze: ops.squeeze, np.flip: ops.flip},
    **{np.expand_dims: ops.expand_dims, np.concatenate: ops.concatenate, np.stack: ops.stack},
    **{np.split: ops.split, np.pad: ops.pad, np.einsum: ops.einsum, np.take: ops.take},
}

# Questions about the value, with no gradient to lose.
_ABOUT_VALUES = {
    *(np.isnan, np.isinf, np.isfinite, np.argmax, np.argmin, np.allclose, np.isclose),
    *(np.array_equal, np.array_repr, np.array_str, np.zeros_like, np.ones_like, np.any, np.all),
    *(np.shape, np.ndim, np.size),
    *(np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal),
}


def _plain(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x._data
    return type(x)(map(_plain, x)) if isinstance(x, (list, tuple)) else x


def _refuse(name: str, tensor: Tensor) -> TypeError:
    return TypeError(
        f"{name} is not supported on {describe(tensor)}: it would lose the history. "
        "Use a function of micrornn, or work on values with t.data or t.detach().numpy()"
    )


def _array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    name = f"numpy.{ufunc.__name__}" + (f".{method}" if method != "__call__" else "")
    if kwargs.get("out") is not None:
        raise TypeError(
            f"{name} with out= would write into an array: the values of a graph never change. "
            "Use the result instead (a = a + t, not a += t)"
        )
    if method == "__call__" and ufunc in _ABOUT_VALUES:
        return ufunc(*map(_plain, inputs), **kwargs)
    if method != "__call__" or ufunc not in NUMPY:
        raise _refuse(name, self)
    if kwargs:
        raise TypeError(f"{name} on a tensor does not take {', '.join(kwargs)}=; leave it out")
    return NUMPY[ufunc](*inputs)


def _array_function(
    self: Tensor, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    name = f"{function.__module__}.{function.__name__}"
    if function in _ABOUT_VALUES:
        return function(*map(_plain, args), **{k: _plain(v) for k, v in kwargs.items()})
    if function not in NUMPY:
        raise _refuse(name, self)
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


def attach() -> None:
    """Give Tensor its operators and methods; called once, on import of the package."""
    for name, function in METHODS.items():
        setattr(Tensor, name, function)
    Tensor.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
    Tensor.__array_function__ = _array_function  # type: ignore[attr-defined]


attach()
