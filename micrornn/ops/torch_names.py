"""What PyTorch's users type: other names for what there is, one line each, never a second implementation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from micrornn.core import backward as core
from micrornn.core.operators import FUNCTIONS, Operators, offer
from micrornn.core.tensor import Tensor, as_data, describe, shape_of
from micrornn.names import missing
from micrornn.ops import elementwise, mark, piecewise, reduce
from micrornn.ops.compose import gather
from micrornn.ops.join import concatenate
from micrornn.ops.product import matmul
from micrornn.ops.protocols import value_of
from micrornn.ops.shape import broadcast_to, expand_dims, reshape, swapaxes, transpose

# -- keywords: dim= and keepdim= beside axis= and keepdims= ---------------------------------------------

KEYWORDS = {"dim": "axis", "keepdim": "keepdims", "input": "x", "correction": "ddof"}


def _translated(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            kwargs = {KEYWORDS.get(key, key): value for key, value in kwargs.items()}
        return function(*args, **kwargs)

    return call


def _translate() -> None:
    for name, function in list(FUNCTIONS.items()):
        if not hasattr(function, "primitive"):
            taken = signature(function).parameters
            if any(key in taken for key in KEYWORDS.values()):
                FUNCTIONS[name] = _translated(function)
                if vars(Operators).get(name) is function:
                    setattr(Operators, name, FUNCTIONS[name])


# -- names -------------------------------------------------------------------------------------------


class Extreme(NamedTuple):
    """What ``x.max(dim=...)`` gives: the extreme along an axis, and its index there."""

    values: Tensor
    indices: np.ndarray[Any, Any]


def _extreme(of: Callable[..., Tensor], at: Callable[..., Any]) -> Callable[..., Any]:
    """``x.max()`` and ``x.max(axis=1)`` are NumPy's; ``x.max(dim=1)`` gives the indices too, as PyTorch's."""

    def method(
        self: Tensor,
        axis: Any = None,
        keepdims: bool = False,
        *,
        dim: int | None = None,
        keepdim: bool = False,
    ) -> Any:
        if dim is None:
            return of(self, axis, keepdims or keepdim)
        return Extreme(of(self, dim, keepdim), at(self._value, axis=dim, keepdims=keepdim))

    return method


def _winner(at: Callable[..., Any]) -> Callable[..., Any]:
    def method(
        self: Tensor, axis: int | None = None, keepdims: bool = False, **torch: Any
    ) -> np.ndarray[Any, Any]:
        translated = {KEYWORDS.get(key, key): value for key, value in torch.items()}
        return at(self._value, **{"axis": axis, "keepdims": keepdims, **translated})  # type: ignore[no-any-return]

    return method


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from one to another as one axis.

    >>> import micrornn as mr
    >>> mr.flatten(mr.zeros(2, 3, 4), start_dim=1).shape
    (2, 12)
    """
    shape = shape_of(x) or (1,)
    start, end = start_dim % len(shape), end_dim % len(shape)
    return reshape(x, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def cat(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """`concatenate`, by PyTorch's name.

    >>> import micrornn as mr
    >>> mr.cat([mr.zeros(2, 1), mr.ones(2, 1)], dim=1).shape
    (2, 2)
    """
    return concatenate(tensors, dim)


def chunk(x: Any, chunks: int, dim: int = 0) -> list[Tensor]:
    """x cut along an axis into so many parts, of which the last may be shorter.

    >>> import micrornn as mr
    >>> [part.shape for part in mr.chunk(mr.zeros(5, 2), 2)]
    [(3, 2), (2, 2)]
    """
    length = shape_of(x)[dim]
    size = max(-(-length // chunks), 1)
    lead = (slice(None),) * (dim % len(shape_of(x)))
    return [x[(*lead, slice(start, start + size))] for start in range(0, length, size)]


def masked_fill(x: Any, mask: Any, value: Any) -> Tensor:
    """x with a value where the mask is true.

    >>> import micrornn as mr
    >>> mr.masked_fill(mr.ones(2), [True, False], 0.0)
    tensor([0., 1.], where)
    """
    return elementwise.where(mask, value, x)


def _expand(self: Tensor, *shape: Any) -> Tensor:
    lengths = tuple(shape[0]) if len(shape) == 1 and np.ndim(shape[0]) else shape
    own = (1,) * (len(lengths) - self.ndim) + self.shape
    return broadcast_to(self, [m if n == -1 else n for n, m in zip(lengths, own)])


def _requires_grad(self: Tensor, requires_grad: bool = True) -> Tensor:
    if self.inputs:
        raise ValueError(
            f"{describe(self)} was computed; only a leaf can be told to require a gradient"
        )
    as_data(self._value, None, requires_grad)
    self.requires_grad = requires_grad
    return self


def _dlpack(self: Tensor, **options: Any) -> Any:
    return self.numpy().__dlpack__(**options)  # a copy: the value of a node never changes


class _Size(int):
    """The number of elements, as NumPy's ``x.size``; called, the shape, as PyTorch's ``x.size()``."""

    def __call__(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    shape: tuple[int, ...]


def _size(self: Tensor) -> int:
    size = _Size(math.prod(self.shape))
    size.shape = self.shape
    return size


def _listed(given: tuple[Any, ...]) -> Any:
    return given[0] if len(given) == 1 and np.ndim(value_of(given[0])) else given


# What has another name here, or is not here at all; all else is guessed by its spelling.
ELSEWHERE = {
    "device": "micrornn computes on the CPU",
    "cuda": "micrornn computes on the CPU",
    "to": "use x.float(), x.double() or x.astype(dtype); micrornn computes on the CPU",
    "type": "use x.astype(dtype)",
    "long": "use x.numpy().astype(int): integers have no gradient",
    "int": "use x.numpy().astype(int): integers have no gradient",
    "split": "use mr.split(x, sections, axis), which is NumPy's, or x.chunk(n)",
    "grad_fn": "use x.primitive and x.inputs",
    "register_hook": "use mr.pullbacks(loss), or mr.record(loss)",
    "manual_seed": "give rng=, a seed, to what draws random numbers",
    "set_grad_enabled": "use mr.no_grad()",
    "inference_mode": "use mr.no_grad()",
    "from_numpy": "use mr.tensor(array)",
    "as_tensor": "use mr.tensor(array)",
    "autograd": "use mr.grad, mr.jacobian, mr.hvp",
    "save": "use nn.Module.state_dict() and np.savez, or nn.save_file",
    "load": "use np.load and nn.Module.load_state_dict, or nn.load_file",
}


def backward(
    out: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | None = None,
) -> None:
    """Add d(out)/d(leaf) to ``.grad`` of every leaf that requires a gradient; see `core.backward`.

    Args:
        retain_graph: has no effect: a graph lives as long as its result, and can always be used again.
        inputs: add to the ``.grad`` of these leaves only.

    Raises:
        ValueError: with ``create_graph``: `mr.grad` gives gradients that can be differentiated.
    """
    if create_graph:
        raise ValueError(
            "backward(create_graph=True): .grad holds values; use mr.grad(loss, inputs, create_graph=True)"
        )
    if inputs is None:
        return core.backward(out, gradient)
    for x, g in zip(inputs, core.grad(out, list(inputs), gradient)):
        if g is not None:
            x.grad = g if x.grad is None else x.grad + g
    return None


def grad(
    out: Tensor,
    inputs: Tensor | Sequence[Tensor],
    gradient: Any = None,
    create_graph: bool = False,
    *,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    allow_unused: bool = True,
) -> Any:
    """d(out)/d(input) for each input, without touching ``.grad``; see `core.backward.grad`.

    Args:
        grad_outputs: PyTorch's name of ``gradient``.
        retain_graph: has no effect: a graph lives as long as its result, and can always be used again.
        allow_unused: give None for an input that out does not depend on; with False, raise ValueError.

    >>> import micrornn as mr
    >>> x = mr.Value(3.0)
    >>> first = mr.grad(x * x * x, x, create_graph=True)
    >>> first.item(), mr.grad(first, x)
    (27.0, 18.0)
    """
    found = core.grad(out, inputs, gradient if grad_outputs is None else grad_outputs, create_graph)
    if not allow_unused:
        for x, g in [(inputs, found)] if isinstance(inputs, Tensor) else zip(inputs, found):
            if g is None:
                raise ValueError(f"no path leads from {describe(x)} to {describe(out)}")
    return found


def _absent(self: Tensor, name: str) -> Any:
    if name.startswith("__"):  # a protocol that Python or NumPy asks for
        raise AttributeError(name)
    if name.endswith("_") and not name.startswith("_"):
        elsewhere = (
            "the value of a tensor is not changed in place; t.data = array gives a leaf a new one"
        )
        raise missing("a tensor", name, (), {name: elsewhere})
    raise missing("a tensor", name, dir(Tensor), ELSEWHERE, ".")


METHODS: dict[str, Any] = {
    "view": lambda x, *shape: reshape(x, _listed(shape)),
    "permute": lambda x, *dims: transpose(x, _listed(dims)),
    "unsqueeze": lambda x, dim: expand_dims(x, dim),
    "t": lambda x: transpose(x),
    "mT": property(lambda x: swapaxes(x, -1, -2)),
    "size": property(_size, doc="The number of elements; `x.size()` is the shape, as in PyTorch."),
    "numel": lambda x: int(x.size),
    "dim": lambda x: x.ndim,
    "flatten": flatten,
    "chunk": chunk,
    "expand": _expand,
    "masked_fill": masked_fill,
    "clamp": lambda x, min=None, max=None: piecewise.clip(x, min, max),
    "gather": lambda x, dim, index: gather(x, dim, index),
    **{"max": _extreme(reduce.max, np.argmax), "min": _extreme(reduce.min, np.argmin)},
    **{"argmax": _winner(np.argmax), "argmin": _winner(np.argmin)},
    **{
        "add": elementwise.add,
        "sub": elementwise.sub,
        "mul": elementwise.mul,
        "div": elementwise.div,
    },
    **{
        "neg": elementwise.neg,
        "sin": elementwise.sin,
        "cos": elementwise.cos,
        "pow": piecewise.pow,
    },
    **{"sign": piecewise.sign, "softplus": elementwise.softplus},
    **{"matmul": matmul, "mm": matmul, "bmm": matmul},
    **{"clone": mark.identity, "contiguous": lambda x: x, "cpu": lambda x: x},
    **{
        "float": lambda x: mark.astype(x, np.float32),
        "double": lambda x: mark.astype(x, np.float64),
    },
    "tolist": lambda x: np.asarray(x._value).tolist(),
    "requires_grad_": _requires_grad,
    "backward": backward,
    "__dlpack__": _dlpack,
    "__dlpack_device__": lambda x: (1, 0),  # the CPU
}


_translate()
for _function in (flatten, cat, chunk, masked_fill):
    offer(_function)
FUNCTIONS |= {"clamp": piecewise.clip, "mm": matmul, "bmm": matmul}
for _name, _method in METHODS.items():
    setattr(Operators, _name, _method)
setattr(Operators, "__getattr__", _absent)  # noqa: B010
