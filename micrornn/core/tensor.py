"""A tensor is a node: a value that remembers how it was made.

Values are Python floats or NumPy arrays and never change once made, because backward needs them: an array
is copied on the way in, and shown as a read-only view on the way out. Nodes are numbered as they are made.
Inputs are older than outputs, so sorting by number is a topological order, and no reader needs recursion.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from micrornn.core.context import Place, current
from micrornn.core.operators import Operators

Data = Any  # a Python float, a NumPy scalar, or a NumPy array

NO_PARAMS: dict[str, Any] = {}
RETAINED: WeakValueDictionary[int, Tensor] = WeakValueDictionary()


class Tensor(Operators):
    """A value that remembers how it was made.

    Args:
        data: numbers become Python floats, nested lists NumPy arrays; arrays are copied and keep their dtype.
        requires_grad: whether backward leaves a gradient in ``.grad``.
        name: a label for readers of the graph.

    Raises:
        TypeError: the data is not numeric, or an integer tensor requires a gradient.

    >>> Tensor([1.0, 2.0], requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = (
        *("__weakref__", "_value", "grad", "inputs", "name", "number", "params", "place"),
        *("primitive", "requires_grad", "source", "values"),
    )

    _value: Data
    primitive: Any  # the Primitive that made it; None for a leaf
    inputs: tuple[Tensor, ...]  # the tensors that it was computed from; none for a leaf
    values: tuple[Data, ...]  # their values at that time, even if a parameter changed since
    params: dict[str, Any]  # axis=..., index=...: what the primitive was given besides tensors
    number: int
    place: Place
    requires_grad: bool
    grad: Data | None
    name: str | None
    source: tuple[str, int] | None  # the file and line that made it, where a recording runs

    def __new__(cls, *_: Any, **__: Any) -> Tensor:
        """A leaf with a number and a place, and no value yet."""
        node = object.__new__(cls)
        context = current()
        node.number, node.place = context.number(), context.place
        node.primitive = node.grad = node.name = node.source = None
        node.inputs = node.values = ()
        node.params = NO_PARAMS
        node.requires_grad = False
        return node

    def __init__(
        self, data: Any, requires_grad: bool = False, name: str | None = None, dtype: Any = None
    ) -> None:
        self._value = as_data(data, dtype, requires_grad)
        self.requires_grad = requires_grad
        self.name = name

    @property
    def data(self) -> Any:
        """The value: a float, or a read-only view of the array. Assign to it to give a leaf a new value."""
        if type(self._value) is not np.ndarray:
            return self._value
        view: Any = self._value.view(RecordedArray)
        view.setflags(write=False)
        view.owner = self
        return view

    @data.setter
    def data(self, value: Any) -> None:
        data = as_data(value, None, self.requires_grad)
        if self.inputs:
            raise ValueError(
                f"{describe(self)} was computed: set the data of a leaf, or make a new tensor"
            )
        if shape_of(data) != self.shape:
            raise ValueError(
                f"new data of shape {shape_of(data)} for {describe(self)} of shape {self.shape}"
            )
        self._value = data

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes; () for a scalar."""
        return getattr(self._value, "shape", ())

    @property
    def scope(self) -> str:
        """The scope path in which it was made, such as ``lstm.0/forget gate``."""
        return self.place.scope

    @property
    def step(self) -> int | None:
        """The time step in which it was made, or None."""
        return self.place.step

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it: data, a parameter, or a detached value."""
        return not self.inputs

    def retain_grad(self) -> Tensor:
        """Keep this node's gradient in ``.grad`` although it is not a leaf."""
        if not self.requires_grad:
            raise ValueError(f"{describe(self)} needs no gradient, so it has none to retain")
        RETAINED[self.number] = self
        return self

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        value, words = self._value, []
        if self.primitive is not None:
            words.append(self.primitive.name)
        if self.name:
            words.append(f"name={self.name!r}")
        if self.step is not None:
            words.append(f"t={self.step}")
        if self.requires_grad and self.is_leaf:
            words.append("requires_grad=True")
        array = isinstance(value, np.ndarray)
        text = np.array2string(value, separator=", ", prefix="tensor(") if array else str(value)
        return f"tensor({', '.join([text, *words])})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles are leaves: history belongs to the graph in which it was made.
        return type(self), (self._value, self.requires_grad, self.name)


WRITE_ADVICE = (
    "backward still needs its value; make a new tensor (t = t + 1, mr.where), write to a copy (t.numpy()), "
    "or give a leaf a new value as a whole (t.data = new_array)"
)


class RecordedArray(np.ndarray[Any, Any]):
    """The read-only view that ``t.data`` returns; copies and results computed from it are ordinary arrays.

    ``p.data -= step`` and ``w = p.data; w -= step`` give a leaf p a new value. Other writes raise ValueError.
    """

    owner: Any = None  # the tensor whose value it is

    def _update(self, new: Any) -> Any:
        tensor = self.owner
        if tensor is None or tensor.inputs or tensor._value is not self.base:
            what = "this array" if tensor is None else f"the value of {describe(tensor)}"
            raise ValueError(f"{what} cannot be written in place: {WRITE_ADVICE}")
        if not np.can_cast(new.dtype, self.dtype, "same_kind"):
            raise TypeError(f"{new.dtype} cannot be written into {self.dtype}; convert it first")
        tensor.data = new.astype(self.dtype)
        return tensor.data

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self.flags.writeable:
            raise ValueError(f"this array cannot be written in place: {WRITE_ADVICE}")
        super().__setitem__(key, value)  # into a copy

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out", (None,))[0]
        if isinstance(out, RecordedArray) and not out.flags.writeable and out is inputs[0]:
            del kwargs["out"]  # w -= 1 is subtract(w, 1, out=w)
            return out._update(getattr(ufunc, method)(*_plain(inputs), **kwargs))
        if method == "at" and not inputs[0].flags.writeable:  # NumPy does not check here
            raise ValueError(f"this array cannot be written in place: {WRITE_ADVICE}")
        kwargs = {key: _plain(value) for key, value in kwargs.items()}
        return getattr(ufunc, method)(*_plain(inputs), **kwargs)

    def __repr__(self) -> str:
        return repr(_plain(self))


def _plain(x: Any) -> Any:
    if isinstance(x, RecordedArray):
        return x.view(np.ndarray)
    return type(x)(map(_plain, x)) if type(x) in (list, tuple) else x


def as_data(data: Any, dtype: Any = None, differentiable: bool = False) -> Data:
    """A number as a Python float, anything else as a fresh NumPy array that nothing else can write to."""
    if isinstance(data, Tensor):
        data = data._value
    if dtype is None and type(data) in (float, int, bool):
        return float(data)
    if any(isinstance(x, np.ma.MaskedArray) for x in (data if type(data) is list else [data])):
        raise TypeError("a masked array would lose its mask; fill it first: x.filled(0.0)")
    try:
        traced = hasattr(data, "origin")  # np.array would forget where its numbers come from
        array: Any = data.astype(dtype or data.dtype) if traced else np.array(data, dtype)
    except ValueError as error:
        raise TypeError(f"a tensor needs numbers in a regular shape: {error}") from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"a tensor holds real numbers, not {array.dtype}; convert the data first")
    if differentiable and array.dtype.kind != "f":
        raise TypeError(
            f"only floating-point tensors can require a gradient, not {array.dtype}; give dtype=float"
        )
    return array


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a tensor, an array or a number."""
    return x.shape if hasattr(x, "shape") else np.shape(x)


def tensor(
    data: Any, requires_grad: bool = False, *, dtype: Any = None, name: str | None = None
) -> Tensor:
    """A leaf tensor from a number, a nested list or an array; see `Tensor`.

    >>> import micrornn as mr
    >>> mr.tensor([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    return Tensor(data, requires_grad, name, dtype)


def Value(data: float, name: str | None = None) -> Tensor:
    """A scalar leaf that requires a gradient, as in micrograd.

    >>> import micrornn as mr
    >>> a = mr.Value(-4.0)
    >>> (a * a + a).backward()
    >>> a.grad
    -7.0
    """
    return Tensor(float(data), True, name)


def constant(data: Data, name: str | None = None) -> Tensor:
    """A leaf that needs no gradient, around data that nothing else writes to; the data is not copied."""
    node = Tensor.__new__(Tensor)
    node._value = data
    node.name = name
    return node


def lift(value: Any) -> Tensor:
    """A tensor as it is; anything else as a constant leaf."""
    if isinstance(value, Tensor):
        return value
    # Python numbers stay Python numbers, so that they promote weakly: float32 * 2 stays float32.
    return constant(value if type(value) in (float, int, bool) else as_data(value))


def describe(node: Tensor) -> str:
    """A node in words, for errors: what made it, its name, number, scope, step and source line."""
    made = node.primitive.name if node.primitive is not None else "leaf"
    name = f" {node.name!r}" if node.name else ""
    scope = f" in {node.scope!r}" if node.scope else ""
    step = f" at step {node.step}" if node.step is not None else ""
    line = f" made at {node.source[0]}:{node.source[1]}" if node.source else ""
    return f"{made}{name} #{node.number}{scope}{step}{line}"
