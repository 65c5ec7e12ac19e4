"""How parameters begin: each function gives a tensor new values, and says what they are for.

Every function takes a ``generator`` (a NumPy generator or a seed). Without one it draws from a generator
that all of them share, and that `manual_seed` sets.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar, Union

import numpy as np

from micrornn.core.tensor import Tensor

if TYPE_CHECKING:
    from numpy.random import Generator  # loaded when the first number is drawn, not on import

T = TypeVar("T", bound=Tensor)
Seed = Union["Generator", int, None]

_shared: Generator | None = None


def manual_seed(seed: int) -> None:
    """Make every later draw that names no generator repeatable.

    >>> from micrornn import nn
    >>> nn.init.manual_seed(0)
    >>> a = nn.Linear(2, 2).weight.numpy()
    >>> nn.init.manual_seed(0)
    >>> bool((nn.Linear(2, 2).weight.numpy() == a).all())
    True
    """
    global _shared
    _shared = np.random.default_rng(seed)


def as_generator(seed: Seed) -> Generator:
    """A generator as it is, one made from a seed, or the shared one for None."""
    global _shared
    if seed is None:
        if _shared is None:
            _shared = np.random.default_rng()
        return _shared
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, (int, np.integer)):
        return np.random.default_rng(seed)
    raise TypeError(
        f"a generator or a seed was expected, not {type(seed).__name__}; give an integer or "
        "numpy.random.default_rng(...)"
    )


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Seed = None) -> T:
    """U(a, b).

    >>> import micrornn as mr
    >>> w = mr.nn.init.uniform_(mr.nn.Parameter([0.0, 0.0]), -1, 1, generator=0)
    >>> bool((abs(w.data) < 1).all())
    True
    """
    return _fill(tensor, as_generator(generator).uniform(a, b, tensor.shape))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Seed = None) -> T:
    """N(mean, std^2)."""
    return _fill(tensor, as_generator(generator).normal(mean, std, tensor.shape))


def constant_(tensor: T, value: float) -> T:
    """Every element the same."""
    return _fill(tensor, np.full(tensor.shape, value))


def zeros_(tensor: T) -> T:
    """Every element 0."""
    return constant_(tensor, 0.0)


def default_(tensor: T, fan: int, generator: Seed = None) -> T:
    """PyTorch's default for Linear and the recurrent layers: U(-1/sqrt(fan), 1/sqrt(fan)).

    ``fan`` is the number of inputs for Linear, and the hidden size for everything in a recurrent layer.
    """
    bound = 1.0 / math.sqrt(fan) if fan > 0 else 0.0
    return uniform_(tensor, -bound, bound, generator)


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Seed = None, *, blocks: int = 1) -> T:
    """U(-a, a) with a = gain sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16).

    A stacked weight holds one matrix per gate, and each is drawn by its own fans: give ``blocks=4`` for
    an LSTM, 3 for a GRU.

    Raises:
        ValueError: the tensor is not a matrix, or its rows are not a multiple of ``blocks``.
    """
    rows, columns = _block_shape(tensor, blocks, "xavier_uniform_")
    bound = gain * math.sqrt(6.0 / (rows + columns))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Seed = None, *, blocks: int = 1) -> T:
    """N(0, s^2) with s = gain sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010); see `xavier_uniform_`."""
    rows, columns = _block_shape(tensor, blocks, "xavier_normal_")
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (rows + columns)), generator)


def orthogonal_(tensor: T, gain: float = 1.0, generator: Seed = None, *, blocks: int = 1) -> T:
    """A random orthogonal matrix per block: it turns h and keeps its length (Saxe et al. 2014).

    In a block with more rows than columns the columns are orthonormal, else the rows. Give ``blocks=4``
    for an LSTM, 3 for a GRU, so that each gate gets a matrix of its own.

    Raises:
        ValueError: the tensor is not a matrix, or its rows are not a multiple of ``blocks``.

    >>> from micrornn import nn
    >>> w = nn.init.orthogonal_(nn.RNN(3, 4).weight_hh_l0, generator=0).data
    >>> bool(abs(w @ w.T - __import__("numpy").eye(4)).max() < 1e-12)
    True
    """
    rows, columns = _block_shape(tensor, blocks, "orthogonal_")
    rng = as_generator(generator)
    parts = []
    for _ in range(blocks):
        tall = rng.normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)  # else q is not uniform over rotations
        parts.append(gain * (q if rows >= columns else q.T))
    return _fill(tensor, np.concatenate(parts))


def identity_(tensor: T, scale: float = 1.0, *, blocks: int = 1) -> T:
    """``scale`` times the identity per block: with ReLU and scale 1, the IRNN (Le, Jaitly & Hinton 2015).

    Raises:
        ValueError: the tensor is not a matrix, or its rows are not a multiple of ``blocks``.

    >>> from micrornn import nn
    >>> irnn = nn.RNN(1, 2, nonlinearity="relu")
    >>> nn.init.identity_(irnn.weight_hh_l0).data
    array([[1., 0.],
           [0., 1.]])
    """
    rows, columns = _block_shape(tensor, blocks, "identity_")
    return _fill(tensor, np.concatenate([scale * np.eye(rows, columns)] * blocks))


def forget_bias_(module: Any, value: float = 1.0) -> None:
    """Make the forget gates of an LSTM begin with this bias (Gers et al. 2000; Jozefowicz et al. 2015).

    The gate adds two biases, b_ih and b_hh, as PyTorch does: this sets their SUM to ``value``, by putting
    it into b_ih and zero into b_hh. Setting both to 1 would give 2. Every LSTM and LSTMCell inside
    ``module`` is set, all layers and directions.

    Raises:
        ValueError: there is no LSTM with biases in it.

    >>> from micrornn import nn
    >>> lstm = nn.LSTM(3, 2)
    >>> nn.init.forget_bias_(lstm, 1.0)
    >>> (lstm.bias_ih_l0.data + lstm.bias_hh_l0.data)[2:4]
    array([1., 1.])
    """
    found = False
    for part in module.modules():
        if getattr(part, "gate_names", ())[1:2] != ("forget gate",):
            continue
        hidden = part.hidden_size
        for name, parameter in part._parameters.items():
            if name.startswith("bias_"):
                bias = parameter.numpy()
                bias[hidden : 2 * hidden] = value if name.startswith("bias_ih") else 0.0
                _fill(parameter, bias)
                found = True
    if not found:
        raise ValueError(
            f"{type(module).__name__} has no LSTM with biases in it; give an nn.LSTM or nn.LSTMCell "
            "made with bias=True, or a module that holds one"
        )


def _fill(tensor: T, values: Any) -> T:
    tensor.data = np.asarray(values, dtype=tensor.dtype)
    return tensor


def _block_shape(tensor: Tensor, blocks: int, function: str) -> tuple[int, int]:
    if tensor.ndim != 2:
        raise ValueError(
            f"{function} fills matrices, and this tensor has shape {tensor.shape}; for biases use "
            "zeros_, constant_ or uniform_"
        )
    rows, columns = tensor.shape
    if blocks < 1 or rows % blocks:
        raise ValueError(
            f"{function} was asked for {blocks} blocks in {rows} rows; the rows must be a multiple of "
            "blocks (4 for an LSTM's weights, 3 for a GRU's, 1 otherwise)"
        )
    return rows // blocks, columns
