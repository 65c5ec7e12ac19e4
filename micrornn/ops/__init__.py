"""Every primitive of the engine, one block each, by kind."""

from micrornn.ops.elementwise import (
    abs,
    add,
    clip,
    cos,
    div,
    exp,
    log,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    relu,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    sub,
    tanh,
    where,
)
from micrornn.ops.index import getitem, scatter, take
from micrornn.ops.mark import detach, identity
from micrornn.ops.product import einsum, linear, matmul
from micrornn.ops.reduce import (
    cumsum,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    softmax,
    sum,
    var,
)
from micrornn.ops.shape import (
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    pad,
    reshape,
    split,
    squeeze,
    stack,
    swapaxes,
    transpose,
)

__all__ = [
    *("abs", "add", "broadcast_to", "clip", "concatenate", "cos", "cumsum", "detach", "div"),
    *("einsum", "exp", "expand_dims", "flip", "getitem", "identity", "linear", "log"),
    *("log_softmax", "logsumexp", "matmul", "max", "maximum", "mean", "min", "minimum", "mul"),
    *("neg", "pad", "pow", "relu", "reshape", "scatter", "sigmoid", "sign", "sin", "softmax"),
    *("softplus", "split", "sqrt", "squeeze", "stack", "sub", "sum", "swapaxes", "take", "tanh"),
    *("transpose", "var", "where"),
]
