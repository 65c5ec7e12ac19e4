"""Arrays that know where they came from.

What NumPy makes of a `Traced` array is one too: its origin is the call that made it. What the program's
function asks of such an array (``if target.min() < 0``) is told to the trace that runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.compiler.program import NESTED, Value
from micrornn.core.context import current
from micrornn.core.tensor import Tensor


class CompileError(ValueError):
    """A function that cannot be compiled; the message says where, and what to do."""


@dataclass(frozen=True, eq=False)
class Computed:
    """A leaf: the value of a node, without its history."""

    node: Tensor


class Traced(np.ndarray[Any, Any]):
    """An array that knows the `Value` it is, and passes that on to what NumPy makes of it."""

    origin: Value | None = None
    tracing: Any = None

    def __array_finalize__(self, obj: Any) -> None:
        self.origin = None
        self.tracing = getattr(obj, "tracing", None)

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        for x in args:
            if isinstance(x, Tensor):
                return NotImplemented  # the tensor does it, and makes a node
        if method == "__call__" and not kwargs:
            return called(ufunc, args, kwargs)
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        (out,) = kwargs.pop("out", (None,))
        if out is None and method != "at":
            return called(function, args, kwargs)
        if not isinstance(out, Traced):  # an array of unknown origin is changed, and still has none
            if STRICT:
                raise CompileError(f"{ufunc.__name__} changes an array in place")
            if out is not None:
                kwargs["out"] = out
            return function(*plain(args), **plain(kwargs))
        if "where" in kwargs:
            kwargs["out"] = out
        result = called(function, args, kwargs)  # y += x: from here on, y is what was made of it
        plain(out)[...] = plain(result)
        out.origin = getattr(result, "origin", None)
        return out

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(kind, Tensor) for kind in types):
            return NotImplemented
        if function in ASKED:
            return function(*plain(args), **plain(kwargs))
        return called(function, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        if type(index) is tuple and not index:
            return self
        return called(getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        raise CompileError("an array that came from an argument is changed in place")

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    @property
    def T(self) -> Any:
        """The array with its axes reversed."""
        return called(np.transpose, (self,), {})

    def __bool__(self) -> bool:
        return bool(self._asked())

    def __int__(self) -> int:
        return int(self._asked())

    def __float__(self) -> float:
        return float(self._asked())

    def __index__(self) -> int:
        return int(self._asked())

    def item(self, *index: Any) -> Any:
        """The number, which from here on decides what is computed."""
        return self._asked().item(*index)

    def tolist(self) -> Any:
        """The numbers, which from here on decide what is computed."""
        return self._asked().tolist()

    def _asked(self) -> Any:
        if self.origin is not None:
            if self.tracing is None and self.dtype.kind in "iu" and not STRICT:
                return plain(self)  # the number of a row, when a rule is written down
            if self.tracing is None:
                raise CompileError("a rule asks for a value")
            self.tracing.ask(self.origin, plain(self))
        return plain(self)


def getitem(x: Any, index: Any) -> Any:
    """x[index]."""
    return x[index]


def astype(x: Any, dtype: Any) -> Any:
    """x in another dtype."""
    return np.asarray(x).astype(dtype)


ASKED = {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.array_repr, np.array_str}


def _method(name: str, function: Any) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs = {k: x for k, x in kwargs.items() if k not in ("copy", "order")}
        return called(function, (self, *args), kwargs)

    method.__name__ = name
    return method


def _lengths(function: Any) -> Any:
    def method(self: Any, *lengths: Any, **kwargs: Any) -> Any:
        return called(function, (self, lengths[0] if len(lengths) == 1 else lengths or None), {})

    return method


for _name, _function in {
    **{"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "any": np.any, "all": np.all},
    **{"squeeze": np.squeeze, "swapaxes": np.swapaxes, "cumsum": np.cumsum, "ravel": np.ravel},
    **{"flatten": np.ravel, "argmax": np.argmax, "prod": np.prod, "clip": np.clip},
    **{"copy": np.copy, "round": np.round, "astype": astype, "std": np.std, "var": np.var},
    **{"repeat": np.repeat, "dot": np.dot},
}.items():
    setattr(Traced, _name, _method(_name, _function))
Traced.reshape = _lengths(np.reshape)  # type: ignore[method-assign]
Traced.transpose = _lengths(np.transpose)  # type: ignore[method-assign]


def plain(tree: Any) -> Any:
    """Traced arrays, also inside lists and tuples, as NumPy's own."""
    kind = type(tree)
    if kind is Traced:
        return tree.view(np.ndarray)
    if kind is tuple or kind is list:
        return kind([plain(x) for x in tree])
    if kind is slice:
        return slice(plain(tree.start), plain(tree.stop), plain(tree.step))
    if kind is dict:
        return {key: plain(x) for key, x in tree.items()}
    return tree


