"""PyTorch's dispatched operations (ATen), each written with micrornn's own.

A rule takes the arguments as ATen has them, with a node for each tensor of floats and an array for any other
tensor, and returns the node, or a tuple with None for an output that carries no gradient. PyTorch breaks what
users call into a few hundred of these; those that are missing become opaque nodes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrornn import ops
from micrornn.core.tensor import Tensor
from micrornn.nn import functional as F

Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Declare what stands for the operations of these names."""

    def declare(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return declare


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(np.shape(x._value if isinstance(x, Tensor) else x))


def _axes(dims: Any) -> Any:
    if dims is None or isinstance(dims, int):
        return dims
    return tuple(dims) or None


# -- element by element -------------------------------------------------------------------------------

_SAME: dict[str, Any] = {
    "neg": ops.neg,
    "exp": ops.exp,
    "log": ops.log,
    "sqrt": ops.sqrt,
    "sin": ops.sin,
    "cos": ops.cos,
    "tanh": ops.tanh,
    "sigmoid": ops.sigmoid,
    "relu": ops.relu,
    "abs": ops.abs,
    "sgn": ops.sign,
    "sign": ops.sign,
    "mul": ops.mul,
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "pow": ops.pow,
    "logsigmoid": F.logsigmoid,
}
RULES.update(_SAME)


@rule("add")
def _add(a: Any, b: Any, alpha: float = 1) -> Any:
    return ops.add(a, b if alpha == 1 else ops.mul(b, float(alpha)))


@rule("sub", "subtract")
def _sub(a: Any, b: Any, alpha: float = 1) -> Any:
    return ops.sub(a, b if alpha == 1 else ops.mul(b, float(alpha)))


@rule("rsub")
def _rsub(a: Any, b: Any, alpha: float = 1) -> Any:
    return ops.sub(b, a if alpha == 1 else ops.mul(a, float(alpha)))


@rule("div", "true_divide")
def _div(a: Any, b: Any, rounding_mode: Any = None) -> Any:
    if rounding_mode is not None:
        raise NotImplementedError
    return ops.div(a, b)


RULES["reciprocal"] = lambda x: ops.div(1.0, x)
RULES["rsqrt"] = lambda x: ops.div(1.0, ops.sqrt(x))
RULES["square"] = lambda x: ops.mul(x, x)
RULES["log1p"] = lambda x: ops.log(ops.add(1.0, x))
RULES["expm1"] = lambda x: ops.sub(ops.exp(x), 1.0)
RULES["silu"] = lambda x: ops.mul(x, ops.sigmoid(x))
RULES["where"] = lambda condition, a, b: ops.where(condition, a, b)
RULES["masked_fill"] = lambda x, mask, value: ops.where(mask, value, x)
RULES["lerp"] = lambda a, b, weight: ops.add(a, ops.mul(ops.sub(b, a), weight))
RULES["addcmul"] = lambda x, a, b, value=1: ops.add(x, ops.mul(ops.mul(a, b), float(value)))
RULES["addcdiv"] = lambda x, a, b, value=1: ops.add(x, ops.mul(ops.div(a, b), float(value)))
RULES["log_sigmoid_forward"] = lambda x: (F.logsigmoid(x), None)


@rule("clamp", "clip")
def _clamp(x: Any, low: Any = None, high: Any = None) -> Any:
    return ops.clip(x, low, high)


RULES["clamp_min"] = lambda x, low: ops.clip(x, low, None)
RULES["clamp_max"] = lambda x, high: ops.clip(x, None, high)


@rule("hardtanh")
def _hardtanh(x: Any, low: float = -1.0, high: float = 1.0) -> Any:
    return ops.clip(x, low, high)


@rule("leaky_relu")
def _leaky_relu(x: Any, slope: float = 0.01) -> Any:
    return F.leaky_relu(x, slope)


@rule("elu")
def _elu(x: Any, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Any:
    below = ops.mul(
        ops.sub(ops.exp(ops.mul(ops.minimum(x, 0.0), float(input_scale))), 1.0), float(alpha)
    )
    return ops.mul(ops.where(x._value > 0, x, below), float(scale))


@rule("gelu")
def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate != "tanh":
        raise NotImplementedError  # the error function is not among our operations
    inner = ops.mul(ops.add(x, ops.mul(ops.pow(x, 3.0), 0.044715)), math.sqrt(2 / math.pi))
    return ops.mul(ops.mul(x, 0.5), ops.add(ops.tanh(inner), 1.0))


@rule("softplus")
def _softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    scaled = ops.mul(x, float(beta))
    return ops.where(scaled._value > threshold, x, ops.div(ops.softplus(scaled), float(beta)))


# -- products -----------------------------------------------------------------------------------------

for _name in ("mm", "bmm", "mv", "dot", "matmul"):
    RULES[_name] = ops.matmul


@rule("addmm", "addmv", "baddbmm")
def _addmm(x: Any, a: Any, b: Any, beta: float = 1, alpha: float = 1) -> Any:
    product = ops.matmul(a, b)
    if alpha != 1:
        product = ops.mul(product, float(alpha))
    return ops.add(product, x if beta == 1 else ops.mul(x, float(beta)))


@rule("linear")
def _linear(x: Any, w: Any, b: Any = None) -> Any:
    return ops.linear(x, w) if b is None else ops.linear(x, w, b)


# -- shapes -------------------------------------------------------------------------------------------


@rule("view", "_unsafe_view", "reshape", "_reshape_alias")
def _view(x: Any, shape: Sequence[int], *_: Any) -> Any:
    return ops.reshape(x, tuple(shape))


@rule("clone", "contiguous", "alias", "lift_fresh", "_to_copy", "positive")
def _same(x: Any, **_: Any) -> Any:
    return ops.identity(x)


RULES["detach"] = ops.detach
RULES["t"] = lambda x: ops.transpose(x)
RULES["transpose"] = lambda x, a, b: ops.swapaxes(x, a, b)
RULES["permute"] = lambda x, dims: ops.transpose(x, tuple(dims))
RULES["unsqueeze"] = lambda x, dim: ops.expand_dims(x, dim)
RULES["flip"] = lambda x, dims: ops.flip(x, tuple(dims))


@rule("squeeze")
def _squeeze(x: Any, dim: Any = None) -> Any:
    shape = _shape(x)
    dims = range(len(shape)) if dim is None else [dim] if isinstance(dim, int) else dim
    axes = tuple(d for d in dims if shape[d] == 1)
    return ops.squeeze(x, axes) if axes else ops.identity(x)


@rule("expand", "broadcast_to")
def _expand(x: Any, shape: Sequence[int], implicit: bool = False) -> Any:
    own = _shape(x)
    lead = len(shape) - len(own)
    return ops.broadcast_to(x, tuple(own[i - lead] if n == -1 else n for i, n in enumerate(shape)))


@rule("repeat")
def _repeat(x: Any, counts: Sequence[int]) -> Any:
    own = (1,) * (len(counts) - x.ndim) + _shape(x)
    pairs = [part for n, m in zip(counts, own) for part in (n, m)]
    wide = ops.broadcast_to(ops.reshape(x, tuple(p for m in own for p in (1, m))), tuple(pairs))
    return ops.reshape(wide, tuple(n * m for n, m in zip(counts, own)))


@rule("select")
def _select(x: Any, dim: int, index: int) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (int(index),)]


@rule("slice")
def _slice(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)]


