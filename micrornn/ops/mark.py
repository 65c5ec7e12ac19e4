"""Operations that leave the value as it is and mark the graph: a name, a cut."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.context import no_grad
from micrornn.core.operators import offer
from micrornn.core.primitive import primitive, sample
from micrornn.core.tensor import Tensor, lift

_identity = primitive(
    "identity",
    "x",
    forward=lambda x: x,
    vjp=(lambda g, y, x: g,),
    jvp=(lambda d, y, x: d,),
    samples=(sample((2, 3)), sample(None)),
    symbol="=",
    kind="view",
)


def identity(x: Any, name: str | None = None) -> Tensor:
    """x itself as a node of its own, so that it can carry a name.

    >>> import micrornn as mr
    >>> mr.identity(mr.tensor(1.0), "probe").name
    'probe'
    """
    node = _identity(lift(x))
    if name is not None:
        node.name = name
    return node


offer(identity)


def _no_path(g: Any, y: Any, x: Any) -> Any:
    raise AssertionError("a detached node has no inputs to send a gradient to")


_detach = primitive(
    "detach",
    "x, as data",
    forward=lambda x, *, cut: x,
    vjp=(_no_path,),
    jvp=(_no_path,),
    samples=(),
    symbol="✂",
)


def detach(x: Any) -> Tensor:
    """The value of x as a leaf: no gradient passes, and x's history is let go.

    The new node remembers only the number of the node it was cut from (`params["cut"]`), so that a
    reader who still has that node can show where the cut is.

    >>> import micrornn as mr
    >>> a = mr.Value(2.0)
    >>> (a * mr.detach(a)).backward()
    >>> a.grad
    2.0
    """
    x = lift(x)
    with no_grad():
        node = _detach(x, cut=x.number)
    if x.name is not None:
        node.name = x.name
    return node


offer(detach, "detach")


_cast = primitive(
    "cast",
    "x in another dtype",
    forward=lambda x, *, dtype: np.asarray(x).astype(dtype)[()],
    vjp=(lambda g, y, x, dtype: astype(g, np.result_type(x.dtype)),),
    jvp=(lambda d, y, x, dtype: astype(d, dtype),),
    samples=(),  # differences of two precisions are no check; see tests/engine/test_dtypes.py
    symbol="cast",
    kind="view",
)


def astype(x: Any, dtype: Any) -> Tensor:
    """x in another floating-point dtype; the gradient comes back in its own.

    Raises:
        TypeError: the dtype is not floating-point.

    >>> import micrornn as mr
    >>> mr.astype(mr.tensor([1.0]), "float32").dtype
    dtype('float32')
    """
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"{dtype} has no gradient; use x.numpy().astype({str(dtype)!r}) for data")
    return _cast(x, dtype=dtype.name)


offer(astype, "astype")
