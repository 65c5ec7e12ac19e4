"""The gated delta rule (Yang, Kautz & Hatamizadeh 2024): a memory that forgets, and corrects what it has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.activations import softplus
from micrornn.nn.equations import Step
from micrornn.nn.generators import as_generator
from micrornn.nn.recurrent import Recurrent
from micrornn.nn.unrolled import Unrolled
from micrornn.ops.elementwise import exp, sigmoid, sqrt
from micrornn.ops.product import einsum, linear
from micrornn.ops.reduce import sum as total
from micrornn.ops.shape import expand_dims

SMALLEST = 1e-6  # added to the squared length of a key or a query


class Delta(Recurrent):
    """S' = α S (I - β k kᵀ) + β v kᵀ;  o = S' q, with keys and queries of length 1."""

    scope_name = "delta"
    state_names = ("S",)

    def _shape(self, state: str) -> tuple[int, ...]:
        return (self.hidden_size, self.hidden_size)

    def _shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {
            f"W_{name}": (self.hidden_size, input_size) for name in "qkv"
        }
        shapes |= {"W_alpha": (1, input_size), "W_beta": (1, input_size)}
        return shapes | {"A_log": (1,), "dt_bias": (1,)}

    def _make_weights(self, suffix: str, input_size: int, dtype: Any) -> None:
        """The decay begins as that of Mamba 2: A from 1 to 16, the step from 0.001 to 0.1."""
        super()._make_weights(suffix, input_size, dtype)
        p, rng = self._named(suffix), as_generator(self.rng)
        self._set(p["A_log"], np.log(rng.uniform(1.0, 16.0, 1)))
        dt = np.exp(rng.uniform(math.log(0.001), math.log(0.1), 1))
        self._set(p["dt_bias"], dt + np.log(-np.expm1(-dt)))  # softplus⁻¹

    def _equation(self, suffix: str) -> Step:
        p = self._named(suffix)

        def step(x: Tensor, memory: Tensor) -> tuple[Tensor, ...]:
            q, k, v = unit(linear(x, p["W_q"])), unit(linear(x, p["W_k"])), linear(x, p["W_v"])
            with scope("forget gate"):
                alpha = exp(-exp(p["A_log"]) * softplus(linear(x, p["W_alpha"]) + p["dt_bias"]))
            with scope("input gate"):
                beta = sigmoid(linear(x, p["W_beta"]))
            kept = expand_dims(alpha, -1) * memory
            wrong = v - einsum("...vk,...k->...v", kept, k)  # what the memory does not say of k yet
            memory = kept + einsum("...v,...k->...vk", beta * wrong, k)
            o = einsum("...vk,...k->...v", memory, q)
            q.name, k.name, v.name, alpha.name, beta.name = "q", "k", "v", "α", "β"
            memory.name, o.name = "S", "output"
            return o, memory

        return step


def unit(x: Tensor) -> Tensor:
    """x with length 1.

    >>> import micrornn as mr
    >>> unit(mr.tensor([3.0, 4.0])).data.round(3)
    array([0.6, 0.8])
    """
    return x / sqrt(total(x * x, axis=-1, keepdims=True) + SMALLEST)


class GatedDelta(Delta, Unrolled):
    """The gated delta rule (Yang, Kautz & Hatamizadeh 2024, eq. 10), with one head; see `Unrolled`.

    S_t = α_t S_{t-1} (I - β_t k_t k_tᵀ) + β_t v_t k_tᵀ;  o_t = S_t q_t, where q_t and k_t have length 1,
    α_t = exp(-exp(A_log) softplus(W_α x_t + dt_bias)) and β_t = sigmoid(W_β x_t). With α = β = 1 the memory
    replaces what it had under k by v (the delta rule); α below 1 lets all of it fade. The paper's block has
    convolutions before and a gated norm after it; those are left to the user.

    The state S is a matrix (H, H). There is no bias.

    Parameters per layer k: W_q_lk, W_k_lk, W_v_lk (H, I), W_alpha_lk, W_beta_lk (1, I), A_log_lk,
    dt_bias_lk (1,).

    >>> import numpy as np
    >>> from micrornn import nn
    >>> o, S = nn.GatedDelta(3, 4)(np.ones((5, 3)))
    >>> o.shape, S.shape
    ((5, 4), (1, 4, 4))
    """
