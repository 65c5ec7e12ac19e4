"""What `.data` shows: an array that can be read, and refuses a write with advice."""

from __future__ import annotations

from typing import Any

import numpy as np

WRITE_ADVICE = (
    "the value of a tensor never changes, because backward still needs it. "
    "Make a new tensor (t = t + 1), take a copy to write to (t.numpy()), "
    "or give a leaf a new value as a whole (t.data = new_array)"
)

# x += y as x = x + y: it makes a new array, which `t.data += y` gives to t, if t is a leaf.
_IN_PLACE = (
    *("__iadd__", "__isub__", "__imul__", "__itruediv__", "__ifloordiv__", "__imod__"),
    *("__ipow__", "__imatmul__", "__iand__", "__ior__", "__ixor__", "__ilshift__", "__irshift__"),
)


class RecordedArray(np.ndarray[Any, Any]):
    """A read-only view of a tensor's value; arithmetic with it gives plain arrays."""

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self.flags.writeable:
            raise ValueError(f"in-place write refused: {WRITE_ADVICE}")
        super().__setitem__(key, value)  # into a copy of it

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        written = inputs[:1] if method == "at" else kwargs.get("out", ())
        if not all(array.flags.writeable for array in written):
            raise ValueError(f"in-place {ufunc.__name__} refused: {WRITE_ADVICE}")
        if "out" in kwargs:
            kwargs["out"] = _plain(kwargs["out"])
        return getattr(ufunc, method)(*_plain(inputs), **kwargs)

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray))


def _plain(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([x.view(np.ndarray) if isinstance(x, RecordedArray) else x for x in arrays])


def shown(value: Any) -> Any:
    """A value as `.data` shows it: an array as a read-only view, a number as it is."""
    if type(value) is not np.ndarray:
        return value
    view = value.view(RecordedArray)
    view.setflags(write=False)
    return view


for _name in _IN_PLACE:
    setattr(RecordedArray, _name, getattr(np.ndarray, "__" + _name[3:]))
