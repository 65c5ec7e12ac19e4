"""S6, the selective state space model of Mamba (Gu & Dao 2023, algorithm 2): what to keep depends on x."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.activations import softplus
from micrornn.nn.families.scan import LinearRecurrence, Reading, Terms
from micrornn.nn.generators import as_generator
from micrornn.nn.sequence import outside_steps
from micrornn.nn.unrolled import Unrolled
from micrornn.ops.elementwise import exp
from micrornn.ops.product import einsum, linear
from micrornn.ops.shape import expand_dims

SLOWEST, FASTEST = 0.001, 0.1  # of the first Δ; Gu & Dao 2023, section 3.6


class Selective(LinearRecurrence):
    """u = W x;  h' = exp(Δ A) h + Δ u B;  y = h C + D u, where Δ, B and C are made of u."""

    scope_name = "s6"
    variants = (*LinearRecurrence.variants, ("state_size", 16))
    state_size: int

    def _shape(self, state: str) -> tuple[int, ...]:
        return (self.hidden_size, self.state_size)

    def _shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        h, n = self.hidden_size, self.state_size
        shapes: dict[str, tuple[int, ...]] = {"W": (h, input_size), "A_log": (h, n), "D": (h,)}
        return shapes | {"W_dt": (h, h), "b_dt": (h,), "W_B": (n, h), "W_C": (n, h)}

    def _make_weights(self, suffix: str, input_size: int, dtype: Any) -> None:
        super()._make_weights(suffix, input_size, dtype)
        p, rng = self._named(suffix), as_generator(self.rng)
        rows = np.log(np.arange(1.0, self.state_size + 1))
        self._set(p["A_log"], np.broadcast_to(rows, p["A_log"].shape))
        self._set(p["D"], np.ones(self.hidden_size))
        low, high = math.log(SLOWEST), math.log(FASTEST)
        dt = np.exp(rng.uniform(low, high, self.hidden_size))
        self._set(p["b_dt"], dt + np.log(-np.expm1(-dt)))  # softplus⁻¹

    def _terms(self, suffix: str) -> Terms:
        p = self._named(suffix)
        with outside_steps():
            decay = -exp(p["A_log"])
        decay.name = "A"

        def terms(x: Tensor) -> tuple[Tensor, Tensor]:
            u = linear(x, p["W"])
            with scope("Δ"):
                dt = softplus(linear(u, p["W_dt"], p["b_dt"]))
            b = linear(u, p["W_B"])
            u.name, dt.name, b.name = "u", "Δ", "B"
            kept = exp(expand_dims(dt, -1) * decay)
            return kept, expand_dims(dt * u, -1) * expand_dims(b, -2)

        return terms

    def _reading(self, suffix: str) -> Reading:
        p = self._named(suffix)

        def read(h: Tensor, x: Tensor) -> Tensor:
            u = linear(x, p["W"])
            c = linear(u, p["W_C"])
            c.name = "C"
            return einsum("...hn,...n->...h", h, c) + p["D"] * u

        return read


class S6(Selective, Unrolled):
    """The selective scan of Mamba (Gu & Dao 2023); see `Unrolled` for the other arguments.

    For each of H channels u of W x_t, a state of N numbers:
    h_t = exp(Δ_t A) h_{t-1} + Δ_t u_t B_t;  y_t = h_t C_t + D u_t, with Δ_t = softplus(W_dt u_t + b_dt),
    B_t = W_B u_t, C_t = W_C u_t and A = -exp(A_log). A large Δ forgets and writes, a small one keeps.
    Mamba's block has a convolution before it and a gate beside it; those are left to the user.

    Args:
        scan: compute all steps at once; see `linear_scan`.
        state_size: N.

    Parameters per layer k, by the paper's names: W_lk (H, I), A_log_lk (H, N), D_lk (H,), W_dt_lk (H, H),
    b_dt_lk (H,), W_B_lk, W_C_lk (N, H).

    >>> import numpy as np
    >>> from micrornn import nn
    >>> y, h_n = nn.S6(3, 4, state_size=2)(np.ones((5, 3)))
    >>> y.shape, h_n.shape
    ((5, 4), (1, 4, 2))
    """
