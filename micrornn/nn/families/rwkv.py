"""RWKV-4's time mixing (Peng et al. 2023): attention that decays with distance, as two running sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.equations import Step
from micrornn.nn.recurrent import Recurrent
from micrornn.nn.unrolled import Unrolled
from micrornn.ops.elementwise import exp, sigmoid
from micrornn.ops.piecewise import maximum
from micrornn.ops.product import linear


class TimeMixing(Recurrent):
    """a' = exp(-w) a + exp(k) v;  b' = exp(-w) b + exp(k);  both kept divided by exp(p)."""

    scope_name = "rwkv"
    state_names = ("u", "a", "b", "p")

    def _shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        h = self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"W": (h, input_size), "w": (h,), "first": (h,)}
        shapes |= {f"mu_{name}": (h,) for name in "rkv"}
        return shapes | {f"W_{name}": (h, h) for name in "rkvo"}

    def _make_weights(self, suffix: str, input_size: int, dtype: Any) -> None:
        """Channels that fade at different speeds, and mix in more of the step before the slower they fade."""
        super()._make_weights(suffix, input_size, dtype)
        p, part = self._named(suffix), np.linspace(0.0, 1.0, self.hidden_size)
        self._set(p["w"], -5.0 + 8.0 * part**0.7)
        self._set(p["first"], np.full(self.hidden_size, math.log(0.3)))
        for name in "rkv":
            self._set(p[f"mu_{name}"], part)

    def _equation(self, suffix: str) -> Step:
        p = self._named(suffix)

        def step(x: Tensor, u: Tensor, a: Tensor, b: Tensor, top: Tensor) -> tuple[Tensor, ...]:
            before, u = u, linear(x, p["W"])

            def mixed(name: str) -> Tensor:
                mu = p[f"mu_{name}"]
                return linear(mu * u + (1.0 - mu) * before, p[f"W_{name}"])

            with scope("receptance"):
                r = sigmoid(mixed("r"))
            k, v = mixed("k"), mixed("v")
            now = p["first"] + k  # the present step counts with a weight of its own
            largest = maximum(top, now)
            old, new = exp(top - largest), exp(now - largest)
            wkv = (old * a + new * v) / (old * b + new)
            faded = top - exp(p["w"])
            top = maximum(faded, k)
            old, new = exp(faded - top), exp(k - top)
            a, b = old * a + new * v, old * b + new
            o = linear(r * wkv, p["W_o"])
            r.name, k.name, v.name, wkv.name, o.name = "r", "k", "v", "wkv", "output"
            u.name, a.name, b.name, top.name = "u", "a", "b", "p"
            return o, u, a, b, top

        return step


class RWKV(TimeMixing, Unrolled):
    """The time mixing of RWKV-4 (Peng et al. 2023, eq. 11 to 17); see `Unrolled` for the other arguments.

    With u_t = W x_t and r, k, v = W_r, W_k, W_v of μ u_t + (1 - μ) u_{t-1}, each with its own μ:
    wkv_t = (a_{t-1} + exp(first + k_t) v_t) / (b_{t-1} + exp(first + k_t));
    a_t = exp(-exp(w)) a_{t-1} + exp(k_t) v_t;  b_t = exp(-exp(w)) b_{t-1} + exp(k_t);
    o_t = W_o (sigmoid(r_t) wkv_t).

    So wkv is a mean of all v so far, each weighted by exp(k) and by its distance. Both sums are kept divided
    by exp(p_t), p_t the largest exponent so far and p_0 = 0, so that none overflows (appendix D). The state
    is (u, a, b, p). ``first`` is the paper's u. There is no bias.

    Parameters per layer k: W_lk (H, I), w_lk, first_lk, mu_r_lk, mu_k_lk, mu_v_lk (H,), W_r_lk, W_k_lk,
    W_v_lk, W_o_lk (H, H).

    >>> import numpy as np
    >>> from micrornn import nn
    >>> o, (u, a, b, p) = nn.RWKV(3, 4)(np.ones((5, 3)))
    >>> o.shape, a.shape
    ((5, 4), (1, 4))
    """
