"""xLSTM (Beck et al. 2024): exponential gates with a stabilizer m, and a memory that is a matrix.

Gates of exp(ĩ) and exp(f̃) overflow. So c and n are kept divided by exp(m), where m is the largest exponent so
far: m' = max(log f + m, ĩ), and the gates become i = exp(ĩ - m') and f = exp(log f + m - m'), which are at
most 1. What is read from the memory, c / n, does not change.
"""

from __future__ import annotations

import math

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.activations import logsigmoid
from micrornn.nn.equations import Step, product
from micrornn.nn.recurrent import Recurrent
from micrornn.nn.unrolled import Unrolled
from micrornn.ops.elementwise import exp, sigmoid, tanh
from micrornn.ops.piecewise import abs as absolute
from micrornn.ops.piecewise import maximum
from micrornn.ops.product import einsum, linear
from micrornn.ops.shape import expand_dims


def stabilized(i_in: Tensor, f_in: Tensor, m: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The gates i = exp(ĩ) and f = sigmoid(f̃), both divided by exp of the new m; equations 15 to 17.

    Returns:
        i, f, and the new m.
    """
    log_f = logsigmoid(f_in) + m
    new = maximum(log_f, i_in)
    with scope("input gate"):
        i = exp(i_in - new)
    with scope("forget gate"):
        f = exp(log_f - new)
    i.name, f.name, new.name = "i", "f", "m"
    return i, f, new


class ScalarMemory(Recurrent):
    """c' = f c + i z;  n' = f n + i;  h' = o c' / n', with gates of W x + R h + b."""

    scope_name = "slstm"
    state_names = ("h", "c", "n", "m")

    def _shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for gate in "zifo":
            shapes[f"W_{gate}"] = (self.hidden_size, input_size)
            shapes[f"R_{gate}"] = (self.hidden_size, self.hidden_size)
            if self.bias:
                shapes[f"b_{gate}"] = (self.hidden_size,)
        return shapes

    def _equation(self, suffix: str) -> Step:
        p = self._named(suffix)

        def into(gate: str, x: Tensor, h: Tensor) -> Tensor:
            return product(x, p[f"W_{gate}"], p.get(f"b_{gate}")) + linear(h, p[f"R_{gate}"])

        def step(x: Tensor, h: Tensor, c: Tensor, n: Tensor, m: Tensor) -> tuple[Tensor, ...]:
            with scope("candidate"):
                z = tanh(into("z", x, h))
            with scope("output gate"):
                o = sigmoid(into("o", x, h))
            i, f, m = stabilized(into("i", x, h), into("f", x, h), m)
            c = f * c + i * z
            n = f * n + i
            h = o * (c / n)
            z.name, o.name, c.name, n.name, h.name = "z", "o", "c", "n", "h"
            return h, c, n, m

        return step


class SLSTM(ScalarMemory, Unrolled):
    """The scalar LSTM of xLSTM (Beck et al. 2024, section 2.2), with one head; see `Unrolled`.

    z_t = tanh(W_z x_t + R_z h_{t-1} + b_z), o_t by sigmoid, ĩ_t and f̃_t likewise;
    c_t = f_t c_{t-1} + i_t z_t;  n_t = f_t n_{t-1} + i_t;  h_t = o_t c_t / n_t, with i_t = exp(ĩ_t) and
    f_t = sigmoid(f̃_t), kept from overflowing by m_t (`stabilized`).

    Called and returned: the state is (h, c, n, m).

    Parameters per layer k and gate z, i, f, o, by the paper's names: W_z_lk (H, I), R_z_lk (H, H), b_z_lk
    (H,).

    >>> import numpy as np
    >>> from micrornn import nn
    >>> output, (h, c, n, m) = nn.SLSTM(3, 4)(np.ones((5, 3)))
    >>> output.shape, c.shape
    ((5, 4), (1, 4))
    """


class MatrixMemory(Recurrent):
    """C' = f C + i v kᵀ;  n' = f n + i k;  h = o C' q / max(|n'ᵀ q|, exp(-m')), with i and f of x alone."""

    scope_name = "mlstm"
    state_names = ("C", "n", "m")

    def _shape(self, state: str) -> tuple[int, ...]:
        h = self.hidden_size
        return {"C": (h, h), "n": (h,), "m": ()}[state]

    def _shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for name, size in {"q": self.hidden_size, "k": self.hidden_size, "v": self.hidden_size,
                           "i": 1, "f": 1, "o": self.hidden_size}.items():  # fmt: skip
            shapes[f"W_{name}"] = (size, input_size)
            if self.bias:
                shapes[f"b_{name}"] = (size,)
        return shapes

    def _equation(self, suffix: str) -> Step:
        p, scale = self._named(suffix), 1.0 / math.sqrt(self.hidden_size)

        def of(name: str, x: Tensor) -> Tensor:
            return product(x, p[f"W_{name}"], p.get(f"b_{name}"))

        def step(x: Tensor, memory: Tensor, n: Tensor, m: Tensor) -> tuple[Tensor, ...]:
            q, k, v = of("q", x), of("k", x) * scale, of("v", x)
            q.name, k.name, v.name = "q", "k", "v"
            i, f, m = stabilized(of("i", x)[..., 0], of("f", x)[..., 0], m)
            written = einsum("...v,...k->...vk", v, k)
            memory = expand_dims(f, (-2, -1)) * memory + expand_dims(i, (-2, -1)) * written
            n = expand_dims(f, -1) * n + expand_dims(i, -1) * k
            found = einsum("...vk,...k->...v", memory, q)
            least = maximum(absolute(einsum("...k,...k->...", n, q)), exp(-m))
            with scope("output gate"):
                o = sigmoid(of("o", x))
            h = o * (found / expand_dims(least, -1))
            memory.name, n.name, o.name, h.name = "C", "n", "o", "h̃"
            return h, memory, n, m

        return step


class MLSTM(MatrixMemory, Unrolled):
    """The matrix LSTM of xLSTM (Beck et al. 2024, section 2.3), with one head; see `Unrolled`.

    q_t, k_t, v_t = W x_t + b, k divided by √H;  C_t = f_t C_{t-1} + i_t v_t k_tᵀ;
    n_t = f_t n_{t-1} + i_t k_t;  h_t = o_t C_t q_t / max(|n_tᵀ q_t|, 1), with the numbers i_t = exp(ĩ_t)
    and f_t = sigmoid(f̃_t), kept from overflowing by m_t (`stabilized`; the 1 becomes exp(-m_t)).
    The gates read x alone.

    The state is (C, n, m), C being (H, H): a memory of values v that are found again by keys k.

    Parameters per layer k, by the paper's names: W_q_lk, W_k_lk, W_v_lk, W_o_lk (H, I), W_i_lk, W_f_lk
    (1, I), and b_q_lk and so on.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> output, (C, n, m) = nn.MLSTM(3, 4)(np.ones((5, 3)))
    >>> output.shape, C.shape, m.shape
    ((5, 4), (1, 4, 4), (1,))
    """
