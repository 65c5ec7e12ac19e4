"""A tensor is a node: a value that remembers how it was made.

Values are Python floats or NumPy arrays and never change once made. Nodes are numbered as they are made
and inputs are older than outputs, so sorting by number is a topological order: no reader of the graph
needs recursion. The operators are attached in ``operators.py``, one table for all of them.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from micrornn.context import Place, current
from micrornn.methods import Methods
from micrornn.readonly import WRITE_ADVICE, shown
from micrornn.words import describe as describe
from micrornn.words import written

if TYPE_CHECKING:
    from micrornn.primitive import Primitive

Data = Any  # a Python float, a NumPy scalar, or a NumPy array

next_number = count(1).__next__
NO_PARAMS: dict[str, Any] = {}
RETAINED: WeakValueDictionary[int, Tensor] = WeakValueDictionary()


class Tensor(Methods):
    """A value that remembers how it was made.

    Args:
        data: a number, a nested list or a NumPy array; copied, so that later writes do not reach it.
            Numbers become Python floats; lists become float64 (or integer) arrays; arrays keep their
            dtype.
        requires_grad: whether backward should leave a gradient in ``.grad``.
        name: a label for readers of the graph.

    Raises:
        TypeError: the data is not numeric, or an integer wants a gradient.

    >>> Tensor([1.0, 2.0], requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = (
        *(
            "_data",
            "grad",
            "name",
            "number",
            "params",
            "place",
            "primitive",
            "requires_grad",
            "source",
        ),
        # What it was computed from stands in these, and not in two tuples, because the collector walks
        # every tuple of a long graph again and again: `inputs` and `values` show it.
        *("_a", "_b", "_u", "_v", "_more", "__weakref__"),
    )

    _data: Data
    primitive: Primitive | None  # what made it; None for a leaf
    params: dict[str, Any]  # axis=..., index=...: what the primitive was given besides tensors
    number: int
    place: Place
    requires_grad: bool
    grad: Data | None
    name: str | None
    source: tuple[str, int] | None  # file and line that made it, when someone observes
    _a: Tensor | None  # the first input; None for a leaf
    _b: Tensor | None  # the second
    _u: Data  # the value of the first input as it was
    _v: Data  # the value of the second
    _more: tuple[Any, ...] | None  # with three inputs or more: all of them, then all their values

    def __new__(cls, *_: Any, **__: Any) -> Tensor:
        """A node with nothing in it yet; whoever makes one by hand sets data, number and place."""
        node = object.__new__(cls)
        node.primitive = node._a = node._b = node._more = None
        node.grad = node.name = node.source = None
        node.params = NO_PARAMS
        node.requires_grad = False
        return node

    def __init__(
        self, data: Any, requires_grad: bool = False, name: str | None = None, dtype: Any = None
    ) -> None:
        self._data = as_data(data, dtype)
        self.number = next_number()
        self.place = current().place
        if requires_grad:
            _check_differentiable(self._data)
            self.requires_grad = True
        self.name = name

    # -- the value ---------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The value: a float, or a read-only view of the array. A leaf may be given a new one."""
        return shown(self._data)

    @data.setter
    def data(self, value: Any) -> None:
        if self._a is not None:
            raise ValueError(
                f"{describe(self)} was computed, so its data cannot be set; "
                "set the data of a leaf, or make a new tensor"
            )
        data = as_data(value, None)
        if np.shape(data) != self.shape:
            raise ValueError(
                f"new data of shape {np.shape(data)} for {describe(self)} of shape "
                f"{self.shape}; give an array of the same shape"
            )
        if self.requires_grad:
            _check_differentiable(data)
        self._data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes; () for a scalar."""
        return getattr(self._data, "shape", ())

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return getattr(self._data, "ndim", 0)

    @property
    def size(self) -> int:
        """The number of elements."""
        return getattr(self._data, "size", 1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype; a Python float counts as float64."""
        return getattr(self._data, "dtype", None) or np.dtype(type(self._data))

    def item(self) -> float:
        """The one number in it, as a Python scalar.

        Raises:
            ValueError: it holds more than one number.
        """
        if self.size != 1:
            raise ValueError(f"item() wants one number; {describe(self)} has shape {self.shape}")
        value = self._data
        return value.item() if hasattr(value, "item") else value  # type: ignore[no-any-return]

    def numpy(self) -> np.ndarray[Any, Any]:
        """A fresh, writable copy of the value as a NumPy array."""
        return np.array(self._data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self.requires_grad:
            raise TypeError(
                f"{describe(self)} would lose its history as a plain NumPy array; "
                "use .data (read-only), .numpy() (a copy), .detach(), or a function of micrornn"
            )
        return np.array(self._data, dtype=dtype)

    # -- what it was computed from ------------------------------------------------------------------

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The tensors that it was computed from; none for a leaf."""
        if self._more is not None:
            return self._more[: len(self._more) // 2]
        if self._b is not None:
            return self._a, self._b  # type: ignore[return-value]
        return () if self._a is None else (self._a,)

    @inputs.setter
    def inputs(self, inputs: tuple[Tensor, ...]) -> None:
        self._come_from(inputs, self.values or (None,) * len(inputs))

    @property
    def values(self) -> tuple[Data, ...]:
        """The inputs' values as they were then, whatever has become of a parameter since."""
        if self._more is not None:
            return self._more[len(self._more) // 2 :]
        if self._b is not None:
            return self._u, self._v
        return () if self._a is None else (self._u,)

    @values.setter
    def values(self, values: tuple[Data, ...]) -> None:
        if self._a is None:  # the inputs are still to come
            self._more = (None,) * len(values) + values
        else:
            self._come_from(self.inputs, values)

    def _come_from(self, inputs: tuple[Tensor, ...], values: tuple[Data, ...]) -> None:
        if len(inputs) > 2:
            self._a, self._b, self._more = inputs[0], None, inputs + values
        else:
            self._a, self._b = (*inputs, None, None)[:2]
            self._u, self._v = (*values, None, None)[:2]
            self._more = None

    # -- its place in the graph ---------------------------------------------------------------------

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
        """Whether nothing recorded made it: data, a parameter, or a detached value."""
        return self._a is None

    def backward(self, gradient: Any = None) -> None:
        """Add d(self)/d(leaf) to the ``.grad`` of every leaf that wants one; see `backward.backward`."""
        from micrornn.backward import backward

        backward(self, gradient)

    def retain_grad(self) -> Tensor:
        """Ask backward to leave this node's gradient in ``.grad`` too, though it is no leaf."""
        if not self.requires_grad:
            raise ValueError(
                f"{describe(self)} does not require a gradient, so it has none to retain"
            )
        RETAINED[self.number] = self
        return self

    # -- Python's protocols ---------------------------------------------------------------------------

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return written(self)

    def __setitem__(self, key: object, value: object) -> None:
        raise TypeError(f"{describe(self)} cannot be written in place: {WRITE_ADVICE}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles are leaves: history belongs to the graph in which it was made.
        return Tensor, (self._data, self.requires_grad, self.name)


def as_data(data: Any, dtype: Any = None) -> Data:
    """A number as a Python float, anything else as a fresh NumPy array that nobody else can write to."""
    kind = type(data)
    if dtype is None:
        if kind is float:
            return data
        if kind is int or kind is bool:
            return float(data)
    if isinstance(data, Tensor):
        data = data._data
    try:
        array: np.ndarray[Any, Any] = np.array(data, dtype=dtype)
    except ValueError as error:
        raise TypeError(f"a tensor wants numbers in a regular shape: {error}") from error
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"a tensor holds real numbers, integers or booleans, not {array.dtype}; "
            "convert the data first, for example np.asarray(data, dtype=float)"
        )
    return array


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a tensor, an array or a number; what np.shape says, without its detour."""
    if type(x) is float:
        return ()
    try:
        return x.shape  # type: ignore[no-any-return]
    except AttributeError:
        return np.shape(x)


def lift(value: Any) -> Tensor:
    """A tensor as it is; anything else as a constant leaf."""
    if isinstance(value, Tensor):
        return value
    kind = type(value)
    # Python numbers stay Python numbers, so that they promote weakly: float32 * 2 stays float32.
    return constant(value if kind is float or kind is int or kind is bool else as_data(value))


def constant(data: Data) -> Tensor:
    """A leaf that wants no gradient, around data that nobody else writes to."""
    node = object.__new__(Tensor)
    node._data = data
    node.number = next_number()
    node.place = current().place
    node.primitive = node._a = node._b = node._more = None
    node.grad = node.name = node.source = None
    node.params = NO_PARAMS
    node.requires_grad = False
    return node


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
    """A scalar leaf that wants a gradient, as in micrograd.

    >>> import micrornn as mr
    >>> a = mr.Value(-4.0)
    >>> (a * a + a).backward()
    >>> a.grad
    -7.0
    """
    return Tensor(float(data), True, name)


def _check_differentiable(data: Data) -> None:
    kind = getattr(data, "dtype", np.dtype(float)).kind
    if kind != "f":
        raise TypeError(
            f"only floating-point tensors can want a gradient; this one holds {data.dtype}. "
            "Give floats, for example mr.tensor([1.0, 2.0]) or dtype=float"
        )