@rule("index")
def _index(x: Any, indices: Sequence[Any]) -> Any:
    return x[tuple(slice(None) if i is None else np.asarray(i) for i in indices)]


@rule("index_select")
def _index_select(x: Any, dim: int, index: Any) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (np.asarray(index),)]


@rule("gather")
def _gather(x: Any, dim: int, index: Any, sparse_grad: bool = False) -> Any:
    return ops.gather(x, dim, np.asarray(index))


@rule("unbind")
def _unbind(x: Any, dim: int = 0) -> Any:
    return tuple(_select(x, dim, i) for i in range(_shape(x)[dim]))


@rule("split", "split_with_sizes", "chunk")
def _split(x: Any, sizes: Any, dim: int = 0) -> Any:
    total = _shape(x)[dim]
    if isinstance(sizes, int):
        sizes = [min(sizes, total - i) for i in range(0, total, sizes)]
    ends = np.cumsum(sizes).tolist()
    return tuple(_slice(x, dim, end - size, end) for end, size in zip(ends, sizes))


@rule("cat", "concatenate")
def _cat(xs: Sequence[Any], dim: int = 0) -> Any:
    return ops.concatenate([x for x in xs if _shape(x) != (0,)], dim)


@rule("stack")
def _stack(xs: Sequence[Any], dim: int = 0) -> Any:
    return ops.stack(list(xs), dim)


@rule("constant_pad_nd")
def _pad(x: Any, pad: Sequence[int], value: float = 0) -> Any:
    if value or min(pad) < 0:
        raise NotImplementedError
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    return ops.pad(x, tuple([(0, 0)] * (x.ndim - len(pairs)) + pairs[::-1]))


# -- sums and the like --------------------------------------------------------------------------------


@rule("sum")
def _sum(x: Any, dims: Any = None, keepdim: bool = False, **_: Any) -> Any:
    return ops.sum(x, axis=_axes(dims), keepdims=keepdim)


@rule("mean")
def _mean(x: Any, dims: Any = None, keepdim: bool = False, **_: Any) -> Any:
    return ops.mean(x, axis=_axes(dims), keepdims=keepdim)


@rule("var")
def _var(x: Any, dims: Any = None, correction: Any = None, keepdim: bool = False) -> Any:
    axes = _axes(dims if not isinstance(dims, bool) else None)
    n = x.size if axes is None else math.prod(_shape(x)[d] for d in np.atleast_1d(axes))
    divisor = n - (1 if correction is None else correction)
    return ops.mul(ops.var(x, axis=axes, keepdims=keepdim), n / divisor)


RULES["std"] = lambda *args, **kwargs: ops.sqrt(_var(*args, **kwargs))


@rule("logsumexp")
def _logsumexp(x: Any, dims: Any, keepdim: bool = False) -> Any:
    return ops.logsumexp(x, axis=_axes(dims), keepdims=keepdim)


@rule("cumsum")
def _cumsum(x: Any, dim: int, dtype: Any = None) -> Any:
    return ops.cumsum(x, axis=dim)


@rule("linalg_vector_norm")
def _norm(x: Any, ord: float = 2, dims: Any = None, keepdim: bool = False, **_: Any) -> Any:
    if ord != 2:
        raise NotImplementedError
    return ops.sqrt(ops.sum(ops.mul(x, x), axis=_axes(dims), keepdims=keepdim))


RULES["_softmax"] = RULES["softmax"] = lambda x, dim, *_: ops.softmax(x, dim)
RULES["_log_softmax"] = RULES["log_softmax"] = lambda x, dim, *_: ops.log_softmax(x, dim)