def called(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Call a function of NumPy; its result knows what it was made from."""
    known = False
    values: list[Any] = []
    behind: list[Any] = []  # the arguments, with their origins in the place of traced arrays
    for x in args:
        kind = type(x)
        if kind is Traced:
            array, origin = x.view(np.ndarray), x.origin
            known = known or origin is not None
            values.append(array)
            behind.append(array if origin is None else origin)
        elif kind in NESTED:
            known = known or _known(x)
            values.append(plain(x))
            behind.append(origins(x))
        else:
            values.append(x)
            behind.append(x)
    result = function(*values, **plain(kwargs)) if kwargs else function(*values)
    if not known and not (kwargs and _known(kwargs)):  # their origin was lost on the way
        return result
    if not isinstance(result, (np.ndarray, np.generic)):
        if isinstance(result, (list, tuple)):
            parts = [called(_part, (function, i, args, kwargs), {}) for i in range(len(result))]
            return type(result)(parts)
        return result
    if type(function) is not np.ufunc and (function in REDUCTIONS or _reduces(function)):
        function, args, kwargs = plainest(function, args, kwargs)
        behind = origins(args)
    value = Value(function, tuple(behind), origins(kwargs) if kwargs else {}, result)
    value.place = current().place
    return traced(result, value)


REDUCTIONS: dict[Any, Any] = {
    **{np.sum: np.add, np.prod: np.multiply, np.max: np.maximum, np.min: np.minimum},
    **{np.any: np.logical_or, np.all: np.logical_and},
}


def plainest(function: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """A call in the form that all calls for the same take: NumPy has several names for a sum."""
    ufunc = REDUCTIONS.get(function)
    if ufunc is None and _reduces(function):
        ufunc = function.__self__
        usual: Any = 0
    else:
        usual = None
    if ufunc is None or len(args) > 2 or set(kwargs) - {"axis", "keepdims", "initial"}:
        return function, args, kwargs
    x = args[0]
    axis = args[1] if len(args) > 1 else kwargs.get("axis", usual)
    if "initial" in kwargs and not (kwargs["initial"] == -np.inf and x.size):
        return function, args, kwargs
    if type(axis) is int and axis >= 0:
        axis -= x.ndim  # counted from the end
    return (
        ufunc.reduce,
        (x,),
        {"axis": axis} | ({"keepdims": True} if kwargs.get("keepdims") else {}),
    )


def _reduces(function: Any) -> bool:
    return getattr(function, "__name__", "") == "reduce"


def _part(function: Any, i: int, args: Any, kwargs: Any) -> Any:
    return function(*args, **kwargs)[i]


def _known(tree: Any) -> bool:
    kind = type(tree)
    if kind is Traced:
        return tree.origin is not None
    if kind is tuple or kind is list:
        return any(_known(x) for x in tree)
    if kind is slice:
        return _known((tree.start, tree.stop, tree.step))
    return kind is dict and _known(tuple(tree.values()))


def origins(tree: Any) -> Any:
    """Arguments, with the origin in the place of each traced array."""
    kind = type(tree)
    if kind is Traced:
        return plain(tree) if tree.origin is None else tree.origin
    if kind is tuple or kind is list:
        return kind([origins(x) for x in tree])
    if kind is slice:
        return slice(origins(tree.start), origins(tree.stop), origins(tree.step))
    if kind is dict:
        return {key: origins(x) for key, x in tree.items()}
    return tree


def traced(array: Any, origin: Value) -> Traced:
    """An array with its origin."""
    view = (array if type(array) is np.ndarray else np.asarray(array)).view(Traced)
    view.origin = origin
    view.tracing = CURRENT[-1] if CURRENT else None
    return view


STRICT: list[bool] = []  # not empty where every call has to be followed
CURRENT: list[Any] = []  # the trace that runs now
