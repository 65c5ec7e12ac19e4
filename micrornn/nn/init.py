"""Initializers: each function sets the values of a tensor and returns it.

Random functions take a ``generator`` (a NumPy generator or a seed). Without one they draw from a shared
generator, which `manual_seed` sets. All raise a TypeError for anything but a tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.names import no_such_name
from micrornn.nn.fans import block_shape, calculate_gain, check_tensor, fans, kaiming_scale
from micrornn.nn.gate_biases import chrono_, forget_bias_
from micrornn.nn.generators import Seed, as_generator, manual_seed
from micrornn.options import check

__all__ = [
    "calculate_gain",
    "chrono_",
    "constant_",
    "default_",
    "eye_",
    "forget_bias_",
    "identity_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "manual_seed",
    "normal_",
    "ones_",
    "orthogonal_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

T = TypeVar("T", bound=Tensor)


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Seed = None) -> T:
    """U(a, b).

    Raises:
        ValueError: a bound is not a finite number, or a is above b.

    >>> import micrornn as mr
    >>> w = mr.nn.init.uniform_(mr.nn.Parameter([0.0, 0.0]), -1, 1, generator=0)
    >>> bool((abs(w.data) < 1).all())
    True
    """
    check("uniform_", a=a, b=b)
    if a > b:
        raise ValueError(f"uniform_: a={a!r} is above b={b!r}; exchange them")
    return _fill("uniform_", tensor, lambda: as_generator(generator).uniform(a, b, tensor.shape))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Seed = None) -> T:
    """N(mean, std^2).

    Raises:
        ValueError: the mean is not a finite number, or the standard deviation negative.
    """
    check("normal_", mean=mean, std=std)
    return _fill("normal_", tensor, lambda: as_generator(generator).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: T,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Seed = None,
) -> T:
    """N(mean, std^2), with values outside of [a, b] drawn again.

    Raises:
        ValueError: a number is not finite, the standard deviation is negative, or [a, b] holds less than
            0.1% of the distribution.
    """
    check("trunc_normal_", mean=mean, std=std, a=a, b=b)
    scale = (std or 1.0) * math.sqrt(2.0)
    held = (math.erf((b - mean) / scale) - math.erf((a - mean) / scale)) / 2.0
    if held < 1e-3:
        raise ValueError(
            f"trunc_normal_: a={a!r} to b={b!r} holds {held:.0e} of the distribution with mean={mean!r} and "
            f"std={std!r}; give a range around the mean"
        )

    def draw() -> Any:
        rng = as_generator(generator)
        values = rng.normal(mean, std, tensor.shape)
        while (outside := (values < a) | (values > b)).any():
            values = np.where(outside, rng.normal(mean, std, tensor.shape), values)
        return values

    return _fill("trunc_normal_", tensor, draw)


def constant_(tensor: T, val: float) -> T:
    """Every element the same.

    Raises:
        ValueError: the value is not a finite number.
    """
    check("constant_", val=val)
    return _fill("constant_", tensor, lambda: np.full(tensor.shape, val))


def zeros_(tensor: T) -> T:
    """Every element 0."""
    return constant_(tensor, 0.0)


def ones_(tensor: T) -> T:
    """Every element 1."""
    return constant_(tensor, 1.0)


def eye_(tensor: T) -> T:
    """The identity: a matrix with ones along its diagonal.

    Raises:
        ValueError: the tensor is not a matrix.
    """
    rows, columns = block_shape(tensor, 1, "eye_", 2)
    return _fill("eye_", tensor, lambda: np.eye(rows, columns))


def default_(tensor: T, fan: int, generator: Seed = None) -> T:
    """PyTorch's default for Linear and the recurrent layers: U(-1/sqrt(fan), 1/sqrt(fan)).

    ``fan`` is the number of inputs for Linear, and the hidden size for everything in a recurrent layer.
    """
    bound = 1.0 / math.sqrt(fan) if fan > 0 else 0.0
    return uniform_(tensor, -bound, bound, generator)


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Seed = None, *, blocks: int = 1) -> T:
    """U(-a, a) with a = gain sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16).

    A stacked weight holds one matrix per gate, and each is drawn by its own fans: give ``blocks=4`` for
    an LSTM, 3 for a GRU. The filters of a convolution count with all their places.

    Raises:
        ValueError: the tensor has fewer than two axes, its rows are not a multiple of ``blocks``, or the
            gain is not a finite number.
    """
    check("xavier_uniform_", gain=gain)
    bound = gain * math.sqrt(6.0 / sum(fans(tensor, blocks, "xavier_uniform_")))
    return uniform_(tensor, -abs(bound), abs(bound), generator)


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Seed = None, *, blocks: int = 1) -> T:
    """N(0, s^2) with s = gain sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010); see `xavier_uniform_`."""
    check("xavier_normal_", gain=gain)
    std = gain * math.sqrt(2.0 / sum(fans(tensor, blocks, "xavier_normal_")))
    return normal_(tensor, 0.0, abs(std), generator)


def kaiming_uniform_(
    tensor: T,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Seed = None,
    *,
    blocks: int = 1,
) -> T:
    """U(-b, b) with b = gain sqrt(3 / fan), where gain is that of the activation (He et al. 2015, eq. 10).

    Args:
        tensor: two axes or more.
        a: the slope of ``"leaky_relu"``; 0 makes it ReLU.
        mode: ``"fan_in"`` keeps the size of signals, ``"fan_out"`` that of gradients.
        nonlinearity: see `calculate_gain`.
        generator: a NumPy generator or a seed.
        blocks: see `xavier_uniform_`.

    Raises:
        ValueError: as `xavier_uniform_`, or an option has an invalid value.
    """
    bound = math.sqrt(3.0) * kaiming_scale(
        tensor, a, mode, nonlinearity, blocks, "kaiming_uniform_"
    )
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: T,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Seed = None,
    *,
    blocks: int = 1,
) -> T:
    """N(0, s^2) with s = gain / sqrt(fan) (He et al. 2015, eq. 10); arguments as `kaiming_uniform_`."""
    std = kaiming_scale(tensor, a, mode, nonlinearity, blocks, "kaiming_normal_")
    return normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: T, gain: float = 1.0, generator: Seed = None, *, blocks: int = 1) -> T:
    """A random orthogonal matrix per block, which rotates h and keeps its length (Saxe et al. 2014).

    In a block with more rows than columns the columns are orthonormal, else the rows. Give ``blocks=4``
    for an LSTM, 3 for a GRU, so that each gate gets a matrix of its own. Filters count as rows.

    Raises:
        ValueError: as `xavier_uniform_`.

    >>> from micrornn import nn
    >>> w = nn.init.orthogonal_(nn.RNN(3, 4).weight_hh_l0, generator=0).data
    >>> bool(abs(w @ w.T - __import__("numpy").eye(4)).max() < 1e-12)
    True
    """
    check("orthogonal_", gain=gain)
    rows, columns = block_shape(tensor, blocks, "orthogonal_")

    def draw() -> Any:
        rng, parts = as_generator(generator), []
        for _ in range(blocks):
            tall = rng.normal(size=(max(rows, columns), min(rows, columns)))
            q, r = np.linalg.qr(tall)
            q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)  # else q is not uniform over rotations
            parts.append(gain * (q if rows >= columns else q.T))
        return np.concatenate(parts).reshape(tensor.shape)

    return _fill("orthogonal_", tensor, draw)


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
    check("identity_", scale=scale)
    rows, columns = block_shape(tensor, blocks, "identity_", 2)
    whole = np.concatenate([scale * np.eye(rows, columns)] * blocks)
    return _fill("identity_", tensor, lambda: whole)


def _fill(function: str, tensor: T, draw: Callable[[], Any]) -> T:
    check_tensor(function, tensor)
    tensor.data = np.asarray(draw(), dtype=tensor.dtype)
    return tensor


INSTEAD = {
    **{name[:-1]: f"nn.init.{name}" for name in __all__},  # PyTorch's old names
    "dirac_": "nn.init.identity_",
    "sparse_": "nn.init.normal_, and zeros by a mask",
}
if not TYPE_CHECKING:  # so that a type checker reports names that do not exist
    __getattr__ = no_such_name("nn.init", __all__, INSTEAD)
