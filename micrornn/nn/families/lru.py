"""The linear recurrent unit (Orvieto et al. 2023): a diagonal complex recurrence, as rotations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.families.scan import LinearRecurrence, Reading, Terms
from micrornn.nn.generators import as_generator
from micrornn.nn.sequence import outside_steps
from micrornn.nn.unrolled import Unrolled
from micrornn.ops.elementwise import cos, exp, sin
from micrornn.ops.index import getitem
from micrornn.ops.join import stack
from micrornn.ops.product import einsum, linear
from micrornn.ops.shape import broadcast_to, expand_dims

_RE, _IM = (Ellipsis, 0), (Ellipsis, 1)


class Rotations(LinearRecurrence):
    """h' = λ h + exp(γ) B x;  y = Re(C h) + D x, with λ = exp(-exp(ν) + i exp(θ))."""

    scope_name = "lru"
    variants = (*LinearRecurrence.variants, ("r_min", 0.0), ("r_max", 1.0))
    r_min: float
    r_max: float

    def _shape(self, state: str) -> tuple[int, ...]:
        return (self.hidden_size, 2)  # the real and the imaginary part

    def _shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        n, i = self.hidden_size, input_size
        shapes: dict[str, tuple[int, ...]] = {"nu": (n,), "theta": (n,), "gamma": (n,)}
        shapes |= {"B_re": (n, i), "B_im": (n, i), "C_re": (n, n), "C_im": (n, n), "D": (n, i)}
        return shapes

    def _make_weights(self, suffix: str, input_size: int, dtype: Any) -> None:
        """As in section 3 and appendix A: |λ| in the ring from r_min to r_max, and a state of size 1."""
        if self.r_min > self.r_max:
            raise ValueError(f"LRU: r_min={self.r_min} is above r_max={self.r_max}; exchange them")
        super()._make_weights(suffix, input_size, dtype)
        rng, p = as_generator(self.rng), self._named(suffix)
        inner, outer = self.r_min**2, self.r_max**2
        squared = inner + (outer - inner) * rng.uniform(1e-6, 1.0 - 1e-6, self.hidden_size)
        self._set(p["nu"], np.log(-0.5 * np.log(squared)))
        self._set(p["theta"], np.log(2 * math.pi * rng.uniform(1e-6, 1.0, self.hidden_size)))
        self._set(p["gamma"], 0.5 * np.log(1.0 - squared))
        for name, width in (("B", 2 * input_size), ("C", self.hidden_size), ("D", 1)):
            for key in [key for key in p if key.partition("_")[0] == name]:
                self._set(p[key], rng.normal(0.0, 1 / math.sqrt(width), p[key].shape))

    def _terms(self, suffix: str) -> Terms:
        p = self._named(suffix)
        with outside_steps(), scope("λ"):
            size, angle = exp(-exp(p["nu"])), exp(p["theta"])
            re, im = size * cos(angle), size * sin(angle)
            rotation = stack([stack([re, -im], -1), stack([im, re], -1)], -2)
            gamma = expand_dims(exp(p["gamma"]), -1)
        rotation.name = "λ"

        def terms(x: Tensor) -> tuple[Tensor, Tensor]:
            b = gamma * stack([linear(x, p["B_re"]), linear(x, p["B_im"])], -1)
            return rotation, b

        return terms

    def _each(self, a: Tensor, b: Tensor) -> Tensor:
        return broadcast_to(a, (len(b), *[1] * (b.ndim - 3), *a.shape))

    def _times(self, a: Tensor, h: Tensor) -> Tensor:
        """Each pair turned and shrunk; or two rotations in a row."""
        twice = a.ndim == h.ndim > 3  # in a scan both have an axis of time
        return einsum("...nij,...njk->...nik" if twice else "...nij,...nj->...ni", a, h)

    def _one(self) -> Any:
        return np.eye(2)

    def _reading(self, suffix: str) -> Reading:
        p = self._named(suffix)

        def read(h: Tensor, x: Tensor) -> Tensor:
            re, im = getitem(h, index=_RE), getitem(h, index=_IM)
            return linear(re, p["C_re"]) - linear(im, p["C_im"]) + linear(x, p["D"])

        return read


class LRU(Rotations, Unrolled):
    """The linear recurrent unit (Orvieto et al. 2023); see `Unrolled` for the other arguments.

    h_t = λ h_{t-1} + exp(γ) B x_t;  y_t = Re(C h_t) + D x_t, with N = hidden_size complex numbers h and
    λ = exp(-exp(ν) + i exp(θ)), whose size is below 1 whatever ν is. A complex number is a pair of reals, and
    λ rotates and shrinks each pair: the state has the shape (N, 2). Between layers the paper has a nonlinear
    block; here the next layer reads y.

    Args:
        scan: compute all steps at once; see `linear_scan`.
        r_min, r_max: the sizes between which the eigenvalues λ begin, from 0 to 1.

    Parameters per layer k, by the paper's names: nu_lk, theta_lk, gamma_lk (N,), B_re_lk, B_im_lk, D_lk
    (N, I), C_re_lk, C_im_lk (N, N). There is no bias.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> y, h_n = nn.LRU(3, 4)(np.ones((5, 2, 3)))
    >>> y.shape, h_n.shape
    ((5, 2, 4), (1, 2, 4, 2))
    """
